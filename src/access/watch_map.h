/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The mappings of a target, each with what was learned about watching it.
 */
#ifndef UDAMON_ACCESS_WATCH_MAP_H
#define UDAMON_ACCESS_WATCH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Flags of a mapping. */
#define WATCH_REFUSED                                                                              \
	1u	       /* the kernel refuses to clear its Accessed bits (locked, hugetlb, device) */
#define WATCH_RETRY 2u /* with the above: try once more, it may have changed */
#define WATCH_GUEST 4u /* may be memory of a KVM guest, whose accesses aren't seen here */

/** struct watch_range - one mapping: its addresses, and WATCH_* flags */
struct watch_range {
	uint64_t start;
	uint64_t end;
	uint8_t flags;
};

/**
 * struct watch_map - mappings by address
 * @nr, @ranges: the mappings
 * @flagged:	any flag of them is set
 *
 * Zero-initialise it.
 */
struct watch_map {
	size_t nr;
	struct watch_range *ranges;
	bool flagged;
	/* private: */
	size_t capacity;
	size_t nr_before;
	struct watch_range *before;
	size_t capacity_before;
};

/*
 * The mappings were read again: begin, add each by address, end. What was refused
 * before and is still there is kept, to be tried again.
 */
void watch_map_begin(struct watch_map *map);

/** watch_map_add() - 0 or -ENOMEM */
int watch_map_add(struct watch_map *map, uint64_t start, uint64_t end, uint8_t flags);
void watch_map_end(struct watch_map *map);

/** watch_map_find() - the mapping that holds @addr, or NULL */
struct watch_range *watch_map_find(const struct watch_map *map, uint64_t addr);

/** watch_map_flags() - WATCH_* of the mapping at @addr; 0 when there is none */
uint8_t watch_map_flags(const struct watch_map *map, uint64_t addr);

/** watch_map_set() - replace the flags in @mask of the mapping at @addr by @flags */
void watch_map_set(struct watch_map *map, uint64_t addr, uint8_t mask, uint8_t flags);

/**
 * watch_map_unwatchable() - bytes of mappings with any flag
 * @nr:		how many mappings; may be NULL
 * @first:	one of them, or NULL; may be NULL
 */
uint64_t watch_map_unwatchable(const struct watch_map *map, size_t *nr,
			       const struct watch_range **first);

/** watch_map_clear() - free what it holds; it may be used again */
void watch_map_clear(struct watch_map *map);

#endif
