/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The configuration file: kdamonds that are to run, as JSON.
 */
#ifndef UDAMON_DAEMON_CONFIG_H
#define UDAMON_DAEMON_CONFIG_H

#include "params/kdamonds_json.h"
#include "sysfs/tree.h"

/** struct config - a configuration that was read; zeroed is none */
struct config {
	struct params_kdamonds kdamonds;
	char checksum[32];
};

/**
 * config_load() - read the file @path
 * @config:	config_clear() it afterwards, also after an error
 *
 * Besides its form it is seen whether the contexts in it could be made.
 * Return: 0; -ENOENT; -EINVAL, with a text that names the place; -errno of reading it; -ENOMEM.
 */
int config_load(struct config *config, const char *path, struct damon_lib *lib,
		struct damon_error *err);
void config_clear(struct config *config);

/**
 * config_apply() - stage it and put it in force: "commit" where a kdamond runs, else "on"
 *
 * Those whose "state" is "off" are only staged, and stopped if they run. Another number of kdamonds
 * than the tree has is only possible while none runs. A kdamond whose parameters are refused keeps the
 * old ones in force; the others are still done.
 * Return: 0, or the first -errno, with a text.
 */
int config_apply(const struct config *config, struct sysfs_tree *tree, struct damon_error *err);

#endif
