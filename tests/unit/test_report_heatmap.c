/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The heat map, cell by cell, and the live strip.
 */
#include "report_fixture.h"

#define HEAP 0x1000000ull

/* 1 MiB hot, then idle; and 1 MiB that can't be watched. */
static void two_windows(struct fixture *f)
{
	const struct record_region first[] = {{0, HEAP, HEAP + MIB, 20, 5, 20},
					      {0, HEAP + MIB, HEAP + 2 * MIB, 0, 5, 0}};
	const struct record_region second[] = {{0, HEAP, HEAP + MIB, 0, 0, 20},
					       {0, HEAP + MIB, HEAP + 2 * MIB, 0, 6, 0}};

	add_target(f, 0, 7, "demo");
	add_mapping(f, 0, HEAP, HEAP + 2 * MIB, "[heap]");
	add_window(f, 0, 100, FROM(first));
	add_window(f, 100, 100, FROM(second));
	finish(f);
}

static void labels_stand_at_the_sides(void **state)
{
	struct fixture *f = *state;

	two_windows(f);
	f->options.style.width = 56;
	f->options.style.height = 2;
	/* 56 - 13 - 11 - 2 frames: 30 columns, 15 to a window. 50 ms are 7.5 columns. */
	expect_text(f, report_heatmap,
		    "demo (pid 7): 2.0 MiB of addresses over 200 ms\n"
		    "             +------------------------------+\n"
		    "000001000000 |@@@@@@@@@@@@@@@...............| heap\n"
		    "             |??????????????????????????????|\n"
		    "             ++------+-------+------+-------+\n"
		    "              0      50      100    150 ms\n"
		    "one column: 6.7 ms; one line: 1.0 MiB\n"
		    ". idle : >0 - 1% = 2% + 5% x 10% o 20% % 35% # 50% @ 75%\n"
		    "? unknown: can't be watched\n"
		    "heat: share of the samples that found the memory\n"
		    "  accessed, mean of the cell\n");
}

static void twenty_columns_have_headings_instead(void **state)
{
	struct fixture *f = *state;
	char *text;

	two_windows(f);
	f->options.style.width = 20;
	f->options.style.height = 2;
	text = report_text(f, report_heatmap);
	expect_contains(text, "+------------------+\n"
			      "heap 2.0 MiB\n"
			      "|@@@@@@@@@.........|\n"
			      "|??????????????????|\n");
	expect_width(text, 20);
	free(text);
}

static void every_width_is_kept(void **state)
{
	struct fixture *f = *state;
	char *text;

	two_windows(f);
	for (f->options.style.width = 20; f->options.style.width <= 400;
	     f->options.style.width += 7) {
		text = report_text(f, report_heatmap);
		expect_width(text, f->options.style.width);
		free(text);
	}
	/* What is out of range is brought into it. */
	f->options.style.width = 5;
	text = report_text(f, report_heatmap);
	expect_width(text, 20);
	free(text);
}

static void unicode_without_color_draws_heights(void **state)
{
	struct fixture *f = *state;
	char *text;

	two_windows(f);
	f->options.style = (struct report_style){.unicode = true, .width = 20, .height = 2};
	text = report_text(f, report_heatmap);
	expect_contains(text, "│█████████·········│\n│??????????????????│\n");
	expect_lacks(text, "\033");
	free(text);
}

static void color_and_unicode_put_two_rows_in_a_line(void **state)
{
	struct fixture *f = *state;
	char *text;

	two_windows(f);
	f->options.style = (struct report_style){
		.color = REPORT_COLOR_256, .unicode = true, .width = 20, .height = 1};
	text = report_text(f, report_heatmap);
	/* Upper half: level 9 (228), then level 0 (17); lower half: unknown (242). */
	expect_contains(text,
			"│\033[38;5;228m\033[48;5;242m▀▀▀▀▀▀▀▀▀\033[38;5;17m▀▀▀▀▀▀▀▀▀\033[0m│\n");
	free(text);
}

