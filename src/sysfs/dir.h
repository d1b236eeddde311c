/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The directories there are, with the values of their files. No locks in here: a tree's directories
 * are protected by the tree's lock, a copy belongs to whoever made it.
 */
#ifndef UDAMON_SYSFS_DIR_H
#define UDAMON_SYSFS_DIR_H

#include "sysfs/table.h"
#include "sysfs/tree.h"
#include "sysfs/value.h"

struct sysfs_kdamond;
struct sysfs_tried;

/**
 * struct sysfs_dir - a directory that is there
 * @node:	which one of the table
 * @values:	of its files, by &sysfs_node.slot
 * @dirs:	its directories of fixed names, by &sysfs_node.slot
 * @numbered, @nr_numbered: those that are called by numbers
 * @kdamond:	of a kdamond's directory (the kernel's or our own): what runs there
 * @tried:	of a scheme's directory: its tried regions, or NULL
 */
struct sysfs_dir {
	const struct sysfs_node *node;
	struct sysfs_dir *parent;
	struct sysfs_value *values;
	struct sysfs_dir **dirs;
	struct sysfs_dir **numbered;
	size_t nr_numbered;
	struct sysfs_kdamond *kdamond;
	struct sysfs_tried *tried;
};

/** sysfs_dir_new() - a directory and all that are always in it, with the defaults; 0 or -ENOMEM */
int sysfs_dir_new(struct sysfs_dir **dir, const struct sysfs_node *node, struct sysfs_dir *parent);

/** sysfs_dir_free() - with all below; NULL is allowed */
void sysfs_dir_free(struct sysfs_dir *dir);

/** sysfs_dir_copy() - values and directories, without @kdamond and @tried; 0 or -ENOMEM */
int sysfs_dir_copy(struct sysfs_dir **copy, const struct sysfs_dir *dir);

/** struct sysfs_dirs - numbered directories that are in no tree yet, or not any more */
struct sysfs_dirs {
	struct sysfs_dir **dirs;
	size_t nr;
};

/** sysfs_dirs_new() - @nr of those of the table's "#" @node; 0 or -ENOMEM */
int sysfs_dirs_new(struct sysfs_dirs *dirs, const struct sysfs_node *node, size_t nr);
void sysfs_dirs_free(struct sysfs_dirs *dirs);

/** sysfs_dirs_swap() - @dir's numbered directories, and its count, become @dirs, which gets the old */
void sysfs_dirs_swap(struct sysfs_dir *dir, struct sysfs_dirs *dirs);

/** sysfs_dir_remove() - take out one numbered directory; those behind it move up */
void sysfs_dir_remove(struct sysfs_dir *dir, size_t idx);

/** sysfs_node_weight() - how many directories come with one of @node */
size_t sysfs_node_weight(const struct sysfs_node *node);

/** sysfs_dir_weight() - how many directories there are, from @dir on down */
size_t sysfs_dir_weight(const struct sysfs_dir *dir);

/*
 * By a path from @dir, which must be in the table; "#" stands in it as a number. NULL where that
 * number isn't there.
 */
struct sysfs_dir *sysfs_dir_at(struct sysfs_dir *dir, const char *path);
const struct sysfs_node *sysfs_file_node(const struct sysfs_dir *dir, const char *path,
					 struct sysfs_value **value);

/* Values of files that are there. */
uint64_t sysfs_number(struct sysfs_dir *dir, const char *path);
void sysfs_set_number(struct sysfs_dir *dir, const char *path, uint64_t number);
const char *sysfs_keyword(struct sysfs_dir *dir, const char *path);
/* *@len bytes, without the newline it may have been written with. */
const char *sysfs_string(struct sysfs_dir *dir, const char *path, size_t *len);

#endif
