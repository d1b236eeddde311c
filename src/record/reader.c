// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Reading a record, also one that is being written or was cut off. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "record/database.h"
#include "record/rows.h"

/* How long to wait for a writer that is just closing, ms. */
#define READ_TIMEOUT_MS 2000

#define CANT_OPEN "can't open the record"
#define CANT_READ "can't read the record"

enum statement {
	BEGIN,
	COMMIT,
	VERSION,
	SIZE,
	META,
	COUNT_SNAPSHOTS,
	TARGETS,
	MAPPINGS,
	NEXT_MAPPINGS,
	NEXT_SNAPSHOT,
	LAST_SNAPSHOT,
	REGIONS,
	TARGET_REGIONS,
	SCHEME_STATS,
	EVENTS,
	HEAT,
	NR_STATEMENTS,
};

#define SNAPSHOT(budget)                                                                           \
	"SELECT id, t_start_ns, t_end_ns, sample_us, aggr_us, engine, cpu_ns, clears, lost,"       \
	" flushes, unwatchable_bytes, " budget " FROM snapshot"
#define BY_ID	 " WHERE id >= ?1 ORDER BY id LIMIT 1"
#define THE_LAST " ORDER BY id DESC LIMIT 1"

/* Addresses are signed to SQLite: "x < 0, x" sorts them as unsigned. */
static const char *const statement_text[NR_STATEMENTS] = {
	[BEGIN] = "BEGIN",
	[COMMIT] = "COMMIT",
	[VERSION] = "PRAGMA user_version",
	[SIZE] = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
	[META] = "SELECT key, value FROM meta ORDER BY key",
	[COUNT_SNAPSHOTS] = "SELECT count(*) FROM snapshot",
	[TARGETS] = "SELECT id, pid, comm, cmdline, kind FROM target ORDER BY id",
	[MAPPINGS] = "SELECT start, end, perms, path FROM mapping WHERE target = ?1"
		     " AND from_snapshot = (SELECT max(from_snapshot) FROM mapping"
		     " WHERE target = ?1 AND from_snapshot <= ?2) ORDER BY start < 0, start",
	[NEXT_MAPPINGS] = "SELECT from_snapshot FROM mapping WHERE target = ?1"
			  " AND from_snapshot > ?2 ORDER BY from_snapshot LIMIT 1",
	[NEXT_SNAPSHOT] = SNAPSHOT("target_ns, floor_us") BY_ID,
	[LAST_SNAPSHOT] = SNAPSHOT("target_ns, floor_us") THE_LAST,
	/* in the order of the key; sort_addresses() does the rest */
	[REGIONS] = "SELECT target, start, end, nr_accesses, age, samples FROM region"
		    " WHERE snapshot = ?1 ORDER BY target, start",
	[TARGET_REGIONS] = "SELECT target, start, end, nr_accesses, age, samples FROM region"
			   " WHERE snapshot = ?1 AND target = ?2 ORDER BY start",
	/* All columns, in the table's order: the first records don't have the last one. */
	[SCHEME_STATS] = "SELECT * FROM scheme_stat WHERE snapshot = ?1 ORDER BY scheme",
	[HEAT] = "SELECT target, start, end, page_size, touched, samples FROM page_heat"
		 " ORDER BY target, start < 0, start",
	[EVENTS] = "SELECT t_ns, target, what, detail FROM event ORDER BY t_ns, rowid",
};

struct meta_row {
	const char *key;
	const char *value;
};

struct record_reader {
	sqlite3 *db;
	sqlite3_stmt *statements[NR_STATEMENTS];
	char *path;
	int64_t next_id;
	struct arena engines;
	struct rows meta;
	struct rows targets;
	struct rows mappings;
	struct rows regions;
	struct rows stats;
	struct rows events;
	struct rows heat;
};

static int64_t number(sqlite3_stmt *statement, int column)
{
	return sqlite3_column_int64(statement, column);
}

static uint64_t address(sqlite3_stmt *statement, int column)
{
	return (uint64_t)sqlite3_column_int64(statement, column);
}

