// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * How the young pages of a target are made old at the least cost: by clusters, or all at once.
 */
#include "access/scan_plan.h"

#include <errno.h>
#include <stdlib.h>

#include "access/arch.h"

/* Where a sweep over blocks, mappings and ranges is. */
struct sweep {
	struct scan_plan *plan;
	const struct watch_map *map;
	const struct damon_addr_range *ranges;
	size_t nr_ranges;
	uint64_t gap;
	size_t mapping;
	size_t range;
	bool open; /* the last run may grow */
};

void scan_plan_clear(struct scan_plan *plan)
{
	free(plan->runs);
	*plan = (struct scan_plan){};
}

/* Go on to the mapping and range that hold @addr; false when one of them doesn't. */
static bool follow(struct sweep *sweep, uint64_t addr)
{
	const struct watch_map *map = sweep->map;

	while (sweep->mapping < map->nr && map->ranges[sweep->mapping].end <= addr) {
		sweep->mapping++;
		sweep->open = false;
	}
	while (sweep->range < sweep->nr_ranges && sweep->ranges[sweep->range].end <= addr) {
		sweep->range++;
		sweep->open = false;
	}
	return sweep->mapping < map->nr && map->ranges[sweep->mapping].start <= addr &&
	       sweep->range < sweep->nr_ranges && sweep->ranges[sweep->range].start <= addr;
}

/* Huge pages have no gaps between them that would be walked. */
static bool joins(const struct sweep *sweep, const struct scan_run *last, uint64_t start, bool huge)
{
	uint64_t skipped;

	if (!sweep->open || last->huge != huge)
		return false;
	skipped = (start - last->end) >> ARCH_PAGE_SHIFT;
	return huge ? !skipped : skipped <= sweep->gap;
}

static int add_page(struct sweep *sweep, uint64_t start, uint64_t size)
{
	struct scan_plan *plan = sweep->plan;
	struct scan_run *last = plan->nr ? &plan->runs[plan->nr - 1] : NULL;
	bool huge = size > 1ULL << ARCH_PAGE_SHIFT;

	if (!follow(sweep, start))
		return 0;
	plan->nr_young++;
	plan->nr_huge += huge;
	plan->nr_pages += !huge;
	if (joins(sweep, last, start, huge)) {
		if (!huge)
			plan->nr_pages += (start - last->end) >> ARCH_PAGE_SHIFT;
		last->end = start + size;
		return 0;
	}
	if (plan->nr == plan->capacity) {
		size_t capacity = plan->capacity ? 2 * plan->capacity : 256;
		struct scan_run *runs = realloc(plan->runs, capacity * sizeof(*runs));

		if (!runs)
			return -ENOMEM;
		plan->runs = runs;
		plan->capacity = capacity;
	}
	plan->runs[plan->nr++] = (struct scan_run){start, start + size, huge};
	plan->nr_small_runs += !huge;
	sweep->open = true;
	return 0;
}

/* Young pages that have to be made old, and can be. */
static uint64_t clearable(const struct scan_word *word)
{
	return word->young & ~(word->special | word->stuck | word->held);
}

static int add_block(struct sweep *sweep, const struct scan_block *block)
{
	uint64_t size = 1ULL << block->page_shift, young;
	size_t word, page, nr_words = scan_block_words(block);
	int ret;

	for (word = 0; word < nr_words; word++) {
		young = clearable(&block->words[word]);
		for (; young; young &= young - 1) {
			page = word * 64 + (size_t)__builtin_ctzll(young);
			ret = add_page(sweep, block->start + page * size, size);
			if (ret)
				return ret;
		}
	}
	return 0;
}

int scan_plan_runs(struct scan_plan *plan, const struct scan_blocks *blocks,
		   const struct watch_map *map, const struct damon_addr_range *ranges,
		   size_t nr_ranges, uint64_t gap)
{
	struct sweep sweep = {
		.plan = plan, .map = map, .ranges = ranges, .nr_ranges = nr_ranges, .gap = gap};
	size_t i;
	int ret;

	plan->nr = 0;
	plan->nr_pages = plan->nr_huge = plan->nr_small_runs = plan->nr_young = 0;
	for (i = 0; i < blocks->nr; i++) {
		if (blocks->blocks[i]->failed)
			continue;
		ret = add_block(&sweep, blocks->blocks[i]);
		if (ret)
			return ret;
	}
	return 0;
}