static void pauses_are_gaps(void **state)
{
	const struct record_region hot = {0, HEAP, HEAP + MIB, 20, 5, 20};
	struct fixture *f = *state;
	char *text;

	add_target(f, 0, 7, "demo");
	add_window(f, 0, 100, &hot, 1);
	add_event(f, 100, -1, "pause", "");
	add_event(f, 200, -1, "resume", "");
	add_window(f, 200, 100, &hot, 1);
	finish(f);
	f->options.style.width = 20;
	f->options.style.height = 1;
	text = report_text(f, report_heatmap);
	expect_contains(text, "|@@@@@@//////@@@@@@|\n");
	expect_contains(text, "/ not watched then");
	free(text);
}

static void gaps_are_cut_out(void **state)
{
	const struct record_region regions[] = {
		{0, HEAP, HEAP + MIB, 20, 5, 20},
		{0, HEAP + 65 * MIB, HEAP + 66 * MIB, 10, 5, 20},
	};
	struct fixture *f = *state;
	char *text;

	add_target(f, 0, 7, "demo");
	add_window(f, 0, 100, FROM(regions));
	finish(f);
	f->options.style.width = 56;
	f->options.style.height = 5;
	text = report_text(f, report_heatmap);
	/* 32 columns with the frames; " 64.0 MiB not mapped " has 21. */
	expect_contains(text, "000001000000 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
			      "             |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
			      "             ~~~~~ 64.0 MiB not mapped ~~~~~~\n"
			      "000005100000 |##############################|\n"
			      "             |##############################|\n");
	free(text);
}

static void holes_of_the_mappings_are_not_idle(void **state)
{
	/* One wide region over two mappings, as a process is watched. */
	const struct record_region wide = {0, HEAP, HEAP + 100 * MIB, 10, 5, 20};
	const struct record_mapping mappings[] = {
		{HEAP, HEAP + MIB, "rw-p", "[heap]"},
		{HEAP + 99 * MIB, HEAP + 100 * MIB, "r-xp", "/usr/lib/libc.so.6"},
	};
	struct fixture *f = *state;
	char *text;

	add_target(f, 0, 7, "demo");
	record_set_mappings(f->rec, 0, mappings, 2);
	add_window(f, 0, 100, &wide, 1);
	finish(f);
	f->options.style.height = 5;
	text = report_text(f, report_heatmap);
	expect_contains(text, "demo (pid 7): 2.0 MiB of addresses");
	expect_contains(text, "98.0 MiB not mapped");
	expect_contains(text, "| heap\n");
	expect_contains(text, "| libc.so.6\n");
	free(text);
}

static void a_small_hot_part_shows(void **state)
{
	/* 64 KiB in 1 GiB: 1/1024 of a line in the mean. */
	const struct record_region regions[] = {
		{0, HEAP, HEAP + 65536, 20, 5, 20},
		{0, HEAP + 65536, HEAP + 64 * MIB, 0, 5, 20},
	};
	struct fixture *f = *state;
	char *text;

	add_target(f, 0, 7, "demo");
	add_window(f, 0, 100, FROM(regions));
	finish(f);
	f->options.style.width = 20;
	f->options.style.height = 1;
	text = report_text(f, report_heatmap);
	expect_contains(text, "|::::::::::::::::::|\n");
	free(text);
	f->options.heat = REPORT_HEAT_MAX;
	text = report_text(f, report_heatmap);
	expect_contains(text, "|@@@@@@@@@@@@@@@@@@|\n");
	free(text);
}

static void zooms_to_addresses_and_time(void **state)
{
	struct fixture *f = *state;
	char *text;

	two_windows(f);
	f->options.style.width = 20;
	f->options.style.height = 4;
	f->options.addr_start = HEAP;
	f->options.addr_end = HEAP + MIB / 2;
	f->options.t_start_ns = 100 * MS;
	f->options.t_end_ns = 200 * MS;
	text = report_text(f, report_heatmap);
	expect_contains(text, "512 KiB");
	expect_contains(text, "|..................|\n");
	expect_lacks(text, "@@");
	expect_lacks(text, "??");
	free(text);
}