static uint32_t count(sqlite3_stmt *statement, int column)
{
	return (uint32_t)sqlite3_column_int64(statement, column);
}

/* Put column @column into @text; false without memory. */
static bool text(struct rows *rows, sqlite3_stmt *statement, int column, const char **text)
{
	*text = arena_copy(&rows->texts, (const char *)sqlite3_column_text(statement, column));
	return *text;
}

static bool add_meta(struct rows *rows, sqlite3_stmt *row)
{
	struct meta_row *meta = rows_add(rows, sizeof(*meta));

	return meta && text(rows, row, 0, &meta->key) && text(rows, row, 1, &meta->value);
}

static bool add_target(struct rows *rows, sqlite3_stmt *row)
{
	struct record_target *target = rows_add(rows, sizeof(*target));

	if (!target)
		return false;
	target->id = count(row, 0);
	target->pid = number(row, 1);
	return text(rows, row, 2, &target->comm) && text(rows, row, 3, &target->cmdline) &&
	       text(rows, row, 4, &target->kind);
}

static bool add_mapping(struct rows *rows, sqlite3_stmt *row)
{
	struct record_mapping *mapping = rows_add(rows, sizeof(*mapping));

	if (!mapping)
		return false;
	mapping->start = address(row, 0);
	mapping->end = address(row, 1);
	return text(rows, row, 2, &mapping->perms) && text(rows, row, 3, &mapping->path);
}

static bool add_region(struct rows *rows, sqlite3_stmt *row)
{
	struct record_region *region = rows_add(rows, sizeof(*region));

	if (!region)
		return false;
	region->target = count(row, 0);
	region->start = address(row, 1);
	region->end = address(row, 2);
	region->nr_accesses = count(row, 3);
	region->age = count(row, 4);
	region->samples = count(row, 5);
	return true;
}

static bool add_scheme_stat(struct rows *rows, sqlite3_stmt *row)
{
	struct record_scheme_stat *stat = rows_add(rows, sizeof(*stat));

	if (!stat)
		return false;
	stat->scheme = count(row, 1);
	stat->nr_tried = (uint64_t)number(row, 2);
	stat->sz_tried = (uint64_t)number(row, 3);
	stat->nr_applied = (uint64_t)number(row, 4);
	stat->sz_applied = (uint64_t)number(row, 5);
	stat->sz_ops_filter_passed = (uint64_t)number(row, 6);
	stat->qt_exceeds = (uint64_t)number(row, 7);
	stat->nr_snapshots = (uint64_t)number(row, 8);
	stat->esz = sqlite3_column_count(row) > 9 ? (uint64_t)number(row, 9) : 0;
	return true;
}

static bool add_event(struct rows *rows, sqlite3_stmt *row)
{
	struct record_event_row *event = rows_add(rows, sizeof(*event));

	if (!event)
		return false;
	event->t_ns = (uint64_t)number(row, 0);
	event->target = sqlite3_column_type(row, 1) == SQLITE_NULL ? -1 : number(row, 1);
	return text(rows, row, 2, &event->what) && text(rows, row, 3, &event->detail);
}

static bool add_heat(struct rows *rows, sqlite3_stmt *row)
{
	struct record_heat *heat = rows_add(rows, sizeof(*heat));

	if (!heat)
		return false;
	heat->target = count(row, 0);
	heat->start = (uint64_t)number(row, 1);
	heat->end = (uint64_t)number(row, 2);
	heat->page_size = (uint64_t)number(row, 3);
	heat->touched = sqlite3_column_type(row, 4) == SQLITE_NULL ? -1
								   : sqlite3_column_int(row, 4);
	heat->samples = count(row, 5);
	return true;
}

