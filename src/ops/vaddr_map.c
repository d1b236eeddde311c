/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From a process's mappings to what the access engine needs to know of them.
 */
#include "ops/vaddr_map.h"

#include <string.h>

/* A KVM process maps the state of its virtual processors from a descriptor with this name. */
#define KVM_MAPPING "anon_inode:kvm-vcpu"

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

int vaddr_fill_watch_map(struct watch_map *map, const struct mapping_list *list)
{
	bool guest = has_guest(list);
	size_t i;
	int ret;

	watch_map_begin(map);
	for (i = 0; i < list->nr; i++) {
		const struct mapping *mapping = &list->mappings[i];

		ret = watch_map_add(map, mapping->start, mapping->end,
				    guest && may_be_guest_memory(mapping) ? WATCH_GUEST : 0);
		if (ret)
			return ret;
	}
	watch_map_end(map);
	return 0;
}
