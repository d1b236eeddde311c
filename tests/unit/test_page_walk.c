/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The page-table walk and the search for the direct map, on page tables made up here.
 *
 * A small "physical memory" holds the tables. Kernel addresses are offsets
 * into it from a base that the test chooses, as the kernel's direct map is.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "access/search.h"

#define PHYSICAL_SIZE (64 * 4096)

static struct {
	uint64_t base;	    /* kernel address of physical address 0 */
	uint64_t encrypted; /* set in every entry */
	unsigned int levels;
	uint64_t next_free;
	uint64_t words[PHYSICAL_SIZE / 8];
} machine;

static int read_word(uint64_t *value, uint64_t address)
{
	uint64_t offset = address - machine.base;

	if (address < machine.base || offset > PHYSICAL_SIZE - 8 || offset % 8)
		return -EFAULT;
	*value = machine.words[offset / 8];
	return 0;
}

#define WALK_READ(value, address) read_word(&(value), address)
#include "access/walk.h"

#define PRESENT	  ARCH_ENTRY_PRESENT
#define ACCESSED  ARCH_ENTRY_ACCESSED
#define LEAF	  ARCH_ENTRY_LEAF
#define NO_ACCESS ARCH_ENTRY_NO_ACCESS

#define USER_ADDR 0x00007f1234567000ULL
#define FRAME	  0x12345ULL

static uint64_t new_table(void)
{
	uint64_t table = machine.next_free;

	machine.next_free += 4096;
	assert_true(machine.next_free <= PHYSICAL_SIZE);
	return table;
}

/* Room for the first table at a physical address other than 0. */
static void make_machine(uint64_t base, unsigned int levels, uint64_t encrypted)
{
	memset(&machine, 0, sizeof(machine));
	machine.base = base;
	machine.levels = levels;
	machine.encrypted = encrypted;
	machine.next_free = 4096;
	new_table();
}

static uint64_t top(void)
{
	return machine.base + 4096;
}

static uint64_t *slot(uint64_t table, uint64_t addr, unsigned int level)
{
	return &machine.words[table / 8 + ((addr >> (12 + 9 * (level - 1))) & 511)];
}

/* Make the tables down to @level and put @entry there. */
static void map_at(uint64_t addr, unsigned int level, uint64_t entry)
{
	uint64_t table = 4096;
	unsigned int here;

	for (here = machine.levels; here > level; here--) {
		uint64_t *its = slot(table, addr, here);

		if (!*its)
			*its = new_table() | PRESENT | ACCESSED | machine.encrypted;
		table = *its & ARCH_FRAME_MASK & ~machine.encrypted;
	}
	*slot(table, addr, level) = entry | (entry & PRESENT ? machine.encrypted : 0);
}

static uint32_t walk_to(uint64_t addr, uint64_t *frame)
{
	struct walk_space space = {.direct_map = machine.base,
				   .frame_mask = ARCH_FRAME_MASK & ~machine.encrypted,
				   .levels = machine.levels};
	struct walk_cache cache = {};
	uint64_t entry = 0;
	uint32_t status = walk(&space, top(), addr, &cache, &entry);

	if (status & WALK_MAPPED)
		*frame = walk_frame(&space, entry, status, addr);
	return status;
}

static void check_page(unsigned int levels)
{
	uint64_t frame = 0;

	make_machine(0xffff888000000000, levels, 0);
	map_at(USER_ADDR, 1, FRAME << 12 | PRESENT | ACCESSED);
	map_at(USER_ADDR + 4096, 1, (FRAME + 7) << 12 | PRESENT);
	assert_int_equal(walk_to(USER_ADDR + 5, &frame),
			 WALK_MAPPED | WALK_ACCESSED | WALK_LEAF(12));
	assert_int_equal(frame, FRAME);
	assert_int_equal(walk_to(USER_ADDR + 4096, &frame), WALK_MAPPED | WALK_LEAF(12));
	assert_int_equal(frame, FRAME + 7);
}

static void walks_4_levels(void **state)
{
	check_page(4);
}

