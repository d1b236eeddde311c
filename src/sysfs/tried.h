/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Regions that a scheme was applied to, as a walk saw them. Not changed once they are in the tree. */
#ifndef UDAMON_SYSFS_TRIED_H
#define UDAMON_SYSFS_TRIED_H

#include "sysfs/table.h"
#include "sysfs/tree.h"

struct sysfs_tried_region {
	struct damon_addr_range ar;
	uint64_t sz_filter_passed;
	uint32_t nr_accesses;
	uint32_t age;
	uint8_t probe_hits[DAMON_MAX_PROBES];
};

struct sysfs_tried {
	unsigned int refs; /* atomic */
	uint32_t nr_probes;
	uint64_t total_bytes;
	size_t nr, room;
	struct sysfs_tried_region *regions;
};

/** sysfs_tried_new() - an empty list with one reference; NULL: no memory */
struct sysfs_tried *sysfs_tried_new(uint32_t nr_probes);
struct sysfs_tried *sysfs_tried_get(struct sysfs_tried *tried);
/* NULL is allowed. */
void sysfs_tried_put(struct sysfs_tried *tried);

/** sysfs_tried_add() - append; 0 or -ENOMEM */
int sysfs_tried_add(struct sysfs_tried *tried, const struct sysfs_tried_region *region);

/** sysfs_tried_number() - what a file of region @idx (and of probe @probe) shows */
uint64_t sysfs_tried_number(const struct sysfs_tried *tried, enum sysfs_source source, size_t idx,
			    size_t probe);

/** sysfs_tried_print() - all in one piece: a header line, a line a region; @tried may be NULL */
int sysfs_tried_print(const struct sysfs_tried *tried, struct sysfs_text *text);

#endif