/* All rows of a statement whose parameters are bound, through @add into @rows. */
static int read_rows(struct record_reader *reader, enum statement which, struct rows *rows,
		     bool (*add)(struct rows *rows, sqlite3_stmt *row), struct damon_error *err)
{
	sqlite3_stmt *statement = reader->statements[which];
	int rc;

	rows_clear(rows);
	errno = 0;
	while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
		if (!add(rows, statement)) {
			rc = SQLITE_NOMEM;
			break;
		}
	}
	if (rc != SQLITE_DONE)
		rc = record_database_fail(err, rc == SQLITE_NOMEM ? NULL : reader->db, rc,
					  CANT_READ, reader->path);
	else
		rc = 0;
	sqlite3_reset(statement);
	return rc;
}

static int fail_open(struct record_reader *reader, int rc, struct damon_error *err)
{
	/* A log that was left must be folded in while reading, which takes a lock file. */
	if ((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY)
		return damon_error_set(err, -EACCES,
				       CANT_OPEN " '%s': it has a log to be read with it, which "
						 "needs a writable directory; copy it and '%s-wal' "
						 "to one",
				       reader->path, reader->path);
	return record_database_fail(err, reader->db, rc, CANT_OPEN, reader->path);
}

/* Begin to look at one state of the record. */
static int begin(struct record_reader *reader, struct damon_error *err)
{
	sqlite3_stmt *version = reader->statements[VERSION];
	int rc, found = 0;

	if (!sqlite3_get_autocommit(reader->db)) {
		sqlite3_step(reader->statements[COMMIT]);
		sqlite3_reset(reader->statements[COMMIT]);
	}
	errno = 0;
	sqlite3_step(reader->statements[BEGIN]);
	rc = sqlite3_reset(reader->statements[BEGIN]);
	if (rc)
		return fail_open(reader, rc, err);
	rc = sqlite3_step(version);
	if (rc == SQLITE_ROW)
		found = sqlite3_column_int(version, 0);
	rc = sqlite3_reset(version);
	if (rc)
		return fail_open(reader, rc, err);
	if (found > RECORD_VERSION)
		return damon_error_set(err, -ENOTSUP,
				       CANT_OPEN " '%s': its format %d is newer than the newest "
						 "known here, %d; use a newer udamon",
				       reader->path, found, RECORD_VERSION);
	reader->next_id = INT64_MIN;
	return 0;
}

/* The first records don't know of a budget. */
static const char *text_of(const struct record_reader *reader, enum statement which)
{
	if (which != NEXT_SNAPSHOT && which != LAST_SNAPSHOT)
		return statement_text[which];
	if (sqlite3_table_column_metadata(reader->db, NULL, "snapshot", "floor_us", NULL, NULL,
					  NULL, NULL, NULL) != SQLITE_ERROR)
		return statement_text[which];
	return which == NEXT_SNAPSHOT ? SNAPSHOT("NULL, 0") BY_ID : SNAPSHOT("NULL, 0") THE_LAST;
}

/* Preparing reads the tables' definitions, so it comes after the version is known to fit. */
static int prepare(struct record_reader *reader, enum statement first, enum statement end,
		   struct damon_error *err)
{
	for (enum statement i = first; i < end; i++) {
		int rc = sqlite3_prepare_v3(reader->db, text_of(reader, i), -1,
					    SQLITE_PREPARE_PERSISTENT, &reader->statements[i],
					    NULL);

		if (rc)
			return fail_open(reader, rc, err);
	}
	return 0;
}

/* The first records have no such table, and so nothing to tell about pages. */
static int prepare_heat(struct record_reader *reader, struct damon_error *err)
{
	int rc = sqlite3_table_column_metadata(reader->db, NULL, "page_heat", NULL, NULL, NULL,
					       NULL, NULL, NULL);

	if (rc == SQLITE_ERROR)
		return 0;
	return rc ? fail_open(reader, rc, err) : prepare(reader, HEAT, HEAT + 1, err);
}

/*
 * A file that was cut within its last page reads as if the rest were zero. So compare the size,
 * unless there is a log: what is missing may be in that.
 */
static int check_size(struct record_reader *reader, struct damon_error *err)
{
	sqlite3_stmt *size = reader->statements[SIZE];
	struct stat st, log;
	char *name = NULL;
	int rc = 0;

	if (asprintf(&name, "%s-wal", reader->path) < 0)
		return record_fail(err, -ENOMEM, CANT_OPEN, reader->path);
	if (sqlite3_step(size) == SQLITE_ROW && stat(reader->path, &st) == 0 &&
	    st.st_size < number(size, 0) && (stat(name, &log) < 0 || log.st_size == 0))
		rc = damon_error_set(err, -EBADMSG,
				     CANT_OPEN " '%s': the record is damaged (its end is missing)",
				     reader->path);
	sqlite3_reset(size);
	free(name);
	return rc;
}

static int check_kind(const char *path, struct damon_error *err)
{
	enum record_file_kind kind;
	int rc = record_file_peek(path, &kind);

	if (rc)
		return record_fail(err, rc, CANT_OPEN, path);
	switch (kind) {
	case RECORD_FILE_RECORD:
		return 0;
	case RECORD_FILE_EMPTY:
		return damon_error_set(err, -EBADMSG, CANT_OPEN " '%s': the file is empty", path);
	case RECORD_FILE_SQLITE:
		return damon_error_set(err, -EBADMSG,
				       CANT_OPEN " '%s': it is a database, but not a record of "
						 "udamon",
				       path);
	case RECORD_FILE_FOREIGN:
		break;
	}
	return damon_error_set(err, -EBADMSG, CANT_OPEN " '%s': it is not a record of udamon",
			       path);
}

static int open_database(struct record_reader *reader, struct damon_error *err)
{
	int rc;

	errno = 0;
	rc = sqlite3_open_v2(reader->path, &reader->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
			     NULL);
	if (rc)
		return fail_open(reader, rc, err);
	sqlite3_extended_result_codes(reader->db, 1);
	sqlite3_busy_timeout(reader->db, READ_TIMEOUT_MS);
	rc = prepare(reader, BEGIN, META, err);
	if (!rc)
		rc = begin(reader, err);
	if (!rc)
		rc = check_size(reader, err);
	if (!rc)
		rc = prepare(reader, META, HEAT, err);
	if (!rc)
		rc = prepare_heat(reader, err);
	if (!rc)
		rc = read_rows(reader, META, &reader->meta, add_meta, err);
	return rc;
}

int record_reader_open(struct record_reader **made, const char *path, struct damon_error *err)
{
	struct record_reader *reader;
	int rc = check_kind(path, err);

	if (rc)
		return rc;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return record_fail(err, -ENOMEM, CANT_OPEN, path);
	reader->path = strdup(path);
	if (!reader->path)
		rc = record_fail(err, -ENOMEM, CANT_OPEN, path);
	else
		rc = open_database(reader, err);
	if (rc) {
		record_reader_close(reader);
		return rc;
	}
	*made = reader;
	return 0;
}

void record_reader_close(struct record_reader *reader)
{
	if (!reader)
		return;
	for (size_t i = 0; i < NR_STATEMENTS; i++)
		sqlite3_finalize(reader->statements[i]);
	sqlite3_close(reader->db);
	rows_free(&reader->meta);
	rows_free(&reader->targets);
	rows_free(&reader->mappings);
	rows_free(&reader->regions);
	rows_free(&reader->stats);
	rows_free(&reader->events);
	rows_free(&reader->heat);
	arena_clear(&reader->engines);
	free(reader->path);
	free(reader);
}

int record_reader_refresh(struct record_reader *reader, struct damon_error *err)
{
	int rc = begin(reader, err);

	return rc ? rc : read_rows(reader, META, &reader->meta, add_meta, err);
}

const char *record_reader_path(const struct record_reader *reader)
{
	return reader->path;
}

bool record_reader_meta_row(struct record_reader *reader, size_t idx, const char **key,
			    const char **value)
{
	const struct meta_row *meta = reader->meta.array;

	if (idx >= reader->meta.nr)
		return false;
	*key = meta[idx].key;
	*value = meta[idx].value;
	return true;
}

const char *record_reader_meta(struct record_reader *reader, const char *key)
{
	const char *name, *value;

	for (size_t i = 0; record_reader_meta_row(reader, i, &name, &value); i++)
		if (strcmp(name, key) == 0)
			return value;
	return NULL;
}

int record_reader_nr_snapshots(struct record_reader *reader, uint64_t *nr, struct damon_error *err)
{
	sqlite3_stmt *statement = reader->statements[COUNT_SNAPSHOTS];
	int rc;

	errno = 0;
	rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW) {
		*nr = (uint64_t)number(statement, 0);
		rc = 0;
	} else {
		rc = record_database_fail(err, reader->db, rc, CANT_READ, reader->path);
	}
	sqlite3_reset(statement);
	return rc;
}

