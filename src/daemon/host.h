/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the file tree asks of the daemon: access engines, targets, errors in words, and who is running.
 */
#ifndef UDAMON_DAEMON_HOST_H
#define UDAMON_DAEMON_HOST_H

#include "daemon/monitors.h"
#include "sysfs/tree.h"

struct host;

/**
 * host_new() - the library object with its operations sets, and what is around it
 *
 * Where this machine can't watch processes, that is logged, and their operations sets are missing.
 * Return: 0 or -ENOMEM.
 */
int host_new(struct host **host);

/** host_free() - after the tree; NULL is allowed */
void host_free(struct host *host);

struct damon_lib *host_lib(struct host *host);
struct monitors *host_monitors(struct host *host);

/** host_callbacks() - for sysfs_tree_new() */
struct sysfs_host host_callbacks(struct host *host);

#endif
