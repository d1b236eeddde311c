/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * One monitor per process: an advisory lock that ends with its holder.
 */
#include "system/target_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_dir(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int lock_dir(char *path, size_t size, struct damon_error *err)
{
	const char *override = getenv("UDAMON_LOCK_DIR"), *base = "/run";
	int ret;

	if (override && *override) {
		snprintf(path, size, "%s", override);
		return 0;
	}
	if (geteuid() != 0) {
		base = getenv("XDG_RUNTIME_DIR");
		if (!base || !*base)
			return damon_error_set(
				err, -ENOENT,
				"no place for the lock of a target: XDG_RUNTIME_DIR is not "
				"set (set it, or UDAMON_LOCK_DIR)");
	}
	snprintf(path, size, "%s/udamon", base);
	ret = make_dir(path);
	if (!ret) {
		snprintf(path, size, "%s/udamon/locks", base);
		ret = make_dir(path);
	}
	if (ret)
		return damon_error_set(err, ret, "can't make the directory '%s': %s", path,
				       strerror(-ret));
	return 0;
}

/* The holder writes its number right after taking the lock; it may be about to. */
static int busy(int fd, const struct process_info *info, struct damon_error *err)
{
	struct process_info holder;
	char text[32];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	int pid = 0;

	if (len > 0) {
		text[len] = '\0';
		pid = atoi(text);
	}
	if (pid == getpid())
		return damon_error_set(err, -EBUSY,
				       "process %d (%s) is already watched by this program",
				       (int)info->pid, info->comm);
	if (pid <= 0 || process_info_read(&holder, pid))
		return damon_error_set(err, -EBUSY,
				       "process %d (%s) is already watched by another program",
				       (int)info->pid, info->comm);
	return damon_error_set(
		err, -EBUSY,
		"process %d (%s) is already watched by process %d (%s): stop that first",
		(int)info->pid, info->comm, pid, holder.comm);
}

/* Whether the file that was locked is still the one with that name: its last holder removes it. */
static bool still_there(int fd, const char *path)
{
	struct stat mine, named;

	return !fstat(fd, &mine) && !stat(path, &named) && mine.st_ino == named.st_ino &&
	       mine.st_dev == named.st_dev;
}

static int try_lock(struct target_lock *lock, const struct process_info *info,
		    struct damon_error *err)
{
	int ret, fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return damon_error_set(err, -errno, "can't open the lock file '%s': %s", lock->path,
				       strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		ret = errno == EWOULDBLOCK ? busy(fd, info, err)
					   : damon_error_set(err, -errno, "can't lock '%s': %s",
							     lock->path, strerror(errno));
		close(fd);
		return ret;
	}
	if (!still_there(fd, lock->path)) {
		close(fd);
		return -EAGAIN;
	}
	lock->fd = fd;
	return 0;
}

int target_lock_take(struct target_lock *lock, const struct process_info *info,
		     struct damon_error *err)
{
	char dir[200];
	int ret;

	lock->fd = -1;
	ret = lock_dir(dir, sizeof(dir), err);
	if (ret)
		return ret;
	snprintf(lock->path, sizeof(lock->path), "%s/%d-%" PRIu64, dir, (int)info->pid,
		 info->start_time);
	do
		ret = try_lock(lock, info, err);
	while (ret == -EAGAIN);
	if (ret)
		return ret;
	/* Only for the text others see: the lock holds without it. */
	if (ftruncate(lock->fd, 0) || dprintf(lock->fd, "%d\n", (int)getpid()) < 0)
		ret = 0;
	return ret;
}

void target_lock_drop(struct target_lock *lock)
{
	if (lock->fd < 0)
		return;
	unlink(lock->path);
	close(lock->fd);
	lock->fd = -1;
}
