/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The ranges of a process that are monitored: its mappings without the two largest gaps.
 */
#ifndef UDAMON_OPS_LAYOUT_H
#define UDAMON_OPS_LAYOUT_H

#include <udamon/damon.h>

#include "system/maps.h"

#define LAYOUT_MAX_RANGES 3

/**
 * layout_ranges() - ranges of a process
 * @min_region_sz: edges are aligned to it, outwards; ranges that meet then become one
 * @ranges:	at most %LAYOUT_MAX_RANGES
 *
 * A process has its program and heap, its mapped files and memory, and its stack,
 * far from each other: cutting out the two largest unmapped gaps separates them
 * without following every small mapping. Source: DAMON's documentation of vaddr.
 *
 * Return: how many; fewer gaps give fewer ranges, no mappings none.
 */
size_t layout_ranges(const struct mapping_list *list, uint64_t min_region_sz,
		     struct damon_addr_range *ranges);

#endif
