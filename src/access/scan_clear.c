// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Making all young pages of a target old, with a flush.
 */
#include "access/scan_internal.h"

#include <errno.h>
#include <string.h>
#include <time.h>

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
	if (units >= 1024)
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

struct refusals {
	struct scan_target *target;
	uint64_t nr;
};

/* Locked memory: the mapping is remembered, so that clear_refs is thought of the next time. */
static void refused(void *data, uint64_t start, uint64_t end, size_t tag)
{
	struct refusals *refusals = data;

	mark_range(refusals->target, start, end);
	watch_map_set(refusals->target->map, start, WATCH_REFUSED | WATCH_RETRY, WATCH_REFUSED);
	refusals->nr++;
}

/* Too busy for it now: unknown in this interval. */
static void busy(void *data, uint64_t start, uint64_t end, size_t tag)
{
	struct refusals *refusals = data;

	mark_range(refusals->target, start, end);
}

static int clear_clusters(struct scan_target *target)
{
	struct scan_engine *engine = target->engine;
	struct refusals refusals = {.target = target};
	uint64_t start = scan_now_ns(), cpu = scan_cpu_ns();
	struct clear_result result;
	int ret;

	clear_list_on_busy(engine->clears, busy);
	ret = clear_list_run(engine->clears, target->pidfd, refused, NULL, &refusals, &result);
	engine->stat.clear_ns += scan_now_ns() - start;
	cpu = scan_cpu_ns() - cpu;
	engine->stat.clears += engine->plan.nr_young;
	engine->stat.interrupts += result.nr_cleared;
	engine->stat.by_clusters++;
	if (!ret && engine->plan.nr_pages > 64 * engine->plan.nr)
		scan_learn(&engine->prices.cold_page,
			   (double)cpu - (double)engine->plan.nr * engine->prices.cold_range,
			   engine->plan.nr_pages);
	if (engine->prices.cold_page < 1)
		engine->prices.cold_page = 1;
	return ret;
}

static int clear_refs(struct scan_target *target, uint64_t nr_entries, uint64_t nr_held)
{
	struct scan_engine *engine = target->engine;
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
	scan_learn(&engine->prices.refs_page, (double)(scan_cpu_ns() - cpu), nr_entries);
	/* It made all of them old. */
	engine->stat.clears += nr_held;
	start = scan_now_ns();
	cpu = scan_cpu_ns();
	ret = scan_flush_target(target, &flushed);
	if (ret)
		return ret;
	if (flushed)
		scan_learn(&engine->prices.flush_page, (double)(scan_cpu_ns() - cpu), nr_entries);
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
		return engine->plan.nr_young > 4096;
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
	engine->plan.nr_young = scan_plan_young(&target->blocks);
	question.nr_entries = target->blocks.nr_entries;
	question.refs_possible = may_use_refs(target);
	question.max_stall_ns = (double)engine->options.max_stall_us * 1000;
	if (!engine->options.no_flush && !scan_refs_surely(&question, engine->plan.nr_young)) {
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
	return clear_refs(target, question.nr_entries, question.nr_held);
}