int record_reader_targets(struct record_reader *reader, const struct record_target **targets,
			  size_t *nr, struct damon_error *err)
{
	int rc = read_rows(reader, TARGETS, &reader->targets, add_target, err);

	*targets = reader->targets.array;
	*nr = reader->targets.nr;
	return rc;
}

int record_reader_mappings(struct record_reader *reader, uint32_t target, int64_t snapshot,
			   const struct record_mapping **mappings, size_t *nr,
			   struct damon_error *err)
{
	int rc;

	sqlite3_bind_int64(reader->statements[MAPPINGS], 1, target);
	sqlite3_bind_int64(reader->statements[MAPPINGS], 2, snapshot);
	rc = read_rows(reader, MAPPINGS, &reader->mappings, add_mapping, err);
	*mappings = reader->mappings.array;
	*nr = reader->mappings.nr;
	return rc;
}

int record_reader_next_mappings(struct record_reader *reader, uint32_t target, int64_t *from,
				struct damon_error *err)
{
	sqlite3_stmt *statement = reader->statements[NEXT_MAPPINGS];
	int rc;

	sqlite3_bind_int64(statement, 1, target);
	sqlite3_bind_int64(statement, 2, *from);
	errno = 0;
	rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW) {
		*from = number(statement, 0);
		rc = 1;
	} else {
		rc = rc == SQLITE_DONE
			     ? 0
			     : record_database_fail(err, reader->db, rc, CANT_READ, reader->path);
	}
	sqlite3_reset(statement);
	return rc;
}