uint64_t scan_plan_young(const struct scan_blocks *blocks, uint64_t *nr_huge)
{
	uint64_t nr = 0, before;
	size_t i, word;

	*nr_huge = 0;
	for (i = 0; i < blocks->nr; i++) {
		const struct scan_block *block = blocks->blocks[i];

		before = nr;
		for (word = 0; word < scan_block_words(block) && !block->failed; word++)
			nr += scan_ones(clearable(&block->words[word]));
		if (block->page_shift != ARCH_PAGE_SHIFT)
			*nr_huge += nr - before;
	}
	return nr;
}

uint64_t scan_gap(const struct scan_prices *prices)
{
	double pages = prices->cold_page > 0 ? prices->cold_range / prices->cold_page : 0;

	return pages < PAGE_TABLE_ENTRIES ? (uint64_t)pages : PAGE_TABLE_ENTRIES;
}

double scan_clusters_ns(const struct scan_prices *prices, const struct scan_plan *plan)
{
	return (double)plan->nr_pages * (prices->cold_page + prices->check_page) +
	       (double)plan->nr_huge * prices->cold_huge + (double)plan->nr * prices->cold_range;
}

double scan_refs_ns(const struct scan_prices *prices, uint64_t nr_small, uint64_t nr_huge)
{
	return (double)nr_small * (prices->refs_page + prices->flush_page) +
	       (double)nr_huge * (prices->refs_huge + prices->flush_huge);
}

double scan_stall_ns(const struct scan_prices *prices, uint64_t nr_small, uint64_t nr_huge)
{
	return (double)nr_small * prices->refs_page + (double)nr_huge * prices->refs_huge;
}

void scan_share_price(double *page, double *huge, double ns, uint64_t nr_small, uint64_t nr_huge)
{
	double small_ns = (double)nr_small * *page, huge_ns = (double)nr_huge * *huge;
	double foreseen = small_ns + huge_ns, beyond;

	if (foreseen <= 0)
		return;
	beyond = (ns / foreseen - 1) / 4;
	*page *= 1 + beyond * small_ns / foreseen;
	*huge *= 1 + beyond * huge_ns / foreseen;
}

void scan_learn_huge(double *price, double ns)
{
	*price = ns > *price ? *price + (ns - *price) / 4 : ns;
}

void scan_fade_huge(double *price)
{
	*price *= 0.97;
}

/* clear_refs, and what it costs the target that pages are cleared which need not be. */
static double all_by_refs_ns(const struct scan_question *question)
{
	return scan_refs_ns(question->prices, question->nr_small, question->nr_huge) +
	       (double)question->nr_held * question->prices->used_page;
}

static bool refs_allowed(const struct scan_question *question)
{
	return question->refs_possible &&
	       scan_stall_ns(question->prices, question->nr_small, question->nr_huge) <=
		       question->max_stall_ns;
}

bool scan_refs_surely(const struct scan_question *question, uint64_t nr_young, uint64_t nr_huge)
{
	const struct scan_prices *prices = question->prices;

	return nr_young && refs_allowed(question) &&
	       all_by_refs_ns(question) <
		       (double)(nr_young - nr_huge) * (prices->cold_page + prices->check_page) +
			       (double)nr_huge * prices->cold_huge;
}

enum scan_method scan_choose(const struct scan_question *question)
{
	const struct scan_prices *prices = question->prices;
	bool refs = refs_allowed(question);

	if (refs && question->nr_only_refs > question->nr_held)
		return SCAN_CLEAR_REFS;
	if (!question->plan->nr)
		return SCAN_NOTHING;
	if (refs && all_by_refs_ns(question) < scan_clusters_ns(prices, question->plan))
		return SCAN_CLEAR_REFS;
	return SCAN_CLUSTERS;
}
