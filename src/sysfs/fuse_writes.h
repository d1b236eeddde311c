/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Writes to the tree, each on a thread that may wait for it.
 *
 * A write to a "state" file waits until what it asks for is in force. Were that done by the threads that
 * receive requests, a few of them would keep everybody from reading.
 */
#ifndef UDAMON_SYSFS_FUSE_WRITES_H
#define UDAMON_SYSFS_FUSE_WRITES_H

#include <stddef.h>
#include <stdint.h>

#include "sysfs/fuse_session.h"
#include "sysfs/tree.h"

struct fuse_writes;

/** fuse_writes_new() - 0 or -ENOMEM */
int fuse_writes_new(struct fuse_writes **writes, struct sysfs_tree *tree);

/**
 * fuse_writes_add() - write @buf to the file @path; copies both and answers @req, if need be at once
 *
 * A signal to the writer interrupts it (sysfs_interrupt_raise()).
 */
void fuse_writes_add(struct fuse_writes *writes, fuse_req_t req, const char *path, const char *buf,
		     size_t len);

/** fuse_writes_accepted() - how many have succeeded */
uint64_t fuse_writes_accepted(struct fuse_writes *writes);

/** fuse_writes_end() - interrupt those under way, refuse new ones (-ENODEV), wait until none is left */
void fuse_writes_end(struct fuse_writes *writes);

/** fuse_writes_free() - after fuse_writes_end(); NULL is allowed */
void fuse_writes_free(struct fuse_writes *writes);

#endif
