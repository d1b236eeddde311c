// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Which young pages can be cleared by clusters: neither shared nor part of a large folio.
 *
 * MADV_COLD passes over pages that are mapped more than once, and splits a large folio when
 * told of a part of it. The kernel is asked about the first by pagemap; a large folio
 * that is mapped page by page shows as four or more frames in sequence, and
 * only where that is so the frames' flags are read.
 */
#include "access/arch.h"
#include "access/scan_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PAGE_BYTES (1ULL << ARCH_PAGE_SHIFT)

/* The smallest large folio that several entries map. */
#define FOLIO_PAGES 4

static uint8_t huge_kind(struct scan_engine *engine, uint64_t frame)
{
	uint64_t flags, count;

	if (frame_flags(&engine->frames, frame, &flags, 1) ||
	    (flags & (FRAME_ZERO | FRAME_ABSENT | FRAME_HUGETLB)))
		return SCAN_HUGE_UNCLEARED;
	if (frame_mapcounts(&engine->frames, frame, &count, 1) || count > 1)
		return SCAN_HUGE_SHARED;
	return SCAN_HUGE_PLAIN;
}

void scan_judge_huge(struct scan_engine *engine, struct scan_block *block)
{
	if (block->page_shift == ARCH_PAGE_SHIFT || !block->words[0].young || block->failed)
		return;
	if (block->huge_kind == SCAN_HUGE_UNASKED)
		block->huge_kind = huge_kind(engine, block->frame);
	if (block->huge_kind == SCAN_HUGE_UNCLEARED)
		block->words[0].stuck = 1;
}

/* An address space's pagemap stays with it, so a new program needs another one. */
static int open_pagemap(struct scan_target *target)
{
	int fd;

	if (target->pagemap_fd >= 0 && target->pagemap_mm == target->process.mm)
		return 0;
	if (target->pagemap_fd >= 0)
		close(target->pagemap_fd);
	fd = target->pagemap_fd = pagemap_open(target->pid);
	target->pagemap_mm = target->process.mm;
	return fd < 0 ? fd : 0;
}

bool scan_page_is_plain(struct scan_target *target, uint64_t addr)
{
	uint64_t entry, flags;

	return !open_pagemap(target) && !pagemap_read(target->pagemap_fd, addr, &entry, 1) &&
	       pagemap_frame(entry) && (entry & PAGEMAP_EXCLUSIVE) &&
	       !frame_flags(&target->engine->frames, pagemap_frame(entry), &flags, 1) &&
	       !(flags & (FRAME_HEAD | FRAME_TAIL));
}

/* Pages first..last of a block, as far as they are to be cleared together. */
struct piece {
	struct scan_block *block;
	size_t first;
	size_t nr;
	uint64_t entries[PAGE_TABLE_ENTRIES];
	uint64_t flags[PAGE_TABLE_ENTRIES];
	bool large[PAGE_TABLE_ENTRIES];
};

/* Mark what belongs to large folios. A page at a piece's edge may be the first or last of one. */
static void find_large(struct scan_engine *engine, struct piece *piece)
{
	size_t i, j, nr;

	memset(piece->large, 0, piece->nr * sizeof(*piece->large));
	for (i = 0; i < piece->nr; i += nr) {
		bool edge;

		nr = pagemap_sequence(piece->entries + i, piece->nr - i);
		edge = i == 0 || i + nr == piece->nr;
		if (!pagemap_frame(piece->entries[i]) || (nr < FOLIO_PAGES && !edge))
			continue;
		if (frame_flags(&engine->frames, pagemap_frame(piece->entries[i]), piece->flags,
				nr))
			memset(piece->flags, 0xff, nr * sizeof(*piece->flags));
		for (j = 0; j < nr; j++)
			piece->large[i + j] = piece->flags[j] & (FRAME_HEAD | FRAME_TAIL);
	}
}

static bool is_young(const struct piece *piece, size_t i)
{
	size_t page = piece->first + i;

	return piece->block->words[page / 64].young >> (page % 64) & 1;
}

static void set_stuck(const struct piece *piece, size_t i)
{
	size_t page = piece->first + i;

	piece->block->words[page / 64].stuck |= 1ULL << (page % 64);
}

