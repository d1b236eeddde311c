/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The summary's facts, and that the HTML page lets nothing out of its place.
 */
#include <errno.h>

#include "record/writer.h"
#include "report_fixture.h"

#define HEAP 0x1000000ull

/* Ten windows: 1 MiB hot, 2 warm, 4 idle for 0.5 s, 1 unknown. */
static void ten_windows(struct fixture *f, const char *comm, const char *path)
{
	const struct record_region regions[] = {
		{0, HEAP, HEAP + MIB, 10, 3, 20},
		{0, HEAP + MIB, HEAP + 3 * MIB, 9, 3, 20},
		{0, HEAP + 3 * MIB, HEAP + 7 * MIB, 0, 5, 20},
		{0, HEAP + 7 * MIB, HEAP + 8 * MIB, 0, 5, 0},
	};
	uint64_t i;

	add_target(f, 0, 7, comm);
	add_mapping(f, 0, HEAP, HEAP + 9 * MIB, path);
	for (i = 0; i < 10; i++) {
		/* 1 ms of processor and 40 clears per window of 100 ms. */
		f->cost.cpu_ns += MS;
		f->cost.clears += 40;
		add_window(f, 100 * i, 100, FROM(regions));
	}
}

static double number(const json_t *json, const char *key)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_number(value))
		fail_msg("expected a number for '%s'", key);
	return json_number_value(value);
}

/* Whatever the gap, what is watched is watched for the time of the windows only. */
static void a_hold_by_watermarks_is_noted(void **state)
{
	const struct record_region hot = {0, HEAP, HEAP + MIB, 20, 5, 20};
	struct fixture *f = *state;
	char *text;

	add_target(f, 0, 7, "demo");
	add_window(f, 0, 100, &hot, 1);
	add_event(f, 100, -1, "hold", "watermarks");
	add_event(f, 2100, -1, "release", "");
	add_window(f, 2100, 100, &hot, 1);
	add_event(f, 2200, -1, "hold", "watermarks");
	finish(f);
	f->options.style.width = 200;
	text = report_text(f, report_summary);
	expect_contains(text, "held by the schemes' watermarks for 2 s, which counts nowhere");
	expect_lacks(text, "busy machine");
	free(text);
}

static void late_windows_under_a_budget_name_it(void **state)
{
	const struct record_region hot = {0, HEAP, HEAP + MIB, 20, 5, 20};
	const struct damon_window window = {.t_start_ns = 1000 * MS,
					    .t_end_ns = 3000 * MS,
					    .sample_us = 5000,
					    .aggr_us = 100000,
					    .nr_samples = 20,
					    .floor_us = 90000};
	struct fixture *f = *state;
	char *text;

	add_target(f, 0, 7, "demo");
	assert_int_equal(record_add_window(f->rec, &window, &hot, 1), 0);
	finish(f);
	f->options.style.width = 200;
	text = report_text(f, report_summary);
	expect_contains(text,
			"keep up, because the budget made looks rarer or the machine was busy");
	free(text);
}

static void windows_lost_at_the_end_are_told(void **state)
{
	struct damon_error error = {""};
	struct fixture *f = *state;
	char *text;

	ten_windows(f, "demo", "[heap]");
	record_lose_window(f->rec, -ENOSPC);
	record_lose_window(f->rec, -ENOSPC);
	assert_int_equal(record_close(f->rec, &error), -ENOSPC);
	f->rec = NULL;
	assert_int_equal(record_reader_open(&f->reader, f->path, &error), 0);
	f->options.style.width = 200;
	text = report_text(f, report_summary);
	expect_contains(text, "2 windows could not be written and are missing");
	free(text);
}

static void a_range_that_is_hardly_mapped_is_noted(void **state)
{
	const struct record_region wide = {0, HEAP, HEAP + 2000 * MIB, 0, 5, 20};
	const struct record_target target = {
		.id = 0, .pid = 7, .comm = "demo", .cmdline = "demo", .kind = "fvaddr"};
	struct fixture *f = *state;
	char *text;

	assert_int_equal(record_add_target(f->rec, &target), 0);
	add_mapping(f, 0, HEAP, HEAP + 9 * MIB, "[heap]");
	add_window(f, 0, 100, &wide, 1);
	finish(f);
	f->options.style.width = 200;
	text = report_text(f, report_summary);
	expect_contains(text, "of the addresses watched less than 1 in 100 is mapped");
	free(text);
}

