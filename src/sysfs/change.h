/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A change of state under way: shared by who waits for it (change.c) and what it does (change_run.c). */
#ifndef UDAMON_SYSFS_CHANGE_H
#define UDAMON_SYSFS_CHANGE_H

#include "sysfs/kdamond.h"
#include "sysfs/run.h"

/**
 * struct sysfs_op - one change, done by a thread of its own
 * @run:	what it is about; NULL for a start. It holds a reference.
 * @values:	the context's directory as it was when the change got its turn
 * @err:	why it failed, if more is known than the number
 *
 * Of the change's thread: @call, @walk, @source, @tried, @nr_tried, @walk_error.
 *
 * Under the tree's lock:
 * @asking:	a request to the kdamond is there, or about to be
 * @begun:	and its function runs
 * @withdrawn:	the writer was interrupted: nothing more is to be asked
 * @withdrawing: the writer is busy with the request
 * @done:	with @result; the thread ends
 * @next:	in &sysfs_tree.abandoned
 */
struct sysfs_op {
	struct sysfs_tree *tree;
	struct sysfs_kdamond *kdamond;
	enum sysfs_change change;
	struct sysfs_run *run;
	struct sysfs_dir *values;
	struct sysfs_choices choices;
	struct damon_error err;
	struct damon_thread *thread;
	struct damon_call_control call;
	struct damos_walk_control walk;
	struct damon_ctx *source;
	struct sysfs_tried **tried;
	size_t nr_tried;
	int walk_error;
	bool asking;
	bool begun;
	bool withdrawn;
	bool withdrawing;
	bool done;
	int result;
	struct sysfs_op *next;
};

/** sysfs_op_run() - do it; 0 or -errno. Without the lock, on the change's thread. */
int sysfs_op_run(struct sysfs_op *op);

/** sysfs_join_abandoned() - those that are done, or @all, which waits */
void sysfs_join_abandoned(struct sysfs_tree *tree, bool all);

#endif
