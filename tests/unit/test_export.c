// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Exports: each format says what the record says, and failing to write is told. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <zlib.h>

#include "record/export.h"

static char directory[4096];

static char *in_directory(const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	return path;
}

#define NR_WINDOWS 3

static const struct damon_attrs attrs = {
	.sample_interval = 5000,
	.aggr_interval = 100000,
	.ops_update_interval = 1000000,
	.intervals_goal = {400, 3, 5000, 10000000},
};

/*
 * Three targets: 0 has a hot region, one known for half of the window, and an unknown one; 1 never
 * has any; 2 has a large one.
 */
static const struct record_region regions[] = {
	{0, 0x10000, 0x20000, 20, 7, 20},
	{0, 0x20000, 0x30000, 3, 0, 10},
	{0, 0x30000, 0x40000, 0, 0, 0},
	{2, 0x10000, 0x7fffffffffff0000, 0, 1, 20},
};

static void write_record(const char *path)
{
	const struct record_options options = {
		.virtual_time = true,
		.engine = "sim",
		.attrs = &attrs,
	};
	const struct record_mapping mapping = {0x10000, 0x30000, "r--p", "/tmp/\"\\\n\xff\xc3\xa4"};
	const struct record_scheme_stat stat = {.scheme = 1, .sz_applied = 4096, .esz = 5};
	struct damon_error err = {""};
	struct record *rec;

	if (record_create(&rec, path, &options, &err) != 0)
		fail_msg("record_create: %s", err.text);
	for (uint32_t i = 0; i < 3; i++)
		record_add_target(rec, &(struct record_target){i, 100 + i, "comm", "a b", "sim"});
	record_set_mappings(rec, 0, &mapping, 1);
	record_event(rec, &(struct damon_event){5, -1, "pause", "by hand"});
	record_event(rec, &(struct damon_event){6, 2, "gone", ""});
	record_set_scheme_stats(rec, &stat, 1);
	for (uint64_t i = 0; i < NR_WINDOWS; i++) {
		struct damon_window window = {
			i * 100000000, (i + 1) * 100000000, 5000, 100000, 20, {0, 10 * i, 0, 0}};

		assert_int_equal(record_add_window(rec, &window, regions, 4), 0);
	}
	if (record_close(rec, &err) != 0)
		fail_msg("record_close: %s", err.text);
}

/* Each test gets a reader of that record. */
static int open_record(void **state)
{
	const char *base = getenv("TMPDIR");
	struct record_reader *reader = NULL;
	char *path;

	snprintf(directory, sizeof(directory), "%s/udamon-export-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(directory))
		return -1;
	path = in_directory("a.db");
	write_record(path);
	assert_int_equal(record_reader_open(&reader, path, NULL), 0);
	free(path);
	*state = reader;
	return 0;
}

static int close_record(void **state)
{
	char command[sizeof(directory) + 16];

	record_reader_close(*state);
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

/* The whole export, to be freed. */
static char *export(struct record_reader *reader, enum record_format format, size_t *size)
{
	struct damon_error err = {""};
	char *data = NULL;
	FILE *out = open_memstream(&data, size);

	if (record_export(reader, format, out, "memory", &err) != 0)
		fail_msg("record_export: %s", err.text);
	fclose(out);
	return data;
}

static json_t *parse(const char *text, size_t size)
{
	json_error_t error;
	json_t *root = json_loadb(text, size, 0, &error);

	if (!root)
		fail_msg("not JSON, line %d: %s", error.line, error.text);
	return root;
}

static json_int_t number(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail_msg("no number '%s'", key);
	return json_integer_value(value);
}

static const char *string(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_string(value))
		fail_msg("no text '%s'", key);
	return json_string_value(value);
}

static json_t *element(json_t *object, const char *key, size_t idx)
{
	json_t *value = json_array_get(json_object_get(object, key), idx);

	if (!value)
		fail_msg("no element %zu of '%s'", idx, key);
	return value;
}

static size_t length(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_array(value))
		fail_msg("no list '%s'", key);
	return json_array_size(value);
}

static void test_csv_has_a_line_per_region(void **state)
{
	static const char first[] = "snapshot,t_start_ns,t_end_ns,sample_us,aggr_us,target,start,"
				    "end,nr_accesses,samples,age\n"
				    "1,0,100000000,5000,100000,0,65536,131072,20,20,7\n"
				    "1,0,100000000,5000,100000,0,131072,196608,3,10,0\n"
				    "1,0,100000000,5000,100000,0,196608,262144,0,0,0\n"
				    "1,0,100000000,5000,100000,2,65536,9223372036854710272,0,20,1\n"
				    "2,100000000,";
	size_t size, lines = 0;
	char *csv = export(*state, RECORD_FORMAT_CSV, &size);

	assert_memory_equal(csv, first, sizeof(first) - 1);
	for (size_t i = 0; i < size; i++)
		lines += csv[i] == '\n';
	assert_int_equal(lines, 1 + NR_WINDOWS * 4);
	free(csv);
}