static void layouts_between_the_looks_are_found(void **state)
{
	/* Of 2,000 windows 256 are looked at beforehand; window 11 isn't among them. */
	const struct record_region usual = {0, HEAP, HEAP + MIB, 20, 5, 20};
	const struct record_region both[] = {{0, HEAP, HEAP + MIB, 20, 5, 20},
					     {0, HEAP + 50 * MIB, HEAP + 51 * MIB, 20, 5, 20}};
	struct fixture *f = *state;
	char *text;
	size_t i;

	add_target(f, 0, 7, "demo");
	for (i = 0; i < 2000; i++)
		add_window(f, i * 100, 100, i == 11 ? both : &usual, i == 11 ? 2 : 1);
	finish(f);
	text = report_text(f, report_heatmap);
	expect_contains(text, "demo (pid 7): 2.0 MiB of addresses over 3 min 20 s");
	expect_contains(text, "49.0 MiB not mapped");
	free(text);
}

static void five_targets_have_a_map_each(void **state)
{
	struct record_region regions[5];
	struct fixture *f = *state;
	char comm[16], expected[32], *text;
	uint32_t i;

	for (i = 0; i < 5; i++) {
		snprintf(comm, sizeof(comm), "worker%u", i);
		add_target(f, i, 100 + i, comm);
		regions[i] = (struct record_region){i, HEAP, HEAP + (i + 1) * MIB, 4 * i, 1, 20};
	}
	add_window(f, 0, 100, regions, 5);
	/* The last one is gone in the second window. */
	add_event(f, 100, 4, "gone", "");
	add_window(f, 100, 100, regions, 4);
	finish(f);
	text = report_text(f, report_heatmap);
	for (i = 0; i < 5; i++) {
		snprintf(expected, sizeof(expected), "worker%u (pid %u): %u.0 MiB", i, 100 + i,
			 i + 1);
		expect_contains(text, expected);
	}
	free(text);
	f->options.target = 3;
	text = report_text(f, report_heatmap);
	expect_contains(text, "worker3");
	expect_lacks(text, "worker2");
	free(text);
}

static void addresses_beyond_half_of_all(void **state)
{
	const struct record_region regions[] = {{0, 0x1000, 0x2000, 20, 1, 20},
						{0, 0xffffffffff600000ull, 0xffffffffff601000ull,
						 10, 1, 20}};
	struct fixture *f = *state;
	char *text;

	add_target(f, 0, 7, "demo");
	add_window(f, 0, 100, FROM(regions));
	finish(f);
	f->options.style.width = 100;
	text = report_text(f, report_heatmap);
	expect_contains(text, "ffffffffff600000 |##");
	expect_contains(text, "16.0 EiB not mapped");
	expect_width(text, 100);
	free(text);
}

static void an_empty_record_says_so(void **state)
{
	struct fixture *f = *state;
	char *text;

	add_target(f, 0, 7, "demo");
	finish(f);
	text = report_text(f, report_heatmap);
	expect_contains(text, "The record has no window");
	expect_contains(text, "demo (pid 7)");
	free(text);
}

static void a_target_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct damon_error error = {""};

	two_windows(f);
	f->options.target = 9;
	assert_int_equal(report_heatmap(f->reader, &f->options, stdout, &error), -EINVAL);
	assert_string_equal(error.text, "no target '9' in the record, which has 1");
}

static void a_full_disk_is_reported(void **state)
{
	struct fixture *f = *state;
	struct damon_error error = {""};
	FILE *out = fopen("/dev/full", "w");

	two_windows(f);
	assert_non_null(out);
	assert_int_equal(report_heatmap(f->reader, &f->options, out, &error), -EIO);
	fclose(out);
}

