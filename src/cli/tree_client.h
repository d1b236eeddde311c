/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A client of the DAMON file tree: reading and writing its files, with errors that say what was
 * tried. It knows no daemon: a kernel's tree is driven the same way.
 *
 * Paths are relative to the folder kdamonds/ of the tree ("0/state"), so they begin with the number
 * of a kdamond. Functions return 0 or -errno and print nothing, unless they say that they return an
 * exit code: then the error was printed.
 */
#ifndef UDAMON_CLI_TREE_CLIENT_H
#define UDAMON_CLI_TREE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"

enum {
	TREE_PATH_SIZE = 512,  /* the longest path below kdamonds/, with room to spare */
	TREE_VALUE_SIZE = 4096 /* the longest value: sysfs files are a page */
};

/**
 * struct tree - a tree that was opened
 * @root:	where it is mounted, for messages
 * @kernel:	it is a kernel's: nothing of udamon's own lies beside it
 * @root_fd:	that folder
 * @dir_fd:	its folder kdamonds/
 * @own_fd:	its folder udamon/kdamonds/, -1 for a kernel's
 * @lock_fd:	held while staging
 */
struct tree {
	const char *root;
	bool kernel;
	int root_fd;
	int dir_fd;
	int own_fd;
	int lock_fd;
};

/**
 * tree_open() - open the tree that --mount and --engine ask for
 *
 * A kernel's only when --engine is "kernel". Return: 0 or an exit code.
 */
int tree_open(struct tree *tree, const struct options *opts);
void tree_close(struct tree *tree);

/**
 * tree_lock() - have other udamon commands wait until tree_close()
 *
 * Commands that stage parameters hold it, so that none of them puts half of another's in force. Other clients of
 * the tree don't know it. Return: 0 or an exit code.
 */
int tree_lock(struct tree *tree);

/** tree_path() - make a path; it is cut off when too long, which opening it then says */
__attribute__((format(printf, 2, 3))) const char *tree_path(char path[TREE_PATH_SIZE],
							    const char *fmt, ...);

/** tree_get() - read a whole file into @value, without the newline at its end; -EFBIG if it is longer */
int tree_get(const struct tree *tree, const char *path, char value[TREE_VALUE_SIZE]);

/** tree_get_number() - read a file that holds a number, which may be negative; -EPROTO if it doesn't */
int tree_get_number(const struct tree *tree, const char *path, int64_t *number);

/**
 * tree_put() - write a file
 *
 * Waits as long as the write does: state changes take effect first. -EINTR when a signal asked to end.
 */
int tree_put(const struct tree *tree, const char *path, const char *value);

/**
 * tree_get_own() - read a whole file of udamon's own, of any size
 * @path:	relative to udamon/kdamonds/
 * @text:	set to what it holds, for the caller to free; NULL on errors
 * Return: 0, -errno; -ENOENT for a kernel's tree.
 */
int tree_get_own(const struct tree *tree, const char *path, char **text);

/** tree_put_own() - write a file of udamon's own; as tree_put() */
int tree_put_own(const struct tree *tree, const char *path, const char *value);

/** tree_has() - whether there is such a file */
bool tree_has(const struct tree *tree, const char *path);

/**
 * tree_failed() - say that reading (@value NULL) or writing a file failed
 * @err:	what tree_get(), tree_put() returned
 * Return: an exit code.
 */
int tree_failed(const struct tree *tree, const char *path, const char *value, int err);
int tree_failed_own(const struct tree *tree, const char *path, const char *value, int err);

/**
 * tree_state() - write one of the words that the file "state" takes
 *
 * The error, if any, is printed with the reason the daemon gives. Return: 0 or an exit code.
 */
int tree_state(const struct tree *tree, unsigned int kdamond, const char *word);

/** tree_reason() - why the last state change of a kdamond was refused; "" when nobody says */
void tree_reason(const struct tree *tree, unsigned int kdamond, char reason[TREE_VALUE_SIZE]);

#endif
