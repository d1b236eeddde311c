// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Finding the processes that are to be watched. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/targets.h"
#include "params/values.h"

int pid_list_add(struct pid_list *list, pid_t pid)
{
	pid_t *pids;

	for (size_t i = 0; i < list->nr; i++)
		if (list->pids[i] == pid)
			return 0;
	pids = reallocarray(list->pids, list->nr + 1, sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	pids[list->nr++] = pid;
	list->pids = pids;
	return 0;
}

void pid_list_clear(struct pid_list *list)
{
	free(list->pids);
	*list = (struct pid_list){0};
}

/* Add what one group's cgroup.procs lists. */
static int read_group(struct pid_list *list, const char *folder)
{
	char path[PATH_MAX], line[64];
	FILE *file;
	int ret = 0;

	if (snprintf(path, sizeof(path), "%s/cgroup.procs", folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	errno = 0;
	while (!ret && fgets(line, sizeof(line), file)) {
		uint64_t pid;

		line[strcspn(line, "\n")] = '\0';
		/* 0 stands for a process of another pid namespace, which has no number here. */
		if (!parse_count(line, &pid) && pid && pid <= INT_MAX && (pid_t)pid != getpid())
			ret = pid_list_add(list, (pid_t)pid);
	}
	if (!ret && ferror(file))
		ret = errno ? -errno : -EIO;
	fclose(file);
	return ret;
}

static int read_groups(struct pid_list *list, const char *folder)
{
	int ret = read_group(list, folder);
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (ret)
		return ret;
	dir = opendir(folder);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >=
		    (int)sizeof(path))
			ret = -ENAMETOOLONG;
		else
			ret = read_groups(list, path);
		if (ret == -ENOENT || ret == -ENODEV) /* the group has just been removed */
			ret = 0;
	}
	closedir(dir);
	return ret;
}

int cgroup_processes(struct pid_list *list, const char *path)
{
	static const char *const roots[] = {"", "/sys/fs/cgroup/", "/sys/fs/cgroup/unified/",
					    "/sys/fs/cgroup/memory/"};
	int ret = -ENOENT;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]) && ret == -ENOENT; i++) {
		char folder[PATH_MAX];

		if (snprintf(folder, sizeof(folder), "%s%s", roots[i], path) < (int)sizeof(folder))
			ret = read_groups(list, folder);
	}
	if (ret)
		return give_up(EXIT_FAILED, "cannot read the control group '%s': %s%s", path,
			       strerror(-ret),
			       ret == -ENOENT ? "; give a folder that has a file cgroup.procs"
					      : "");
	if (!list->nr)
		return give_up(EXIT_FAILED, "the control group '%s' has no process to watch", path);
	return 0;
}
