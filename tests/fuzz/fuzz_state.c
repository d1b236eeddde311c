// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * State files: whatever is found in the place of one, the daemon has a state file afterwards, goes on with
 * what can be gone on with, and what can't be read is kept whole beside it.
 *
 * An input is the file itself, with its write-ahead log behind it if it has one; or, where it doesn't begin as a
 * database does, SQL statements that change a good one, in which sealed() gives a training a right checksum.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/restore.h"
#include "daemon/state.h"
#include "fuzz.h"
#include "made_up.h"
#include "seal.h"

#define DATABASE_MAGIC	 "SQLite format 3"
#define WAL_MAGIC	 "\x37\x7f\x06" /* and 0x82 or 0x83 */
#define MOST_STEPS	 20000		/* of SQLite's machine, in thousands */
#define MOST_PAGES	 128
#define MOST_OF_ANYTHING 8

/* Instead of the daemon's log. */

static unsigned int nr_lines;

void log_say(enum log_level level, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	MUST(vsnprintf(text, sizeof(text), fmt, ap) > 0);
	va_end(ap);
	nr_lines++;
}

/* A folder for one input, in memory where there is such a place. */

struct place {
	char folder[64];
	char path[128];
};

static void place_make(struct place *place)
{
	snprintf(place->folder, sizeof(place->folder), "%s/udamon-fuzz.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	MUST(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/state.db", place->folder);
}

static void place_remove(const struct place *place)
{
	char pattern[128];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*", place->folder);
	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			MUST(!unlink(found.gl_pathv[i]));
		globfree(&found);
	}
	MUST(!rmdir(place->folder));
}

static void write_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	MUST(fd >= 0);
	MUST(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	void *data;

	MUST(file && !fstat(fileno(file), &st));
	*size = (size_t)st.st_size;
	data = malloc(*size + 1);
	MUST(data && fread(data, 1, *size, file) == *size);
	fclose(file);
	return data;
}

/* What was moved aside is what was there. */
static bool kept_aside(const struct place *place, const void *data, size_t size)
{
	char pattern[192];
	size_t kept_size;
	glob_t found;
	void *kept;

	snprintf(pattern, sizeof(pattern), "%s.aside-*Z-%d", place->path, getpid());
	if (glob(pattern, 0, NULL, &found))
		return false;
	MUST(found.gl_pathc == 1);
	kept = read_file(found.gl_pathv[0], &kept_size);
	MUST(kept_size == size && !memcmp(kept, data, size));
	free(kept);
	globfree(&found);
	return true;
}

static struct state *open_state(const struct place *place, struct damon_lib *lib,
				struct saved *saved)
{
	struct damon_error err = {""};
	struct state *state;

	if (state_open(&state, place->path, lib, saved, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	return state;
}

/* Making a file of an input. */

static int permit(void *data, int what, const char *first, const char *second, const char *third,
		  const char *fourth)
{
	static const char *const pragmas[] = {"application_id", "user_version", "writable_schema"};

	(void)data, (void)second, (void)third, (void)fourth;
	if (what == SQLITE_ATTACH || what == SQLITE_DETACH || what == SQLITE_CREATE_VTABLE)
		return SQLITE_DENY;
	if (what != SQLITE_PRAGMA)
		return SQLITE_OK;
	for (size_t i = 0; i < sizeof(pragmas) / sizeof(pragmas[0]); i++)
		if (!sqlite3_stricmp(first, pragmas[i]))
			return SQLITE_OK;
	return SQLITE_DENY;
}

static int count_steps(void *data)
{
	return ++*(int *)data > MOST_STEPS / 1000;
}

static void sealed(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	int size = sqlite3_value_bytes(argv[0]);
	uint8_t *copy = malloc((size_t)size + 1);

	(void)argc;
	MUST(copy);
	if (size)
		memcpy(copy, sqlite3_value_blob(argv[0]), (size_t)size);
	seal(copy, (size_t)size);
	sqlite3_result_blob(context, copy, size, free);
}

/* Statement by statement: the others aren't kept from it by one that is refused. */
static void execute_all(sqlite3 *db, const char *sql)
{
	while (*sql) {
		sqlite3_stmt *statement = NULL;
		const char *next = sql;

		if (!sqlite3_prepare_v2(db, sql, -1, &statement, &next))
			while (sqlite3_step(statement) == SQLITE_ROW)
				;
		sqlite3_finalize(statement);
		sql = next == sql ? "" : next;
	}
}

static void change_database(const char *path, const uint8_t *data, size_t size)
{
	char *sql = strndup((const char *)data, size);
	sqlite3 *db;
	int steps = 0;

	MUST(sql && !sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL));
	MUST(!sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL));
	MUST(!sqlite3_create_function(db, "sealed", 1, SQLITE_UTF8, NULL, sealed, NULL, NULL));
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, MOST_PAGES * 4096);
	sqlite3_exec(db, "PRAGMA max_page_count = 128", NULL, NULL, NULL);
	sqlite3_set_authorizer(db, permit, NULL);
	sqlite3_progress_handler(db, 1000, count_steps, &steps);
	execute_all(db, sql);
	sqlite3_close(db);
	free(sql);
}

/* A good file of a daemon that had nothing to do. */
static const uint8_t *good_file(size_t *size)
{
	static uint8_t *data;
	static size_t good_size;
	struct place place;
	struct saved saved;

	if (!data) {
		place_make(&place);
		state_close(open_state(&place, NULL, &saved));
		data = read_file(place.path, &good_size);
		place_remove(&place);
	}
	*size = good_size;
	return data;
}

