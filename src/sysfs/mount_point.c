// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The directory that the tree is mounted on: its lock, and the mount a killed server left on it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysfs/mount_point.h"

/* A server that is killed again and again leaves one mount each time, but the next one clears it. */
#define MOST_LEFT 64

/* Make what is missing of the folders above; only the last is for its owner alone. */
static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST) {
			int code = -errno;

			*slash = '/';
			return code;
		}
		*slash = '/';
	}
	/* ENOTCONN: there is one, and a dead mount on it. */
	return mkdir(path, 0700) && errno != EEXIST && errno != ENOTCONN ? -errno : 0;
}

/*
 * The absolute path. The last part can't be looked at where a dead mount lies on it, so only what is
 * above is resolved.
 */
static int resolve(char **resolved, const char *path, struct damon_error *err)
{
	char absolute[PATH_MAX], folder[PATH_MAX];
	char *slash, *whole = NULL;
	size_t len;
	int ret;

	if (path[0] == '/')
		snprintf(folder, sizeof(folder), "%s", path);
	else if (!getcwd(absolute, sizeof(absolute)) ||
		 snprintf(folder, sizeof(folder), "%s/%s", absolute, path) >= (int)sizeof(folder))
		return damon_error_set(err, -ENAMETOOLONG, "cannot mount on '%s': %s", path,
				       strerror(ENAMETOOLONG));
	len = strlen(folder);
	while (len > 1 && folder[len - 1] == '/')
		folder[--len] = '\0';
	slash = strrchr(folder, '/');
	if (len < 2 || len >= PATH_MAX - 1 || !strcmp(slash, "/.") || !strcmp(slash, "/.."))
		return damon_error_set(err, -EINVAL,
				       "cannot mount on '%s': name a directory of its own", path);
	ret = make_folders(folder);
	if (ret)
		return damon_error_set(err, ret, "cannot make the directory '%s': %s", path,
				       strerror(-ret));
	*slash = '\0';
	if (!realpath(slash == folder ? "/" : folder, absolute))
		return damon_error_set(err, -errno, "cannot mount on '%s': %s", path,
				       strerror(errno));
	if (asprintf(&whole, "%s/%s", strcmp(absolute, "/") ? absolute : "", slash + 1) < 0)
		return damon_error_set(err, -ENOMEM, "out of memory");
	*resolved = whole;
	return 0;
}

static int take_lock(struct mount_point *point, struct damon_error *err)
{
	char name[PATH_MAX + 8], holder[24] = "";
	ssize_t len;

	snprintf(name, sizeof(name), "%s.lock", point->path);
	point->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (point->lock_fd < 0)
		return damon_error_set(err, -errno, "cannot open the lock '%s': %s", name,
				       strerror(errno));
	if (flock(point->lock_fd, LOCK_EX | LOCK_NB)) {
		int code = errno == EWOULDBLOCK ? -EBUSY : -errno;

		len = read(point->lock_fd, holder, sizeof(holder) - 1);
		holder[len > 0 ? strcspn(holder, "\n") : 0] = '\0';
		return damon_error_set(err, code,
				       "'%s' is served by another udamond%s%s; stop that one first",
				       point->path, holder[0] ? ", process " : "", holder);
	}
	len = snprintf(holder, sizeof(holder), "%d\n", getpid());
	/* The number is only for the message above. */
	if (ftruncate(point->lock_fd, 0) || pwrite(point->lock_fd, holder, (size_t)len, 0) < 0)
		return damon_error_set(err, -errno, "cannot write the lock '%s': %s", name,
				       strerror(errno));
	return 0;
}

/* Blanks and the like are octal in the mount table. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in; out++) {
		if (in[0] == '\\' && in[1] && in[2] && in[3]) {
			*out = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

struct mounted {
	bool there;
	char type[64];
	char source[128];
};

/* What is mounted on @path, the uppermost if several are. */
static int find_mount(const char *path, struct mounted *mounted)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;

	mounted->there = false;
	if (!table)
		return -errno;
	while (getline(&line, &size, table) > 0) {
		char point[PATH_MAX] = "", *rest = strstr(line, " - ");

		if (!rest || sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1)
			continue;
		unescape(point);
		if (strcmp(point, path))
			continue;
		mounted->type[0] = mounted->source[0] = '\0';
		mounted->there = sscanf(rest, " - %63s %127s", mounted->type, mounted->source) >= 1;
		unescape(mounted->source);
	}
	free(line);
	fclose(table);
	return 0;
}

static bool is_ours(const struct mounted *mounted)
{
	return (!strcmp(mounted->type, "fuse") || !strncmp(mounted->type, "fuse.", 5)) &&
	       !strcmp(mounted->source, SYSFS_FUSE_SOURCE);
}

static int is_empty(const char *path, struct damon_error *err)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	int ret = 0;

	if (!folder)
		return damon_error_set(err, -errno, "cannot mount on '%s': %s", path,
				       strerror(errno));
	while (!ret && (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = damon_error_set(err, -EBUSY,
					      "cannot mount on '%s': it isn't empty (there is "
					      "'%s'); name another directory",
					      path, entry->d_name);
	closedir(folder);
	return ret;
}

/* With the lock held, so a mount of ours that doesn't answer has lost its server for good. */
static int clear(const char *path, struct damon_error *err)
{
	struct mounted mounted;
	struct stat st;
	int ret;

	for (int i = 0; i < MOST_LEFT; i++) {
		ret = find_mount(path, &mounted);
		if (ret)
			return damon_error_set(err, ret, "cannot read the mount table: %s",
					       strerror(-ret));
		if (!mounted.there)
			return is_empty(path, err);
		if (!is_ours(&mounted))
			return damon_error_set(err, -EBUSY,
					       "cannot mount on '%s': '%s' (%s) is mounted there; "
					       "unmount it or name another directory",
					       path, mounted.source, mounted.type);
		if (!stat(path, &st) || errno != ENOTCONN)
			return damon_error_set(err, -EBUSY,
					       "'%s' is served by another udamond; stop that one "
					       "first",
					       path);
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW))
			return damon_error_set(err, -errno,
					       "cannot unmount what a udamond that was killed left "
					       "on '%s': %s",
					       path, strerror(errno));
	}
	return damon_error_set(err, -EBUSY, "cannot mount on '%s': too many dead mounts lie on it",
			       path);
}

int mount_point_take(struct mount_point *point, const char *path, struct damon_error *err)
{
	int ret;

	*point = (struct mount_point){.lock_fd = -1};
	ret = resolve(&point->path, path, err);
	if (!ret)
		ret = take_lock(point, err);
	if (!ret)
		ret = clear(point->path, err);
	if (ret)
		mount_point_drop(point);
	return ret;
}

void mount_point_drop(struct mount_point *point)
{
	if (point->lock_fd >= 0)
		close(point->lock_fd);
	free(point->path);
	*point = (struct mount_point){.lock_fd = -1};
}