static void test_addresses_are_unsigned(void **state)
{
	const struct record_region high = {0, 0xffffffffff600000, UINT64_MAX, 1, 0, 20};
	const struct record_options options = {.virtual_time = true, .engine = "sim"};
	const struct damon_window window = {.sample_us = 5000, .aggr_us = 100000};
	char *path = in_directory("b.db"), *csv;
	struct record_reader *reader = NULL;
	struct record *rec = NULL;
	size_t size;

	assert_int_equal(record_create(&rec, path, &options, NULL), 0);
	assert_int_equal(record_add_window(rec, &window, &high, 1), 0);
	assert_int_equal(record_close(rec, NULL), 0);
	assert_int_equal(record_reader_open(&reader, path, NULL), 0);
	csv = export(reader, RECORD_FORMAT_CSV, &size);
	assert_non_null(strstr(csv, ",18446744073699065856,18446744073709551615,1,20,0\n"));
	record_reader_close(reader);
	free(csv);
	free(path);
}

static void test_json_has_everything(void **state)
{
	size_t size;
	char *text = export(*state, RECORD_FORMAT_JSON, &size);
	json_t *root = parse(text, size), *snapshot, *one;

	assert_string_equal(string(root, "format"), "udamon-record");
	assert_int_equal(number(root, "version"), RECORD_VERSION);
	assert_string_equal(string(json_object_get(root, "meta"), "clock"), "virtual");
	assert_int_equal(length(root, "targets"), 3);
	assert_int_equal(number(element(root, "targets", 2), "pid"), 102);
	assert_string_equal(string(element(root, "targets", 2), "kind"), "sim");
	assert_int_equal(length(root, "mappings"), 1);
	assert_int_equal(number(element(root, "mappings", 0), "from_snapshot"), 1);
	one = element(element(root, "mappings", 0), "list", 0);
	assert_int_equal(number(one, "end"), 0x30000);
	assert_string_equal(string(one, "path"), "/tmp/\"\\\n\xef\xbf\xbd\xc3\xa4");
	assert_int_equal(length(root, "events"), 2);
	assert_true(json_is_null(json_object_get(element(root, "events", 0), "target")));
	assert_int_equal(number(element(root, "events", 1), "target"), 2);
	assert_int_equal(length(root, "snapshots"), NR_WINDOWS);
	snapshot = element(root, "snapshots", 1);
	assert_int_equal(number(snapshot, "id"), 2);
	assert_int_equal(number(snapshot, "t_end_ns"), 200000000);
	assert_int_equal(number(snapshot, "clears"), 10);
	assert_true(json_is_null(json_object_get(snapshot, "cpu_ns")));
	assert_int_equal(length(snapshot, "regions"), 4);
	assert_int_equal(number(element(snapshot, "regions", 1), "samples"), 10);
	assert_int_equal(number(element(snapshot, "schemes", 0), "sz_applied"), 4096);
	assert_int_equal(number(element(snapshot, "schemes", 0), "esz"), 5);
	json_decref(root);
	free(text);
}

/* What damo's format is must come out of one zlib stream. */
static json_t *export_damo_list(struct record_reader *reader)
{
	unsigned long plain_size = 1 << 20;
	char *plain = malloc(plain_size), *data;
	size_t size;
	json_t *root;

	data = export(reader, RECORD_FORMAT_DAMO, &size);
	assert_int_equal(
		uncompress((unsigned char *)plain, &plain_size, (unsigned char *)data, size), Z_OK);
	root = parse(plain, plain_size);
	free(plain);
	free(data);
	return root;
}

static void test_damo_has_an_element_per_target(void **state)
{
	json_t *list = export_damo_list(*state), *record, *intervals, *snapshot;

	assert_int_equal(json_array_size(list), 2); /* target 1 never had a region */
	assert_int_equal(number(json_array_get(list, 1), "target_id"), 2);
	record = json_array_get(list, 0);
	assert_int_equal(number(record, "target_id"), 0);
	intervals = json_object_get(record, "intervals");
	assert_int_equal(number(intervals, "sample_us"), 5000);
	assert_int_equal(number(intervals, "aggr_us"), 100000);
	assert_int_equal(number(intervals, "ops_update_us"), 1000000);
	assert_int_equal(number(json_object_get(intervals, "intervals_goal"), "access_bp"), 400);
	assert_int_equal(length(record, "snapshots"), NR_WINDOWS);
	snapshot = element(record, "snapshots", 2);
	assert_int_equal(number(snapshot, "start_time"), 200000000);
	assert_int_equal(number(snapshot, "end_time"), 300000000);
	assert_int_equal(number(element(snapshot, "regions", 0), "end"), 0x20000);
	json_decref(list);
}

