/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Which processes are to be watched: the ones that were named, or those of a control group. */
#ifndef UDAMON_CLI_TARGETS_H
#define UDAMON_CLI_TARGETS_H

#include <stddef.h>
#include <sys/types.h>

/** struct pid_list - process ids; zero-initialise it */
struct pid_list {
	pid_t *pids;
	size_t nr;
};

/** pid_list_add() - append one, unless it is there; 0 or -ENOMEM */
int pid_list_add(struct pid_list *list, pid_t pid);
void pid_list_clear(struct pid_list *list);

/**
 * cgroup_processes() - the processes in a control group and the groups below it, but not this one
 * @path:	a folder of a cgroup v1 or v2 hierarchy, or its path inside the hierarchy
 *
 * Return: 0, or an exit code after the error was printed.
 */
int cgroup_processes(struct pid_list *list, const char *path);

#endif
