/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The mappings of a target, each with what was learned about watching it.
 */
#include "access/watch_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A KVM process maps the state of its virtual processors from a descriptor with this name. */
#define KVM_MAPPING "anon_inode:kvm-vcpu"

static int grow_flags(struct watch_map *map)
{
	size_t capacity = map->list.capacity;
	uint8_t *flags;

	if (capacity <= map->capacity)
		return 0;
	flags = realloc(map->flags, capacity);
	if (!flags)
		return -ENOMEM;
	map->flags = flags;
	map->capacity = capacity;
	return 0;
}

/* Guest memory is memory the process asked for itself: neither a program file's, nor heap or stack. */
static bool may_be_guest_memory(const struct mapping *mapping)
{
	if (mapping->perms[0] != 'r' || mapping->perms[1] != 'w' || mapping->perms[2] == 'x')
		return false;
	return strncmp(mapping->path, "[heap]", 6) != 0 &&
	       strncmp(mapping->path, "[stack", 6) != 0 && strncmp(mapping->path, "[v", 2) != 0;
}

static bool has_guest(const struct mapping_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		if (!strncmp(list->mappings[i].path, KVM_MAPPING, strlen(KVM_MAPPING)))
			return true;
	}
	return false;
}

/* Both lists are sorted: one sweep takes the flags over to what overlaps. */
static void carry_over(struct watch_map *map)
{
	const struct mapping *old = map->before.mappings, *new = map->list.mappings;
	size_t i = 0, j = 0;

	while (i < map->before.nr && j < map->list.nr) {
		if (old[i].end <= new[j].start) {
			i++;
			continue;
		}
		if (old[i].start < new[j].end && (map->flags_before[i] & WATCH_REFUSED)) {
			map->flags[j] |= WATCH_REFUSED | WATCH_RETRY;
			map->flagged = true;
		}
		if (old[i].end < new[j].end)
			i++;
		else
			j++;
	}
}

int watch_map_adopt(struct watch_map *map)
{
	size_t i;

	map->flagged = false;
	if (grow_flags(map)) {
		map->list.nr = 0;
		return -ENOMEM;
	}
	if (map->list.nr)
		memset(map->flags, 0, map->list.nr);
	carry_over(map);
	if (!has_guest(&map->list))
		return 0;
	for (i = 0; i < map->list.nr; i++) {
		if (!may_be_guest_memory(&map->list.mappings[i]))
			continue;
		map->flags[i] |= WATCH_GUEST;
		map->flagged = true;
	}
	return 0;
}

int watch_map_read(struct watch_map *map, pid_t pid)
{
	struct mapping_list list = map->before;
	uint8_t *flags = map->flags_before;
	size_t capacity = map->capacity_before;
	int ret;

	/* What is current becomes the past, and the past's memory is used again. */
	map->before = map->list;
	map->flags_before = map->flags;
	map->capacity_before = map->capacity;
	map->list = list;
	map->flags = flags;
	map->capacity = capacity;
	ret = maps_read(&map->list, pid);
	if (ret) {
		map->flagged = false;
		return ret;
	}
	return watch_map_adopt(map);
}

uint8_t watch_map_flags(const struct watch_map *map, uint64_t addr)
{
	const struct mapping *mapping;

	if (!map->flagged)
		return 0;
	mapping = maps_find(&map->list, addr);
	return mapping ? map->flags[mapping - map->list.mappings] : 0;
}

void watch_map_set(struct watch_map *map, uint64_t addr, uint8_t mask, uint8_t flags)
{
	const struct mapping *mapping = maps_find(&map->list, addr);
	uint8_t *its;

	if (!mapping)
		return;
	its = &map->flags[mapping - map->list.mappings];
	*its = (uint8_t)((*its & ~mask) | flags);
	if (*its)
		map->flagged = true;
}

uint64_t watch_map_unwatchable(const struct watch_map *map, size_t *nr,
			       const struct mapping **first)
{
	uint64_t bytes = 0;
	size_t i;

	*nr = 0;
	*first = NULL;
	for (i = 0; map->flagged && i < map->list.nr; i++) {
		if (!map->flags[i])
			continue;
		if (!(*nr)++)
			*first = &map->list.mappings[i];
		bytes += map->list.mappings[i].end - map->list.mappings[i].start;
	}
	return bytes;
}

void watch_map_clear(struct watch_map *map)
{
	maps_clear(&map->list);
	maps_clear(&map->before);
	free(map->flags);
	free(map->flags_before);
	*map = (struct watch_map){};
}
