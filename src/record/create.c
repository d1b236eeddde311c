// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Putting an empty record into place: never over a foreign file, never half of one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/create.h"
#include "record/database.h"
#include "record/replacement.h"

#define CANT_CREATE  "can't create the record"
#define CANT_REPLACE "can't replace the record"

/*
 * udamon-record(5) explains each column. Rows of one window lie together and end the table, so
 * that writing is appending, and reading a window is reading neighbouring pages.
 */
static const char schema[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE target(id INTEGER PRIMARY KEY NOT NULL, pid INTEGER NOT NULL,"
	" comm TEXT NOT NULL, cmdline TEXT NOT NULL, kind TEXT NOT NULL);"
	"CREATE TABLE mapping(target INTEGER NOT NULL, from_snapshot INTEGER NOT NULL,"
	" start INTEGER NOT NULL, end INTEGER NOT NULL, perms TEXT NOT NULL, path TEXT NOT NULL,"
	" PRIMARY KEY(target, from_snapshot, start)) WITHOUT ROWID;"
	"CREATE TABLE snapshot(id INTEGER PRIMARY KEY NOT NULL, t_start_ns INTEGER NOT NULL,"
	" t_end_ns INTEGER NOT NULL, sample_us INTEGER NOT NULL, aggr_us INTEGER NOT NULL,"
	" engine TEXT NOT NULL, cpu_ns INTEGER, clears INTEGER NOT NULL, lost INTEGER NOT NULL,"
	" flushes INTEGER NOT NULL, unwatchable_bytes INTEGER NOT NULL, target_ns INTEGER,"
	" floor_us INTEGER NOT NULL);"
	"CREATE TABLE region(snapshot INTEGER NOT NULL, target INTEGER NOT NULL,"
	" start INTEGER NOT NULL, end INTEGER NOT NULL, nr_accesses INTEGER NOT NULL,"
	" age INTEGER NOT NULL, samples INTEGER NOT NULL,"
	" PRIMARY KEY(snapshot, target, start)) WITHOUT ROWID;"
	"CREATE TABLE scheme_stat(snapshot INTEGER NOT NULL, scheme INTEGER NOT NULL,"
	" nr_tried INTEGER NOT NULL, sz_tried INTEGER NOT NULL, nr_applied INTEGER NOT NULL,"
	" sz_applied INTEGER NOT NULL, sz_ops_filter_passed INTEGER NOT NULL,"
	" qt_exceeds INTEGER NOT NULL, nr_snapshots INTEGER NOT NULL, esz INTEGER NOT NULL,"
	" PRIMARY KEY(snapshot, scheme)) WITHOUT ROWID;"
	"CREATE TABLE event(t_ns INTEGER NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL,"
	" target INTEGER);"
	"CREATE TABLE page_heat(target INTEGER NOT NULL, start INTEGER NOT NULL,"
	" end INTEGER NOT NULL, page_size INTEGER NOT NULL, touched INTEGER,"
	" samples INTEGER NOT NULL, PRIMARY KEY(target, start)) WITHOUT ROWID;";

/* What may lie beside a database and would be taken for its newest part, with its magic number. */
static const struct {
	const char *suffix;
	unsigned char magic[4];
	unsigned char mask; /* of the last byte */
} leftovers[] = {
	{"-wal", {0x37, 0x7f, 0x06, 0x82}, 0xfe},
	{"-journal", {0xd9, 0xd5, 0x05, 0xf9}, 0xff},
};

static int fail_create(struct damon_error *err, int code, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (code == ENOENT && slash)
		return damon_error_set(err, -ENOENT,
				       CANT_CREATE " '%s': the directory '%.*s' doesn't exist",
				       path, slash == path ? 1 : (int)(slash - path), path);
	if (code == EACCES || code == EPERM || code == EROFS)
		return damon_error_set(err, -code,
				       CANT_CREATE " '%s': no permission to write there; choose "
						   "another place",
				       path);
	return record_fail(err, -code, CANT_CREATE, path);
}

/* Remove one remainder of an earlier database, unless it is something else. */
static int remove_leftover(const char *path, size_t which, struct damon_error *err)
{
	unsigned char magic[4] = {0};
	char *name = NULL;
	int fd, rc = 0;
	ssize_t got;

	if (asprintf(&name, "%s%s", path, leftovers[which].suffix) < 0)
		return record_fail(err, -ENOMEM, CANT_CREATE, path);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0) {
		if (errno != ENOENT)
			rc = record_fail(err, -errno, CANT_CREATE ": in its way is", name);
		goto out;
	}
	got = read(fd, magic, sizeof(magic));
	close(fd);
	magic[3] &= leftovers[which].mask;
	if (got != 0 &&
	    (got != sizeof(magic) || memcmp(magic, leftovers[which].magic, sizeof(magic)) != 0)) {
		rc = damon_error_set(err, -EEXIST,
				     CANT_CREATE " '%s': SQLite needs the name '%s', and there is "
						 "a file of that name; choose another name",
				     path, name);
		goto out;
	}
	if (unlink(name) < 0 && errno != ENOENT)
		rc = record_fail(err, -errno, "can't remove", name);
out:
	free(name);
	return rc;
}

static int busy(struct damon_error *err, const char *path)
{
	return damon_error_set(err, -EBUSY,
			       CANT_REPLACE " '%s': another program has it open (is it being "
					    "recorded or read?); choose another name",
			       path);
}

/*
 * An older record gives way when nobody has it open, which SQLite knows: folding its log in needs
 * it alone. A damaged one gives way too.
 */
static int check_old_record(const char *path, struct damon_error *err)
{
	sqlite3 *db = NULL;
	int rc;

	if (access(path, W_OK) < 0)
		return record_fail(err, -errno, CANT_REPLACE, path);
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	if (!rc)
		rc = sqlite3_exec(db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	sqlite3_close(db);
	if ((rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED)
		return busy(err, path);
	return 0;
}

/* What is there now? *@replace: something that may be replaced. */
static int check_place(const char *path, bool *replace, struct damon_error *err)
{
	enum record_file_kind kind;
	struct stat st;
	int rc;

	*replace = false;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail_create(err, errno, path);
	rc = record_file_peek(path, &kind);
	if (rc)
		return record_fail(err, rc, CANT_REPLACE, path);
	if (S_ISDIR(st.st_mode))
		return damon_error_set(err, -EISDIR, CANT_CREATE " '%s': that is a directory",
				       path);
	if (kind == RECORD_FILE_FOREIGN || kind == RECORD_FILE_SQLITE)
		return damon_error_set(err, -EEXIST,
				       CANT_CREATE " '%s': there is %s of that name which is not "
						   "a record; choose another name",
				       path,
				       !S_ISREG(st.st_mode)	    ? "something"
				       : kind == RECORD_FILE_SQLITE ? "a database"
								    : "a file");
	*replace = true;
	return kind == RECORD_FILE_RECORD ? check_old_record(path, err) : 0;
}

static int resolve(const char *path, char **real, struct damon_error *err)
{
	int rc;

	if (!*path)
		return damon_error_set(err, -EINVAL, CANT_CREATE " '': the name is empty");
	rc = replacement_resolve(path, real);
	if (rc == -ENOMEM)
		return record_fail(err, rc, CANT_CREATE, path);
	if (rc)
		return damon_error_set(err, rc,
				       CANT_CREATE " '%s': the symbolic link leads nowhere", path);
	return 0;
}

static int write_schema(const char *temporary, const char *path, bool sync, struct damon_error *err)
{
	sqlite3 *db = NULL;
	char *sql = NULL;
	int rc;

	sql = sqlite3_mprintf("PRAGMA journal_mode=MEMORY; PRAGMA synchronous=%s; BEGIN;"
			      "PRAGMA application_id=%d; PRAGMA user_version=%d; %s COMMIT;"
			      "PRAGMA journal_mode=WAL",
			      sync ? "FULL" : "OFF", RECORD_APPLICATION_ID, RECORD_VERSION, schema);
	errno = 0;
	rc = sql ? sqlite3_open_v2(temporary, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				   NULL)
		 : SQLITE_NOMEM;
	if (!rc)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	if (rc)
		rc = record_database_fail(err, db, rc, CANT_CREATE, path);
	sqlite3_close(db);
	sqlite3_free(sql);
	return rc;
}

/* Nothing that SQLite would take for the new record's newest part may lie beside its place. */
static int remove_leftovers(const char *path, struct damon_error *err)
{
	for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++) {
		int rc = remove_leftover(path, i, err);

		if (rc)
			return rc;
	}
	return 0;
}

/* A new record must not replace what came up meanwhile. */
static int make_in_place(const char *path, const char *real, bool sync, bool replace,
			 struct damon_error *err)
{
	struct replacement replacement;
	int rc = replacement_begin(&replacement, real);

	if (rc)
		return fail_create(err, -rc, path);
	rc = write_schema(replacement.temporary, path, sync, err);
	if (!rc)
		rc = remove_leftovers(real, err);
	if (rc) {
		record_file_remove(replacement.temporary);
		replacement_drop(&replacement);
		return rc;
	}
	rc = replacement_commit(&replacement, (replace ? 0 : REPLACEMENT_NEW) |
						      (sync ? 0 : REPLACEMENT_UNSYNCED));
	return rc ? fail_create(err, -rc, real) : 0;
}

int record_file_create(const char *path, bool sync, char **real, struct damon_error *err)
{
	bool replace;
	int rc;

	*real = NULL;
	rc = resolve(path, real, err);
	if (!rc)
		rc = check_place(*real, &replace, err);
	if (!rc)
		rc = make_in_place(path, *real, sync, replace, err);
	if (rc) {
		free(*real);
		*real = NULL;
	}
	return rc;
}

void record_file_remove(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *name = NULL;

		if (asprintf(&name, "%s%s", path, suffixes[i]) < 0)
			return;
		unlink(name);
		free(name);
	}
}
