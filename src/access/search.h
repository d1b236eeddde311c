/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The search for the direct map's base, apart from how page tables are read, so that it can be
 * tested on page tables that no machine at hand has.
 */
#ifndef UDAMON_ACCESS_SEARCH_H
#define UDAMON_ACCESS_SEARCH_H

#include "access/reader.h"

/**
 * struct page_search - what the search starts from
 * @read:	look at @addr, walking by @calibration; 0 or -errno
 * @data:	passed to @read
 * @top:	kernel address of the top-level table
 * @addr:	a page of our own, in memory
 * @frame:	its frame, as the kernel says
 * @memory_end:	no physical memory from here on; bytes
 */
struct page_search {
	int (*read)(void *data, const struct page_calibration *calibration, uint64_t addr,
		    struct page_state *state);
	void *data;
	uint64_t top;
	uint64_t addr;
	uint64_t frame;
	uint64_t memory_end;
};

/**
 * page_search_run() - find a way to walk that leads from @search->addr to @search->frame
 *
 * Return: 0; -ENXIO when there is none; what read() returned. One page agreeing may
 * be chance: the caller verifies on others.
 */
int page_search_run(const struct page_search *search, struct page_calibration *calibration);

#endif
