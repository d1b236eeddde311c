/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Saving, every few seconds, what has changed.
 */
#ifndef UDAMON_DAEMON_SAVER_H
#define UDAMON_DAEMON_SAVER_H

#include "daemon/monitors.h"
#include "daemon/state.h"
#include "sysfs/tree.h"

/** SAVER_EVERY_US - so often, which with the time it takes is within the 5 s that are promised */
#define SAVER_EVERY_US 3000000

/**
 * struct saver - when what was saved
 * @writes:	accepted writes to the tree at that time
 * @changes:	monitors_changes() at that time
 * @config:	configuration that is to be saved; "" for none
 * @begun:	something was saved at all
 * @failed:	the last time failed, which was said
 */
struct saver {
	struct state *state;
	struct sysfs_tree *tree;
	struct monitors *monitors;
	uint64_t writes;
	uint64_t changes;
	char config[32];
	bool begun;
	bool failed;
};

/**
 * saver_save() - write what has changed since the last time
 * @writes:	accepted writes to the tree up to now
 * @all:	everything, changed or not
 *
 * Errors are logged once, until it succeeds again; nothing else stops for it.
 */
void saver_save(struct saver *saver, uint64_t writes, bool all);

#endif
