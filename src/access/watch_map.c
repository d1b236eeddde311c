/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The mappings of a target, each with what was learned about watching it.
 */
#include "access/watch_map.h"

#include <errno.h>
#include <stdlib.h>

void watch_map_begin(struct watch_map *map)
{
	struct watch_range *ranges = map->before;
	size_t capacity = map->capacity_before;

	/* What is current becomes the past, and the past's memory is used again. */
	map->before = map->ranges;
	map->nr_before = map->nr;
	map->capacity_before = map->capacity;
	map->ranges = ranges;
	map->capacity = capacity;
	map->nr = 0;
	map->flagged = false;
}

int watch_map_add(struct watch_map *map, uint64_t start, uint64_t end, uint8_t flags)
{
	size_t capacity = map->capacity ? 2 * map->capacity : 64;
	struct watch_range *ranges;

	if (map->nr == map->capacity) {
		ranges = realloc(map->ranges, capacity * sizeof(*ranges));
		if (!ranges)
			return -ENOMEM;
		map->ranges = ranges;
		map->capacity = capacity;
	}
	map->ranges[map->nr++] = (struct watch_range){.start = start, .end = end, .flags = flags};
	if (flags)
		map->flagged = true;
	return 0;
}

/* Both are sorted: one sweep takes the flags over to what overlaps. */
void watch_map_end(struct watch_map *map)
{
	const struct watch_range *old = map->before, *past = old + map->nr_before;
	struct watch_range *new = map->ranges, *last = new + map->nr;

	while (old < past && new < last) {
		if (old->start < new->end &&new->start < old->end && (old->flags & WATCH_REFUSED)) {
			new->flags |= WATCH_REFUSED | WATCH_RETRY;
			map->flagged = true;
		}
		if (old->end < new->end)
			old++;
		else
			new ++;
	}
}

struct watch_range *watch_map_find(const struct watch_map *map, uint64_t addr)
{
	size_t low = 0, high = map->nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (map->ranges[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < map->nr && map->ranges[low].start <= addr ? &map->ranges[low] : NULL;
}

uint8_t watch_map_flags(const struct watch_map *map, uint64_t addr)
{
	const struct watch_range *range = map->flagged ? watch_map_find(map, addr) : NULL;

	return range ? range->flags : 0;
}

void watch_map_set(struct watch_map *map, uint64_t addr, uint8_t mask, uint8_t flags)
{
	struct watch_range *range = watch_map_find(map, addr);

	if (!range)
		return;
	range->flags = (uint8_t)((range->flags & ~mask) | flags);
	if (range->flags)
		map->flagged = true;
}

uint64_t watch_map_unwatchable(const struct watch_map *map, size_t *nr,
			       const struct watch_range **first)
{
	const struct watch_range *found = NULL;
	uint64_t bytes = 0;
	size_t i, count = 0;

	for (i = 0; map->flagged && i < map->nr; i++) {
		if (!map->ranges[i].flags)
			continue;
		if (!count++)
			found = &map->ranges[i];
		bytes += map->ranges[i].end - map->ranges[i].start;
	}
	if (nr)
		*nr = count;
	if (first)
		*first = found;
	return bytes;
}

void watch_map_clear(struct watch_map *map)
{
	free(map->ranges);
	free(map->before);
	*map = (struct watch_map){};
}
