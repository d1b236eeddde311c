// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Making all young pages of a target old, with a flush.
 */
#include "access/scan_internal.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* What took so many pages is enough to learn a price from. */
#define LEAST_SMALL 1024
#define LEAST_HUGE  16

uint64_t scan_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t scan_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void scan_learn(double *price, double ns, uint64_t units)
{
	if (units >= LEAST_SMALL)
		*price += (ns / (double)units - *price) / 4;
}

/* What clearing left undone the last time doesn't count any more, but what can't ever be cleared does. */
static void forget_marks(struct scan_target *target)
{
	size_t i, word;

	for (i = 0; i < target->blocks.nr; i++) {
		struct scan_block *block = target->blocks.blocks[i];

		for (word = 0; word < scan_block_words(block); word++)
			block->words[word].stuck = block->words[word].doubtful = 0;
		scan_judge_huge(target->engine, block);
	}
}

/* Nothing is cleared: what is young now says nothing later. */
static void leave_all(struct scan_target *target)
{
	size_t i, word;

	for (i = 0; i < target->blocks.nr; i++) {
		struct scan_block *block = target->blocks.blocks[i];

		for (word = 0; word < scan_block_words(block); word++)
			block->words[word].stuck = block->words[word].young;
	}
}

/* Cleared without a flush: that it isn't set again says nothing about a page in use. Or forget that. */
static void doubt_all(struct scan_target *target, bool doubt)
{
	size_t i, word;

	for (i = 0; i < target->blocks.nr; i++) {
		struct scan_block *block = target->blocks.blocks[i];

		for (word = 0; word < scan_block_words(block); word++)
			block->words[word].doubtful = doubt ? block->words[word].young : 0;
	}
}

static void mark_range(struct scan_target *target, uint64_t start, uint64_t end)
{
	size_t i, page;

	for (i = 0; i < target->blocks.nr; i++) {
		struct scan_block *block = target->blocks.blocks[i];

		if (block->end <= start || block->start >= end)
			continue;
		for (page = 0; page < PAGE_TABLE_ENTRIES; page++) {
			uint64_t addr = block->start + ((uint64_t)page << block->page_shift);

			if (addr >= end || addr >= block->end)
				break;
			if (addr >= start)
				block->words[page / 64].stuck |= block->words[page / 64].young &
								 (1ULL << (page % 64));
		}
	}
}

struct clearing {
	struct scan_target *target;
	uint64_t nr_huge; /* made old */
};

/* Locked memory: the mapping is remembered, so that clear_refs is thought of the next time. */
static void refused(void *data, uint64_t start, uint64_t end, size_t tag)
{
	struct clearing *clearing = data;

	mark_range(clearing->target, start, end);
	watch_map_set(clearing->target->map, start, WATCH_REFUSED | WATCH_RETRY, WATCH_REFUSED);
}

/* Too busy for it now: unknown in this interval. */
static void busy(void *data, uint64_t start, uint64_t end, size_t tag)
{
	struct clearing *clearing = data;

	mark_range(clearing->target, start, end);
}

static void cleared_huge(void *data, uint64_t start, uint64_t end, size_t tag)
{
	struct clearing *clearing = data;

	clearing->nr_huge += (end - start) >> PAGE_TABLE_SHIFT;
}

static int clear_small(struct scan_target *target)
{
	struct scan_engine *engine = target->engine;
	struct scan_prices *prices = &engine->prices;
	const struct scan_plan *plan = &engine->plan;
	struct clearing clearing = {.target = target};
	struct clear_result result;
	uint64_t cpu = scan_cpu_ns();
	int ret;

	clear_list_on_busy(engine->clears, busy);
	ret = clear_list_run(engine->clears, target->pidfd, refused, NULL, &clearing, &result);
	cpu = scan_cpu_ns() - cpu;
	engine->stat.interrupts += result.nr_cleared;
	if (!ret && plan->nr_pages > 64 * plan->nr_small_runs)
		scan_learn(&prices->cold_page,
			   (double)cpu - (double)plan->nr_small_runs * prices->cold_range,
			   plan->nr_pages);
	if (prices->cold_page < 1)
		prices->cold_page = 1;
	return ret;
}

static int clear_huge(struct scan_target *target)
{
	struct scan_engine *engine = target->engine;
	struct clearing clearing = {.target = target};
	struct clear_result result;
	uint64_t cpu = scan_cpu_ns();
	int ret;

	clear_list_on_busy(engine->huge_clears, busy);
	ret = clear_list_run(engine->huge_clears, target->pidfd, refused, cleared_huge, &clearing,
			     &result);
	cpu = scan_cpu_ns() - cpu;
	engine->stat.interrupts += result.nr_cleared;
	/* Where they lie far from each other, it is the ranges that cost. */
	if (clearing.nr_huge >= LEAST_HUGE && clearing.nr_huge >= LEAST_HUGE * result.nr_cleared)
		scan_learn_huge(&target->cold_huge_ns, (double)cpu / (double)clearing.nr_huge);
	return ret;
}

