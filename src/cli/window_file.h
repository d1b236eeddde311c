/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The last published window of a daemon's context, as its file shows it. */
#ifndef UDAMON_CLI_WINDOW_FILE_H
#define UDAMON_CLI_WINDOW_FILE_H

#include "cli/tree_client.h"
#include "record/record.h"

enum { WINDOW_MAX_TARGETS = 64 };

/** struct window_target - a target that has regions in the window */
struct window_target {
	uint32_t id;
	int64_t pid;
};

/**
 * struct window_file - a window; zero-initialise it
 * @number:	counted from the start of the context
 * @targets, @nr_targets: the first of them, up to %WINDOW_MAX_TARGETS
 */
struct window_file {
	uint64_t number;
	struct damon_window window;
	struct record_region *regions;
	size_t nr;
	size_t capacity;
	struct window_target targets[WINDOW_MAX_TARGETS];
	size_t nr_targets;
};

/**
 * window_file_read() - read it; what was read before is replaced
 * Return: 0; -EAGAIN (no window yet, or it doesn't run); -ENOENT (no such kdamond, or a kernel's);
 * -EPROTO (not understood); -ENOMEM; -errno.
 */
int window_file_read(struct window_file *file, const struct tree *tree, unsigned int kdamond);
void window_file_clear(struct window_file *file);

#endif
