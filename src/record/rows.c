// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Growing arrays of rows. */
#include <stdlib.h>

#include "record/rows.h"

void rows_clear(struct rows *rows)
{
	rows->nr = 0;
	arena_clear(&rows->texts);
}

void rows_free(struct rows *rows)
{
	rows_clear(rows);
	free(rows->array);
	rows->array = NULL;
	rows->max = 0;
}

void *rows_add(struct rows *rows, size_t size)
{
	if (rows->nr == rows->max) {
		size_t max = rows->max ? 2 * rows->max : 64;
		void *array = reallocarray(rows->array, max, size);

		if (!array)
			return NULL;
		rows->array = array;
		rows->max = max;
	}
	return (char *)rows->array + size * rows->nr++;
}