static void json_has_the_rates(void **state)
{
	struct fixture *f = *state;
	json_t *json, *cells;

	two_windows(f);
	f->options.style.width = 20;
	f->options.style.height = 2;
	assert_int_equal(report_heatmap_json(f->reader, &f->options, &json, NULL), 0);
	cells = json_object_get(json_array_get(json_object_get(json, "targets"), 0), "cells");
	assert_int_equal(json_array_size(cells), 2);
	assert_true(json_real_value(json_array_get(json_array_get(cells, 0), 0)) == 1.0);
	assert_true(json_real_value(json_array_get(json_array_get(cells, 0), 19)) == 0.0);
	assert_int_equal(json_integer_value(json_array_get(json_array_get(cells, 1), 0)), -1);
	json_decref(json);
}

static void expect_strip(const struct report_strip_region *regions, size_t nr,
			 const struct report_style *style, const char *expected)
{
	char buf[REPORT_STRIP_SIZE];
	int len = report_strip_render(regions, nr, style, buf, sizeof(buf));

	assert_string_equal(buf, expected);
	assert_int_equal(len, strlen(expected));
}

static void strips(void **state)
{
	const struct report_style plain = {.width = 10};
	const struct report_style blocks = {.width = 10, .unicode = true};
	const struct report_style colors = {.width = 4, .color = REPORT_COLOR_256};
	const struct report_strip_region halves[] = {{0, 100, 20, 20}, {100, 200, 0, 20}};
	const struct report_strip_region gap[] = {
		{0, 100, 20, 20}, {1000, 1050, 0, 20}, {1050, 1100, 0, 0}};
	char small[16];

	expect_strip(NULL, 0, &plain, "          ");
	expect_strip(FROM(halves), &plain, "@@@@@.....");
	expect_strip(FROM(halves), &blocks, "█████·····");
	expect_strip(FROM(halves), &colors, "\033[48;5;228m  \033[48;5;17m  \033[0m");
	/* Nine columns for 200 bytes; the first part gets the odd one. */
	expect_strip(FROM(gap), &plain, "@@@@@|..??");
	assert_int_equal(report_strip_render(FROM(halves), &plain, small, sizeof(small)), -ENOBUFS);
}

static void strips_of_any_width_are_that_wide(void **state)
{
	struct report_strip_region regions[100];
	struct report_style style = {0};
	char buf[REPORT_STRIP_SIZE];
	uint32_t i;

	for (i = 0; i < 100; i++)
		regions[i] = (struct report_strip_region){i * 1000ull, i * 1000ull + 100 + 7 * i,
							  i % 21, 20};
	for (style.width = 1; style.width <= 400; style.width++)
		assert_int_equal(report_strip_render(FROM(regions), &style, buf, sizeof(buf)),
				 style.width);
	style.color = REPORT_COLOR_TRUE;
	assert_true(report_strip_render(FROM(regions), &style, buf, sizeof(buf)) > 400);
	assert_true(report_strip_legend(&style, buf, sizeof(buf)) > 0);
	assert_int_equal(report_strip_legend(&style, buf, 20), -ENOBUFS);
}

#define WITH_RECORD(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RECORD(labels_stand_at_the_sides),
		WITH_RECORD(twenty_columns_have_headings_instead),
		WITH_RECORD(every_width_is_kept),
		WITH_RECORD(unicode_without_color_draws_heights),
		WITH_RECORD(color_and_unicode_put_two_rows_in_a_line),
		WITH_RECORD(pauses_are_gaps),
		WITH_RECORD(gaps_are_cut_out),
		WITH_RECORD(holes_of_the_mappings_are_not_idle),
		WITH_RECORD(a_small_hot_part_shows),
		WITH_RECORD(zooms_to_addresses_and_time),
		WITH_RECORD(layouts_between_the_looks_are_found),
		WITH_RECORD(five_targets_have_a_map_each),
		WITH_RECORD(addresses_beyond_half_of_all),
		WITH_RECORD(an_empty_record_says_so),
		WITH_RECORD(a_target_that_is_not_there),
		WITH_RECORD(a_full_disk_is_reported),
		WITH_RECORD(json_has_the_rates),
		cmocka_unit_test(strips),
		cmocka_unit_test(strips_of_any_width_are_that_wide),
	};

	return cmocka_run_group_tests_name("report_heatmap", tests, NULL, NULL);
}
