// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The record file: what is written is read back, whatever happens in between. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include <udamon/ops.h>

#include "record/record.h"

static char directory[4096];

static char *in_directory(const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	return path;
}

static int make_directory(void **state)
{
	const char *base = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/udamon-record-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(directory))
		return -1;
	*state = in_directory("a.db");
	return 0;
}

static int remove_directory(void **state)
{
	char command[sizeof(directory) + 16];

	free(*state);
	umount2(directory, MNT_DETACH); /* what a failed test may have left; else it does nothing */
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static const struct record_options live = {
	.engine = "point",
	.command = "udamon record -- sleep 1",
	.seed = 7,
	.clock = "monotonic",
	.now_ns = 1000,
};

static const struct record_options virtual = {
	.virtual_time = true,
	.engine = "sim",
	.command = "never written",
	.seed = 7,
};

static struct record *create(const char *path, const struct record_options *options)
{
	struct damon_error err = {""};
	struct record *rec = NULL;

	if (record_create(&rec, path, options, &err) != 0)
		fail_msg("record_create: %s", err.text);
	return rec;
}

static void close_well(struct record *rec)
{
	struct damon_error err = {""};

	if (record_close(rec, &err) != 0)
		fail_msg("record_close: %s", err.text);
}

static struct record_reader *open_well(const char *path)
{
	struct record_reader *reader = NULL;
	struct damon_error err = {""};

	if (record_reader_open(&reader, path, &err) != 0)
		fail_msg("record_reader_open: %s", err.text);
	return reader;
}

/* Window number @i has 20 samples of 5 ms, and totals that grow by a known step. */
static struct damon_window window_number(uint64_t i)
{
	return (struct damon_window){
		.t_start_ns = i * 100000000,
		.t_end_ns = (i + 1) * 100000000,
		.sample_us = 5000,
		.aggr_us = 100000,
		.nr_samples = 20,
		.cost = {.cpu_ns = 1000 * (i + 1),
			 .clears = 10 * (i + 1),
			 .flushes = i + 1,
			 .unwatchable_bytes = 8192},
	};
}

#define MAX_REGIONS 1000

/* @nr regions of a page each; what they hold follows from their index. */
static int add_window(struct record *rec, uint64_t i, size_t nr)
{
	static struct record_region regions[MAX_REGIONS];
	struct damon_window window = window_number(i);

	for (size_t r = 0; r < nr; r++)
		regions[r] = (struct record_region){
			.target = 0,
			.start = 0x7f0000000000 + 4096 * r,
			.end = 0x7f0000000000 + 4096 * (r + 1),
			.nr_accesses = (uint32_t)((r + i) % 21),
			.age = (uint32_t)r,
			.samples = 20,
		};
	return record_add_window(rec, &window, regions, nr);
}

static uint64_t nr_snapshots(const char *path)
{
	struct record_reader *reader = open_well(path);
	uint64_t nr = 0;

	assert_int_equal(record_reader_nr_snapshots(reader, &nr, NULL), 0);
	record_reader_close(reader);
	return nr;
}

/* The only value of a query, as text. */
static char *query(const char *path, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	sqlite3 *db = NULL;
	char *value = NULL;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = strdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

static void assert_query(const char *path, const char *sql, const char *expected)
{
	char *value = query(path, sql);

	assert_string_equal(value, expected);
	free(value);
}

static bool exists(const char *name)
{
	char *path = in_directory(name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* All of a file; *@size is set. */
static char *slurp(const char *path, size_t *size)
{
	struct stat st;
	FILE *file;
	char *data;

	assert_int_equal(stat(path, &st), 0);
	*size = (size_t)st.st_size;
	data = malloc(*size + 1);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fread(data, 1, *size, file), *size);
	fclose(file);
	return data;
}

static void test_windows_come_back(void **state)
{
	struct record *rec = create(*state, &live);
	const struct record_region *regions;
	struct record_snapshot snapshot;
	struct record_reader *reader;
	size_t nr;

	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(add_window(rec, i, 37), 0);
	close_well(rec);
	reader = open_well(*state);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(record_reader_next(reader, &snapshot, NULL), 1);
		assert_int_equal(snapshot.id, i + 1);
		assert_int_equal(snapshot.t_start_ns, i * 100000000);
		assert_int_equal(snapshot.t_end_ns, (i + 1) * 100000000);
		assert_int_equal(snapshot.sample_us, 5000);
		assert_int_equal(snapshot.aggr_us, 100000);
		assert_string_equal(snapshot.engine, "point");
		assert_int_equal(snapshot.lost, 0);
		assert_int_equal(record_reader_regions(reader, snapshot.id, &regions, &nr, NULL),
				 0);
		assert_int_equal(nr, 37);
		for (size_t r = 0; r < nr; r++) {
			assert_int_equal(regions[r].target, 0);
			assert_int_equal(regions[r].start, 0x7f0000000000 + 4096 * r);
			assert_int_equal(regions[r].end, 0x7f0000000000 + 4096 * (r + 1));
			assert_int_equal(regions[r].nr_accesses, (r + i) % 21);
			assert_int_equal(regions[r].age, r);
			assert_int_equal(regions[r].samples, 20);
		}
	}
	assert_int_equal(record_reader_next(reader, &snapshot, NULL), 0);
	assert_int_equal(record_reader_last(reader, &snapshot, NULL), 1);
	assert_int_equal(snapshot.id, 3);
	record_reader_rewind(reader, 2);
	assert_int_equal(record_reader_next(reader, &snapshot, NULL), 1);
	assert_int_equal(snapshot.id, 2);
	record_reader_close(reader);
}

static void test_costs_are_per_window(void **state)
{
	struct record *rec = create(*state, &live);
	struct record_snapshot snapshot;
	struct record_reader *reader;

	add_window(rec, 4, 1);
	add_window(rec, 6, 1); /* totals grew by two steps */
	close_well(rec);
	reader = open_well(*state);
	assert_int_equal(record_reader_next(reader, &snapshot, NULL), 1);
	assert_int_equal(snapshot.cpu_ns, 5000);
	assert_int_equal(snapshot.clears, 50);
	assert_int_equal(snapshot.flushes, 5);
	assert_int_equal(record_reader_next(reader, &snapshot, NULL), 1);
	assert_int_equal(snapshot.cpu_ns, 2000);
	assert_int_equal(snapshot.clears, 20);
	assert_int_equal(snapshot.flushes, 2);
	assert_int_equal(snapshot.unwatchable_bytes, 8192);
	record_reader_close(reader);
}

static void test_targets_and_events_come_back(void **state)
{
	struct record *rec = create(*state, &live);
	const struct record_event_row *events;
	const struct record_target *targets;
	struct record_reader *reader;
	size_t nr;

	record_add_target(rec, &(struct record_target){1, -1, NULL, NULL, "sim"});
	record_add_target(rec, &(struct record_target){0, 4711, "red'is", "redis -p 1", "vaddr"});
	record_event(rec, &(struct damon_event){900, 0, "gone", "it exited"});
	record_event(rec, &(struct damon_event){800, -1, "pause", ""});
	close_well(rec);
	reader = open_well(*state);
	assert_int_equal(record_reader_targets(reader, &targets, &nr, NULL), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(targets[0].pid, 4711);
	assert_string_equal(targets[0].comm, "red'is");
	assert_string_equal(targets[0].cmdline, "redis -p 1");
	assert_string_equal(targets[0].kind, "vaddr");
	assert_int_equal(targets[1].pid, -1);
	assert_string_equal(targets[1].comm, "");
	assert_int_equal(record_reader_events(reader, &events, &nr, NULL), 0);
	assert_int_equal(nr, 2);
	assert_string_equal(events[0].what, "pause");
	assert_int_equal(events[0].target, -1);
	assert_int_equal(events[1].t_ns, 900);
	assert_int_equal(events[1].target, 0);
	assert_string_equal(events[1].detail, "it exited");
	record_reader_close(reader);
}

static void test_mappings_are_those_of_the_snapshot(void **state)
{
	const struct record_mapping before[] = {{4096, 8192, "r-xp", "/bin/a"},
						{8192, 16384, "rw-p", ""}};
	const struct record_mapping after[] = {{4096, 8192, "r-xp", "/bin/a"}};
	struct record *rec = create(*state, &live);
	const struct record_mapping *mappings;
	struct record_reader *reader;
	size_t nr;

	add_window(rec, 0, 1);
	record_set_mappings(rec, 3, before, 2);
	add_window(rec, 1, 1);
	record_set_mappings(rec, 3, before, 2); /* the same again is not written again */
	add_window(rec, 2, 1);
	record_set_mappings(rec, 3, after, 1);
	add_window(rec, 3, 1);
	close_well(rec);
	assert_query(*state, "SELECT count(*) FROM mapping", "3");
	reader = open_well(*state);
	assert_int_equal(record_reader_mappings(reader, 3, 1, &mappings, &nr, NULL), 0);
	assert_int_equal(nr, 0);
	assert_int_equal(record_reader_mappings(reader, 3, 3, &mappings, &nr, NULL), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(mappings[1].start, 8192);
	assert_int_equal(mappings[1].end, 16384);
	assert_string_equal(mappings[0].path, "/bin/a");
	assert_string_equal(mappings[1].perms, "rw-p");
	assert_int_equal(record_reader_mappings(reader, 3, 4, &mappings, &nr, NULL), 0);
	assert_int_equal(nr, 1);
	record_reader_close(reader);
}

static void test_scheme_stats_come_back(void **state)
{
	const struct record_scheme_stat written = {2, 3, 1ull << 40, 4, 5, 6, 7, UINT64_MAX};
	struct record *rec = create(*state, &live);
	const struct record_scheme_stat *stats;
	struct record_reader *reader;
	size_t nr;

	record_set_scheme_stats(rec, &written, 1);
	add_window(rec, 0, 1);
	close_well(rec);
	reader = open_well(*state);
	assert_int_equal(record_reader_scheme_stats(reader, 1, &stats, &nr, NULL), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(stats->scheme, 2);
	assert_int_equal(stats->nr_tried, 3);
	assert_int_equal(stats->sz_tried, 1ull << 40);
	assert_int_equal(stats->nr_applied, 4);
	assert_int_equal(stats->sz_applied, 5);
	assert_int_equal(stats->sz_ops_filter_passed, 6);
	assert_int_equal(stats->qt_exceeds, 7);
	assert_true(stats->nr_snapshots == UINT64_MAX);
	record_reader_close(reader);
}

static void test_meta_tells_about_the_run(void **state)
{
	struct damon_attrs attrs = {.sample_interval = 5000, .ops_update_interval = 60000000};
	struct record_options options = live;
	struct record_reader *reader;
	const char *start;

	options.attrs = &attrs;
	close_well(create(*state, &options));
	reader = open_well(*state);
	assert_string_equal(record_reader_meta(reader, "command"), options.command);
	assert_string_equal(record_reader_meta(reader, "seed"), "7");
	assert_string_equal(record_reader_meta(reader, "clock"), "monotonic");
	assert_string_equal(record_reader_meta(reader, "clock_start_ns"), "1000");
	assert_string_equal(record_reader_meta(reader, "update_us"), "60000000");
	assert_string_equal(record_reader_meta(reader, "complete"), "1");
	assert_string_not_equal(record_reader_meta(reader, "host"), "");
	start = record_reader_meta(reader, "start_time");
	assert_int_equal(strlen(start), strlen("2026-11-21T03:42:06.123Z"));
	assert_null(record_reader_meta(reader, "no such key"));
	record_reader_close(reader);
}

static void test_addresses_are_whole_64_bits(void **state)
{
	const struct record_region written[] = {
		{0, 0, 4096, 1, 0, 20},
		{0, INT64_MAX - 4095, 1ull << 63, 2, 0, 20},
		{0, 1ull << 63, (1ull << 63) + 4096, 3, 0, 20},
		{0, UINT64_MAX - 4095, UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
		{UINT32_MAX, UINT64_MAX - 1, UINT64_MAX, 0, 0, 0},
	};
	struct damon_window window = {.t_start_ns = UINT64_MAX - 1, .t_end_ns = UINT64_MAX};
	struct record *rec = create(*state, &live);
	const struct record_region *regions;
	struct record_snapshot snapshot;
	struct record_reader *reader;
	size_t nr;

	assert_int_equal(record_add_window(rec, &window, written, 5), 0);
	close_well(rec);
	reader = open_well(*state);
	assert_int_equal(record_reader_next(reader, &snapshot, NULL), 1);
	assert_true(snapshot.t_end_ns == UINT64_MAX);
	assert_int_equal(record_reader_regions(reader, 1, &regions, &nr, NULL), 0);
	assert_int_equal(nr, 5);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(regions[i].start, written[i].start);
		assert_int_equal(regions[i].end, written[i].end);
		assert_int_equal(regions[i].nr_accesses, written[i].nr_accesses);
	}
	record_reader_close(reader);
	assert_query(*state, "SELECT min(start) FROM region", "-9223372036854775808");
}

static void assert_mode_0600(const char *name)
{
	char *path = in_directory(name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	free(path);
}

static void test_files_are_private(void **state)
{
	mode_t before = umask(0);
	struct record *rec = create(*state, &live);

	add_window(rec, 0, 10);
	assert_mode_0600("a.db");
	assert_mode_0600("a.db-wal");
	assert_mode_0600("a.db-shm");
	close_well(rec);
	assert_mode_0600("a.db");
	umask(before);
}

static void test_closed_record_is_one_file(void **state)
{
	struct record *rec = create(*state, &live);

	add_window(rec, 0, 10);
	assert_true(exists("a.db-wal"));
	close_well(rec);
	assert_true(exists("a.db"));
	assert_false(exists("a.db-wal"));
	assert_false(exists("a.db-shm"));
	assert_false(exists("a.db-journal"));
	assert_query(*state, "PRAGMA journal_mode", "delete");
	assert_query(*state, "PRAGMA application_id", "1969515886");
	assert_query(*state, "PRAGMA user_version", "1");
}

static void write_virtual(const char *path, const char *command)
{
	struct record_options options = virtual;
	struct record *rec;

	options.command = command;
	rec = create(path, &options);
	record_add_target(rec, &(struct record_target){0, -1, "hotcold", NULL, "sim"});
	for (uint64_t i = 0; i < 300; i++)
		assert_int_equal(add_window(rec, i, 200), 0);
	close_well(rec);
}

static void test_equal_virtual_runs_give_equal_files(void **state)
{
	char *other = in_directory("b.db");
	size_t size_a, size_b;
	char *a, *b;

	write_virtual(*state, "one");
	free(malloc(12345)); /* another heap than the first time */
	write_virtual(other, "two");
	a = slurp(*state, &size_a);
	b = slurp(other, &size_b);
	assert_int_equal(size_a, size_b);
	assert_memory_equal(a, b, size_a);
	assert_query(*state, "SELECT group_concat(key) FROM meta WHERE value = ''",
		     "command,host,kernel,start_time");
	assert_query(*state, "SELECT count(*) FROM snapshot WHERE cpu_ns IS NULL", "300");
	free(a);
	free(b);
	free(other);
}

static void test_reading_while_it_is_written(void **state)
{
	struct record *rec = create(*state, &live);
	struct record_reader *reader;
	uint64_t nr = 0;

	add_window(rec, 0, 10);
	reader = open_well(*state);
	assert_string_equal(record_reader_meta(reader, "complete"), "0");
	add_window(rec, 1, 10);
	assert_int_equal(record_reader_nr_snapshots(reader, &nr, NULL), 0);
	assert_int_equal(nr, 1); /* one state, until refreshed */
	assert_int_equal(record_reader_refresh(reader, NULL), 0);
	assert_int_equal(record_reader_nr_snapshots(reader, &nr, NULL), 0);
	assert_int_equal(nr, 2);
	record_reader_close(reader);
	close_well(rec);
	assert_false(exists("a.db-wal"));
}

/* A child writes windows and is killed after it has reported the last one. */
static void run_killed_writer(const char *path, uint64_t windows, size_t regions)
{
	int reports[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(reports), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct record *rec = NULL;

		if (record_create(&rec, path, &live, NULL) != 0)
			_exit(1);
		for (uint64_t i = 0;; i++) {
			if (add_window(rec, i, regions) != 0)
				_exit(1);
			if (i + 1 == windows && write(reports[1], "x", 1) != 1)
				_exit(1);
		}
	}
	close(reports[1]);
	assert_int_equal(read(reports[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(reports[0]);
}

static void test_killed_writer_leaves_all_windows(void **state)
{
	/* 10 stay in the log; 300 of 1,000 regions are more than one log, so the kill also
	 * comes while the log is moved and begun anew */
	const struct {
		uint64_t windows;
		size_t regions;
	} runs[] = {{1, 1}, {10, 100}, {300, 1000}};

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		char name[16], *path;

		snprintf(name, sizeof(name), "%zu.db", i);
		path = in_directory(name);
		run_killed_writer(path, runs[i].windows, runs[i].regions);
		assert_true(nr_snapshots(path) >= runs[i].windows);
		assert_query(path, "PRAGMA integrity_check", "ok");
		assert_query(path,
			     "SELECT count(DISTINCT n) FROM (SELECT count(*) AS n FROM region"
			     " GROUP BY snapshot)",
			     "1");
		assert_query(path, "SELECT max(id) - count(*) FROM snapshot", "0");
		free(path);
	}
}

/* After a kill the log is still there; the next record must not swallow it. */
static void test_killed_record_is_replaced(void **state)
{
	struct record *rec;

	run_killed_writer(*state, 20, 10);
	assert_true(exists("a.db-wal"));
	rec = create(*state, &live);
	add_window(rec, 0, 1);
	close_well(rec);
	assert_int_equal(nr_snapshots(*state), 1);
	assert_query(*state, "PRAGMA integrity_check", "ok");
}

static void test_orphaned_log_is_not_swallowed(void **state)
{
	run_killed_writer(*state, 20, 10);
	assert_int_equal(unlink(*state), 0);
	assert_true(exists("a.db-wal"));
	close_well(create(*state, &live));
	assert_int_equal(nr_snapshots(*state), 0);
}

/* @path is refused with @code, and what is there stays as it is. */
static void assert_refused(const char *path, int code, const char *part_of_text)
{
	struct damon_error err = {""};
	struct record *rec = NULL;
	int rc = record_create(&rec, path, &live, &err);

	assert_int_equal(rc, code);
	assert_null(rec);
	if (!strstr(err.text, part_of_text) || !strstr(err.text, path) || strchr(err.text, '\n'))
		fail_msg("expected one line with '%s' and '%s', got: %s", part_of_text, path,
			 err.text);
}

static int nr_files(void)
{
	char command[sizeof(directory) + 32];
	int nr = -1;
	FILE *out;

	snprintf(command, sizeof(command), "ls -A '%s' | wc -l", directory);
	out = popen(command, "r");
	assert_non_null(out);
	assert_int_equal(fscanf(out, "%d", &nr), 1);
	pclose(out);
	return nr;
}

static void test_foreign_files_are_left_alone(void **state)
{
	char *database = in_directory("other.db"), *text;
	sqlite3 *db = NULL;
	size_t size;

	write_file(*state, "important", 9);
	assert_refused(*state, -EEXIST, "not a record");
	text = slurp(*state, &size);
	assert_memory_equal(text, "important", 9);
	free(text);
	assert_int_equal(sqlite3_open(database, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_refused(database, -EEXIST, "a database");
	assert_query(database, "SELECT count(*) FROM t", "0");
	assert_int_equal(nr_files(), 2);
	free(database);
}

static void test_bad_places_are_refused(void **state)
{
	char *missing = in_directory("missing/a.db"), *link = in_directory("link");
	char *fifo = in_directory("fifo"), *wal = in_directory("b.db-wal");
	char *main_file = in_directory("b.db");

	assert_refused(missing, -ENOENT, "doesn't exist");
	assert_refused(directory, -EISDIR, "directory");
	assert_int_equal(symlink("nowhere", link), 0);
	assert_refused(link, -ENOENT, "leads nowhere");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_refused(fifo, -EEXIST, "not a record");
	write_file(wal, "important", 9);
	assert_refused(main_file, -EEXIST, "needs the name");
	assert_refused("", -EINVAL, "empty");
	assert_int_equal(nr_files(), 3);
	free(missing);
	free(link);
	free(fifo);
	free(wal);
	free(main_file);
}

static void test_symbolic_link_is_followed(void **state)
{
	char *link = in_directory("link");
	struct stat st;

	write_file(*state, "", 0); /* an empty file may be replaced */
	assert_int_equal(symlink("a.db", link), 0);
	close_well(create(link, &live));
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(nr_snapshots(*state), 0);
	assert_mode_0600("a.db");
	free(link);
}

static void test_record_in_use_is_refused(void **state)
{
	struct record *rec = create(*state, &live);

	add_window(rec, 0, 1);
	assert_refused(*state, -EBUSY, "another program has it open");
	add_window(rec, 1, 1);
	close_well(rec);
	assert_int_equal(nr_snapshots(*state), 2);
	close_well(create(*state, &live));
	assert_int_equal(nr_snapshots(*state), 0);
}

static void test_discard_leaves_nothing(void **state)
{
	struct record *rec = create(*state, &live);

	add_window(rec, 0, 1);
	record_discard(rec);
	assert_int_equal(nr_files(), 0);
}

static void assert_unreadable(const char *path, int code, const char *part_of_text)
{
	struct record_reader *reader = NULL;
	struct damon_error err = {""};
	int rc = record_reader_open(&reader, path, &err);

	assert_int_equal(rc, code);
	if (!strstr(err.text, part_of_text) || !strstr(err.text, path) || strchr(err.text, '\n'))
		fail_msg("expected one line with '%s' and '%s', got: %s", part_of_text, path,
			 err.text);
}

static void test_what_is_no_record_is_told(void **state)
{
	sqlite3 *db = NULL;

	assert_unreadable(*state, -ENOENT, "No such file");
	assert_unreadable(directory, -EBADMSG, "not a record");
	write_file(*state, "", 0);
	assert_unreadable(*state, -EBADMSG, "empty");
	write_file(*state, "a text", 6);
	assert_unreadable(*state, -EBADMSG, "not a record");
	unlink(*state);
	sqlite3_open(*state, &db);
	sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL);
	assert_unreadable(*state, -EBADMSG, "not a record");
	sqlite3_exec(db, "PRAGMA application_id=1969515886", NULL, NULL, NULL);
	assert_unreadable(*state, -EBADMSG, "damaged");
	sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL);
	assert_unreadable(*state, -ENOTSUP, "newer");
	sqlite3_close(db);
}

/* Read all there is; the first error, or 0. */
static int read_all(const char *path, struct damon_error *err)
{
	const struct record_region *regions;
	struct record_reader *reader = NULL;
	struct record_snapshot snapshot;
	size_t nr;
	int rc = record_reader_open(&reader, path, err);

	if (rc)
		return rc;
	while ((rc = record_reader_next(reader, &snapshot, err)) == 1) {
		rc = record_reader_regions(reader, snapshot.id, &regions, &nr, err);
		if (rc)
			break;
	}
	record_reader_close(reader);
	return rc;
}

static void write_record(const char *path, uint64_t windows)
{
	struct record *rec = create(path, &virtual);

	for (uint64_t i = 0; i < windows; i++)
		assert_int_equal(add_window(rec, i, 50), 0);
	close_well(rec);
}

static void test_truncated_record_is_told(void **state)
{
	struct damon_error err = {""};
	struct stat st;

	write_record(*state, 50);
	assert_int_equal(stat(*state, &st), 0);
	for (off_t size = st.st_size - 1; size > 100; size -= size / 10 + 1) {
		assert_int_equal(truncate(*state, size), 0);
		err.text[0] = '\0';
		assert_int_equal(read_all(*state, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "damaged"));
	}
}

/* Page after page is overwritten: an error or not, but never a crash or an endless loop. */
static void test_damaged_pages_do_no_harm(void **state)
{
	size_t size, damaged = 0;
	struct damon_error err;
	char *good, *bad;

	write_record(*state, 50);
	good = slurp(*state, &size);
	bad = malloc(size);
	for (size_t page = 0; page < size; page += 4096) {
		int rc;

		memcpy(bad, good, size);
		memset(bad + page + (page ? 0 : 100), 0xa5, page ? 4096 : 3996);
		write_file(*state, bad, size);
		err.text[0] = '\0';
		rc = read_all(*state, &err);
		if (rc) {
			damaged++;
			assert_int_equal(rc, -EBADMSG);
			assert_true(err.text[0]);
		}
	}
	assert_true(damaged > size / 4096 / 2);
	free(good);
	free(bad);
}

struct failure {
	int calls;
	int code;
};

static void note_failure(void *data, int code, const char *text)
{
	struct failure *failure = data;

	failure->calls++;
	failure->code = code;
}

/*
 * Fill what @rec can write to until a window fails, lose two more, then let @make_room run and
 * write three more.
 */
static void lose_windows(const char *path, struct failure *failure, int code,
			 void (*make_room)(void *data), void *data)
{
	struct record_options options = live;
	struct damon_error err = {""};
	struct record_snapshot snapshot;
	struct record_reader *reader;
	uint64_t lost = 0, i = 0, good;
	struct record *rec;

	options.failed = note_failure;
	options.data = failure;
	rec = create(path, &options);
	while (i < 100000 && add_window(rec, i, 200) == 0)
		i++;
	good = i;
	assert_int_equal(add_window(rec, ++i, 200), code);
	record_event(rec, &(struct damon_event){1, -1, "pause", "not to be forgotten"});
	assert_int_equal(add_window(rec, ++i, 200), code);
	assert_int_equal(record_nr_lost(rec), 3);
	make_room(data);
	for (int more = 0; more < 3; more++)
		assert_int_equal(add_window(rec, ++i, 200), 0);
	assert_int_equal(record_close(rec, &err), code);
	assert_non_null(strstr(err.text, "3 windows are missing"));
	assert_int_equal(failure->calls, 1);
	assert_int_equal(failure->code, code);
	reader = open_well(path);
	while (record_reader_next(reader, &snapshot, NULL) == 1)
		lost += snapshot.lost;
	assert_int_equal(lost, 3);
	assert_int_equal(snapshot.id, good + 3);
	assert_string_equal(record_reader_meta(reader, "lost"), "3");
	record_reader_close(reader);
	assert_query(path, "SELECT count(*) FROM event", "1");
	assert_query(path, "PRAGMA integrity_check", "ok");
}

static void lift_limit(void *data)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

static void test_file_size_limit_is_survived(void **state)
{
	struct failure failure = {0};
	struct rlimit before, limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 1 << 20;
	setrlimit(RLIMIT_FSIZE, &limit);
	lose_windows(*state, &failure, -EFBIG, lift_limit, NULL);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_DFL);
}

static void remove_ballast(void *data)
{
	assert_int_equal(unlink(data), 0);
}

/* A small file system of its own, seen by this process only. */
static void mount_small(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("small", directory, "tmpfs", 0, "size=2m,mode=0700") != 0) {
		print_message("# mounting a small file system: %s\n", strerror(errno));
		skip();
	}
}

static void test_full_disk_is_survived(void **state)
{
	char *ballast = in_directory("ballast"), *full = in_directory("full.db");
	struct failure failure = {0};
	static const char block[1 << 19];
	struct damon_error err = {""};
	struct record *rec = NULL;
	int fd;

	mount_small();
	write_file(ballast, block, sizeof(block));
	lose_windows(*state, &failure, -ENOSPC, remove_ballast, ballast);
	fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	assert_int_equal(record_create(&rec, full, &live, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "No space left"));
	assert_false(exists("full.db"));
	assert_int_equal(nr_files(), 2);
	free(ballast);
	free(full);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_windows_come_back),
		TEST(test_costs_are_per_window),
		TEST(test_targets_and_events_come_back),
		TEST(test_mappings_are_those_of_the_snapshot),
		TEST(test_scheme_stats_come_back),
		TEST(test_meta_tells_about_the_run),
		TEST(test_addresses_are_whole_64_bits),
		TEST(test_files_are_private),
		TEST(test_closed_record_is_one_file),
		TEST(test_equal_virtual_runs_give_equal_files),
		TEST(test_reading_while_it_is_written),
		TEST(test_killed_writer_leaves_all_windows),
		TEST(test_killed_record_is_replaced),
		TEST(test_orphaned_log_is_not_swallowed),
		TEST(test_foreign_files_are_left_alone),
		TEST(test_bad_places_are_refused),
		TEST(test_symbolic_link_is_followed),
		TEST(test_record_in_use_is_refused),
		TEST(test_discard_leaves_nothing),
		TEST(test_what_is_no_record_is_told),
		TEST(test_truncated_record_is_told),
		TEST(test_damaged_pages_do_no_harm),
		TEST(test_file_size_limit_is_survived),
		TEST(test_full_disk_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
