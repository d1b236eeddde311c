/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The file tree as a mounted file system (FUSE): what programs open, read and write.
 *
 * Files look as in sysfs: direct I/O, 4,096 bytes long, a read at offset 0 makes the content anew and the
 * later ones go on in it, each write() is a whole value. Nothing can be made or removed.
 */
#ifndef UDAMON_SYSFS_FUSE_H
#define UDAMON_SYSFS_FUSE_H

#include <stdint.h>
#include <sys/types.h>

#include <udamon/error.h>

#include "sysfs/tree.h"

struct sysfs_fuse;

/**
 * struct sysfs_fuse_options - where and for whom
 * @mount:	an empty directory, made if it isn't there
 * @owner:	whose the files are. Another one than the caller may enter then, besides root; nobody
 *		else may in any case.
 * @ended:	called once, from one of its threads, when the file system was unmounted by somebody
 *		else, or the kernel ended it; may be NULL
 * @data:	passed to it
 */
struct sysfs_fuse_options {
	const char *mount;
	uid_t owner;
	void (*ended)(void *data);
	void *data;
};

/**
 * sysfs_fuse_new() - become the one that serves a directory; nothing is mounted yet
 * @err:	why not, in one line
 *
 * One at a time serves a directory: a lock on the file "@mount.lock" says so, and ends with its holder.
 * What a server that was killed has left mounted there is taken over; any other file system on it, and a
 * directory with something in it, is refused with -EBUSY.
 *
 * Return: 0; -EBUSY; -EACCES, -EPERM (privileges); -ENOTDIR; -ENOMEM; what else the system says.
 */
int sysfs_fuse_new(struct sysfs_fuse **fuse, struct sysfs_tree *tree,
		   const struct sysfs_fuse_options *options, struct damon_error *err);

/**
 * sysfs_fuse_mount() - mount it, and begin to serve, in threads of its own
 * Return: 0; -EPERM (CAP_SYS_ADMIN); -ENOENT or -ENODEV (no /dev/fuse); -ENOMEM; what else the
 * system says.
 */
int sysfs_fuse_mount(struct sysfs_fuse *fuse, struct damon_error *err);

/** sysfs_fuse_path() - the mount point, absolute */
const char *sysfs_fuse_path(const struct sysfs_fuse *fuse);

/** sysfs_fuse_writes() - how many writes have been accepted since the mount: whether something may have changed */
uint64_t sysfs_fuse_writes(struct sysfs_fuse *fuse);

/**
 * sysfs_fuse_free() - answer what is pending (waiting writes with EINTR), unmount, and free it
 *
 * Before sysfs_tree_free(). NULL is allowed.
 */
void sysfs_fuse_free(struct sysfs_fuse *fuse);

#endif
