// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Where memory cgroups are, in both versions of the hierarchy. */
#include "system/memcg.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t memcg_inode(const char *path)
{
	/* Version 2 and version 1. */
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/memory"};
	char folder[PATH_MAX], file[PATH_MAX + 16];
	struct stat info;
	int length;

	for (size_t i = 0; path && i < sizeof(roots) / sizeof(roots[0]); i++) {
		length = snprintf(folder, sizeof(folder), "%s/%s", roots[i], path);
		if (length >= (int)sizeof(folder))
			continue;
		/* Any folder may bear the name, say of another controller; only a memory cgroup has this file. */
		snprintf(file, sizeof(file), "%s/memory.stat", folder);
		if (!access(file, F_OK) && !stat(folder, &info))
			return info.st_ino;
	}
	return 0;
}
