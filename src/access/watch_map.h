/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The mappings of a target, each with what was learned about watching it.
 */
#ifndef UDAMON_ACCESS_WATCH_MAP_H
#define UDAMON_ACCESS_WATCH_MAP_H

#include "system/maps.h"

/* Flags of a mapping. */
#define WATCH_REFUSED                                                                              \
	1u	       /* the kernel refuses to clear its Accessed bits (locked, hugetlb, device) */
#define WATCH_RETRY 2u /* with the above: try once more, it may have changed */
#define WATCH_GUEST 4u /* may be memory of a KVM guest, whose accesses aren't seen here */

/**
 * struct watch_map - mappings and their flags
 * @list:	as read last
 * @flags:	WATCH_* of each mapping of @list
 * @flagged:	any flag is set at all
 *
 * Zero-initialise it.
 */
struct watch_map {
	struct mapping_list list;
	uint8_t *flags;
	bool flagged;
	/* private: */
	struct mapping_list before;
	uint8_t *flags_before;
	size_t capacity;
	size_t capacity_before;
};

/**
 * watch_map_read() - read the mappings again, keeping what is known of those that are still there
 *
 * Return: 0; as maps_read(), and then the map is empty.
 */
int watch_map_read(struct watch_map *map, pid_t pid);

/** watch_map_adopt() - the same after @map->list was filled with the new mappings; 0 or -ENOMEM */
int watch_map_adopt(struct watch_map *map);

/** watch_map_flags() - WATCH_* of the mapping at @addr; 0 when there is none */
uint8_t watch_map_flags(const struct watch_map *map, uint64_t addr);

/** watch_map_set() - replace the flags in @mask of the mapping at @addr by @flags */
void watch_map_set(struct watch_map *map, uint64_t addr, uint8_t mask, uint8_t flags);

/** watch_map_unwatchable() - bytes of mappings with any flag, and how many; @first: one of them, or NULL */
uint64_t watch_map_unwatchable(const struct watch_map *map, size_t *nr,
			       const struct mapping **first);

/** watch_map_clear() - free what it holds */
void watch_map_clear(struct watch_map *map);

#endif
