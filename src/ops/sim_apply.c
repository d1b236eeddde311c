// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What schemes do to simulated pages, and which pages their filters let pass.
 *
 * "Applied" are the pages something was done to: those that left memory, came back, moved, or
 * were there to be marked.
 */
#include <errno.h>

#include "ops/sim_pages.h"

/* struct act - a scheme on one area's pages [@first, @end) */
struct act {
	struct sim_machine *machine;
	struct sim_memory *memory;
	struct sim_pages *pages;
	const struct damos *scheme;
	uint64_t first;
	uint64_t end;
	uint64_t nr_applied;
	uint64_t nr_passed;
};

/* Filters. */

/* Pages of word @word that begin within the file-backed part. */
static uint64_t file_bits(const struct sim_pages *pages, uint64_t word)
{
	uint64_t bytes = pages->area->region->file_bytes;

	return sim_word_mask(word, 0, (bytes + SIM_PAGE_SIZE - 1) / SIM_PAGE_SIZE);
}

static uint64_t young_bits(const struct act *act, uint64_t word, uint64_t bits)
{
	uint64_t young = 0, bit;

	for (; bits; bits &= bits - 1) {
		bit = bits & -bits;
		if (sim_page_accessed(act->memory, act->pages,
				      word * 64 + (uint64_t)__builtin_ctzll(bits), true))
			young |= bit;
	}
	return young;
}

/* Those of @bits that are what @filter looks for. */
static uint64_t of_type(const struct act *act, const struct damos_filter *filter, uint64_t word,
			uint64_t bits)
{
	const struct sim_pages *pages = act->pages;
	const char *memcg = pages->area->region->memcg;
	uint64_t size;

	switch (filter->type) {
	case DAMOS_FILTER_ANON:
		return bits & ~file_bits(pages, word);
	case DAMOS_FILTER_ACTIVE:
		return bits & pages->active[word];
	case DAMOS_FILTER_MEMCG:
		return sim_same_memcg(memcg ? memcg : "/", filter->memcg_path, false) ? bits : 0;
	case DAMOS_FILTER_YOUNG:
		return young_bits(act, word, bits);
	case DAMOS_FILTER_HUGEPAGE_SIZE:
		size = sim_bit(pages->huge, word / SIM_BLOCK_WORDS) ? SIM_HUGE_SIZE : SIM_PAGE_SIZE;
		return size >= filter->sz_min && size <= filter->sz_max ? bits : 0;
	default:
		return 0;
	}
}

/* Those of @bits that the filters let pass. */
static uint64_t filter(const struct act *act, uint64_t word, uint64_t bits)
{
	const struct damos *scheme = act->scheme;
	uint64_t undecided = bits, allowed = 0, matched;
	bool last_allows = false;
	uint32_t i;

	if (scheme->core_filters_allowed)
		return bits;
	for (i = 0; i < scheme->nr_filters; i++) {
		const struct damos_filter *one = &scheme->filters[i];

		if (DAMOS_FILTER_IS_CORE(one->type))
			continue;
		last_allows = one->allow;
		if (!undecided)
			continue;
		matched = of_type(act, one, word, undecided);
		if (!one->matching)
			matched = undecided & ~matched;
		if (one->allow)
			allowed |= matched;
		undecided &= ~matched;
	}
	return last_allows ? allowed : allowed | undecided;
}

/* Actions on pages. */

static void make_old(struct act *act, uint64_t word, uint64_t bits)
{
	for (; bits; bits &= bits - 1)
		act->pages->old_ns[word * 64 + (uint64_t)__builtin_ctzll(bits)] =
			act->machine->t_ns;
}

/* The node a page is to be on: pages are dealt out in turn, to each node as many as it weighs. */
static bool goes_far(const struct damos *scheme, uint64_t page)
{
	uint64_t weights = 0, at;
	uint32_t i;

	if (!scheme->nr_dests)
		return scheme->target_nid == 1;
	for (i = 0; i < scheme->nr_dests; i++)
		weights += scheme->dests[i].weight;
	at = page % weights;
	for (i = 0; at >= scheme->dests[i].weight; i++)
		at -= scheme->dests[i].weight;
	return scheme->dests[i].nid == 1;
}

