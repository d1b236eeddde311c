// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Files that are there completely or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/replacement.h"

int file_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t done = write(fd, at, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		at += done;
		size -= (size_t)done;
	}
	return 0;
}

int replacement_resolve(const char *path, char **real)
{
	struct stat st;

	*real = NULL;
	if (!*path)
		return -ENOENT;
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		*real = realpath(path, NULL);
		return *real ? 0 : -errno;
	}
	*real = strdup(path);
	return *real ? 0 : -ENOMEM;
}

static void forget(struct replacement *replacement)
{
	free(replacement->temporary);
	free(replacement->path);
	*replacement = (struct replacement){.fd = -1};
}

int replacement_begin(struct replacement *replacement, const char *path)
{
	int rc;

	*replacement = (struct replacement){.fd = -1};
	rc = replacement_resolve(path, &replacement->path);
	if (rc)
		return rc;
	if (asprintf(&replacement->temporary, "%s.XXXXXX", replacement->path) < 0) {
		replacement->temporary = NULL;
		rc = -ENOMEM;
	} else {
		/* For the owner only. */
		replacement->fd = mkostemp(replacement->temporary, O_CLOEXEC);
		rc = replacement->fd < 0 ? -errno : 0;
	}
	if (rc)
		forget(replacement);
	return rc;
}

/* Some file systems can't keep one from replacing what came up meanwhile. */
static int put_in_place(const char *from, const char *to, bool new)
{
	if (new) {
		if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
			return 0;
		if (errno != EINVAL && errno != ENOSYS)
			return -errno;
	}
	return rename(from, to) ? -errno : 0;
}

/* The new name is as safe as the content. Some file systems can't; then it is as safe as they make it. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd, rc = 0;

	folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!folder)
		return -ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return 0; /* a folder that may be written to but not read */
	if (fsync(fd) < 0 && errno != EINVAL)
		rc = -errno;
	close(fd);
	return rc;
}

int replacement_commit(struct replacement *replacement, unsigned int flags)
{
	bool sync = !(flags & REPLACEMENT_UNSYNCED);
	int rc = 0;

	if (sync && fsync(replacement->fd))
		rc = -errno;
	if (close(replacement->fd) && !rc)
		rc = -errno;
	if (!rc)
		rc = put_in_place(replacement->temporary, replacement->path,
				  flags & REPLACEMENT_NEW);
	if (rc)
		unlink(replacement->temporary);
	else if (sync)
		rc = sync_folder(replacement->path);
	forget(replacement);
	return rc;
}

void replacement_drop(struct replacement *replacement)
{
	close(replacement->fd);
	unlink(replacement->temporary);
	forget(replacement);
}
