/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Moving pages of another process to memory nodes.
 *
 * What the call answers for a page of a large folio isn't whether that page has moved, so the nodes
 * are asked for before and after.
 */
#include "system/move_pages.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/process.h"

/* From <linux/mempolicy.h>: only pages that no other process has mapped. */
#define MOVE_OWN (1 << 1)

/* The call takes a number, not a descriptor, so it is looked at just before whose it is. */
static int call(pid_t pid, int pidfd, const void **pages, const int *nodes, size_t nr, int *status)
{
	if (process_state(pidfd) != PROCESS_ALIVE)
		return -ESRCH;
	return syscall(SYS_move_pages, pid, nr, pages, nodes, status, nodes ? MOVE_OWN : 0) < 0
		       ? -errno
		       : 0;
}

bool move_pages_supported(void)
{
	return !syscall(SYS_move_pages, 0, 0UL, NULL, NULL, NULL, 0) || errno != ENOSYS;
}

bool node_missing(int nid)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", nid);
	return access(path, F_OK) && !access("/sys/devices/system/node", F_OK);
}

ssize_t move_pages_to(pid_t pid, int pidfd, const uint64_t *addrs, const int *nodes, size_t nr,
		      bool *moved)
{
	int before[MOVE_PAGES_MAX], after[MOVE_PAGES_MAX], wanted[MOVE_PAGES_MAX];
	const void *pages[MOVE_PAGES_MAX];
	size_t index[MOVE_PAGES_MAX], nr_elsewhere = 0, i;
	ssize_t nr_moved = 0;
	int ret;

	if (nr > MOVE_PAGES_MAX)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		pages[i] = (const void *)(uintptr_t)addrs[i];
		moved[i] = false;
	}
	ret = call(pid, pidfd, pages, NULL, nr, before);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++) {
		if (before[i] < 0 || before[i] == nodes[i])
			continue;
		pages[nr_elsewhere] = pages[i];
		wanted[nr_elsewhere] = nodes[i];
		index[nr_elsewhere++] = i;
	}
	if (!nr_elsewhere)
		return 0;
	ret = call(pid, pidfd, pages, wanted, nr_elsewhere, after);
	if (ret)
		return ret;
	ret = call(pid, pidfd, pages, NULL, nr_elsewhere, after);
	if (ret)
		return ret;
	for (i = 0; i < nr_elsewhere; i++) {
		moved[index[i]] = after[i] == wanted[i];
		nr_moved += moved[index[i]];
	}
	return nr_moved;
}