/* nr_accesses, percent and age of region @idx of target 0 in the first window */
static void assert_damo_region(json_t *list, size_t idx, int samples, int percent, int age_us)
{
	json_t *region = element(element(json_array_get(list, 0), "snapshots", 0), "regions", idx);

	assert_int_equal(number(json_object_get(region, "nr_accesses"), "samples"), samples);
	assert_int_equal(number(json_object_get(region, "nr_accesses"), "percent"), percent);
	assert_int_equal(number(json_object_get(region, "age"), "usec"), age_us);
}

static void test_damo_scales_what_is_known_in_part(void **state)
{
	json_t *list = export_damo_list(*state);

	assert_damo_region(list, 0, 20, 100, 700000);
	assert_damo_region(list, 1, 6, 30, 0); /* 3 of 10 are 6 of 20 */
	json_decref(list);
}

static void test_damo_leaves_the_unknown_out(void **state)
{
	json_t *list = export_damo_list(*state);

	assert_int_equal(length(element(json_array_get(list, 0), "snapshots", 0), "regions"), 2);
	json_decref(list);
}

static void test_file_is_private_and_replaced(void **state)
{
	char *path = in_directory("out.json"), *link = in_directory("link");
	mode_t before = umask(0);
	struct stat st;

	assert_int_equal(symlink("out.json", link), 0);
	assert_int_equal(record_export_file(*state, RECORD_FORMAT_JSON, path, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(record_export_file(*state, RECORD_FORMAT_CSV, link, NULL), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(record_export_file(*state, RECORD_FORMAT_CSV, "/dev/null", NULL), 0);
	umask(before);
	free(path);
	free(link);
}

static void test_record_is_not_overwritten(void **state)
{
	char *path = in_directory("a.db");
	struct damon_error err = {""};
	struct record_reader *again = NULL;

	assert_int_equal(record_export_file(*state, RECORD_FORMAT_CSV, path, &err), -EEXIST);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(record_reader_open(&again, path, NULL), 0);
	record_reader_close(again);
	free(path);
}

static void test_missing_directory_is_told(void **state)
{
	char *path = in_directory("missing/out.csv");
	struct damon_error err = {""};

	assert_int_equal(record_export_file(*state, RECORD_FORMAT_CSV, path, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	free(path);
}

static void test_full_disk_is_told(void **state)
{
	const enum record_format formats[] = {RECORD_FORMAT_CSV, RECORD_FORMAT_JSON,
					      RECORD_FORMAT_DAMO};
	struct damon_error err = {""};

	for (size_t i = 0; i < 3; i++) {
		FILE *full = fopen("/dev/full", "w");

		assert_non_null(full);
		assert_int_equal(record_export(*state, formats[i], full, "/dev/full", &err),
				 -ENOSPC);
		assert_non_null(strstr(err.text, "/dev/full"));
		fclose(full);
	}
}

static void test_closed_pipe_is_told(void **state)
{
	struct damon_error err = {""};
	FILE *out;
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	out = fdopen(ends[1], "w");
	assert_int_equal(record_export(*state, RECORD_FORMAT_JSON, out, "standard output", &err),
			 -EPIPE);
	fclose(out);
	signal(SIGPIPE, SIG_DFL);
}

static void test_names_of_formats(void **state)
{
	enum record_format format;

	assert_int_equal(record_format_parse("json", &format), 0);
	assert_int_equal(format, RECORD_FORMAT_JSON);
	assert_int_equal(record_format_parse("xml", &format), -EINVAL);
	assert_int_equal(record_format_parse("", &format), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_record, close_record)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_csv_has_a_line_per_region),
		TEST(test_addresses_are_unsigned),
		TEST(test_json_has_everything),
		TEST(test_damo_has_an_element_per_target),
		TEST(test_damo_scales_what_is_known_in_part),
		TEST(test_damo_leaves_the_unknown_out),
		TEST(test_file_is_private_and_replaced),
		TEST(test_record_is_not_overwritten),
		TEST(test_missing_directory_is_told),
		TEST(test_full_disk_is_told),
		TEST(test_closed_pipe_is_told),
		TEST(test_names_of_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
