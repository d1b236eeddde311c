/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Runs the rows of spec.tsv against a file tree, wherever it is: in this process, or mounted.
 *
 * First, with nothing running, for each file: whether it is there, its mode, its default, what it
 * takes and how that reads back, what it refuses. Then, with a context running: that what is written
 * changes nothing before a commit, and what it has changed after it, by the file "in_force"; and
 * that a commit of wrong values is refused, says why, and changes nothing.
 */
#ifndef UDAMON_TESTS_SYSFS_ROWS_H
#define UDAMON_TESTS_SYSFS_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "sysfs/tree.h"

/**
 * struct rows_tree - how to reach the tree; functions as those of sysfs/tree.h
 * @pid:	process to watch
 * @other_pid:	another one
 */
struct rows_tree {
	int (*stat)(void *data, const char *path, struct sysfs_stat *st);
	int (*read)(void *data, const char *path, struct sysfs_text *text);
	int (*write)(void *data, const char *path, const char *buf, size_t len);
	void *data;
	int pid;
	int other_pid;
};

/** rows_run() - run all rows of file @spec, printing TAP; the number of rows that failed, or -errno */
int rows_run(const char *spec, const struct rows_tree *tree);

#endif
