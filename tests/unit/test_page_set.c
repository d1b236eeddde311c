// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sets of pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "access/page_set.h"

#define PAGE 4096ULL

static bool has(const struct page_set *set, uint64_t addr)
{
	const uint64_t *bits = page_set_bits(set, addr / PAGE_SET_PIECE * PAGE_SET_PIECE);
	size_t page = addr % PAGE_SET_PIECE / PAGE;

	return bits && (bits[page / 64] >> (page % 64) & 1);
}

static void an_empty_one_has_no_piece(void **state)
{
	struct page_set set = {};

	assert_null(page_set_bits(&set, 0));
	page_set_clear(&set);
}

static void a_range_may_cross_pieces(void **state)
{
	struct page_set set = {};
	uint64_t addr, start = PAGE_SET_PIECE - 3 * PAGE, end = 2 * PAGE_SET_PIECE + PAGE;

	page_set_add(&set, start, end);
	for (addr = 0; addr < 4 * PAGE_SET_PIECE; addr += PAGE)
		assert_int_equal(has(&set, addr), addr >= start && addr < end);
	assert_null(page_set_bits(&set, 3 * PAGE_SET_PIECE));
	page_set_clear(&set);
}

static void bits_can_be_taken_out(void **state)
{
	struct page_set set = {};

	page_set_add(&set, 0, 2 * PAGE);
	page_set_bits(&set, 0)[0] &= ~1ULL;
	assert_false(has(&set, 0));
	assert_true(has(&set, PAGE));
	page_set_clear(&set);
}

/* It grows several times, and nothing gets lost. */
static void many_pieces_far_apart_are_kept(void **state)
{
	struct page_set set = {};
	uint64_t i, addr;

	for (i = 0; i < 5000; i++) {
		addr = i * 977 * PAGE_SET_PIECE + i % 512 * PAGE;
		page_set_add(&set, addr, addr + PAGE);
	}
	assert_false(set.incomplete);
	for (i = 0; i < 5000; i++) {
		addr = i * 977 * PAGE_SET_PIECE;
		assert_true(has(&set, addr + i % 512 * PAGE));
		assert_false(has(&set, addr + (i + 1) % 512 * PAGE));
	}
	page_set_clear(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_has_no_piece),
		cmocka_unit_test(a_range_may_cross_pieces),
		cmocka_unit_test(bits_can_be_taken_out),
		cmocka_unit_test(many_pieces_far_apart_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
