/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Parameters on their way into the tree: a list of files and what they shall hold, written in order,
 * with what they held before kept so that it can be put back.
 *
 * Paths in a list are relative to a context's folder: "monitoring_attrs/intervals/sample_us".
 */
#ifndef UDAMON_CLI_STAGING_H
#define UDAMON_CLI_STAGING_H

#include "cli/contexts.h"

/**
 * struct setting - one file and its value
 * @neutral:	a tree that doesn't have the file behaves as if it held this; so it may be missing
 */
struct setting {
	char *path;
	char *value;
	bool neutral;
};

/**
 * struct settings - a list of them; zero-initialise it
 * @incomplete:	there was no memory for one; writing it says so
 */
struct settings {
	struct setting *list;
	size_t nr;
	size_t capacity;
	bool incomplete;
};

void settings_clear(struct settings *settings);

/** settings_number() - append a number; @neutral is what a missing file would stand for */
__attribute__((format(printf, 4, 5))) void
settings_number(struct settings *settings, uint64_t value, uint64_t neutral, const char *fmt, ...);

/** settings_signed() - the same for a number that can be negative */
__attribute__((format(printf, 4, 5))) void settings_signed(struct settings *settings, int64_t value,
							   int64_t neutral, const char *fmt, ...);

/** settings_text() - append a text; @neutral may be NULL where the file has to be there */
__attribute__((format(printf, 4, 5))) void settings_text(struct settings *settings,
							 const char *value, const char *neutral,
							 const char *fmt, ...);

/** settings_find() - the last value of a file in the list, or NULL */
const char *settings_find(const struct settings *settings, const char *path);

/** settings_cover() - whether writing the list replaces a file, by name or with the folder it is in */
bool settings_cover(const struct settings *settings, const char *path);

/**
 * settings_read() - append everything that is staged below a folder of a context
 * @folder:	"" for all of it
 *
 * Files that only the tree writes are left out. Return: 0; -errno of the tree, -ENOMEM.
 */
int settings_read(struct settings *settings, const struct tree *tree,
		  const struct context_address *address, const char *folder);

/**
 * settings_write() - stage a list
 * @undo:	what was staged in its place before is appended here; NULL where nobody asks
 *
 * Files that hold the value already aren't written, but for nr_*, which make what lies below
 * anew even so. Stops at the first error. Return: 0 or an exit code.
 */
int settings_write(const struct settings *settings, const struct tree *tree,
		   const struct context_address *address, struct settings *undo);

/**
 * settings_undo() - put back what settings_write() kept
 * Return: 0, or an exit code after it was printed what is left changed.
 */
int settings_undo(const struct settings *undo, const struct tree *tree,
		  const struct context_address *address);

/** settings_goal() - append the goal of automatic tuning */
void settings_goal(struct settings *settings, const struct damon_intervals_goal *goal);

/** settings_attrs() - append all monitoring attributes */
void settings_attrs(struct settings *settings, const struct damon_attrs *attrs);

#endif