static void put_input(const struct place *place, const uint8_t *data, size_t size)
{
	const uint8_t *wal, *good;
	char path[192];

	if (size < sizeof(DATABASE_MAGIC) || memcmp(data, DATABASE_MAGIC, sizeof(DATABASE_MAGIC))) {
		good = good_file(&size);
		write_file(place->path, good, size);
		return;
	}
	wal = memmem(data, size, WAL_MAGIC, strlen(WAL_MAGIC));
	write_file(place->path, data, wal ? (size_t)(wal - data) : size);
	if (!wal)
		return;
	snprintf(path, sizeof(path), "%s-wal", place->path);
	write_file(path, wal, size - (size_t)(wal - data));
}

/* Going on with it, as the daemon does, in virtual time. */

struct run {
	struct damon_port *port;
	struct damon_lib *lib;
	struct monitors *monitors;
	struct saved *saved;
};

static int prepare(void *data, uint32_t kdamond, struct damon_ctx *ctx,
		   const struct sysfs_choices *choices, struct damon_error *err)
{
	return monitors_prepare(((struct run *)data)->monitors, kdamond, ctx, choices, err);
}

static void started(void *data, uint32_t kdamond, struct damon_ctx *ctx)
{
	monitors_started(((struct run *)data)->monitors, kdamond, ctx);
}

static void stopped(void *data, uint32_t kdamond, struct damon_ctx *ctx, int result)
{
	(void)ctx, (void)result;
	monitors_stopped(((struct run *)data)->monitors, kdamond);
}

/* Memory for many directories isn't the subject. */
static void bound_counts(struct saved *saved)
{
	for (size_t i = 0; i < saved->nr_staged; i++) {
		struct staged *staged = &saved->staged[i];

		if (strstr(staged->path, "/nr_") &&
		    strtoull(staged->value, NULL, 0) > MOST_OF_ANYTHING)
			strcpy(staged->value, "");
	}
}

static void go_on(void *arg)
{
	struct run *run = arg;
	struct sysfs_host host = {.lib = run->lib,
				  .prepare = prepare,
				  .started = started,
				  .stopped = stopped,
				  .data = run};
	struct saved collected = {.nr_staged = 0};
	struct sysfs_tree *tree;

	MUST(!monitors_new(&run->monitors));
	MUST(!sysfs_tree_new(&tree, &host));
	bound_counts(run->saved);
	MUST(restore(tree, run->monitors, run->saved) <= run->saved->nr_running);
	MUST(!restore_collect(tree, &collected));
	saved_clear(&collected);
	sysfs_tree_free(tree);
	monitors_free(run->monitors);
}

/* What was read can be written, and is read again. */
static void write_again(struct state *state, struct damon_lib *lib, const struct place *place,
			const struct saved *saved)
{
	struct damon_error err;
	struct saved again;

	state_begin(state);
	state_put_config(state, saved->config);
	state_put_staged(state, saved);
	for (size_t i = 0; i < saved->nr_running; i++)
		state_put_running(state, &saved->running[i]);
	MUST(!state_end(state, &err));
	state_close(state);
	state = open_state(place, lib, &again);
	MUST(!strcmp(again.config, saved->config));
	MUST(again.nr_staged == saved->nr_staged && again.nr_running == saved->nr_running);
	for (size_t i = 0; i < again.nr_staged; i++)
		MUST(!strcmp(again.staged[i].path, saved->staged[i].path) &&
		     !strcmp(again.staged[i].value, saved->staged[i].value));
	for (size_t i = 0; i < again.nr_running; i++)
		MUST(again.running[i].kdamond == saved->running[i].kdamond &&
		     again.running[i].nr_schemes == saved->running[i].nr_schemes &&
		     !strcmp(again.running[i].in_force, saved->running[i].in_force));
	saved_clear(&again);
	state_close(state);
}

static void open_and_go_on(struct run *run, const struct place *place)
{
	size_t size, before = nr_lines;
	void *file = read_file(place->path, &size);
	struct saved saved;
	struct state *state = open_state(place, run->lib, &saved);

	if (kept_aside(place, file, size))
		MUST(nr_lines > before && !saved.nr_staged && !saved.nr_running);
	free(file);
	write_again(state, run->lib, place, &saved);
	run->saved = &saved;
	MUST(!damon_port_coop_run(run->port, go_on, run));
	saved_clear(&saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.port = damon_port_coop_new(1, NULL)};
	struct damon_operations paddr = made_up;
	struct place place;

	paddr.id = DAMON_OPS_PADDR;
	paddr.name = "paddr";
	MUST(run.port && !damon_lib_new(&run.lib, run.port));
	MUST(!damon_register_ops(run.lib, &made_up, NULL));
	MUST(!damon_register_ops(run.lib, &paddr, NULL));
	place_make(&place);
	put_input(&place, data, size);
	if (size < sizeof(DATABASE_MAGIC) || memcmp(data, DATABASE_MAGIC, sizeof(DATABASE_MAGIC)))
		change_database(place.path, data, size);
	open_and_go_on(&run, &place);
	damon_lib_free(run.lib);
	MUST(!damon_port_coop_nr_allocated(run.port));
	damon_port_coop_free(run.port);
	place_remove(&place);
	return 0;
}