static void summary_json(void **state)
{
	struct fixture *f = *state;
	const json_t *target;
	json_t *json;

	ten_windows(f, "demo", "[heap]");
	finish(f);
	assert_int_equal(report_summary_json(f->reader, &f->options, &json, NULL), 0);
	assert_true(number(json, "duration_s") == 1.0);
	assert_string_equal(json_string_value(json_object_get(json, "engine")), "point");
	target = json_array_get(json_object_get(json, "targets"), 0);
	assert_true(number(target, "pid") == 7);
	assert_string_equal(json_string_value(json_object_get(target, "comm")), "demo");
	assert_true(number(json, "snapshots") == 10);
	assert_true(number(json, "monitor_cpu_pct") == 1.0);
	assert_true(number(json, "clears_per_s") == 400);
	/* 400 clears of 2.5 us in a second: 0.1 %. */
	assert_true(number(json, "target_slowdown_pct_est") == 0.1);
	assert_true(number(json, "mapped_bytes") == 9 * MIB);
	assert_true(json_is_null(json_object_get(json, "resident_bytes")));
	assert_true(number(json, "hot_bytes") == MIB);
	assert_true(number(json, "idle_bytes") == 4 * MIB);
	assert_true(number(json, "unknown_bytes") == MIB);
	assert_true(json_is_array(json_object_get(json, "notes")));
	json_decref(json);
}

static void the_budget_is_told(void **state)
{
	struct damon_window window = {.t_end_ns = 1000 * MS,
				      .sample_us = 5000,
				      .aggr_us = 100000,
				      .nr_samples = 20,
				      .cost = {.cpu_ns = 10000000, .target_ns = 5000000},
				      .floor_us = 8000};
	struct fixture *f = *state;
	json_t *json;

	/* Two windows of 1 s with 10 ms of ours and 5 ms of the target's in all: 0.5 % and 0.25 %. */
	add_target(f, 0, 7, "demo");
	record_set_meta(f->rec, "budget_bp", "50");
	assert_int_equal(record_add_window(f->rec, &window, NULL, 0), 0);
	window.t_start_ns = 1000 * MS;
	window.t_end_ns = 2000 * MS;
	window.floor_us = 0;
	assert_int_equal(record_add_window(f->rec, &window, NULL, 0), 0);
	finish(f);
	assert_int_equal(report_summary_json(f->reader, &f->options, &json, NULL), 0);
	assert_true(number(json, "budget_pct") == 0.5);
	assert_true(number(json, "target_slowdown_pct_est") == 0.25);
	assert_true(number(json, "overhead_pct") == 0.75);
	assert_true(number(json, "floored_pct") == 50);
	assert_true(number(json, "floor_us_max") == 8000);
	json_decref(json);
}

static void idle_percentiles_are_over_known_bytes(void **state)
{
	struct fixture *f = *state;
	json_t *json, *idle;

	ten_windows(f, "demo", "[heap]");
	finish(f);
	assert_int_equal(report_summary_json(f->reader, &f->options, &json, NULL), 0);
	idle = json_object_get(json, "idle_s_percentiles");
	/* 3 of 7 MiB are in use, 43 %: 25 % isn't idle, 50 % for up to 0.5 s. */
	assert_true(number(idle, "25") == 0);
	assert_true(number(idle, "50") == 0.5);
	assert_true(number(idle, "100") == 0.5);
	json_decref(json);
}

static void notes_tell_what_happened(void **state)
{
	struct fixture *f = *state;
	json_t *json, *notes;
	uint64_t i;
	char *text;

	ten_windows(f, "demo", "[heap]");
	add_event(f, 300, 0, "exec", "/bin/other");
	for (i = 0; i < 5; i++)
		add_event(f, 400 + 100 * i, 0, "layout", "2 ranges");
	finish(f);
	assert_int_equal(report_summary_json(f->reader, &f->options, &json, NULL), 0);
	notes = json_object_get(json, "notes");
	/* 1 of 8 MiB is unknown. */
	assert_string_equal(
		json_string_value(json_array_get(notes, 0)),
		"12% of the memory could not be watched and is neither hot nor idle here");
	assert_string_equal(json_string_value(json_array_get(notes, 1)),
			    "at 300 ms: exec: /bin/other");
	assert_string_equal(json_string_value(json_array_get(notes, 2)),
			    "layout: 5 times, first at 400 ms, last at 800 ms: 2 ranges");
	assert_int_equal(json_array_size(notes), 3);
	json_decref(json);
	text = report_text(f, report_summary);
	expect_contains(text, "Notes\n");
	expect_contains(text, "  - at 300 ms: exec: /bin/other\n");
	free(text);
}

