/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Numbers and texts as people read them.
 */
#include "report_fixture.h"

#include "report/format.h"
#include "report/heat.h"

static void sizes(void **state)
{
	assert_string_equal(format_size(0).s, "0 B");
	assert_string_equal(format_size(1023).s, "1023 B");
	assert_string_equal(format_size(1024).s, "1.0 KiB");
	assert_string_equal(format_size(1.5 * 1024 * 1024).s, "1.5 MiB");
	assert_string_equal(format_size(132 * 1024).s, "132 KiB");
	/* 1023.96 KiB would round to 1024 KiB: the next unit. */
	assert_string_equal(format_size(1023.96 * 1024).s, "1.0 MiB");
	/* 99.96 rounds to 100.0: no decimal from there on. */
	assert_string_equal(format_size(99.96 * 1024).s, "100 KiB");
	assert_string_equal(format_size(18446744073709551615.0).s, "16.0 EiB");
}

static void durations(void **state)
{
	assert_string_equal(format_duration(0).s, "0 s");
	assert_string_equal(format_duration(850).s, "850 ns");
	assert_string_equal(format_duration(12500).s, "12.5 us");
	assert_string_equal(format_duration(5e6).s, "5 ms");
	assert_string_equal(format_duration(320e6).s, "320 ms");
	assert_string_equal(format_duration(999.96e6).s, "1 s");
	assert_string_equal(format_duration(1.5e9).s, "1.5 s");
	assert_string_equal(format_duration(125e9).s, "2 min 05 s");
	assert_string_equal(format_duration(3720e9).s, "1 h 02 min");
	/* Half a minute is rounded up, into the hour when need be. */
	assert_string_equal(format_duration((2 * 3600 - 10) * 1e9).s, "2 h 00 min");
}

static void percentages_never_round_something_to_nothing(void **state)
{
	assert_string_equal(format_percent(0).s, "0%");
	assert_string_equal(format_percent(0.001).s, "<0.01%");
	assert_string_equal(format_percent(0.05).s, "0.05%");
	assert_string_equal(format_percent(4.2).s, "4.2%");
	assert_string_equal(format_percent(42.4).s, "42%");
	assert_string_equal(format_percent(100).s, "100%");
}

static void counts_and_rates(void **state)
{
	assert_string_equal(format_count(0).s, "0");
	assert_string_equal(format_count(999).s, "999");
	assert_string_equal(format_count(36000).s, "36,000");
	assert_string_equal(format_count(UINT64_MAX).s, "18,446,744,073,709,551,615");
	assert_string_equal(format_rate(0).s, "0/s");
	assert_string_equal(format_rate(0.01).s, "<0.1/s");
	assert_string_equal(format_rate(0.4).s, "0.4/s");
	assert_string_equal(format_rate(1234.4).s, "1,234/s");
}

static void texts_of_a_record_cannot_steer_the_terminal(void **state)
{
	char to[32];

	format_clean(to, sizeof(to), "a\033[2Jb\tc\x7f", false);
	assert_string_equal(to, "a?[2Jb?c?");
	/* U+009b is the one-character form of ESC [. */
	format_clean(to, sizeof(to), "x\xc2\x9by", false);
	assert_string_equal(to, "x?y");
	format_clean(to, sizeof(to), "\xff\xc3\xa9\xc3", false);
	assert_string_equal(to, "?\xc3\xa9?");
	format_clean(to, sizeof(to), "\xc3\xa9", true);
	assert_string_equal(to, "?");
	/* A character that doesn't fit is left out as a whole. */
	format_clean(to, 3, "a\xc3\xa9", false);
	assert_string_equal(to, "a");
	format_clean(to, sizeof(to), NULL, false);
	assert_string_equal(to, "");
}

static void names_lose_their_middle(void **state)
{
	char to[64];

	format_fit(to, sizeof(to), "libcrypto.so.3", 9);
	assert_string_equal(to, "libc~so.3");
	format_fit(to, sizeof(to), "heap", 6);
	assert_string_equal(to, "heap  ");
	format_fit(to, sizeof(to), "heap", 2);
	assert_string_equal(to, "he");
	assert_int_equal(format_columns("a\xc3\xa9z"), 3);
}

static void html_means_nothing(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	format_html(out, "<a href='x'>\"&\x01\xff");
	fclose(out);
	assert_string_equal(text, "&lt;a href=&#39;x&#39;&gt;&quot;&amp;??");
	free(text);
}

static void axis_steps_are_round(void **state)
{
	struct format_axis axis = format_time_axis(33e9, 8);

	/* 33 s / 8 = 4.1 s, so 5 s. */
	assert_true(axis.step_ns == 5e9);
	assert_string_equal(axis.unit, "s");
	axis = format_time_axis(200e6, 5);
	assert_true(axis.step_ns == 50e6);
	assert_string_equal(axis.unit, "ms");
	axis = format_time_axis(3600e9, 7);
	assert_true(axis.step_ns == 600e9);
	assert_string_equal(axis.unit, "min");
	axis = format_time_axis(30 * 86400e9, 5);
	assert_string_equal(axis.unit, "h");
	assert_true(format_nice_size(354.0 * 1024 * 1024) == 400.0 * 1024 * 1024);
	assert_true(format_nice_size(1) == 1);
}

static void levels_begin_where_the_legend_says(void **state)
{
	assert_int_equal(heat_level(0), 0);
	assert_int_equal(heat_level(0.0001), 1);
	assert_int_equal(heat_level(0.01), 2);
	assert_int_equal(heat_level(1.0 / 20), 4);
	assert_int_equal(heat_level(0.0499), 3);
	assert_int_equal(heat_level(0.5), 8);
	assert_int_equal(heat_level(0.749), 8);
	assert_int_equal(heat_level(0.75), 9);
	assert_int_equal(heat_level(1), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(percentages_never_round_something_to_nothing),
		cmocka_unit_test(counts_and_rates),
		cmocka_unit_test(texts_of_a_record_cannot_steer_the_terminal),
		cmocka_unit_test(names_lose_their_middle),
		cmocka_unit_test(html_means_nothing),
		cmocka_unit_test(axis_steps_are_round),
		cmocka_unit_test(levels_begin_where_the_legend_says),
	};

	return cmocka_run_group_tests_name("report_format", tests, NULL, NULL);
}
