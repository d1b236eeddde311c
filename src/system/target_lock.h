/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * One monitor per process: an advisory lock that ends with its holder.
 */
#ifndef UDAMON_SYSTEM_TARGET_LOCK_H
#define UDAMON_SYSTEM_TARGET_LOCK_H

#include "system/process.h"

/** struct target_lock - a lock that is held */
struct target_lock {
	int fd;
	char path[256];
};

/**
 * target_lock_take() - become the one who watches the process in @info
 *
 * Two monitors would clear each other's Accessed bits. Root's locks lie in
 * /run/udamon/locks, other users' in $XDG_RUNTIME_DIR/udamon/locks; %UDAMON_LOCK_DIR
 * overrides both. The kernel drops the lock when its holder ends in any way.
 *
 * Return: 0; -EBUSY: @err says who holds it; -errno when the file can't be made.
 */
int target_lock_take(struct target_lock *lock, const struct process_info *info,
		     struct damon_error *err);

/** target_lock_drop() - @lock->fd is -1 afterwards; does nothing when it already is */
void target_lock_drop(struct target_lock *lock);

#endif