static void walks_5_levels(void **state)
{
	check_page(5);
}

static void reports_holes_at_every_level(void **state)
{
	uint64_t frame;

	make_machine(0xffff888000000000, 5, 0);
	map_at(USER_ADDR, 1, FRAME << 12 | PRESENT);
	assert_int_equal(walk_to(USER_ADDR + 4096, &frame), 0);
	assert_int_equal(walk_to(USER_ADDR + (1ULL << 21), &frame), 0);
	assert_int_equal(walk_to(USER_ADDR + (1ULL << 30), &frame), 0);
	assert_int_equal(walk_to(USER_ADDR - (1ULL << 39), &frame), 0);
	assert_int_equal(walk_to(USER_ADDR + (1ULL << 48), &frame), 0);
}

static void reports_leaves_of_2_mib_and_1_gib(void **state)
{
	uint64_t frame = 0;

	make_machine(0xffff888000000000, 4, 0);
	map_at(0x40000000, 2, 0x600000 | PRESENT | LEAF | ACCESSED);
	map_at(0x80000000, 3, 0xc0000000 | PRESENT | LEAF);
	assert_int_equal(walk_to(0x40000000 + 5 * 4096, &frame),
			 WALK_MAPPED | WALK_ACCESSED | WALK_LEAF(21));
	assert_int_equal(frame, 0x600 + 5);
	assert_int_equal(walk_to(0x80000000 + 0x10001000, &frame), WALK_MAPPED | WALK_LEAF(30));
	assert_int_equal(frame, 0xc0000 + 0x10001);
}

static void pages_without_access_are_mapped(void **state)
{
	uint64_t frame = 0;

	make_machine(0xffff888000000000, 4, 0);
	/* The frame is kept inverted. */
	map_at(USER_ADDR, 1, (~(FRAME << 12) & ARCH_FRAME_MASK) | NO_ACCESS | ACCESSED);
	assert_int_equal(walk_to(USER_ADDR, &frame),
			 WALK_MAPPED | WALK_NO_ACCESS | WALK_ACCESSED | WALK_LEAF(12));
	assert_int_equal(frame, FRAME);
}

static void swapped_pages_are_not_mapped(void **state)
{
	uint64_t frame;

	make_machine(0xffff888000000000, 4, 0);
	map_at(USER_ADDR, 1, 0x1fffff0000000000 | ACCESSED);
	assert_int_equal(walk_to(USER_ADDR, &frame), 0);
}

static void says_when_a_table_cannot_be_read(void **state)
{
	uint64_t frame;

	make_machine(0xffff888000000000, 4, 0);
	map_at(USER_ADDR, 2, (1ULL << 40) | PRESENT);
	assert_int_equal(walk_to(USER_ADDR, &frame), WALK_FAILED);
}

/* The table remembered from one address must not answer for one in another GiB. */
static void neighbours_in_a_batch_stay_apart(void **state)
{
	struct walk_space space = {
		.direct_map = 0xffff888000000000, .frame_mask = ARCH_FRAME_MASK, .levels = 4};
	struct walk_cache cache = {};
	uint64_t entry = 0;

	make_machine(space.direct_map, 4, 0);
	map_at(0x3ffff000, 1, 1 << 12 | PRESENT);
	map_at(0x40000000, 1, 2 << 12 | PRESENT | ACCESSED);
	assert_int_equal(walk(&space, top(), 0x3ffff000, &cache, &entry),
			 WALK_MAPPED | WALK_LEAF(12));
	assert_int_equal(walk(&space, top(), 0x40000000, &cache, &entry),
			 WALK_MAPPED | WALK_ACCESSED | WALK_LEAF(12));
	assert_int_equal(walk(&space, top(), 0x80000000, &cache, &entry), 0);
	assert_int_equal(walk(&space, top(), 0x3ffff000, &cache, &entry),
			 WALK_MAPPED | WALK_LEAF(12));
}