/* The list grows by ranges; one that goes on where the last one ended is the same. */
struct growing {
	struct clear_list *list;
	uint64_t start, end;
};

static int finish(struct growing *growing)
{
	uint64_t start = growing->start, end = growing->end;

	growing->start = growing->end = 0;
	return end > start ? clear_list_add(growing->list, start, end, 0) : 0;
}

static int grow(struct growing *growing, uint64_t start, uint64_t end)
{
	int ret = 0;

	if (start != growing->end) {
		ret = finish(growing);
		growing->start = start;
	}
	growing->end = end;
	return ret;
}

static int judge_small(struct scan_target *target, struct piece *piece, struct growing *growing,
		       uint64_t *only_refs)
{
	uint64_t addr = piece->block->start + piece->first * PAGE_BYTES;
	size_t i;
	int ret;

	if (pagemap_read(target->pagemap_fd, addr, piece->entries, piece->nr))
		return 0;
	find_large(target->engine, piece);
	for (i = 0; i < piece->nr; i++, addr += PAGE_BYTES) {
		bool shared = !(piece->entries[i] & PAGEMAP_EXCLUSIVE);

		if (is_young(piece, i) && (piece->large[i] || shared)) {
			set_stuck(piece, i);
			(*only_refs)++;
		}
		if (piece->large[i])
			continue;
		ret = grow(growing, addr, addr + PAGE_BYTES);
		if (ret)
			return ret;
	}
	return 0;
}

/* What kind it is was asked once, and is remembered. */
static int judge_huge(struct scan_block *block, struct growing *growing, uint64_t *only_refs)
{
	if (block->huge_kind == SCAN_HUGE_PLAIN && block->words[0].young)
		return grow(growing, block->start, block->end);
	block->words[0].stuck = block->words[0].young;
	*only_refs += block->words[0].young && block->huge_kind == SCAN_HUGE_SHARED;
	return 0;
}

static int judge_piece(struct scan_target *target, struct piece *piece, const struct scan_run *run,
		       struct growing *growing, uint64_t *only_refs)
{
	struct scan_block *block = piece->block;
	uint64_t start = run->start, end = run->end;

	if (block->page_shift != ARCH_PAGE_SHIFT)
		return run->huge ? judge_huge(block, growing, only_refs) : 0;
	if (start < block->start)
		start = block->start;
	if (end > block->end)
		end = block->end;
	piece->first = (start - block->start) / PAGE_BYTES;
	piece->nr = (end - start) / PAGE_BYTES;
	return judge_small(target, piece, growing, only_refs);
}

/* The runs of small pages, or those of huge ones. */
static int judge_runs(struct scan_target *target, bool huge, uint64_t *only_refs)
{
	struct scan_engine *engine = target->engine;
	const struct scan_blocks *blocks = &target->blocks;
	struct growing growing = {.list = huge ? engine->huge_clears : engine->clears};
	struct piece piece;
	size_t run, block = 0, i;
	int ret;

	for (run = 0; run < engine->plan.nr; run++) {
		const struct scan_run *here = &engine->plan.runs[run];

		if (here->huge != huge)
			continue;
		while (block < blocks->nr && blocks->blocks[block]->end <= here->start)
			block++;
		for (i = block; i < blocks->nr && blocks->blocks[i]->start < here->end; i++) {
			piece.block = blocks->blocks[i];
			ret = judge_piece(target, &piece, here, &growing, only_refs);
			if (ret)
				return ret;
		}
		ret = finish(&growing);
		if (ret)
			return ret;
	}
	return 0;
}

int scan_judge(struct scan_target *target, uint64_t *only_refs)
{
	struct scan_engine *engine = target->engine;
	uint64_t cpu;
	int ret;

	*only_refs = 0;
	clear_list_reset(engine->clears);
	clear_list_reset(engine->huge_clears);
	ret = judge_runs(target, true, only_refs);
	if (ret || !engine->plan.nr_pages)
		return ret;
	cpu = scan_cpu_ns();
	ret = open_pagemap(target);
	if (!ret)
		ret = judge_runs(target, false, only_refs);
	if (!ret)
		scan_learn(&engine->prices.check_page, (double)(scan_cpu_ns() - cpu),
			   engine->plan.nr_pages);
	return ret;
}
