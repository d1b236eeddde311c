/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Parameters that are no files yet, such as those of a configuration, written into the tree's files.
 */
#ifndef UDAMON_SYSFS_STAGE_H
#define UDAMON_SYSFS_STAGE_H

#include "params/kdamonds_json.h"
#include "sysfs/tree.h"

/** SYSFS_KDAMONDS - the directory of the kdamonds */
#define SYSFS_KDAMONDS "/kernel/mm/damon/admin/kdamonds"

/**
 * sysfs_stage() - write @params into the files of the kdamond @kdamond, which is there
 *
 * All of them, so that nothing of what was staged before is left; nothing is put in force.
 * Return: 0; what a write gave, with a text that names file and value.
 */
int sysfs_stage(struct sysfs_tree *tree, uint32_t kdamond, const struct params_kdamond *params,
		struct damon_error *err);

/**
 * sysfs_put() - sysfs_write() of a text
 * Return: 0; else as sysfs_write(), with a text that names file and value
 */
int sysfs_put(struct sysfs_tree *tree, const char *path, const char *value,
	      struct damon_error *err);

/**
 * sysfs_change() - write @word to the file "state" of a kdamond
 * Return: 0; else as sysfs_write(), with the reason that the file "error" then has
 */
int sysfs_change(struct sysfs_tree *tree, uint32_t kdamond, const char *word,
		 struct damon_error *err);

#endif
