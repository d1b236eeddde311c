/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Moving pages of another process to memory nodes.
 */
#ifndef UDAMON_SYSTEM_MOVE_PAGES_H
#define UDAMON_SYSTEM_MOVE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** MOVE_PAGES_MAX - most pages of one call */
#define MOVE_PAGES_MAX 512

/** move_pages_supported() - can this kernel do it at all? */
bool move_pages_supported(void);

/** node_missing() - is there certainly no memory node @nid? Where /sys doesn't say, that isn't known. */
bool node_missing(int nid);

/**
 * move_pages_to() - move pages to nodes
 * @pid:	the process; nothing is done once @pidfd, which is its own, says that it has ended
 * @addrs:	addresses of resident pages; @nr is at most %MOVE_PAGES_MAX
 * @nodes:	where each is to be
 * @moved:	set to true for those that were elsewhere before and are there afterwards
 *
 * Pages that are shared, busy, or not there stay as they are. Return: how many moved; -ESRCH; -EPERM; -ENODEV
 * (no such node, or not ours to use); -ENOMEM.
 */
ssize_t move_pages_to(pid_t pid, int pidfd, const uint64_t *addrs, const int *nodes, size_t nr,
		      bool *moved);

#endif
