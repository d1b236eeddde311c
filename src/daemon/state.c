// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The state file: writing it as a transaction, and what becomes of one that is no good. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/state_internal.h"
#include "record/database.h"
#include "record/training.h"

#define APPLICATION_ID "1969515891" /* "udms" */
#define VERSION	       "2"

static const char schema[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE staged(seq INTEGER PRIMARY KEY, path TEXT NOT NULL, value TEXT NOT NULL);"
	"CREATE TABLE kdamond(number INTEGER PRIMARY KEY, saved_ms INTEGER NOT NULL,"
	" engine TEXT NOT NULL, budget_bp INTEGER NOT NULL, in_force TEXT NOT NULL, training BLOB);"
	"CREATE TABLE scheme(kdamond INTEGER NOT NULL, place INTEGER NOT NULL, nr_tried INTEGER,"
	" sz_tried INTEGER, nr_applied INTEGER, sz_applied INTEGER, sz_ops_filter_passed INTEGER,"
	" qt_exceeds INTEGER, nr_snapshots INTEGER, esz INTEGER, begun INTEGER, window_ns INTEGER,"
	" charged_sz INTEGER, spent_sz INTEGER, spent_ns INTEGER, esz_bp INTEGER, timed_sz INTEGER,"
	" timed_ns INTEGER, go_on INTEGER, go_on_target INTEGER, go_on_addr INTEGER,"
	" PRIMARY KEY(kdamond, place)) WITHOUT ROWID;"
	"PRAGMA application_id = " APPLICATION_ID ";"
	"PRAGMA user_version = " VERSION ";";

/* Opening. */

static int execute(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* The text a query's first row has, "" when there is none. */
static int ask(sqlite3 *db, const char *sql, char *text, size_t size)
{
	sqlite3_stmt *query = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &query, NULL);

	text[0] = '\0';
	if (rc == SQLITE_OK)
		rc = sqlite3_step(query);
	if (rc == SQLITE_ROW) {
		snprintf(text, size, "%s", (const char *)sqlite3_column_text(query, 0));
		rc = SQLITE_OK;
	} else if (rc == SQLITE_DONE) {
		rc = SQLITE_OK;
	}
	sqlite3_finalize(query);
	return rc;
}

/* All tables and what else there is, as text: other programs' would be read, too, and a view never end. */
#define ASK_SCHEMA                                                                                 \
	"SELECT count(*) || ':' || group_concat(sql, ';') FROM"                                    \
	" (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name)"

/* Whether the tables are those of schema[]; *@rc: of asking. */
static bool has_our_tables(sqlite3 *db, int *rc)
{
	char ours[2048] = "", theirs[2048];
	sqlite3 *model = NULL;

	*rc = ask(db, ASK_SCHEMA, theirs, sizeof(theirs));
	if (*rc == SQLITE_OK)
		*rc = sqlite3_open(":memory:", &model);
	if (*rc == SQLITE_OK)
		*rc = execute(model, schema);
	if (*rc == SQLITE_OK)
		*rc = ask(model, ASK_SCHEMA, ours, sizeof(ours));
	sqlite3_close(model);
	return *rc == SQLITE_OK && !strcmp(ours, theirs);
}

/* Which of the files that can't be used it is; NULL: it can. */
static const char *what_is_wrong(sqlite3 *db, int *rc)
{
	static const struct {
		const char *sql, *expected, *wrong;
	} questions[] = {
		{"PRAGMA application_id", APPLICATION_ID, "it is of another program"},
		{"PRAGMA user_version", VERSION, "it is of another version of udamond"},
		{"PRAGMA quick_check(1)", "ok", "it is damaged"},
	};
	char answer[256];

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		*rc = ask(db, questions[i].sql, answer, sizeof(answer));
		if (*rc != SQLITE_OK)
			return NULL;
		if (strcmp(answer, questions[i].expected))
			return questions[i].wrong;
	}
	return has_our_tables(db, rc) || *rc != SQLITE_OK ? NULL : "it has other tables";
}

