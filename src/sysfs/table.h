/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The table of all files of the tree. Plain data: the program that makes the manual page of it links
 * nothing else.
 */
#ifndef UDAMON_SYSFS_TABLE_H
#define UDAMON_SYSFS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** enum sysfs_type - how a value is read and written */
enum sysfs_type {
	SYSFS_ULONG,   /* 0..2^64-1 */
	SYSFS_UINT,    /* 0..2^32-1 */
	SYSFS_INT,     /* -2^31..2^31-1 */
	SYSFS_COUNT,   /* 0..2^31-1; writing makes as many numbered directories beside the file */
	SYSFS_BOOL,    /* Y, N */
	SYSFS_KEYWORD, /* one of &sysfs_row.keywords */
	SYSFS_STRING,  /* anything in one line */
	SYSFS_TEXT,    /* several lines or fields, made when it is read */
};

/** enum sysfs_source - where a file's content comes from, and goes to, where that isn't a stored value */
enum sysfs_source {
	SYSFS_STORED,
	SYSFS_STATE,	   /* state of a kdamond */
	SYSFS_PID,	   /* its thread */
	SYSFS_AVAIL,	   /* operations sets that are registered */
	SYSFS_ERROR,	   /* why a state write was refused */
	SYSFS_OVERHEAD,	   /* what monitoring costs */
	SYSFS_IN_FORCE,	   /* parameters of the running context */
	SYSFS_WINDOW,	   /* last published window */
	SYSFS_TRIED,	   /* a scheme's tried regions in one piece */
	SYSFS_TRIED_BYTES, /* total size of them */
	SYSFS_TRIED_START, /* and what one of them has */
	SYSFS_TRIED_END,
	SYSFS_TRIED_ACCESSES,
	SYSFS_TRIED_AGE,
	SYSFS_TRIED_PASSED,
	SYSFS_TRIED_HITS,
	SYSFS_NR_SOURCES,
};

/**
 * struct sysfs_row - one file, or several that are alike
 * @path:	below the mount. "#" stands for a number, {a,b} for either.
 * @writable:	0600, else 0400
 * @type:	of its value
 * @source:	where that is
 * @initial:	default, as it is read without the newline
 * @min, @max:	other values are refused with EINVAL; @max 0: those of the type
 * @lax:	a number too large for the type is refused with EINVAL instead of ERANGE
 * @keywords:	ended by NULL
 * @doc:	for the manual page: what it is, its unit, its errors
 */
struct sysfs_row {
	const char *path;
	bool writable;
	enum sysfs_type type;
	enum sysfs_source source;
	const char *initial;
	uint64_t min;
	uint64_t max;
	bool lax;
	const char *const *keywords;
	const char *doc;
};

extern const struct sysfs_row sysfs_rows[];
extern const size_t sysfs_nr_rows;

/** sysfs_state_keywords - what can be written to "state", ended by NULL; in the order of enum sysfs_change */
extern const char *const sysfs_state_keywords[];

/* The tree that the rows describe. */

/**
 * struct sysfs_node - a directory or file of the table, whose name may be "#"
 * @row:	NULL for directories
 * @slot:	of a file: the place of its value in its directory; of a directory: its place there
 * @nr_values, @nr_dirs: how many of both a directory has, "#" not counted
 * @nodes, @nr_nodes: what is in it, in the order of the table, "#" not among them
 * @numbered:	"#", or NULL
 * @count:	the file that says how many "#" there are, or NULL
 */
struct sysfs_node {
	char name[32];
	const struct sysfs_row *row;
	size_t slot;
	size_t nr_values;
	size_t nr_dirs;
	struct sysfs_node **nodes;
	size_t nr_nodes;
	struct sysfs_node *numbered;
	struct sysfs_node *count;
	struct sysfs_node *parent;
};

/** sysfs_nodes_new() - the root of the tree that the rows describe; 0 or -ENOMEM */
int sysfs_nodes_new(struct sysfs_node **root);
void sysfs_nodes_free(struct sysfs_node *root);

/** sysfs_node_find() - what is called so in directory @node; NULL: nothing. "#" isn't looked for. */
struct sysfs_node *sysfs_node_find(const struct sysfs_node *node, const char *name, size_t len);

#endif
