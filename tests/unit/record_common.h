/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the tests of records share: a directory for each test, and records with known content.
 */
#ifndef UDAMON_TESTS_RECORD_COMMON_H
#define UDAMON_TESTS_RECORD_COMMON_H

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

static inline char *in_directory(const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	return path;
}

static inline int make_directory(void **state)
{
	const char *base = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/udamon-record-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(directory))
		return -1;
	*state = in_directory("a.db");
	return 0;
}

static inline int remove_directory(void **state)
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

static inline struct record *create(const char *path, const struct record_options *options)
{
	struct damon_error err = {""};
	struct record *rec = NULL;

	if (record_create(&rec, path, options, &err) != 0)
		fail_msg("record_create: %s", err.text);
	return rec;
}

static inline void close_well(struct record *rec)
{
	struct damon_error err = {""};

	if (record_close(rec, &err) != 0)
		fail_msg("record_close: %s", err.text);
}

static inline struct record_reader *open_well(const char *path)
{
	struct record_reader *reader = NULL;
	struct damon_error err = {""};

	if (record_reader_open(&reader, path, &err) != 0)
		fail_msg("record_reader_open: %s", err.text);
	return reader;
}

/* Window number @i has 20 samples of 5 ms, and totals that grow by a known step. */
static inline struct damon_window window_number(uint64_t i)
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
static inline int add_window(struct record *rec, uint64_t i, size_t nr)
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

static inline uint64_t nr_snapshots(const char *path)
{
	struct record_reader *reader = open_well(path);
	uint64_t nr = 0;

	assert_int_equal(record_reader_nr_snapshots(reader, &nr, NULL), 0);
	record_reader_close(reader);
	return nr;
}

/* The only value of a query, as text. */
static inline char *query(const char *path, const char *sql)
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

static inline void assert_query(const char *path, const char *sql, const char *expected)
{
	char *value = query(path, sql);

	assert_string_equal(value, expected);
	free(value);
}

static inline bool exists(const char *name)
{
	char *path = in_directory(name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

static inline void write_file(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* All of a file; *@size is set. */
static inline char *slurp(const char *path, size_t *size)
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

static inline void assert_mode_0600(const char *name)
{
	char *path = in_directory(name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

#endif
