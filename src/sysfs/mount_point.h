/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The directory that the tree is mounted on: who may have it, and what was left there.
 */
#ifndef UDAMON_SYSFS_MOUNT_POINT_H
#define UDAMON_SYSFS_MOUNT_POINT_H

#include <udamon/error.h>

/** SYSFS_FUSE_SOURCE - what the mount table says of our mounts in its column "source" */
#define SYSFS_FUSE_SOURCE "udamond"

/**
 * struct mount_point - a directory that nobody else serves
 * @path:	absolute, without symbolic links
 * @lock_fd:	holds the lock
 */
struct mount_point {
	char *path;
	int lock_fd;
};

/**
 * mount_point_take() - lock the directory @path, made if need be, and clear it of a dead server's mount
 *
 * Return: 0; -EBUSY (somebody else's mount, a living server, or files in it); -errno. @err says it.
 */
int mount_point_take(struct mount_point *point, const char *path, struct damon_error *err);

/** mount_point_drop() - give it back, after unmounting */
void mount_point_drop(struct mount_point *point);

#endif