static void late_windows_are_told(void **state)
{
	struct fixture *f = *state;
	const struct record_region region = {0, 0, MIB, 10, 1, 20};
	struct damon_window window = {.sample_us = 5000, .aggr_us = 100000, .nr_samples = 20};
	json_t *json;
	uint64_t i;

	add_target(f, 0, 1, "demo");
	add_mapping(f, 0, 0, MIB, "");
	/* 1.2 times as long is taken as it comes; the last window makes 1.4 in the mean. */
	for (i = 0; i < 4; i++) {
		window.t_start_ns = window.t_end_ns;
		window.t_end_ns += (i < 3 ? 120 : 200) * MS;
		assert_int_equal(record_add_window(f->rec, &window, &region, 1), 0);
	}
	finish(f);
	f->options.t_end_ns = 360 * MS;
	assert_int_equal(report_summary_json(f->reader, &f->options, &json, NULL), 0);
	assert_int_equal(json_array_size(json_object_get(json, "notes")), 0);
	json_decref(json);
	f->options.t_end_ns = 0;
	assert_int_equal(report_summary_json(f->reader, &f->options, &json, NULL), 0);
	assert_non_null(strstr(json_string_value(json_array_get(json_object_get(json, "notes"), 0)),
			       "windows took 1.4 times as long as set"));
	json_decref(json);
}

static void summary_text(void **state)
{
	struct fixture *f = *state;
	char *text;

	ten_windows(f, "demo", "[heap]");
	finish(f);
	text = report_text(f, report_summary);
	expect_contains(text, "target       demo (pid 7)\n");
	expect_contains(text, "1 s in 10 windows of 100 ms, a look every 5 ms, engine point");
	expect_contains(text, "monitor 1.0% of a CPU, 400/s bits cleared, target slowed by about");
	expect_contains(text, "memory       9.0 MiB mapped\n");
	expect_contains(text, "hot        1.0 MiB   1.0 MiB\n");
	expect_contains(text, "warm       2.0 MiB   2.0 MiB\n");
	expect_contains(text, "idle       4.0 MiB   4.0 MiB\n");
	expect_contains(text, "unknown    1.0 MiB   1.0 MiB\n");
	expect_contains(text, "working set    3.0 MiB   3.0 MiB   3.0 MiB   3.0 MiB   3.0 MiB");
	expect_contains(text, "idle for           0 s       0 s    500 ms    500 ms    500 ms");
	expect_width(text, 80);
	free(text);
}

static void summaries_keep_to_narrow_terminals(void **state)
{
	struct fixture *f = *state;
	char *text;

	ten_windows(f, "demo", "[heap]");
	add_event(f, 300, 0, "fork", "child");
	finish(f);
	for (f->options.style.width = 26; f->options.style.width <= 130; f->options.style.width++) {
		text = report_text(f, report_summary);
		expect_width(text, f->options.style.width);
		free(text);
	}
}

static void a_summary_of_nothing(void **state)
{
	struct fixture *f = *state;
	json_t *json;
	char *text;

	add_event(f, 0, -1, "gone", "ended at once");
	finish(f);
	text = report_text(f, report_summary);
	expect_contains(text, "The record has no window");
	expect_contains(text, "gone: ended at once");
	free(text);
	assert_int_equal(report_summary_json(f->reader, &f->options, &json, NULL), 0);
	assert_true(json_is_null(json_object_get(json, "hot_bytes")));
	assert_true(number(json, "snapshots") == 0);
	json_decref(json);
}

static void memory_of_all_gone_targets(void **state)
{
	struct fixture *f = *state;
	json_t *json;

	/* The last window has no region: the one before it is what is known. */
	ten_windows(f, "demo", "[heap]");
	add_window(f, 1000, 100, NULL, 0);
	finish(f);
	assert_int_equal(report_summary_json(f->reader, &f->options, &json, NULL), 0);
	assert_true(number(json, "hot_bytes") == MIB);
	json_decref(json);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part))) {
		text += strlen(part);
		n++;
	}
	return n;
}

