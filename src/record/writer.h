/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What record_window() needs of the writer.
 */
#ifndef UDAMON_RECORD_WRITER_H
#define UDAMON_RECORD_WRITER_H

#include "record/record.h"

/** record_regions() - room for @nr regions, the record's own; NULL without memory */
struct record_region *record_regions(struct record *rec, size_t nr);

/** record_lose_window() - count a window that can't be written for @code, which is returned */
int record_lose_window(struct record *rec, int code);

#endif