static int clear_clusters(struct scan_target *target)
{
	struct scan_engine *engine = target->engine;
	uint64_t start = scan_now_ns();
	int ret = 0;

	if (engine->plan.nr_huge)
		ret = clear_huge(target);
	if (!ret && engine->plan.nr_pages)
		ret = clear_small(target);
	engine->stat.clear_ns += scan_now_ns() - start;
	engine->stat.clears += engine->plan.nr_young;
	engine->stat.by_clusters++;
	return ret;
}

static void learn_both(const struct scan_target *target, double *page, double *huge, double ns)
{
	uint64_t nr_huge = target->blocks.nr_huge, nr_small = target->blocks.nr_entries - nr_huge;

	if (nr_small >= LEAST_SMALL || nr_huge >= LEAST_HUGE)
		scan_share_price(page, huge, ns, nr_small, nr_huge);
}

static int clear_refs(struct scan_target *target, uint64_t nr_held)
{
	struct scan_engine *engine = target->engine;
	struct scan_prices *prices = &engine->prices;
	/* What is left out of a flush stays in doubt, unless the program was told not to flush. */
	bool doubt = engine->flush != SCAN_FLUSH_REFS && !engine->options.no_flush;
	bool flushed;
	uint64_t took_ns, start, cpu;
	int ret;

	if (doubt)
		doubt_all(target, true);
	cpu = scan_cpu_ns();
	ret = scan_write_refs(target, '1', &took_ns);
	if (ret)
		return ret;
	if (took_ns > engine->stat.longest_stall_ns)
		engine->stat.longest_stall_ns = took_ns;
	learn_both(target, &prices->refs_page, &prices->refs_huge, (double)(scan_cpu_ns() - cpu));
	/* It made all of them old. */
	engine->stat.clears += nr_held;
	start = scan_now_ns();
	cpu = scan_cpu_ns();
	ret = scan_flush_target(target, &flushed);
	if (ret)
		return ret;
	if (flushed)
		learn_both(target, &prices->flush_page, &prices->flush_huge,
			   (double)(scan_cpu_ns() - cpu));
	if (engine->plan.nr_huge)
		scan_fade_huge(&target->cold_huge_ns);
	engine->stat.clear_ns += took_ns + scan_now_ns() - start;
	engine->stat.clears += engine->plan.nr_young;
	engine->stat.by_refs++;
	if (!flushed)
		engine->stat.unflushed++;
	else if (doubt)
		doubt_all(target, false);
	return 0;
}

static bool may_use_refs(const struct scan_target *target)
{
	const struct scan_engine *engine = target->engine;

	if (target->refs_fd < 0)
		return false;
	/* A pair of young pages is found only where the processor can't hold all that is in use. */
	if (engine->flush == SCAN_FLUSH_PAIR)
		return engine->plan.nr_young - engine->plan.nr_huge > 4096;
	return engine->flush == SCAN_FLUSH_REFS || engine->options.no_flush;
}

/* By clusters if that is cheaper and will do. */
static int choose(struct scan_target *target, struct scan_question *question,
		  enum scan_method *method)
{
	struct scan_engine *engine = target->engine;
	int ret;

	ret = scan_plan_runs(&engine->plan, &target->blocks, target->map, target->ranges,
			     target->nr_ranges, scan_gap(&engine->prices));
	if (ret)
		return ret;
	*method = scan_choose(question);
	if (*method != SCAN_CLUSTERS)
		return 0;
	ret = scan_judge(target, &question->nr_only_refs);
	if (ret)
		return ret;
	*method = scan_choose(question);
	engine->stat.too_long += question->nr_only_refs > question->nr_held &&
				 question->refs_possible && *method != SCAN_CLEAR_REFS;
	return 0;
}

int scan_clear(struct scan_target *target, bool may_clear)
{
	struct scan_engine *engine = target->engine;
	struct scan_question question = {.prices = &engine->prices, .plan = &engine->plan};
	enum scan_method method = SCAN_CLEAR_REFS;
	int ret;

	forget_marks(target);
	question.nr_held = scan_blocks_hold(&target->blocks, target->saving && target->turn);
	if (target->saving)
		target->turn = (target->turn + 1) % SCAN_HOLD_EVERY;
	if (!may_clear) {
		leave_all(target);
		return 0;
	}
	engine->prices.cold_huge = target->cold_huge_ns;
	engine->plan.nr_young = scan_plan_young(&target->blocks, &engine->plan.nr_huge);
	question.nr_huge = target->blocks.nr_huge;
	question.nr_small = target->blocks.nr_entries - question.nr_huge;
	question.refs_possible = may_use_refs(target);
	question.max_stall_ns = (double)engine->options.max_stall_us * 1000;
	if (!engine->options.no_flush &&
	    !scan_refs_surely(&question, engine->plan.nr_young, engine->plan.nr_huge)) {
		ret = choose(target, &question, &method);
		if (ret)
			return ret;
		if (method != SCAN_CLEAR_REFS)
			engine->stat.held += question.nr_held;
		if (method == SCAN_NOTHING)
			return 0;
		if (method == SCAN_CLUSTERS)
			return clear_clusters(target);
		/* It clears everything but memory that nothing clears. */
		forget_marks(target);
	}
	return clear_refs(target, question.nr_held);
}
