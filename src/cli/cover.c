// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Covering folders of /sys in a mount namespace of our own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/cover.h"
#include "cli/message.h"

#define LONGEST	      (PATH_MAX + 32)
#define TMPFS_OPTIONS "mode=755,size=1m"

int cover_make_private(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return give_up(EXIT_FAILED, "cannot keep mounts to this namespace: %s",
			       strerror(errno));
	return 0;
}

/* Something in the folder @fd, for system calls that take only paths. */
static void path_of(char path[LONGEST], int fd, const char *name)
{
	snprintf(path, LONGEST, "/proc/self/fd/%d/%s", fd, name);
}

/* Bind one entry of the old folder to the same name in the new one. */
static int keep_entry(int old_fd, const char *folder, const char *name)
{
	char from[LONGEST], to[PATH_MAX];
	struct stat st;
	int fd;

	path_of(from, old_fd, name);
	if (snprintf(to, sizeof(to), "%s/%s", folder, name) >= (int)sizeof(to))
		return -ENAMETOOLONG;
	if (fstatat(old_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode)) {
		if (mkdir(to, 0755))
			return -errno;
	} else if (S_ISREG(st.st_mode)) {
		fd = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		close(fd);
	} else {
		return 0;
	}
	return mount(from, to, NULL, MS_BIND | MS_REC, NULL) ? -errno : 0;
}

static int keep_entries(int old_fd, const char *folder)
{
	int fd = openat(old_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int ret = 0;

	if (!dir) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while (!ret && (errno = 0, entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = keep_entry(old_fd, folder, entry->d_name);
	if (!ret)
		ret = -errno;
	closedir(dir);
	return ret;
}

/* Replace @folder by one that holds the same and an empty folder for each of the names. */
static int make_room(const char *folder, const char *const *names)
{
	int old_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_MAX];
	int ret = 0;

	if (old_fd < 0)
		return -errno;
	if (mount("udamon", folder, "tmpfs", 0, TMPFS_OPTIONS)) {
		ret = -errno;
		goto out;
	}
	ret = keep_entries(old_fd, folder);
	for (; *names && !ret; names++) {
		snprintf(path, sizeof(path), "%s/%s", folder, *names);
		if (mkdir(path, 0755) && errno != EEXIST)
			ret = -errno;
	}
	if (!ret && mount(NULL, folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL))
		ret = -errno;
out:
	close(old_fd);
	return ret;
}

static int cannot_cover(const char *folder, int err)
{
	if (err == -EPERM || err == -EACCES)
		return give_up(EXIT_CANNOT, "cannot mount on '%s': not permitted; only root may",
			       folder);
	return give_up(EXIT_FAILED, "cannot mount on '%s': %s", folder, strerror(-err));
}

static int not_served(const struct tree *tree)
{
	return give_up(EXIT_FAILED,
		       "'%s': no udamond serves it, it is some other folder; name its folder with "
		       "--mount",
		       tree->root);
}

int cover_check_tree(const struct tree *tree)
{
	struct statfs fs;

	if (fstatfs(tree->root_fd, &fs))
		return give_up(EXIT_FAILED, "'%s': %s", tree->root, strerror(errno));
	return fs.f_type == FUSE_SUPER_MAGIC ? 0 : not_served(tree);
}

/* Mount one; -ENOENT when there is no folder of that name. */
static int cover_one(const struct tree *tree, const char *source, const char *folder,
		     const char *name)
{
	char from[LONGEST], to[PATH_MAX], below[PATH_MAX];

	snprintf(below, sizeof(below), "%s/%s", source, name);
	if (faccessat(tree->root_fd, below, F_OK, 0))
		return 0;
	path_of(from, tree->root_fd, below);
	snprintf(to, sizeof(to), "%s/%s", folder, name);
	return mount(from, to, NULL, MS_BIND, NULL) ? -errno : 0;
}

int cover_with(const struct tree *tree, const char *source, const char *folder,
	       const char *const *names)
{
	const char *missing[8] = {NULL};
	size_t nr = 0;
	int ret = 0;

	for (; *names && !ret; names++) {
		ret = cover_one(tree, source, folder, *names);
		if (ret == -ENOENT && nr + 1 < sizeof(missing) / sizeof(missing[0])) {
			missing[nr++] = *names;
			ret = 0;
		}
	}
	if (nr && !ret)
		ret = make_room(folder, missing);
	for (size_t i = 0; i < nr && !ret; i++)
		ret = cover_one(tree, source, folder, missing[i]);
	return ret ? cannot_cover(folder, ret) : 0;
}

int cover_with_nothing(const char *folder)
{
	if (!mount("udamon", folder, "tmpfs", MS_RDONLY, TMPFS_OPTIONS) || errno == ENOENT)
		return 0;
	return cannot_cover(folder, -errno);
}

int cover_check(const struct tree *tree, const char *source, const char *folder)
{
	struct stat ours, there;
	struct statfs fs;

	if (fstatat(tree->root_fd, source, &ours, 0))
		return give_up(EXIT_FAILED, "'%s/%s': %s", tree->root, source, strerror(errno));
	if (statfs(folder, &fs) || stat(folder, &there) || fs.f_type != FUSE_SUPER_MAGIC ||
	    there.st_dev != ours.st_dev || there.st_ino != ours.st_ino)
		return give_up(EXIT_FAILED,
			       "'%s' didn't become what '%s/%s' is; nothing was started", folder,
			       tree->root, source);
	return 0;
}
