/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What was read of a table: an array that grows, and the texts its elements point to. */
#ifndef UDAMON_RECORD_ROWS_H
#define UDAMON_RECORD_ROWS_H

#include <stddef.h>

#include "record/arena.h"

/** struct rows - zero-initialise it; elements move when it grows, their texts don't */
struct rows {
	void *array;
	size_t nr;
	size_t max;
	struct arena texts;
};

/** rows_clear() - no elements and no texts; the room stays */
void rows_clear(struct rows *rows);

/** rows_free() - as new */
void rows_free(struct rows *rows);

/** rows_add() - room for one element more, of @size bytes as all others; NULL without memory */
void *rows_add(struct rows *rows, size_t size);

#endif