static int read_state(void *data, const struct page_calibration *calibration, uint64_t addr,
		      struct page_state *state)
{
	struct walk_space space = {.direct_map = calibration->direct_map,
				   .frame_mask = calibration->frame_mask,
				   .levels = calibration->levels};
	struct walk_cache cache = {};
	uint64_t entry = 0;
	uint32_t status = walk(&space, top(), addr, &cache, &entry);

	state->entry = entry;
	state->flags = (uint8_t)status;
	state->frame = status & WALK_MAPPED ? walk_frame(&space, entry, status, addr) : 0;
	return 0;
}

static int run_search(struct page_calibration *calibration, uint64_t memory_end)
{
	struct page_search search = {.read = read_state,
				     .top = top(),
				     .addr = USER_ADDR,
				     .frame = FRAME,
				     .memory_end = memory_end};

	map_at(USER_ADDR, 1, FRAME << 12 | PRESENT | ACCESSED);
	return page_search_run(&search, calibration);
}

static void finds_a_direct_map_with_4_levels(void **state)
{
	struct page_calibration found;

	make_machine(0xffff9a4ec0000000, 4, 0);
	assert_int_equal(run_search(&found, 1ULL << 34), 0);
	assert_int_equal(found.direct_map, 0xffff9a4ec0000000);
	assert_int_equal(found.levels, 4);
	assert_int_equal(found.encryption_mask, 0);
}

static void finds_a_direct_map_with_5_levels(void **state)
{
	struct page_calibration found;

	make_machine(0xff1100a640000000, 5, 0);
	assert_int_equal(run_search(&found, 1ULL << 34), 0);
	assert_int_equal(found.direct_map, 0xff1100a640000000);
	assert_int_equal(found.levels, 5);
}

static void learns_the_encryption_bit(void **state)
{
	struct page_calibration found;

	make_machine(0xffff888000000000, 4, 1ULL << 51);
	assert_int_equal(run_search(&found, 1ULL << 34), 0);
	assert_int_equal(found.encryption_mask, 1ULL << 51);
	assert_int_equal(found.frame_mask, ARCH_FRAME_MASK & ~(1ULL << 51));
	make_machine(0xff11000000000000, 5, 1ULL << 47);
	assert_int_equal(run_search(&found, 1ULL << 34), 0);
	assert_int_equal(found.encryption_mask, 1ULL << 47);
	assert_int_equal(found.levels, 5);
}

/* Physical memory may lie far below the table's own place. */
static uint64_t far_top;

static int read_far(void *data, const struct page_calibration *calibration, uint64_t addr,
		    struct page_state *state)
{
	state->flags = 0;
	state->entry = 0;
	state->frame = 0;
	if (calibration->levels == 4 && calibration->direct_map == far_top - (900ULL << 30)) {
		state->flags = WALK_MAPPED;
		state->frame = FRAME;
	}
	return 0;
}

static void tries_as_far_down_as_memory_reaches(void **state)
{
	struct page_search search = {.read = read_far, .addr = USER_ADDR, .frame = FRAME};
	struct page_calibration found;

	far_top = 0xffff900000000000;
	search.top = far_top + 0x5000;
	search.memory_end = 901ULL << 30;
	assert_int_equal(page_search_run(&search, &found), 0);
	assert_int_equal(found.direct_map, far_top - (900ULL << 30));
	search.memory_end = 800ULL << 30;
	assert_int_equal(page_search_run(&search, &found), -ENXIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_4_levels),
		cmocka_unit_test(walks_5_levels),
		cmocka_unit_test(reports_holes_at_every_level),
		cmocka_unit_test(reports_leaves_of_2_mib_and_1_gib),
		cmocka_unit_test(pages_without_access_are_mapped),
		cmocka_unit_test(swapped_pages_are_not_mapped),
		cmocka_unit_test(says_when_a_table_cannot_be_read),
		cmocka_unit_test(neighbours_in_a_batch_stay_apart),
		cmocka_unit_test(finds_a_direct_map_with_4_levels),
		cmocka_unit_test(finds_a_direct_map_with_5_levels),
		cmocka_unit_test(learns_the_encryption_bit),
		cmocka_unit_test(tries_as_far_down_as_memory_reaches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
