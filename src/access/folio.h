/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Large folios: several pages that the kernel manages as one, mapped page by page.
 */
#ifndef UDAMON_ACCESS_FOLIO_H
#define UDAMON_ACCESS_FOLIO_H

#include "access/pagemap.h"
#include "access/reader.h"
#include "access/watch_map.h"

struct folio_finder;

/** folio_finder_new() - NULL when memory ran out; @frames is borrowed */
struct folio_finder *folio_finder_new(const struct frame_files *frames);
void folio_finder_free(struct folio_finder *finder);

/** folio_finder_begin() - a new batch: what looking up folios may cost in it starts anew */
void folio_finder_begin(struct folio_finder *finder);

/**
 * folio_find() - the addresses at which the whole folio around @addr is mapped
 * @frame:	the frame at @addr
 *
 * A folio of one page is its page.
 * Return: 0; -ENXIO when clearing it would split it (only a part is mapped there, or
 * the kernel is one that always splits), or when too much was looked up in this batch already; -EBUSY when it is mapped more than once; what
 * page_link_read() returned.
 */
int folio_find(struct folio_finder *finder, struct page_link *link, const struct watch_map *map,
	       uint64_t addr, uint64_t frame, uint64_t *start, uint64_t *end);

/** folio_kernel_splits() - does this kernel split a large folio even when all of it is made cold? */
bool folio_kernel_splits(void);

/* Frames that one table's worth of a folio has at most. */
#define FOLIO_MAX_FRAMES 512

/**
 * folio_extent() - the folio that a frame belongs to
 * @flags:	room for %FOLIO_MAX_FRAMES
 * @first, @nr:	its frames
 * @head:	FRAME_* of the first one
 *
 * Return: 0; -ENXIO where it is larger than FOLIO_MAX_FRAMES, or changing; -errno of reading.
 */
int folio_extent(const struct frame_files *frames, uint64_t frame, uint64_t *flags, uint64_t *first,
		 size_t *nr, uint64_t *head);

#endif