/* As many of @bits as the node has room for. */
static uint64_t move(struct act *act, uint64_t word, uint64_t bits, bool far)
{
	const struct sim_machine_config *config = &act->machine->config;
	uint64_t room = (far ? config->far_memory : config->memory) / SIM_PAGE_SIZE;
	uint64_t used = act->machine->nr_in[far];

	room = room > used ? room - used : 0;
	while (sim_nr_bits(bits) > room)
		bits &= ~(1ULL << (63 - __builtin_clzll(bits)));
	sim_pages_set_far(act->pages, word, bits, far);
	return sim_nr_bits(bits);
}

static uint64_t migrate(struct act *act, uint64_t word, uint64_t bits)
{
	uint64_t to_far = 0, rest;

	for (rest = bits; rest; rest &= rest - 1) {
		if (goes_far(act->scheme, word * 64 + (uint64_t)__builtin_ctzll(rest)))
			to_far |= rest & -rest;
	}
	return move(act, word, bits & ~to_far & act->pages->far[word], false) +
	       move(act, word, to_far & ~act->pages->far[word], true);
}

/* Do it to these pages; to how many it was done. */
static uint64_t do_action(struct act *act, uint64_t word, uint64_t bits)
{
	struct sim_pages *pages = act->pages;

	switch (act->scheme->action) {
	case DAMOS_PAGEOUT:
		sim_pages_leave(pages, word, bits);
		break;
	case DAMOS_COLD:
	case DAMOS_LRU_DEPRIO:
		sim_pages_set_active(pages, word, bits, false);
		pages->cold[word] |= bits;
		make_old(act, word, bits);
		break;
	case DAMOS_LRU_PRIO:
		sim_pages_set_active(pages, word, bits, true);
		pages->cold[word] &= ~bits;
		break;
	case DAMOS_WILLNEED:
		act->machine->sums.read_in += sim_nr_bits(bits);
		sim_pages_enter(pages, word, bits);
		break;
	case DAMOS_MIGRATE_HOT:
	case DAMOS_MIGRATE_COLD:
		return migrate(act, word, bits);
	case DAMOS_STAT:
		break;
	default:
		return 0;
	}
	return sim_nr_bits(bits);
}

static void act_on_pages(struct act *act)
{
	struct sim_pages *pages = act->pages;
	uint64_t word, bits;

	for (word = act->first / 64; word * 64 < act->end; word++) {
		bits = pages->in[word];
		/* What can be read ahead: what was paged out, and files. */
		if (act->scheme->action == DAMOS_WILLNEED)
			bits = ~bits & (pages->gone[word] | file_bits(pages, word));
		bits &= sim_word_mask(word, act->first, act->end);
		if (bits)
			bits = filter(act, word, bits);
		if (!bits)
			continue;
		act->nr_passed += sim_nr_bits(bits);
		act->nr_applied += do_action(act, word, bits);
	}
}

/* Actions on blocks. */

/* Pages of the block in memory; *@passed: all of them, and at least one, pass the filters. */
static uint64_t look_at_block(const struct act *act, uint64_t block, bool *passed)
{
	uint64_t word = block * SIM_BLOCK_WORDS, end = word + SIM_BLOCK_WORDS, nr = 0,
		 nr_passed = 0;

	for (; word < end; word++) {
		nr += sim_nr_bits(act->pages->in[word]);
		if (act->pages->in[word])
			nr_passed += sim_nr_bits(filter(act, word, act->pages->in[word]));
	}
	*passed = nr && nr_passed == nr;
	return nr;
}

