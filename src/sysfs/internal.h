/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the files of src/sysfs share: the tree, its kdamonds, and who holds which lock. */
#ifndef UDAMON_SYSFS_INTERNAL_H
#define UDAMON_SYSFS_INTERNAL_H

#include "sysfs/dir.h"
#include "sysfs/tree.h"
#include "sysfs/tried.h"

/* Directories that a tree can have, so that no client takes all memory: nr_* beyond it is -ENOMEM. */
#define SYSFS_MAX_DIRS 200000

/* How long a change waits for the one before it, us. */
#define SYSFS_BUSY_US 5000000

struct sysfs_op;
struct sysfs_run;

/**
 * struct sysfs_tree - a tree; what follows @lock it protects, with all that hangs on it
 * @changed:	somebody's turn has ended, a change is done, or an interrupt was raised
 * @root, @kdamonds, @ours: the root, the directory "kdamonds" of the kernel's part and of ours
 * @nr_dirs:	directories there are, or are being made
 * @dead:	runs that nobody needs any more, to be freed without the lock
 * @abandoned:	changes whose writers were interrupted; their threads are to be joined
 */
struct sysfs_tree {
	struct sysfs_host host;
	struct damon_port *port;
	struct sysfs_node *nodes;
	struct damon_mutex *lock;
	struct damon_cond *changed;
	struct sysfs_dir *root, *kdamonds, *ours;
	size_t nr_dirs;
	struct sysfs_op *abandoned;
	struct sysfs_run *dead;
};

/**
 * struct sysfs_kdamond - what a kdamond's directories stand for; all under the tree's lock
 * @refs:	who still uses it: its directories, and changes under way
 * @dir, @ours:	its directories; NULL when "nr_kdamonds" was written since
 * @changing:	somebody has the turn to change its state
 * @run:	what was started last, running or not; NULL: nothing yet
 * @error:	for the file of that name
 */
struct sysfs_kdamond {
	struct sysfs_tree *tree;
	uint32_t number;
	uint32_t refs;
	struct sysfs_dir *dir, *ours;
	bool changing;
	struct sysfs_run *run;
	struct damon_error error;
};

static inline void sysfs_lock(struct sysfs_tree *tree)
{
	tree->port->mutex_lock(tree->port, tree->lock);
}

static inline void sysfs_unlock(struct sysfs_tree *tree)
{
	tree->port->mutex_unlock(tree->port, tree->lock);
}

/**
 * struct sysfs_place - what a path leads to
 * @node:	the directory or file
 * @dir:	the last directory on the way that is stored
 * @index:	and the numbers on the rest of it, for those that aren't
 */
struct sysfs_place {
	const struct sysfs_node *node;
	struct sysfs_dir *dir;
	size_t index[2];
};

/* place.c; tree locked. */
int sysfs_find(struct sysfs_tree *tree, const char *path, struct sysfs_place *place);
/* How many numbered entries a directory has. */
size_t sysfs_place_count(const struct sysfs_place *place);
/* The kdamond whose files these are, or NULL; and the scheme's directory that they belong to. */
struct sysfs_kdamond *sysfs_place_kdamond(const struct sysfs_place *place);
struct sysfs_dir *sysfs_place_scheme(const struct sysfs_place *place);

/*
 * tree.c: new numbered directories, within SYSFS_MAX_DIRS, and their end. Without the lock.
 * 0 or -ENOMEM.
 */
int sysfs_make_dirs(struct sysfs_tree *tree, const struct sysfs_node *numbered, size_t nr,
		    struct sysfs_dirs *dirs);
void sysfs_release_dirs(struct sysfs_tree *tree, struct sysfs_dirs *dirs);

#endif
