/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Moving the write-ahead log into the record beside the writer, on a thread of its own.
 *
 * That is where SQLite waits for the disk, and the kdamond must not wait for it.
 */
#ifndef UDAMON_RECORD_CHECKPOINT_H
#define UDAMON_RECORD_CHECKPOINT_H

#include <udamon/error.h>

struct checkpointer;

/** checkpointer_start() - open @path a second time and start the thread; fails with a text */
int checkpointer_start(struct checkpointer **checkpointer, const char *path,
		       struct damon_error *err);

/** checkpointer_wake() - the log has become long; returns at once */
void checkpointer_wake(struct checkpointer *checkpointer);

/** checkpointer_stop() - wait for a checkpoint under way, end the thread and free; NULL is allowed */
void checkpointer_stop(struct checkpointer *checkpointer);

#endif
