// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Access engine "scan": every page, once per sampling interval, exactly.
 */
#include "access/scan_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <udamon/ops.h>

/*
 * Until this machine's own prices are known. Of huge pages it is clear_refs that is said to be cheap, which is soon
 * corrected: what is thought dear isn't taken, and nothing learnt of it.
 */
static const struct scan_prices usual_prices = {
	.refs_page = 70,
	.refs_huge = 150,
	.flush_page = 2,
	.flush_huge = 30,
	.cold_page = 60,
	.cold_range = 2000,
	.cold_huge = 320,
	.check_page = 110,
};

static int set_up(struct scan_engine *engine, const struct page_calibration *calibration,
		  struct damon_error *err)
{
	int ret = frame_files_open(&engine->frames);

	if (ret)
		return damon_error_set(
			err, ret,
			"can't open /proc/kpageflags and /proc/kpagecount: %s (they tell shared "
			"and large pages apart; needs root or CAP_DAC_OVERRIDE)",
			strerror(-ret));
	ret = page_reader_new(&engine->reader, calibration, err);
	if (ret)
		return ret;
	engine->clears = clear_list_new();
	engine->huge_clears = clear_list_new();
	if (!engine->clears || !engine->huge_clears)
		return damon_error_set(err, -ENOMEM, "out of memory");
	if (engine->options.no_flush)
		engine->flush = SCAN_FLUSH_NONE;
	else if (engine->options.pair_flush || scan_kernel_soft_dirty())
		engine->flush = SCAN_FLUSH_PAIR;
	else
		engine->flush = SCAN_FLUSH_REFS;
	return scan_try(engine, err);
}

int scan_engine_new(struct scan_engine **engine, const struct page_calibration *calibration,
		    const struct scan_options *options, struct damon_error *err)
{
	struct scan_engine *new = calloc(1, sizeof(*new));
	int ret;

	*engine = NULL;
	if (!new)
		return damon_error_set(err, -ENOMEM, "out of memory");
	new->frames.flags_fd = new->frames.count_fd = -1;
	new->prices = usual_prices;
	if (options)
		new->options = *options;
	new->prices.used_page = new->options.used_page_ns;
	if (!new->options.max_stall_us)
		new->options.max_stall_us = SCAN_DEFAULT_STALL_US;
	ret = set_up(new, calibration, err);
	if (ret) {
		scan_engine_free(new);
		return ret;
	}
	*engine = new;
	return 0;
}

void scan_engine_free(struct scan_engine *engine)
{
	if (!engine)
		return;
	scan_plan_clear(&engine->plan);
	clear_list_free(engine->clears);
	clear_list_free(engine->huge_clears);
	page_reader_free(engine->reader);
	frame_files_close(&engine->frames);
	free(engine);
}

const struct scan_stat *scan_engine_stat(const struct scan_engine *engine)
{
	return &engine->stat;
}

enum scan_flush scan_engine_flush(const struct scan_engine *engine)
{
	return engine->flush;
}

const struct scan_prices *scan_engine_prices(const struct scan_engine *engine)
{
	return &engine->prices;
}

int scan_target_new(struct scan_target **target, struct scan_engine *engine, int pidfd, pid_t pid,
		    struct watch_map *map, struct damon_error *err)
{
	struct scan_target *new = calloc(1, sizeof(*new));
	char path[64];
	int ret;

	*target = NULL;
	if (!new)
		return damon_error_set(err, -ENOMEM, "out of memory");
	ret = page_link_new(&new->link, engine->reader, pidfd, pid, PAGE_LINK_AUTO, err);
	if (ret) {
		free(new);
		return ret;
	}
	snprintf(path, sizeof(path), "/proc/%d/clear_refs", (int)pid);
	new->refs_fd = open(path, O_WRONLY | O_CLOEXEC);
	new->pagemap_fd = -1;
	new->engine = engine;
	new->map = map;
	new->pid = pid;
	new->pidfd = pidfd;
	new->cold_huge_ns = usual_prices.cold_huge;
	*target = new;
	return 0;
}

void scan_target_free(struct scan_target *target)
{
	if (!target)
		return;
	scan_blocks_clear(&target->blocks);
	page_link_free(target->link);
	if (target->refs_fd >= 0)
		close(target->refs_fd);
	if (target->pagemap_fd >= 0)
		close(target->pagemap_fd);
	free(target->ranges);
	free(target);
}

void scan_target_changed(struct scan_target *target)
{
	size_t i;

	for (i = 0; i < target->blocks.nr; i++)
		target->blocks.blocks[i]->huge_kind = SCAN_HUGE_UNASKED;
	target->fresh = false;
}

void scan_target_save(struct scan_target *target, bool save)
{
	if (!save || !target->saving)
		target->turn = 0;
	target->saving = save;
}

static int take(void *data, const struct page_leaf *leaf)
{
	return scan_blocks_take(data, leaf);
}

