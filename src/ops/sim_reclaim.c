// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Giving memory back when it is full: a clock with second chances, in three classes.
 *
 * Pages that a scheme called cold go first, then inactive ones, and active ones only after they
 * have become inactive. Of each it is asked whether it was touched since it was looked at last: an
 * inactive page that was becomes active, an active one that wasn't becomes inactive. That is the
 * active and inactive lists of Linux, with the order of addresses in place of the order of time.
 */
#include "ops/sim_pages.h"

enum class {
	CLASS_COLD,
	CLASS_INACTIVE,
	CLASS_ACTIVE,
};

/* Every page is met by then: looked at, deactivated, looked at once more. */
#define ROUNDS 3

static uint64_t class_bits(const struct sim_pages *pages, uint64_t word, enum class which)
{
	uint64_t near = pages->in[word] & ~pages->far[word];

	switch (which) {
	case CLASS_COLD:
		return near & pages->cold[word];
	case CLASS_INACTIVE:
		return near & ~pages->active[word];
	case CLASS_ACTIVE:
		return near & pages->active[word];
	}
	return 0;
}

/* What becomes of pages that share an Accessed bit; how many pages that helps with. */
static uint64_t judge(struct sim_pages *pages, uint64_t word, uint64_t bits, bool accessed,
		      enum class which)
{
	if (which == CLASS_ACTIVE) {
		if (accessed)
			return 0;
		sim_pages_set_active(pages, word, bits, false);
		return sim_nr_bits(bits);
	}
	if (!accessed) {
		sim_pages_leave(pages, word, bits);
		pages->machine->sums.reclaimed += sim_nr_bits(bits);
		return sim_nr_bits(bits);
	}
	pages->cold[word] &= ~bits;
	if (which == CLASS_INACTIVE)
		sim_pages_set_active(pages, word, bits, true);
	return 0;
}

static uint64_t look_at_block(struct sim_memory *memory, struct sim_pages *pages, uint64_t first,
			      enum class which)
{
	uint64_t word, bits, helped = 0;
	bool accessed = false, asked = false;
	unsigned int bit;

	for (word = first; word < first + SIM_BLOCK_WORDS; word++) {
		bits = class_bits(pages, word, which);
		if (bits && !asked)
			accessed = sim_page_accessed(
				memory, pages, word * 64 + (uint64_t)__builtin_ctzll(bits), false);
		asked |= bits != 0;
		for (bit = 0; bits && bit < 64; bit++)
			pages->old_ns[word * 64 + bit] = pages->machine->t_ns;
	}
	for (word = first; asked && word < first + SIM_BLOCK_WORDS; word++) {
		bits = class_bits(pages, word, which);
		if (bits)
			helped += judge(pages, word, bits, accessed, which);
	}
	return helped;
}

static uint64_t look_at_word(struct sim_memory *memory, struct sim_pages *pages, uint64_t word,
			     enum class which, uint64_t need)
{
	uint64_t bits = class_bits(pages, word, which), bit, page, helped = 0;

	if (sim_bit(pages->huge, word / SIM_BLOCK_WORDS))
		return word % SIM_BLOCK_WORDS ? 0 : look_at_block(memory, pages, word, which);
	for (; bits && helped < need; bits &= bits - 1) {
		bit = bits & -bits;
		page = word * 64 + (uint64_t)__builtin_ctzll(bits);
		helped += judge(pages, word, bit, sim_page_accessed(memory, pages, page, true),
				which);
	}
	return helped;
}

/* Once around, or until @need pages are helped with; how many were. */
static uint64_t go_around(struct sim_machine *machine, enum class which, uint64_t need)
{
	uint64_t first_word = machine->hand_word, helped = 0, nr_areas = 0, words;
	struct sim_memory *memory;
	struct sim_pages *pages;
	size_t i;

	for (i = 0; i < machine->nr_memories; i++)
		nr_areas += machine->memories[i].space->nr_areas;
	/* One more, for what lies before the hand in the first area. */
	for (i = 0; i <= nr_areas; i++) {
		memory = &machine->memories[machine->hand_memory];
		pages = &memory->areas[machine->hand_area];
		words = i < nr_areas ? (pages->nr + 63) / 64 : first_word;
		for (; pages->nr_in && machine->hand_word < words; machine->hand_word++) {
			if (helped >= need)
				return helped;
			helped += look_at_word(memory, pages, machine->hand_word, which,
					       need - helped);
		}
		if (i == nr_areas) {
			machine->hand_word = first_word;
			break;
		}
		machine->hand_word = 0;
		if (++machine->hand_area < memory->space->nr_areas)
			continue;
		machine->hand_area = 0;
		machine->hand_memory = (machine->hand_memory + 1) % machine->nr_memories;
	}
	return helped;
}

void sim_reclaim(struct sim_machine *machine)
{
	uint64_t most = machine->config.memory / SIM_PAGE_SIZE;
	unsigned int round;

	if (machine->nr_in[0] <= most)
		return;
	go_around(machine, CLASS_COLD, machine->nr_in[0] - most);
	for (round = 0; machine->nr_in[0] > most && round < ROUNDS; round++) {
		go_around(machine, CLASS_INACTIVE, machine->nr_in[0] - most);
		if (machine->nr_in[0] > most)
			go_around(machine, CLASS_ACTIVE, machine->nr_in[0] - most);
	}
}