void record_reader_rewind(struct record_reader *reader, int64_t id)
{
	reader->next_id = id;
}

static int read_snapshot(struct record_reader *reader, enum statement which,
			 struct record_snapshot *snapshot, struct damon_error *err)
{
	sqlite3_stmt *row = reader->statements[which];
	int rc;

	errno = 0;
	rc = sqlite3_step(row);
	if (rc == SQLITE_ROW) {
		*snapshot = (struct record_snapshot){
			.id = number(row, 0),
			.t_start_ns = (uint64_t)number(row, 1),
			.t_end_ns = (uint64_t)number(row, 2),
			.sample_us = (uint64_t)number(row, 3),
			.aggr_us = (uint64_t)number(row, 4),
			.engine = arena_intern(&reader->engines,
					       (const char *)sqlite3_column_text(row, 5)),
			.cpu_ns = sqlite3_column_type(row, 6) == SQLITE_NULL ? RECORD_UNKNOWN
									     : number(row, 6),
			.clears = (uint64_t)number(row, 7),
			.lost = (uint64_t)number(row, 8),
			.flushes = (uint64_t)number(row, 9),
			.unwatchable_bytes = (uint64_t)number(row, 10),
			.target_ns = sqlite3_column_type(row, 11) == SQLITE_NULL ? RECORD_UNKNOWN
										 : number(row, 11),
			.floor_us = (uint64_t)number(row, 12),
		};
		rc = snapshot->engine ? SQLITE_OK : SQLITE_NOMEM;
	}
	if (rc == SQLITE_OK)
		rc = 1;
	else if (rc == SQLITE_DONE)
		rc = 0;
	else
		rc = record_database_fail(err, rc == SQLITE_NOMEM ? NULL : reader->db, rc,
					  CANT_READ, reader->path);
	sqlite3_reset(row);
	return rc;
}