/* Guests' memory is used through other page tables. */
static void mark_guests(struct scan_target *target)
{
	const struct watch_range *mapping;
	size_t i;

	for (i = 0; target->map->flagged && i < target->blocks.nr; i++) {
		struct scan_block *block = target->blocks.blocks[i];

		mapping = watch_map_find(target->map, block->start);
		if (mapping && (mapping->flags & WATCH_GUEST))
			block->failed = true;
	}
}

/* Read all pages into the blocks. An exited process has none. */
int scan_read(struct scan_target *target, struct page_process *process)
{
	struct scan_engine *engine = target->engine;
	size_t i;
	int ret = 0;

	scan_blocks_begin(&target->blocks);
	for (i = 0; i < target->nr_ranges && !ret; i++)
		ret = page_link_read_range(target->link, target->ranges[i].start,
					   target->ranges[i].end, take, &target->blocks,
					   &target->process);
	if (ret == -ESRCH) {
		scan_blocks_gone(&target->blocks);
		target->process = (struct page_process){};
		ret = 0;
	} else {
		scan_blocks_end(&target->blocks);
	}
	if (process)
		*process = target->process;
	if (ret)
		return ret;
	mark_guests(target);
	engine->stat.scans++;
	engine->stat.pages_read += target->blocks.nr_entries;
	return 0;
}

/* Regions next to each other are one range, and reading needs no borders between them. */
static int join_ranges(struct scan_target *target, const struct damon_addr_range *ranges, size_t nr)
{
	size_t i;

	target->nr_ranges = 0;
	for (i = 0; i < nr; i++) {
		struct damon_addr_range *last = target->ranges + target->nr_ranges - 1;

		if (target->nr_ranges && last->end >= ranges[i].start) {
			last->end = ranges[i].end;
			continue;
		}
		if (target->nr_ranges == target->capacity) {
			size_t capacity = target->capacity ? 2 * target->capacity : 16;

			last = realloc(target->ranges, capacity * sizeof(*last));
			if (!last)
				return -ENOMEM;
			target->ranges = last;
			target->capacity = capacity;
		}
		target->ranges[target->nr_ranges++] = ranges[i];
	}
	return 0;
}

int scan_look(struct scan_target *target, const struct damon_addr_range *ranges, size_t nr)
{
	int ret = target->fresh ? 0 : join_ranges(target, ranges, nr);

	if (!ret && !target->fresh)
		ret = scan_read(target, NULL);
	target->fresh = !ret;
	return ret;
}

int scan_prepare(struct scan_target *target, const struct damon_addr_range *ranges, size_t nr,
		 bool may_clear, struct page_process *process)
{
	bool fresh = target->fresh;
	int ret = join_ranges(target, ranges, nr);

	target->fresh = false;
	if (!ret && !fresh)
		ret = scan_read(target, NULL);
	*process = target->process;
	if (!ret)
		ret = scan_clear(target, may_clear);
	/* It has just exited: nothing is there to be made old. */
	return ret == -ESRCH ? 0 : ret;
}

int scan_check(struct scan_target *target, const struct damon_addr_range *ranges, size_t nr,
	       uint32_t *access, struct page_process *process)
{
	int ret = scan_read(target, process);

	if (ret)
		return ret;
	target->fresh = true;
	scan_blocks_count_heat(&target->blocks);
	scan_blocks_account(&target->blocks, ranges, nr, SCAN_ACCESS_UNIT, access);
	return 0;
}

/* What a process had in its last window stays to be asked for after its end. */
void scan_end_window(struct scan_target *target)
{
	if (target->process.mm)
		scan_blocks_end_window(&target->blocks);
}

int scan_target_runs(const struct scan_target *target, scan_run_callback *callback, void *data)
{
	return scan_blocks_runs(&target->blocks, callback, data);
}

void scan_target_touched(const struct scan_target *target, uint64_t addr, uint32_t samples,
			 uint64_t *touched)
{
	scan_blocks_touched(&target->blocks, addr, target->blocks.nr_samples < samples, touched);
}

const struct scan_blocks *scan_target_blocks(const struct scan_target *target)
{
	return &target->blocks;
}

void scan_target_keep(struct scan_target *target)
{
	size_t i, word;

	for (i = 0; i < target->blocks.nr; i++) {
		struct scan_block *block = target->blocks.blocks[i];

		for (word = 0; word < scan_block_words(block); word++)
			block->words[word].kept |= block->words[word].young;
	}
}

bool scan_target_kept(const struct scan_target *target, uint64_t addr)
{
	const struct scan_block *block = scan_blocks_find(&target->blocks, addr);
	uint64_t page;

	if (!block)
		return false;
	page = (addr - block->start) >> block->page_shift;
	return block->words[page / 64].kept >> (page % 64) & 1;
}

void scan_target_forget(struct scan_target *target, uint64_t start, uint64_t end)
{
	struct scan_block *block;
	uint64_t page;

	while (start < end && (block = scan_blocks_find(&target->blocks, start))) {
		page = (start - block->start) >> block->page_shift;
		block->words[page / 64].kept &= ~(1ULL << (page % 64));
		start += 1ULL << block->page_shift;
	}
}