static int make_new(sqlite3 *db)
{
	int rc = execute(db, "BEGIN IMMEDIATE");

	if (rc == SQLITE_OK)
		rc = execute(db, schema);
	return rc == SQLITE_OK ? execute(db, "COMMIT") : rc;
}

/* Only this process from now on, whose end also ends that. Changes nothing in the file. */
static int lock(sqlite3 *db)
{
	int rc = execute(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY");

	return rc == SQLITE_OK ? execute(db, "BEGIN IMMEDIATE; COMMIT") : rc;
}

static int configure(sqlite3 *db)
{
	int rc = execute(db, "PRAGMA journal_mode = WAL");

	/* A process that is killed loses nothing by it; a machine that fails has lost the targets, too. */
	if (rc == SQLITE_OK)
		rc = execute(db, "PRAGMA synchronous = NORMAL");
	if (rc == SQLITE_OK)
		rc = execute(db, "PRAGMA journal_size_limit = 4194304");
	return rc;
}

/*
 * Opens what is there, or makes it. *@wrong: why it can't be used, which is no matter of reading it
 * or of this process; NULL: the result says all.
 */
static int open_database(sqlite3 **db, const char *path, const char **wrong)
{
	struct stat st;
	bool empty = stat(path, &st) || !st.st_size;
	int rc;

	*wrong = NULL;
	errno = 0;
	rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (rc == SQLITE_OK)
		rc = lock(*db);
	if (rc == SQLITE_OK && empty)
		rc = make_new(*db);
	else if (rc == SQLITE_OK)
		*wrong = what_is_wrong(*db, &rc);
	if (rc == SQLITE_OK && !*wrong)
		rc = configure(*db);
	if (rc == SQLITE_NOTADB)
		*wrong = "it is no state file";
	else if (rc == SQLITE_READONLY && !access(path, W_OK))
		*wrong = "it is of another version of SQLite";
	else if (record_database_errno(rc) == -EBADMSG ||
		 (rc == SQLITE_OK && !*wrong && chmod(path, 0600)))
		*wrong = "it is damaged";
	return rc;
}

/* With what belongs to it. */
static int move_aside(const char *path, const char *wrong, struct damon_error *err)
{
	static const char *const parts[] = {"", "-wal", "-journal"};
	char from[PATH_MAX], to[PATH_MAX], stamp[32];
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", path, parts[i]);
		snprintf(to, sizeof(to), "%s.aside-%s-%d%s", path, stamp, getpid(), parts[i]);
		if (rename(from, to) && (errno != ENOENT || !i))
			return damon_error_set(err, -errno,
					       "'%s' can't be used: %s; it can't be moved aside "
					       "either: %s",
					       path, wrong, strerror(errno));
	}
	log_say(LOG_LEVEL_ERROR,
		"'%s' can't be used: %s; it was moved aside to '%s.aside-%s-%d', and nothing of it is "
		"taken up",
		path, wrong, path, stamp, getpid());
	return 0;
}

static int make_folder(const char *path, struct damon_error *err)
{
	char folder[PATH_MAX], *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	if (mkdir(folder, 0700) && errno != EEXIST)
		return damon_error_set(err, -errno, "cannot make the directory '%s': %s", folder,
				       strerror(errno));
	return 0;
}

static int open_state(struct state *state, const char **wrong, struct damon_error *err)
{
	int rc = open_database(&state->db, state->path, wrong);

	if (rc == SQLITE_BUSY)
		return damon_error_set(err, -EBUSY,
				       "the state file '%s' is in use by another udamond; stop "
				       "that one first, or name another file with --state",
				       state->path);
	if (rc != SQLITE_OK && !*wrong)
		return record_database_fail(err, state->db, rc, "cannot open the state file",
					    state->path);
	return 0;
}

