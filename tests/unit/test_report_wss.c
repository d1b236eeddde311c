/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The working set and its percentiles, and the region table.
 */
#include "report_fixture.h"

#define HEAP 0x1000000ull

static void expect_percentiles(struct fixture *f, const uint64_t mib[6])
{
	static const char *const keys[6] = {"0", "25", "50", "75", "95", "100"};
	json_t *json, *percentiles;
	size_t i;

	assert_int_equal(report_wss_json(f->reader, &f->options, &json, NULL), 0);
	percentiles = json_object_get(json, "percentiles");
	assert_int_equal(json_object_size(percentiles), 6);
	for (i = 0; i < 6; i++)
		assert_int_equal(json_integer_value(json_object_get(percentiles, keys[i])),
				 mib[i] * MIB);
	assert_true(json_real_value(json_object_get(json, "min_access_pct")) ==
		    f->options.min_access_pct);
	json_decref(json);
}

/* Windows of 1, 2, 3, 4 MiB; each with 8 MiB idle and 8 MiB unknown beside it. */
static void four_windows(struct fixture *f)
{
	uint64_t i;

	add_target(f, 0, 7, "demo");
	for (i = 1; i <= 4; i++) {
		const struct record_region regions[] = {
			{0, HEAP, HEAP + i * MIB, (uint32_t)i * 5, 1, 20},
			{0, HEAP + 16 * MIB, HEAP + 24 * MIB, 0, 1, 20},
			{0, HEAP + 24 * MIB, HEAP + 32 * MIB, 0, 1, 0},
		};

		add_window(f, 100 * i, 100, FROM(regions));
	}
	finish(f);
}

static void percentiles_of_equal_windows(void **state)
{
	struct fixture *f = *state;

	four_windows(f);
	expect_percentiles(f, (const uint64_t[]){1, 1, 2, 3, 4, 4});
}

static void percentiles_are_over_time(void **state)
{
	const struct record_region small = {0, HEAP, HEAP + MIB, 1, 1, 20};
	const struct record_region large = {0, HEAP, HEAP + 5 * MIB, 1, 1, 20};
	struct fixture *f = *state;

	add_target(f, 0, 7, "demo");
	add_window(f, 0, 100, &large, 1);
	add_window(f, 100, 900, &small, 1);
	finish(f);
	/* 1 MiB for 90 % of the time. */
	expect_percentiles(f, (const uint64_t[]){1, 1, 1, 1, 5, 5});
}

static void a_minimum_rate_leaves_out_the_rest(void **state)
{
	struct fixture *f = *state;

	four_windows(f);
	/* Rates 25, 50, 75, 100 %: the first window has nothing at 50 %. */
	f->options.min_access_pct = 50;
	expect_percentiles(f, (const uint64_t[]){0, 0, 2, 3, 4, 4});
}

static void wss_text(void **state)
{
	struct fixture *f = *state;

	four_windows(f);
	f->options.style.width = 20;
	f->options.style.height = 4;
	/* 18 columns for 4 windows, 4 lines of 1 MiB; every fourth full line begins with #. */
	expect_text(f, report_wss,
		    "working set: memory\n"
		    "  accessed at least\n"
		    "  once in a window\n"
		    "  (100 ms)\n"
		    "for so much of the\n"
		    "  time it was at\n"
		    "  most:\n"
		    "   0% 1.0 MiB\n"
		    "  25% 1.0 MiB\n"
		    "  50% 2.0 MiB\n"
		    "  75% 3.0 MiB\n"
		    "  95% 4.0 MiB\n"
		    " 100% 4.0 MiB\n"
		    "top: 4.0 MiB\n"
		    "+------------------+\n"
		    "|             :####|\n"
		    "|         #########|\n"
		    "|    :#############|\n"
		    "|##################|\n"
		    "++--------+--------+\n"
		    " 0        200 ms\n");
}

static void wss_of_an_empty_record(void **state)
{
	struct fixture *f = *state;
	json_t *json;

	finish(f);
	assert_int_equal(report_wss_json(f->reader, &f->options, &json, NULL), 0);
	assert_true(json_is_null(json_object_get(json_object_get(json, "percentiles"), "50")));
	json_decref(json);
}

static void a_rate_out_of_range(void **state)
{
	struct fixture *f = *state;
	struct damon_error error = {""};

	four_windows(f);
	f->options.min_access_pct = 101;
	assert_int_equal(report_wss(f->reader, &f->options, stdout, &error), -EINVAL);
	assert_string_equal(error.text, "minimum access rate '101' is not within 0..100 percent");
}

