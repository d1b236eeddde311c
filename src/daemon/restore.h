/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Taking up what an earlier daemon was doing.
 */
#ifndef UDAMON_DAEMON_RESTORE_H
#define UDAMON_DAEMON_RESTORE_H

#include "daemon/monitors.h"
#include "daemon/state.h"
#include "sysfs/tree.h"

/**
 * restore() - start the kdamonds that were running, with what they had learned, and stage what was staged
 * @saved:	what the state file held; used up
 *
 * A target whose process is gone, or whose number is another's, is dropped, and with the last of them the
 * kdamond. What can't be taken up is logged and left out. Returns how many kdamonds run.
 */
size_t restore(struct sysfs_tree *tree, struct monitors *monitors, struct saved *saved);

/**
 * restore_collect() - what is staged in the tree now, for saving it
 * Return: 0 or -ENOMEM; @saved is saved_clear()ed by the caller in any case.
 */
int restore_collect(struct sysfs_tree *tree, struct saved *saved);

#endif