static void html_escapes_everything(void **state)
{
	struct fixture *f = *state;
	char *text;

	ten_windows(f, "</script><b>", "/x/<img src=x onerror=alert(1)>\"'&");
	add_event(f, 300, 0, "exec", "<script>alert(2)</script>");
	finish(f);
	text = report_text(f, report_html);
	/* The data's and the script's own. */
	assert_int_equal(count(text, "</script>"), 2);
	assert_int_equal(count(text, "<script"), 2);
	expect_lacks(text, "<img");
	expect_lacks(text, "<b>\"");
	expect_contains(text, "&lt;/script&gt;&lt;b&gt;");
	expect_contains(text, "\\u003cimg src=x");
	free(text);
}

static void html_needs_no_network(void **state)
{
	struct fixture *f = *state;
	char *text;

	ten_windows(f, "demo", "[heap]");
	finish(f);
	text = report_text(f, report_html);
	expect_lacks(text, "http:");
	expect_lacks(text, "https:");
	expect_lacks(text, "src=");
	expect_lacks(text, "@import");
	expect_contains(text, "default-src 'none'");
	free(text);
}

static void html_cells(void **state)
{
	struct fixture *f = *state;
	char *text;

	ten_windows(f, "demo", "[heap]");
	finish(f);
	text = report_text(f, report_html);
	/* 4 columns a window, 10 windows; 10/20 is 100 half percents (64), 9/20 is 90 (5a). */
	expect_contains(text, "\"columns\":40");
	expect_contains(text, "\"cells\":\"6464646464646464646464646464646464646464646464646464");
	expect_contains(text, "645a5a5a5a");
	/* From the last warm row to the idle ones; the last row is unknown to its end. */
	expect_contains(text, "5a5a5a5a5a000000000000");
	expect_contains(text, "fefefefefefefefefefefefefefefefefefe\"");
	free(text);
}

static void html_of_nothing(void **state)
{
	struct fixture *f = *state;
	char *text;

	finish(f);
	text = report_text(f, report_html);
	expect_contains(text, "The record has no window");
	expect_contains(text, "</html>");
	free(text);
}

static int stop_at_once(double done, void *data)
{
	*(double *)data = done;
	return -EINTR;
}

static void progress_can_stop_a_report(void **state)
{
	const struct record_region hot = {0, HEAP, HEAP + MIB, 20, 5, 20};
	struct fixture *f = *state;
	double done = -1;
	json_t *json;
	size_t i;

	add_target(f, 0, 7, "demo");
	for (i = 0; i < 512; i++)
		add_window(f, 100 * i, 100, &hot, 1);
	finish(f);
	f->options.progress.fn = stop_at_once;
	f->options.progress.data = &done;
	assert_int_equal(report_wss_json(f->reader, &f->options, &json, NULL), -EINTR);
	/* Told after 256 of 512 windows. */
	assert_true(done > 0.49 && done < 0.51);
}

#define WITH_RECORD(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RECORD(a_hold_by_watermarks_is_noted),
		WITH_RECORD(late_windows_under_a_budget_name_it),
		WITH_RECORD(windows_lost_at_the_end_are_told),
		WITH_RECORD(a_range_that_is_hardly_mapped_is_noted),
		WITH_RECORD(summary_json),
		WITH_RECORD(the_budget_is_told),
		WITH_RECORD(idle_percentiles_are_over_known_bytes),
		WITH_RECORD(notes_tell_what_happened),
		WITH_RECORD(late_windows_are_told),
		WITH_RECORD(summary_text),
		WITH_RECORD(summaries_keep_to_narrow_terminals),
		WITH_RECORD(a_summary_of_nothing),
		WITH_RECORD(memory_of_all_gone_targets),
		WITH_RECORD(html_escapes_everything),
		WITH_RECORD(html_needs_no_network),
		WITH_RECORD(html_cells),
		WITH_RECORD(html_of_nothing),
		WITH_RECORD(progress_can_stop_a_report),
	};

	return cmocka_run_group_tests_name("report_summary", tests, NULL, NULL);
}