static void region_keys_and_order(void **state)
{
	struct fixture *f = *state;
	json_t *json, *one;

	four_windows(f);
	assert_int_equal(report_regions_json(f->reader, &f->options, &json, NULL), 0);
	assert_int_equal(json_array_size(json), 3);
	one = json_array_get(json, 0);
	assert_int_equal(json_integer_value(json_object_get(one, "target")), 0);
	assert_int_equal(json_integer_value(json_object_get(one, "start")), HEAP);
	assert_int_equal(json_integer_value(json_object_get(one, "end")), HEAP + 4 * MIB);
	assert_true(json_real_value(json_object_get(one, "access_pct")) == 100);
	assert_int_equal(json_integer_value(json_object_get(one, "nr_accesses")), 20);
	assert_true(json_real_value(json_object_get(one, "age_s")) == 0.1);
	assert_string_equal(json_string_value(json_object_get(one, "mapping")), "");
	/* Idle before unknown, whose rate is null. */
	one = json_array_get(json, 1);
	assert_true(json_real_value(json_object_get(one, "access_pct")) == 0);
	one = json_array_get(json, 2);
	assert_true(json_is_null(json_object_get(one, "access_pct")));
	json_decref(json);
}

static void regions_sorted(void **state)
{
	struct fixture *f = *state;
	json_t *json;

	four_windows(f);
	f->options.sort = REPORT_SORT_ADDRESS;
	f->options.reverse = true;
	f->options.limit = 1;
	assert_int_equal(report_regions_json(f->reader, &f->options, &json, NULL), 0);
	assert_int_equal(json_array_size(json), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 0), "start")),
			 HEAP + 24 * MIB);
	json_decref(json);
}

static void regions_text(void **state)
{
	struct fixture *f = *state;

	four_windows(f);
	expect_text(f, report_regions,
		    "3 regions of the window that ended at 400 ms\n"
		    "access      size       age  addresses                  mapping\n"
		    "  100%   4.0 MiB    100 ms  000001000000-000001400000\n"
		    "    0%   8.0 MiB    100 ms  000002000000-000002800000\n"
		    "     ?   8.0 MiB         -  000002800000-000003000000\n");
}

static void a_hole_has_no_name(void **state)
{
	const struct record_region regions[] = {{0, HEAP - MIB, HEAP + 2 * MIB, 0, 1, 20},
						{0, HEAP + 2 * MIB, HEAP + 9 * MIB, 0, 1, 20}};
	struct fixture *f = *state;

	add_target(f, 0, 7, "demo");
	add_mapping(f, 0, HEAP, HEAP + MIB, "[heap]");
	add_window(f, 0, 100, FROM(regions));
	finish(f);
	expect_text(f, report_regions,
		    "2 regions of the window that ended at 100 ms\n"
		    "access      size       age  addresses                  mapping\n"
		    "    0%   3.0 MiB    100 ms  000000f00000-000001200000  heap\n"
		    "    0%   7.0 MiB    100 ms  000001200000-000001900000  (not mapped)\n");
}

static void high_addresses_are_texts_in_json(void **state)
{
	const struct record_region high = {0, 0xffffffffff600000ull, 0xffffffffff601000ull, 0, 1,
					   20};
	struct fixture *f = *state;
	json_t *json;

	add_target(f, 0, 7, "demo");
	add_window(f, 0, 100, &high, 1);
	finish(f);
	assert_int_equal(report_regions_json(f->reader, &f->options, &json, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "start")),
			    "0xffffffffff600000");
	json_decref(json);
}

#define WITH_RECORD(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RECORD(percentiles_of_equal_windows),
		WITH_RECORD(percentiles_are_over_time),
		WITH_RECORD(a_minimum_rate_leaves_out_the_rest),
		WITH_RECORD(wss_text),
		WITH_RECORD(wss_of_an_empty_record),
		WITH_RECORD(a_rate_out_of_range),
		WITH_RECORD(region_keys_and_order),
		WITH_RECORD(regions_sorted),
		WITH_RECORD(regions_text),
		WITH_RECORD(a_hole_has_no_name),
		WITH_RECORD(high_addresses_are_texts_in_json),
	};

	return cmocka_run_group_tests_name("report_wss", tests, NULL, NULL);
}
