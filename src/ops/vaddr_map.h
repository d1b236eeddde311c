/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * From a process's mappings to what the access engine needs to know of them.
 */
#ifndef UDAMON_OPS_VADDR_MAP_H
#define UDAMON_OPS_VADDR_MAP_H

#include "access/watch_map.h"
#include "system/maps.h"

/** vaddr_fill_watch_map() - take over @list, which was read again; 0 or -ENOMEM */
int vaddr_fill_watch_map(struct watch_map *map, const struct mapping_list *list);

#endif
