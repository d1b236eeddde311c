// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Changes of a kdamond's state. */
#include <errno.h>

#include "sysfs/kdamond.h"

int sysfs_change_state(struct sysfs_kdamond *kdamond, enum sysfs_change change,
		       struct sysfs_interrupt *interrupt)
{
	struct sysfs_tree *tree = kdamond->tree;
	struct sysfs_dir *schemes, *context;
	size_t i;

	sysfs_lock(tree);
	context = kdamond->dir ? sysfs_dir_at(kdamond->dir, "contexts/0") : NULL;
	schemes = context ? sysfs_dir_at(context, "schemes") : NULL;
	for (i = 0; schemes && change == SYSFS_CLEAR_TRIED_REGIONS && i < schemes->nr_numbered;
	     i++) {
		sysfs_tried_put(schemes->numbered[i]->tried);
		schemes->numbered[i]->tried = NULL;
	}
	sysfs_kdamond_put(kdamond);
	sysfs_unlock(tree);
	return schemes && change == SYSFS_CLEAR_TRIED_REGIONS ? 0 : -EINVAL;
}

void sysfs_kdamonds_end(struct sysfs_tree *tree)
{
	sysfs_set_kdamonds(tree, 0, NULL);
}
