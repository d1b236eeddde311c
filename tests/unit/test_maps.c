/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Reading the mappings of a process, and the ranges that are monitored of them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/layout.h"
#include "system/maps.h"

static const char text[] =
	"00400000-00402000 r-xp 00001000 fe:00 1234   /usr/bin/some program\n"
	"00600000-00601000 rw-p 00000000 00:00 0      [heap]\n"
	"7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n"
	"7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

static void parses_all_fields(void **state)
{
	struct mapping_list list = {};

	assert_int_equal(maps_parse(&list, text), 0);
	assert_int_equal(list.nr, 4);
	assert_int_equal(list.mappings[0].start, 0x400000);
	assert_int_equal(list.mappings[0].end, 0x402000);
	assert_string_equal(list.mappings[0].perms, "r-xp");
	assert_int_equal(list.mappings[0].offset, 0x1000);
	assert_int_equal(list.mappings[0].inode, 1234);
	assert_string_equal(list.mappings[0].path, "/usr/bin/some program");
	assert_string_equal(list.mappings[2].path, "");
	maps_clear(&list);
}

static void leaves_vsyscall_out(void **state)
{
	struct mapping_list list = {};

	assert_int_equal(maps_parse(&list, text), 0);
	assert_string_equal(list.mappings[list.nr - 1].path, "[stack]");
	maps_clear(&list);
}

static void finds_the_mapping_of_an_address(void **state)
{
	struct mapping_list list = {};

	assert_int_equal(maps_parse(&list, text), 0);
	assert_null(maps_find(&list, 0x3fffff));
	assert_ptr_equal(maps_find(&list, 0x400000), &list.mappings[0]);
	assert_ptr_equal(maps_find(&list, 0x401fff), &list.mappings[0]);
	assert_null(maps_find(&list, 0x402000));
	assert_ptr_equal(maps_find(&list, 0x7ffc00020fff), &list.mappings[3]);
	assert_null(maps_find(&list, 0x7ffc00021000));
	maps_clear(&list);
}

static void refuses_what_is_no_mapping(void **state)
{
	struct mapping_list list = {};

	assert_int_equal(maps_parse(&list, "00400000-00402000 r-xp\n"), -EINVAL);
	assert_int_equal(list.nr, 0);
	assert_int_equal(maps_parse(&list, "00402000-00400000 r-xp 0 00:00 0\n"), -EINVAL);
	assert_int_equal(maps_parse(&list, ""), 0);
	assert_int_equal(list.nr, 0);
	maps_clear(&list);
}

static void reads_our_own_mappings(void **state)
{
	struct mapping_list list = {};
	const struct mapping *mapping;
	int local = 0;

	assert_int_equal(maps_read(&list, getpid()), 0);
	mapping = maps_find(&list, (uintptr_t)&local);
	assert_non_null(mapping);
	assert_string_equal(mapping->path, "[stack]");
	mapping = maps_find(&list, (uintptr_t)reads_our_own_mappings);
	assert_non_null(mapping);
	assert_non_null(strstr(mapping->path, "test_maps"));
	maps_clear(&list);
}

static void says_when_there_is_no_process(void **state)
{
	struct mapping_list list = {};

	/* Above the highest number the kernel can be told to use. */
	assert_int_equal(maps_read(&list, 5000000), -ESRCH);
	assert_int_equal(list.nr, 0);
	maps_clear(&list);
}

static size_t ranges_of(const char *maps, uint64_t align, struct damon_addr_range *ranges)
{
	struct mapping_list list = {};
	size_t nr;

	assert_int_equal(maps_parse(&list, maps), 0);
	nr = layout_ranges(&list, align, ranges);
	maps_clear(&list);
	return nr;
}

static void cuts_out_the_two_largest_gaps(void **state)
{
	struct damon_addr_range ranges[LAYOUT_MAX_RANGES];

	/* Gaps of 1, 5, 2 and 9 pages: those of 5 and 9 go. */
	assert_int_equal(ranges_of("1000-2000 rw-p 0 00:00 0\n"
				   "3000-4000 rw-p 0 00:00 0\n"
				   "9000-a000 rw-p 0 00:00 0\n"
				   "c000-d000 rw-p 0 00:00 0\n"
				   "16000-17000 rw-p 0 00:00 0\n",
				   4096, ranges),
			 3);
	assert_int_equal(ranges[0].start, 0x1000);
	assert_int_equal(ranges[0].end, 0x4000);
	assert_int_equal(ranges[1].start, 0x9000);
	assert_int_equal(ranges[1].end, 0xd000);
	assert_int_equal(ranges[2].start, 0x16000);
	assert_int_equal(ranges[2].end, 0x17000);
}

static void fewer_gaps_give_fewer_ranges(void **state)
{
	struct damon_addr_range ranges[LAYOUT_MAX_RANGES];

	assert_int_equal(ranges_of("", 4096, ranges), 0);
	assert_int_equal(ranges_of("1000-2000 rw-p 0 00:00 0\n", 4096, ranges), 1);
	assert_int_equal(
		ranges_of("1000-2000 rw-p 0 00:00 0\n2000-5000 r--p 0 00:00 0\n", 4096, ranges), 1);
	assert_int_equal(ranges[0].end, 0x5000);
	assert_int_equal(
		ranges_of("1000-2000 rw-p 0 00:00 0\n3000-5000 r--p 0 00:00 0\n", 4096, ranges), 2);
}

static void ranges_that_meet_when_aligned_are_one(void **state)
{
	struct damon_addr_range ranges[LAYOUT_MAX_RANGES];

	assert_int_equal(ranges_of("1000-2000 rw-p 0 00:00 0\n"
				   "3000-4000 rw-p 0 00:00 0\n"
				   "40000-41000 rw-p 0 00:00 0\n",
				   0x10000, ranges),
			 2);
	assert_int_equal(ranges[0].start, 0);
	assert_int_equal(ranges[0].end, 0x10000);
	assert_int_equal(ranges[1].start, 0x40000);
	assert_int_equal(ranges[1].end, 0x50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_all_fields),
		cmocka_unit_test(leaves_vsyscall_out),
		cmocka_unit_test(finds_the_mapping_of_an_address),
		cmocka_unit_test(refuses_what_is_no_mapping),
		cmocka_unit_test(reads_our_own_mappings),
		cmocka_unit_test(says_when_there_is_no_process),
		cmocka_unit_test(cuts_out_the_two_largest_gaps),
		cmocka_unit_test(fewer_gaps_give_fewer_ranges),
		cmocka_unit_test(ranges_that_meet_when_aligned_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
