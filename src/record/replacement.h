/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Files that are there completely or not at all: written beside their place, then put there in one step.
 */
#ifndef UDAMON_RECORD_REPLACEMENT_H
#define UDAMON_RECORD_REPLACEMENT_H

#include <stddef.h>

/**
 * struct replacement - a file that isn't in its place yet
 * @path:	the place, without symbolic links
 * @temporary:	its name for now, in the same folder; mode 0600
 * @fd:		open for writing
 *
 * After replacement_begin(), one of replacement_commit() and replacement_drop() must be called.
 */
struct replacement {
	char *path;
	char *temporary;
	int fd;
};

/** enum replacement_flags - for replacement_commit() */
enum replacement_flags {
	REPLACEMENT_NEW = 1,	  /* fail with -EEXIST where something is in the place by now */
	REPLACEMENT_UNSYNCED = 2, /* don't wait until the file is on the disk */
};

/**
 * replacement_resolve() - where a file goes: what a symbolic link points to is replaced, not the link
 * @real:	set to that name, to be freed
 * Return: 0; -ENOENT for the empty name; realpath()'s errors for a link that leads nowhere; -ENOMEM.
 */
int replacement_resolve(const char *path, char **real);

/**
 * replacement_begin() - make an empty file beside @path
 * Return: 0 or -errno, as replacement_resolve() and mkostemp(); nothing is left then.
 */
int replacement_begin(struct replacement *replacement, const char *path);

/**
 * replacement_commit() - put it in its place
 * @flags:	of enum replacement_flags
 *
 * Return: 0; or -errno, and the temporary file is removed. What lay in the place is untouched then, except
 * where the disk failed after the last step.
 */
int replacement_commit(struct replacement *replacement, unsigned int flags);

/** replacement_drop() - remove it; what lies in the place stays */
void replacement_drop(struct replacement *replacement);

/** file_write_all() - write() until all is written; 0 or -errno */
int file_write_all(int fd, const void *data, size_t size);

#endif
