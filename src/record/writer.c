// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Writing a record: one transaction per window. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "record/checkpoint.h"
#include "record/create.h"
#include "record/database.h"
#include "record/pending.h"
#include "record/writer.h"

/* Regions per INSERT: half the cost per row of single ones; more than this gains little. */
#define ROWS_AT_ONCE 16

/* Pages of log after which it is moved into the record: 8 MiB. */
#define LOG_PAGES 2048

/* How long record_close() waits for readers, ms. */
#define CLOSE_TIMEOUT_MS 2000

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	ADD_META,
	ADD_TARGET,
	ADD_EVENT,
	ADD_MAPPING,
	ADD_SNAPSHOT,
	ADD_REGION,
	ADD_REGIONS,
	ADD_SCHEME_STAT,
	ADD_HEAT,
	NR_STATEMENTS,
};

static const char *const statement_text[NR_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[ADD_META] = "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)",
	[ADD_TARGET] = "INSERT OR REPLACE INTO target(id, pid, comm, cmdline, kind)"
		       " VALUES(?, ?, ?, ?, ?)",
	[ADD_EVENT] = "INSERT INTO event(t_ns, target, what, detail) VALUES(?, ?, ?, ?)",
	[ADD_MAPPING] = "INSERT OR REPLACE INTO"
			" mapping(target, from_snapshot, start, end, perms, path)"
			" VALUES(?, ?, ?, ?, ?, ?)",
	[ADD_SNAPSHOT] =
		"INSERT INTO snapshot(id, t_start_ns, t_end_ns, sample_us, aggr_us,"
		" engine, cpu_ns, clears, lost, flushes, unwatchable_bytes, target_ns, floor_us)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ADD_SCHEME_STAT] = "INSERT INTO scheme_stat(snapshot, scheme, nr_tried, sz_tried,"
			    " nr_applied, sz_applied, sz_ops_filter_passed, qt_exceeds,"
			    " nr_snapshots, esz) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ADD_HEAT] = "INSERT OR REPLACE INTO"
		     " page_heat(target, start, end, page_size, touched, samples)"
		     " VALUES(?, ?, ?, ?, ?, ?)",
	/* ADD_REGION and ADD_REGIONS are built by prepare_add_regions() */
};

/**
 * struct record - a record being written
 * @next_id:	of the next snapshot
 * @cost:	running totals as of the last snapshot that was written
 * @lost:	windows lost in all
 * @lost_since:	windows lost since the last that was written
 * @first_error: -errno of the first loss
 */
struct record {
	sqlite3 *db;
	sqlite3_stmt *statements[NR_STATEMENTS];
	struct checkpointer *checkpointer;
	char *path;
	char *engine;
	bool virtual_time;
	int64_t next_id;
	struct damon_cost cost;
	uint64_t lost;
	uint64_t lost_since;
	int first_error;
	struct pending pending;
	struct record_scheme_stat *stats;
	size_t nr_stats;
	struct record_region *regions;
	size_t max_regions;
	struct record_heat *heat;
	size_t nr_heat;
	size_t max_heat;
	void (*failed)(void *data, int code, const char *text);
	void *data;
};

/* A step of a statement without result rows; 0 or -errno, as all that writes here. */
static int run(struct record *rec, enum statement which)
{
	sqlite3_stmt *statement = rec->statements[which];
	int code;

	errno = 0;
	code = record_database_errno(sqlite3_step(statement));
	sqlite3_reset(statement);
	return code;
}

static void bind_number(struct record *rec, enum statement which, int column, uint64_t value)
{
	sqlite3_bind_int64(rec->statements[which], column, (sqlite3_int64)value);
}

/* The text must live until the statement has run. */
static void bind_text(struct record *rec, enum statement which, int column, const char *text)
{
	sqlite3_bind_text(rec->statements[which], column, text, -1, SQLITE_STATIC);
}

static int prepare(struct record *rec, enum statement which, const char *text)
{
	return sqlite3_prepare_v3(rec->db, text, -1, SQLITE_PREPARE_PERSISTENT,
				  &rec->statements[which], NULL);
}

/* Parameter 1 is the snapshot; row i has 2 + 6 * i and the following. */
static int prepare_add_regions(struct record *rec, enum statement which, int rows)
{
	sqlite3_str *sql = sqlite3_str_new(rec->db);
	char *text;
	int rc;

	sqlite3_str_appendall(sql, "INSERT INTO region(snapshot, target, start, end, nr_accesses,"
				   " age, samples) VALUES");
	for (int i = 0; i < rows; i++) {
		int first = 2 + 6 * i;

		sqlite3_str_appendf(sql, "%s(?1, ?%d, ?%d, ?%d, ?%d, ?%d, ?%d)", i ? ", " : "",
				    first, first + 1, first + 2, first + 3, first + 4, first + 5);
	}
	text = sqlite3_str_finish(sql);
	rc = text ? prepare(rec, which, text) : SQLITE_NOMEM;
	sqlite3_free(text);
	return rc;
}

static int prepare_all(struct record *rec)
{
	int rc = SQLITE_OK;

	for (enum statement i = 0; i < NR_STATEMENTS && !rc; i++)
		if (statement_text[i])
			rc = prepare(rec, i, statement_text[i]);
	if (!rc)
		rc = prepare_add_regions(rec, ADD_REGION, 1);
	if (!rc)
		rc = prepare_add_regions(rec, ADD_REGIONS, ROWS_AT_ONCE);
	return rc;
}

/* After each commit SQLite tells how long the log is. */
static int log_grew(void *data, sqlite3 *db, const char *name, int pages)
{
	struct record *rec = data;

	if (pages >= LOG_PAGES)
		checkpointer_wake(rec->checkpointer);
	return SQLITE_OK;
}

static int open_database(struct record *rec, struct damon_error *err)
{
	int rc;

	errno = 0;
	rc = sqlite3_open_v2(rec->path, &rec->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			     NULL);
	if (!rc && rec->virtual_time)
		rc = sqlite3_exec(rec->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	else if (!rc)
		rc = sqlite3_exec(rec->db, "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0",
				  NULL, NULL, NULL);
	if (!rc)
		rc = prepare_all(rec);
	if (rc)
		return record_database_fail(err, rec->db, rc, "can't create the record", rec->path);
	if (rec->virtual_time)
		return 0;
	sqlite3_wal_hook(rec->db, log_grew, rec);
	return checkpointer_start(&rec->checkpointer, rec->path, err);
}

static int set_meta_number(struct record *rec, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return record_set_meta(rec, key, text);
}

static int set_meta_attrs(struct record *rec, const struct damon_attrs *attrs)
{
	const struct {
		const char *key;
		uint64_t value;
	} rows[] = {
		{"sample_us", attrs->sample_interval},
		{"aggr_us", attrs->aggr_interval},
		{"update_us", attrs->ops_update_interval},
		{"min_nr_regions", attrs->min_nr_regions},
		{"max_nr_regions", attrs->max_nr_regions},
		{"min_region_sz", attrs->min_region_sz},
		{"goal_access_bp", attrs->intervals_goal.access_bp},
		{"goal_aggrs", attrs->intervals_goal.aggrs},
		{"goal_min_sample_us", attrs->intervals_goal.min_sample_us},
		{"goal_max_sample_us", attrs->intervals_goal.max_sample_us},
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !rc; i++)
		rc = set_meta_number(rec, rows[i].key, rows[i].value);
	return rc;
}

static void format_utc(char *text, size_t size)
{
	struct timespec now;
	struct tm utc;
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	length = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + length, size - length, ".%03ldZ", now.tv_nsec / 1000000);
}

static int set_first_meta(struct record *rec, const struct record_options *options)
{
	const char *host = "", *kernel = "", *command = "", *clock = "virtual";
	char start[64] = "";
	struct utsname names;
	int rc;

	if (!options->virtual_time && uname(&names) == 0) {
		host = names.nodename;
		kernel = names.release;
	}
	if (!options->virtual_time) {
		format_utc(start, sizeof(start));
		command = options->command;
		clock = options->clock;
	}
	rc = record_set_meta(rec, "version", UDAMON_VERSION);
	rc = rc ? rc : record_set_meta(rec, "host", host);
	rc = rc ? rc : record_set_meta(rec, "kernel", kernel);
	rc = rc ? rc : record_set_meta(rec, "command", command);
	rc = rc ? rc : record_set_meta(rec, "start_time", start);
	rc = rc ? rc : record_set_meta(rec, "clock", clock);
	rc = rc ? rc : set_meta_number(rec, "clock_start_ns", options->now_ns);
	rc = rc ? rc : set_meta_number(rec, "seed", options->seed);
	rc = rc ? rc : record_set_meta(rec, "engine", rec->engine);
	rc = rc ? rc : record_set_meta(rec, "complete", "0");
	if (!rc && options->attrs)
		rc = set_meta_attrs(rec, options->attrs);
	return rc;
}

/* Everything but the file itself. */
static void free_record(struct record *rec)
{
	checkpointer_stop(rec->checkpointer);
	for (size_t i = 0; i < NR_STATEMENTS; i++)
		sqlite3_finalize(rec->statements[i]);
	sqlite3_close(rec->db);
	pending_free(&rec->pending);
	free(rec->stats);
	free(rec->regions);
	free(rec->heat);
	free(rec->engine);
	free(rec->path);
	free(rec);
}

void record_discard(struct record *rec)
{
	char *path;

	if (!rec)
		return;
	path = rec->path;
	rec->path = NULL;
	free_record(rec);
	record_file_remove(path);
	free(path);
}

static int transaction(struct record *rec, const struct damon_window *window,
		       const struct record_region *regions, size_t nr);

int record_create(struct record **made, const char *path, const struct record_options *options,
		  struct damon_error *err)
{
	struct record *rec = calloc(1, sizeof(*rec));
	int rc;

	if (!rec)
		return record_fail(err, -ENOMEM, "can't create the record", path);
	rec->virtual_time = options->virtual_time;
	rec->failed = options->failed;
	rec->data = options->data;
	rec->next_id = 1;
	rc = record_file_create(path, !rec->virtual_time, &rec->path, err);
	if (rc) {
		free_record(rec);
		return rc;
	}
	rc = open_database(rec, err);
	if (rc)
		goto fail;
	if (record_set_engine(rec, options->engine) || set_first_meta(rec, options)) {
		rc = record_fail(err, -ENOMEM, "can't create the record", path);
		goto fail;
	}
	rc = transaction(rec, NULL, NULL, 0);
	if (rc) {
		record_fail(err, rc, "can't create the record", path);
		goto fail;
	}
	*made = rec;
	return 0;
fail:
	record_discard(rec);
	return rc;
}

int record_add_target(struct record *rec, const struct record_target *target)
{
	return pending_add(&rec->pending, PENDING_TARGET, target->id, target->pid, target->comm,
			   target->cmdline, target->kind);
}

int record_set_mappings(struct record *rec, uint32_t target, const struct record_mapping *mappings,
			size_t nr)
{
	return pending_set_mappings(&rec->pending, target, mappings, nr);
}

int record_set_meta(struct record *rec, const char *key, const char *value)
{
	return pending_add(&rec->pending, PENDING_META, 0, 0, key, value, NULL);
}

int record_event(struct record *rec, const struct damon_event *event)
{
	return pending_add(&rec->pending, PENDING_EVENT, (int64_t)event->t_ns, event->target,
			   event->what, event->detail, NULL);
}

int record_set_engine(struct record *rec, const char *engine)
{
	char *copy = strdup(engine ? engine : "");

	if (!copy)
		return -ENOMEM;
	free(rec->engine);
	rec->engine = copy;
	return 0;
}

int record_set_scheme_stats(struct record *rec, const struct record_scheme_stat *stats, size_t nr)
{
	struct record_scheme_stat *copy = NULL;

	if (nr) {
		copy = malloc(nr * sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		memcpy(copy, stats, nr * sizeof(*copy));
	}
	free(rec->stats);
	rec->stats = copy;
	rec->nr_stats = nr;
	return 0;
}

int record_add_heat(struct record *rec, const struct record_heat *heat)
{
	size_t max = rec->max_heat ? 2 * rec->max_heat : 256;
	struct record_heat *grown;

	if (rec->nr_heat == rec->max_heat) {
		grown = reallocarray(rec->heat, max, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		rec->heat = grown;
		rec->max_heat = max;
	}
	rec->heat[rec->nr_heat++] = *heat;
	return 0;
}

static int add_heat(struct record *rec)
{
	int rc = 0;

	for (size_t i = 0; i < rec->nr_heat && !rc; i++) {
		const struct record_heat *heat = &rec->heat[i];

		bind_number(rec, ADD_HEAT, 1, heat->target);
		bind_number(rec, ADD_HEAT, 2, heat->start);
		bind_number(rec, ADD_HEAT, 3, heat->end);
		bind_number(rec, ADD_HEAT, 4, heat->page_size);
		if (heat->touched < 0)
			sqlite3_bind_null(rec->statements[ADD_HEAT], 5);
		else
			bind_number(rec, ADD_HEAT, 5, (uint64_t)heat->touched);
		bind_number(rec, ADD_HEAT, 6, heat->samples);
		rc = run(rec, ADD_HEAT);
	}
	return rc;
}

static int add_row(struct record *rec, const struct pending_row *row)
{
	switch (row->kind) {
	case PENDING_META:
		bind_text(rec, ADD_META, 1, row->text[0]);
		bind_text(rec, ADD_META, 2, row->text[1]);
		return run(rec, ADD_META);
	case PENDING_TARGET:
		bind_number(rec, ADD_TARGET, 1, (uint64_t)row->number[0]);
		bind_number(rec, ADD_TARGET, 2, (uint64_t)row->number[1]);
		for (int i = 0; i < 3; i++)
			bind_text(rec, ADD_TARGET, 3 + i, row->text[i]);
		return run(rec, ADD_TARGET);
	case PENDING_EVENT:
		bind_number(rec, ADD_EVENT, 1, (uint64_t)row->number[0]);
		if (row->number[1] >= 0)
			bind_number(rec, ADD_EVENT, 2, (uint64_t)row->number[1]);
		else
			sqlite3_bind_null(rec->statements[ADD_EVENT], 2);
		bind_text(rec, ADD_EVENT, 3, row->text[0]);
		bind_text(rec, ADD_EVENT, 4, row->text[1]);
		return run(rec, ADD_EVENT);
	}
	return -EINVAL;
}

static int add_mappings(struct record *rec, const struct pending_mappings *list)
{
	int rc = 0;

	bind_number(rec, ADD_MAPPING, 1, list->target);
	bind_number(rec, ADD_MAPPING, 2, (uint64_t)rec->next_id);
	for (size_t i = 0; i < list->nr && !rc; i++) {
		bind_number(rec, ADD_MAPPING, 3, list->mappings[i].start);
		bind_number(rec, ADD_MAPPING, 4, list->mappings[i].end);
		bind_text(rec, ADD_MAPPING, 5, list->mappings[i].perms);
		bind_text(rec, ADD_MAPPING, 6, list->mappings[i].path);
		rc = run(rec, ADD_MAPPING);
	}
	return rc;
}

static int add_pending(struct record *rec)
{
	int rc = 0;

	for (struct pending_row *row = rec->pending.first; row && !rc; row = row->next)
		rc = add_row(rec, row);
	for (size_t i = 0; i < rec->pending.nr_lists && !rc; i++)
		if (rec->pending.lists[i].changed)
			rc = add_mappings(rec, &rec->pending.lists[i]);
	return rc;
}

/* Totals begin anew when a context is started again. */
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

static int add_snapshot(struct record *rec, const struct damon_window *window)
{
	const struct damon_cost *cost = &window->cost;

	bind_number(rec, ADD_SNAPSHOT, 1, (uint64_t)rec->next_id);
	bind_number(rec, ADD_SNAPSHOT, 2, window->t_start_ns);
	bind_number(rec, ADD_SNAPSHOT, 3, window->t_end_ns);
	bind_number(rec, ADD_SNAPSHOT, 4, window->sample_us);
	bind_number(rec, ADD_SNAPSHOT, 5, window->aggr_us);
	bind_text(rec, ADD_SNAPSHOT, 6, rec->engine);
	if (rec->virtual_time)
		sqlite3_bind_null(rec->statements[ADD_SNAPSHOT], 7);
	else
		bind_number(rec, ADD_SNAPSHOT, 7, grown(cost->cpu_ns, rec->cost.cpu_ns));
	bind_number(rec, ADD_SNAPSHOT, 8, grown(cost->clears, rec->cost.clears));
	bind_number(rec, ADD_SNAPSHOT, 9, rec->lost_since);
	bind_number(rec, ADD_SNAPSHOT, 10, grown(cost->flushes, rec->cost.flushes));
	bind_number(rec, ADD_SNAPSHOT, 11, cost->unwatchable_bytes);
	if (rec->virtual_time)
		sqlite3_bind_null(rec->statements[ADD_SNAPSHOT], 12);
	else
		bind_number(rec, ADD_SNAPSHOT, 12, grown(cost->target_ns, rec->cost.target_ns));
	bind_number(rec, ADD_SNAPSHOT, 13, window->floor_us);
	return run(rec, ADD_SNAPSHOT);
}

static int add_regions(struct record *rec, enum statement which,
		       const struct record_region *regions, size_t nr)
{
	int column = 2;

	bind_number(rec, which, 1, (uint64_t)rec->next_id);
	for (size_t i = 0; i < nr; i++) {
		bind_number(rec, which, column++, regions[i].target);
		bind_number(rec, which, column++, regions[i].start);
		bind_number(rec, which, column++, regions[i].end);
		bind_number(rec, which, column++, regions[i].nr_accesses);
		bind_number(rec, which, column++, regions[i].age);
		bind_number(rec, which, column++, regions[i].samples);
	}
	return run(rec, which);
}

static int add_scheme_stats(struct record *rec)
{
	int rc = 0;

	for (size_t i = 0; i < rec->nr_stats && !rc; i++) {
		const struct record_scheme_stat *stat = &rec->stats[i];
		const uint64_t values[] = {
			(uint64_t)rec->next_id,
			stat->scheme,
			stat->nr_tried,
			stat->sz_tried,
			stat->nr_applied,
			stat->sz_applied,
			stat->sz_ops_filter_passed,
			stat->qt_exceeds,
			stat->nr_snapshots,
			stat->esz,
		};

		for (int column = 0; column < 10; column++)
			bind_number(rec, ADD_SCHEME_STAT, column + 1, values[column]);
		rc = run(rec, ADD_SCHEME_STAT);
	}
	return rc;
}

static int add_window(struct record *rec, const struct damon_window *window,
		      const struct record_region *regions, size_t nr)
{
	int rc = add_snapshot(rec, window);
	size_t i = 0;

	for (; i + ROWS_AT_ONCE <= nr && !rc; i += ROWS_AT_ONCE)
		rc = add_regions(rec, ADD_REGIONS, &regions[i], ROWS_AT_ONCE);
	for (; i < nr && !rc; i++)
		rc = add_regions(rec, ADD_REGION, &regions[i], 1);
	return rc ? rc : add_scheme_stats(rec);
}

/* What waits, and with @window a window: all of it, or on an error nothing. */
static int transaction(struct record *rec, const struct damon_window *window,
		       const struct record_region *regions, size_t nr)
{
	int rc = run(rec, BEGIN);

	if (rc)
		return rc;
	rc = add_pending(rec);
	if (!rc && window)
		rc = add_window(rec, window, regions, nr);
	else if (!rc)
		rc = add_heat(rec);
	if (!rc)
		rc = run(rec, COMMIT);
	if (rc) {
		/* A full disk has rolled it back already. */
		if (!sqlite3_get_autocommit(rec->db))
			run(rec, ROLLBACK);
		return rc;
	}
	pending_written(&rec->pending);
	return 0;
}

struct record_region *record_regions(struct record *rec, size_t nr)
{
	struct record_region *regions;

	if (nr > rec->max_regions || !rec->regions) {
		regions = reallocarray(rec->regions, nr + 1, sizeof(*regions));
		if (!regions)
			return NULL;
		rec->regions = regions;
		rec->max_regions = nr;
	}
	return rec->regions;
}

/* The user hears of the first only. */
int record_lose_window(struct record *rec, int code)
{
	struct damon_error err;

	rec->lost++;
	rec->lost_since++;
	if (rec->first_error)
		return code;
	rec->first_error = code;
	if (rec->failed) {
		record_fail(&err, code, "monitoring goes on, but can't write to", rec->path);
		rec->failed(rec->data, code, err.text);
	}
	return code;
}

int record_add_window(struct record *rec, const struct damon_window *window,
		      const struct record_region *regions, size_t nr)
{
	int rc = transaction(rec, window, regions, nr);

	if (rc)
		return record_lose_window(rec, rc);
	rec->next_id++;
	rec->cost = window->cost;
	rec->lost_since = 0;
	return 0;
}

uint64_t record_nr_lost(const struct record *rec)
{
	return rec->lost;
}

/* Fold the log into the record, so that one file is left. */
static int fold_log(struct record *rec, struct damon_error *err)
{
	int rc;

	checkpointer_stop(rec->checkpointer);
	rec->checkpointer = NULL;
	errno = 0;
	sqlite3_busy_timeout(rec->db, CLOSE_TIMEOUT_MS);
	rc = sqlite3_exec(rec->db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	if (!rc)
		return 0;
	if ((rc & 0xff) == SQLITE_BUSY)
		return damon_error_set(
			err, -EBUSY,
			"the record '%s' is complete, but its log '%s-wal' must stay "
			"beside it: another program has the record open",
			rec->path, rec->path);
	return record_database_fail(err, rec->db, rc, "can't finish the record", rec->path);
}

/* The text for what is missing, if anything is. */
static int tell_losses(struct record *rec, struct damon_error *err)
{
	char buffer[128];

	if (rec->lost)
		return damon_error_set(err, rec->first_error,
				       "%" PRIu64 " windows are missing in the record '%s': %s",
				       rec->lost, rec->path,
				       strerror_r(-rec->first_error, buffer, sizeof(buffer)));
	if (rec->pending.lost_events)
		return damon_error_set(err, -ENOBUFS,
				       "%" PRIu64 " events are missing in the record '%s'",
				       rec->pending.lost_events, rec->path);
	return 0;
}

int record_close(struct record *rec, struct damon_error *err)
{
	int rc, folded, missing;

	if (!rec)
		return 0;
	rc = set_meta_number(rec, "lost", rec->lost);
	rc = rc ? rc : record_set_meta(rec, "complete", "1");
	rc = rc ? rc : transaction(rec, NULL, NULL, 0);
	folded = fold_log(rec, err);
	if (rc)
		record_fail(err, rc, "can't finish the record", rec->path);
	else
		rc = folded;
	missing = tell_losses(rec, err);
	free_record(rec);
	return missing ? missing : rc;
}