int record_reader_next(struct record_reader *reader, struct record_snapshot *snapshot,
		       struct damon_error *err)
{
	int rc;

	sqlite3_bind_int64(reader->statements[NEXT_SNAPSHOT], 1, reader->next_id);
	rc = read_snapshot(reader, NEXT_SNAPSHOT, snapshot, err);
	if (rc == 1 && snapshot->id < INT64_MAX)
		reader->next_id = snapshot->id + 1;
	else if (rc == 1) /* only a forged record has it */
		return damon_error_set(err, -EBADMSG, CANT_READ " '%s': the record is damaged",
				       reader->path);
	return rc;
}

int record_reader_last(struct record_reader *reader, struct record_snapshot *snapshot,
		       struct damon_error *err)
{
	return read_snapshot(reader, LAST_SNAPSHOT, snapshot, err);
}

static void reverse(struct record_region *regions, size_t nr)
{
	for (size_t i = 0; i < nr / 2; i++) {
		struct record_region swap = regions[i];

		regions[i] = regions[nr - 1 - i];
		regions[nr - 1 - i] = swap;
	}
}

/* The upper half of the address space came first, being negative to SQLite: turn each target's. */
static void sort_addresses(struct record_region *regions, size_t nr)
{
	for (size_t first = 0, end; first < nr; first = end) {
		size_t negative = 0;

		for (end = first; end < nr && regions[end].target == regions[first].target; end++)
			if ((int64_t)regions[end].start < 0)
				negative++;
		if (!negative || negative == end - first)
			continue;
		reverse(&regions[first], negative);
		reverse(&regions[first + negative], end - first - negative);
		reverse(&regions[first], end - first);
	}
}

static int read_regions(struct record_reader *reader, enum statement which,
			const struct record_region **regions, size_t *nr, struct damon_error *err)
{
	int rc = read_rows(reader, which, &reader->regions, add_region, err);

	sort_addresses(reader->regions.array, reader->regions.nr);
	*regions = reader->regions.array;
	*nr = reader->regions.nr;
	return rc;
}

int record_reader_regions(struct record_reader *reader, int64_t snapshot,
			  const struct record_region **regions, size_t *nr, struct damon_error *err)
{
	sqlite3_bind_int64(reader->statements[REGIONS], 1, snapshot);
	return read_regions(reader, REGIONS, regions, nr, err);
}

int record_reader_target_regions(struct record_reader *reader, int64_t snapshot, uint32_t target,
				 const struct record_region **regions, size_t *nr,
				 struct damon_error *err)
{
	sqlite3_bind_int64(reader->statements[TARGET_REGIONS], 1, snapshot);
	sqlite3_bind_int64(reader->statements[TARGET_REGIONS], 2, target);
	return read_regions(reader, TARGET_REGIONS, regions, nr, err);
}

int record_reader_scheme_stats(struct record_reader *reader, int64_t snapshot,
			       const struct record_scheme_stat **stats, size_t *nr,
			       struct damon_error *err)
{
	int rc;

	sqlite3_bind_int64(reader->statements[SCHEME_STATS], 1, snapshot);
	rc = read_rows(reader, SCHEME_STATS, &reader->stats, add_scheme_stat, err);
	*stats = reader->stats.array;
	*nr = reader->stats.nr;
	return rc;
}

int record_reader_events(struct record_reader *reader, const struct record_event_row **events,
			 size_t *nr, struct damon_error *err)
{
	int rc = read_rows(reader, EVENTS, &reader->events, add_event, err);

	*events = reader->events.array;
	*nr = reader->events.nr;
	return rc;
}

int record_reader_heat(struct record_reader *reader, const struct record_heat **heat, size_t *nr,
		       struct damon_error *err)
{
	int rc = 0;

	if (reader->statements[HEAT])
		rc = read_rows(reader, HEAT, &reader->heat, add_heat, err);
	*heat = reader->heat.array;
	*nr = reader->heat.nr;
	return rc;
}