/* A new file in the place of one that is of no use, which is kept as it is, log included. */
static int begin_anew(struct state *state, const char *wrong, struct damon_error *err)
{
	int ret;

	sqlite3_db_config(state->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(state->db);
	state->db = NULL;
	ret = move_aside(state->path, wrong, err);
	if (!ret)
		ret = open_state(state, &wrong, err);
	if (!ret && wrong)
		ret = damon_error_set(err, -EIO, "cannot make the state file '%s': %s", state->path,
				      wrong);
	return ret;
}

/*
 * What is no database at all was never a state file: somebody else's, named by mistake, which must stay
 * where it is. Zeros are what a crash of the machine may leave of one. That it can't be read is for SQLite to find.
 */
static int check_place(const char *path, struct damon_error *err)
{
	static const char magic[] = "SQLite format 3", zeros[sizeof(magic)];
	char begin[sizeof(magic)] = "";
	ssize_t got = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		got = read(fd, begin, sizeof(begin));
		close(fd);
	}
	if (got <= 0 || !memcmp(begin, magic, (size_t)got) || !memcmp(begin, zeros, (size_t)got))
		return 0;
	return damon_error_set(err, -EEXIST,
			       "'%s' is no state file and is left as it is; name another file with "
			       "--state",
			       path);
}

static int open_and_load(struct state *state, struct damon_lib *lib, struct saved *saved,
			 struct damon_error *err)
{
	const char *wrong;
	int ret = open_state(state, &wrong, err);

	if (!ret && !wrong) {
		ret = state_load(state, lib, saved, err);
		if (ret == -EBADMSG)
			wrong = "it is damaged";
	}
	return wrong ? begin_anew(state, wrong, err) : ret;
}

int state_open(struct state **state, const char *path, struct damon_lib *lib, struct saved *saved,
	       struct damon_error *err)
{
	struct state *new = calloc(1, sizeof(*new));
	int ret;

	*saved = (struct saved){.nr_staged = 0};
	if (!new || !(new->path = strdup(path))) {
		free(new);
		return damon_error_set(err, -ENOMEM, "out of memory");
	}
	ret = make_folder(path, err);
	if (!ret)
		ret = check_place(path, err);
	if (!ret)
		ret = open_and_load(new, lib, saved, err);
	if (ret) {
		state_close(new);
		return ret;
	}
	*state = new;
	return 0;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	sqlite3_close(state->db);
	free(state->path);
	free(state);
}

/* Saving. */

void state_begin(struct state *state)
{
	errno = 0;
	state->rc = execute(state->db, "BEGIN IMMEDIATE");
	state->error_code = errno;
}

/* Runs @sql with its parameters set by @bind; does nothing after an error. */
static void put(struct state *state, const char *sql, void (*bind)(sqlite3_stmt *, const void *),
		const void *data)
{
	sqlite3_stmt *statement = NULL;

	if (state->rc != SQLITE_OK)
		return;
	errno = 0;
	state->rc = sqlite3_prepare_v2(state->db, sql, -1, &statement, NULL);
	if (state->rc == SQLITE_OK) {
		if (bind)
			bind(statement, data);
		state->rc = sqlite3_step(statement);
		if (state->rc == SQLITE_DONE)
			state->rc = SQLITE_OK;
	}
	if (state->rc != SQLITE_OK)
		state->error_code = errno;
	sqlite3_finalize(statement);
}

static void bind_config(sqlite3_stmt *statement, const void *data)
{
	sqlite3_bind_text(statement, 1, data, -1, SQLITE_STATIC);
}

void state_put_config(struct state *state, const char *config)
{
	put(state, "INSERT OR REPLACE INTO meta VALUES('config', ?)", bind_config, config);
}

static void bind_staged(sqlite3_stmt *statement, const void *data)
{
	const struct staged *staged = data;

	sqlite3_bind_text(statement, 1, staged->path, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, staged->value, -1, SQLITE_STATIC);
}

