/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the record's writer and its reader share: SQLite's errors in our words, and a look at a
 * file before SQLite gets it.
 */
#ifndef UDAMON_RECORD_DATABASE_H
#define UDAMON_RECORD_DATABASE_H

#include <sqlite3.h>

#include "record/record.h"

/**
 * record_database_errno() - what SQLite's result @rc is as a -errno
 *
 * SQLite keeps no errno where a commit fails, so callers zero errno before and call this at once.
 */
int record_database_errno(int rc);

/** record_fail() - "@what '@path': reason" for a -errno @code, which is returned */
int record_fail(struct damon_error *err, int code, const char *what, const char *path);

/** record_database_fail() - the same for SQLite's result @rc of @db, which may be NULL */
int record_database_fail(struct damon_error *err, sqlite3 *db, int rc, const char *what,
			 const char *path);

/** enum record_file_kind - what the first bytes of a file say */
enum record_file_kind {
	RECORD_FILE_EMPTY,
	RECORD_FILE_RECORD,
	RECORD_FILE_SQLITE,  /* a database of another program */
	RECORD_FILE_FOREIGN, /* no database at all */
};

/**
 * record_file_peek() - look at the first bytes of @path without changing anything
 *
 * Reads through SQLite's file layer: closing a descriptor of our own would drop the locks that
 * this process may hold on the same file through SQLite. Return: 0 or -errno, without a text.
 */
int record_file_peek(const char *path, enum record_file_kind *kind);

#endif
