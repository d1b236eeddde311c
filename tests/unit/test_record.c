// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The record: what is written is read back, also while it is being written. */
#include "record/pending.h"
#include "record_common.h"

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
	const struct record_scheme_stat written = {2, 3, 1ull << 40, 4, 5, 6, 7, UINT64_MAX, 8};
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
	assert_int_equal(stats->esz, 8);
	record_reader_close(reader);
}

static void test_schemes_are_described(void **state)
{
	struct record *rec = create(*state, &live);
	struct record_reader *reader;

	assert_int_equal(record_describe_scheme(rec, 1, "count all memory", "{}"), 0);
	close_well(rec);
	reader = open_well(*state);
	assert_null(record_reader_scheme(reader, 0));
	assert_string_equal(record_reader_scheme(reader, 1), "count all memory");
	assert_string_equal(record_reader_scheme_json(reader, 1), "{}");
	record_reader_close(reader);
}

/* The first records had one column less. */
static void test_scheme_stats_without_a_quota_are_read(void **state)
{
	const struct record_scheme_stat written = {.nr_snapshots = 7, .esz = 8};
	struct record *rec = create(*state, &live);
	const struct record_scheme_stat *stats;
	struct record_reader *reader;
	sqlite3 *db;
	size_t nr;

	record_set_scheme_stats(rec, &written, 1);
	add_window(rec, 0, 1);
	close_well(rec);
	assert_int_equal(sqlite3_open(*state, &db), 0);
	assert_int_equal(
		sqlite3_exec(db, "ALTER TABLE scheme_stat DROP COLUMN esz", NULL, NULL, NULL), 0);
	sqlite3_close(db);
	reader = open_well(*state);
	assert_int_equal(record_reader_scheme_stats(reader, 1, &stats, &nr, NULL), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(stats->nr_snapshots, 7);
	assert_int_equal(stats->esz, 0);
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

/* Records from before there was a table for pages are not damaged. */
static void test_no_pages_in_older_records(void **state)
{
	struct record *rec = create(*state, &live);
	const struct record_heat *heat;
	struct record_reader *reader;
	sqlite3 *db = NULL;
	size_t nr = 1;

	add_window(rec, 0, 10);
	close_well(rec);
	assert_int_equal(sqlite3_open(*state, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DROP TABLE page_heat; VACUUM", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	reader = open_well(*state);
	assert_int_equal(record_reader_heat(reader, &heat, &nr, NULL), 0);
	assert_int_equal(nr, 0);
	assert_int_equal(record_reader_nr_snapshots(reader, &(uint64_t){0}, NULL), 0);
	record_reader_close(reader);
}

/* Nor are those from before there was a budget. */
static void test_no_budget_in_older_records(void **state)
{
	struct record *rec = create(*state, &live);
	struct record_snapshot snapshot;
	struct record_reader *reader;
	sqlite3 *db = NULL;

	add_window(rec, 0, 10);
	close_well(rec);
	assert_int_equal(sqlite3_open(*state, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "ALTER TABLE snapshot DROP COLUMN target_ns;"
				      "ALTER TABLE snapshot DROP COLUMN floor_us; VACUUM",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	reader = open_well(*state);
	assert_int_equal(record_reader_next(reader, &snapshot, NULL), 1);
	assert_true(snapshot.target_ns == RECORD_UNKNOWN);
	assert_int_equal(snapshot.floor_us, 0);
	assert_int_equal(record_reader_last(reader, &snapshot, NULL), 1);
	record_reader_close(reader);
}

/* What the budget did to a window, and what it cost the targets since the one before. */
static void test_cost_and_floor_of_a_window(void **state)
{
	struct damon_window window = {0, 1000, 5000, 100000, 20, {.target_ns = 700}, 8000};
	struct record *rec = create(*state, &live);
	struct record_snapshot snapshot;
	struct record_reader *reader;

	assert_int_equal(record_add_window(rec, &window, NULL, 0), 0);
	window = (struct damon_window){1000, 2000, 5000, 100000, 20, {.target_ns = 1000}, 0};
	assert_int_equal(record_add_window(rec, &window, NULL, 0), 0);
	close_well(rec);
	reader = open_well(*state);
	assert_int_equal(record_reader_next(reader, &snapshot, NULL), 1);
	assert_int_equal(snapshot.target_ns, 700);
	assert_int_equal(snapshot.floor_us, 8000);
	assert_int_equal(record_reader_next(reader, &snapshot, NULL), 1);
	assert_int_equal(snapshot.target_ns, 300);
	assert_int_equal(snapshot.floor_us, 0);
	record_reader_close(reader);
}

/* While nothing can be written, a target that changes its name doesn't fill the memory. */
static void test_one_row_of_a_target_waits(void **state)
{
	struct pending pending = {0};
	struct pending_row *row;
	char name[16];

	pending_add(&pending, PENDING_TARGET, 1, 100, "first", "", "");
	pending_add(&pending, PENDING_META, 0, 0, "key", "value", NULL);
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		assert_int_equal(pending_add(&pending, PENDING_TARGET, 0, 99, name, "", ""), 0);
	}
	pending_add(&pending, PENDING_TARGET, 1, 100, "last", "", "");
	row = pending.first;
	assert_string_equal(row->text[0], "key");
	row = row->next;
	assert_string_equal(row->text[0], "name 8");
	row = row->next;
	assert_string_equal(row->text[0], "last");
	assert_ptr_equal(row, pending.last);
	assert_null(row->next);
	pending_free(&pending);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_windows_come_back),
		TEST(test_costs_are_per_window),
		TEST(test_targets_and_events_come_back),
		TEST(test_one_row_of_a_target_waits),
		TEST(test_no_pages_in_older_records),
		TEST(test_no_budget_in_older_records),
		TEST(test_cost_and_floor_of_a_window),
		TEST(test_mappings_are_those_of_the_snapshot),
		TEST(test_scheme_stats_come_back),
		TEST(test_schemes_are_described),
		TEST(test_scheme_stats_without_a_quota_are_read),
		TEST(test_meta_tells_about_the_run),
		TEST(test_addresses_are_whole_64_bits),
		TEST(test_files_are_private),
		TEST(test_closed_record_is_one_file),
		TEST(test_equal_virtual_runs_give_equal_files),
		TEST(test_reading_while_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
