/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where memory cgroups are, in both versions of the hierarchy.
 */
#ifndef UDAMON_SYSTEM_MEMCG_H
#define UDAMON_SYSTEM_MEMCG_H

#include <stdint.h>

/**
 * memcg_inode() - number by which /proc/kpagecgroup names a memory cgroup
 * @path:	relative to the root of the hierarchy; with or without a slash in front
 *
 * A cgroup of version 2 to which the memory controller isn't given has no memory of its own: it is
 * none here. Return: the inode number of its directory; 0 where there is no such cgroup now.
 */
uint64_t memcg_inode(const char *path);

#endif