/* Make a block one page: what isn't there of it comes, and it lies on the node most of it lay on. */
static bool collapse(struct act *act, uint64_t block, uint64_t nr_in)
{
	uint64_t room = act->machine->config.memory / SIM_PAGE_SIZE, nr_far = 0;
	uint64_t first = block * SIM_BLOCK_WORDS, word;
	struct sim_pages *pages = act->pages;
	bool far;

	if (sim_bit(pages->huge, block) || sim_bit(pages->never, block))
		return false;
	for (word = first; word < first + SIM_BLOCK_WORDS; word++)
		nr_far += sim_nr_bits(pages->far[word]);
	far = nr_far > nr_in / 2;
	if (far)
		room = act->machine->config.far_memory / SIM_PAGE_SIZE;
	if (act->machine->nr_in[far] + SIM_BLOCK_PAGES - (far ? nr_far : nr_in - nr_far) > room)
		return false;
	for (word = first; word < first + SIM_BLOCK_WORDS; word++) {
		act->machine->sums.read_in += sim_nr_bits(pages->gone[word]);
		sim_pages_enter(pages, word, ~pages->in[word]);
		sim_pages_set_far(pages, word, UINT64_MAX, far);
	}
	sim_pages_set_huge(pages, block, true);
	return true;
}

static void act_on_blocks(struct act *act)
{
	uint64_t block = (act->first + SIM_BLOCK_PAGES - 1) / SIM_BLOCK_PAGES, nr_in;
	struct sim_pages *pages = act->pages;
	bool passed, done;

	for (; (block + 1) * SIM_BLOCK_PAGES <= act->end; block++) {
		nr_in = look_at_block(act, block, &passed);
		if (!passed)
			continue;
		act->nr_passed += SIM_BLOCK_PAGES;
		if (act->scheme->action == DAMOS_NOHUGEPAGE) {
			done = !sim_bit(pages->never, block);
			sim_bit_set(pages->never, block);
		} else {
			if (act->scheme->action == DAMOS_HUGEPAGE)
				sim_bit_clear(pages->never, block);
			done = collapse(act, block, nr_in);
		}
		if (done)
			act->nr_applied += SIM_BLOCK_PAGES;
	}
}

static bool nodes_exist(const struct sim_machine *machine, const struct damos *scheme)
{
	uint32_t i;

	if (scheme->action != DAMOS_MIGRATE_HOT && scheme->action != DAMOS_MIGRATE_COLD)
		return true;
	for (i = 0; i < scheme->nr_dests; i++) {
		if (scheme->dests[i].weight && !sim_machine_has_node(machine, scheme->dests[i].nid))
			return false;
	}
	return scheme->nr_dests || sim_machine_has_node(machine, scheme->target_nid);
}

int sim_apply(struct sim_machine *machine, struct sim_memory *memory,
	      const struct damon_addr_range *ar, const struct damos *scheme, uint64_t *sz_applied,
	      uint64_t *sz_filter_passed)
{
	struct act act = {.machine = machine, .memory = memory, .scheme = scheme};
	uint64_t start, end;
	size_t i;

	if (!nodes_exist(machine, scheme))
		return -ENODEV;
	for (i = 0; i < memory->space->nr_areas; i++) {
		act.pages = &memory->areas[i];
		start = act.pages->area->ar.start;
		end = start + act.pages->mapped * SIM_PAGE_SIZE;
		if (end <= ar->start)
			continue;
		if (start >= ar->end)
			break;
		/* Only pages that lie in the range as a whole. */
		act.first = ar->start > start
				    ? (ar->start - start + SIM_PAGE_SIZE - 1) / SIM_PAGE_SIZE
				    : 0;
		act.end = (ar->end < end ? ar->end - start : end - start) / SIM_PAGE_SIZE;
		if (scheme->action == DAMOS_HUGEPAGE || scheme->action == DAMOS_NOHUGEPAGE ||
		    scheme->action == DAMOS_COLLAPSE)
			act_on_blocks(&act);
		else
			act_on_pages(&act);
	}
	*sz_applied = act.nr_applied * SIM_PAGE_SIZE;
	*sz_filter_passed = act.nr_passed * SIM_PAGE_SIZE;
	return 0;
}