void state_put_staged(struct state *state, const struct saved *saved)
{
	put(state, "DELETE FROM staged", NULL, NULL);
	for (size_t i = 0; i < saved->nr_staged; i++)
		put(state, "INSERT INTO staged(path, value) VALUES(?, ?)", bind_staged,
		    &saved->staged[i]);
}

struct kdamond_row {
	const struct knowledge *knowledge;
	int64_t saved_ms;
	unsigned char *training;
	size_t training_size;
};

static void bind_kdamond(sqlite3_stmt *statement, const void *data)
{
	const struct kdamond_row *row = data;

	sqlite3_bind_int64(statement, 1, row->knowledge->kdamond);
	sqlite3_bind_int64(statement, 2, row->saved_ms);
	sqlite3_bind_text(statement, 3, row->knowledge->engine, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, (int64_t)row->knowledge->budget_bp);
	sqlite3_bind_text(statement, 5, row->knowledge->in_force, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(statement, 6, row->training, row->training_size, SQLITE_STATIC);
}

struct scheme_row {
	uint32_t kdamond;
	size_t place;
	struct scheme_knowledge *scheme;
};

static void bind_scheme(sqlite3_stmt *statement, const void *data)
{
	const struct scheme_row *row = data;
	uint64_t numbers[SCHEME_NUMBERS];

	state_scheme_to_numbers(row->scheme, numbers);
	sqlite3_bind_int64(statement, 1, row->kdamond);
	sqlite3_bind_int64(statement, 2, (int64_t)row->place);
	for (int i = 0; i < SCHEME_NUMBERS; i++)
		sqlite3_bind_int64(statement, 3 + i, (int64_t)numbers[i]);
}

static void bind_number(sqlite3_stmt *statement, const void *data)
{
	sqlite3_bind_int64(statement, 1, *(const uint32_t *)data);
}

void state_put_running(struct state *state, const struct knowledge *knowledge)
{
	struct kdamond_row row = {.knowledge = knowledge};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	row.saved_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (knowledge->training) {
		row.training = training_encode(knowledge->training, &row.training_size);
		if (!row.training && state->rc == SQLITE_OK)
			state->rc = SQLITE_NOMEM;
	}
	put(state, "INSERT OR REPLACE INTO kdamond VALUES(?, ?, ?, ?, ?, ?)", bind_kdamond, &row);
	free(row.training);
	put(state, "DELETE FROM scheme WHERE kdamond = ?", bind_number, &knowledge->kdamond);
	for (size_t i = 0; i < knowledge->nr_schemes; i++)
		put(state,
		    "INSERT INTO scheme VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
		    " ?)",
		    bind_scheme,
		    &(struct scheme_row){knowledge->kdamond, i, &knowledge->schemes[i]});
}

void state_keep_running(struct state *state, const uint32_t *numbers, size_t nr)
{
	put(state, "CREATE TEMP TABLE IF NOT EXISTS keep(number INTEGER PRIMARY KEY)", NULL, NULL);
	put(state, "DELETE FROM keep", NULL, NULL);
	for (size_t i = 0; i < nr; i++)
		put(state, "INSERT OR IGNORE INTO keep VALUES(?)", bind_number, &numbers[i]);
	put(state, "DELETE FROM kdamond WHERE number NOT IN (SELECT number FROM keep)", NULL, NULL);
	put(state, "DELETE FROM scheme WHERE kdamond NOT IN (SELECT number FROM keep)", NULL, NULL);
}

int state_end(struct state *state, struct damon_error *err)
{
	int ret;

	put(state, "COMMIT", NULL, NULL);
	if (state->rc == SQLITE_OK)
		return 0;
	errno = state->error_code;
	ret = record_database_fail(err, state->db, state->rc, "cannot save the state in",
				   state->path);
	if (!sqlite3_get_autocommit(state->db))
		execute(state->db, "ROLLBACK");
	return ret;
}
