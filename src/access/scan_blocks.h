/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Every page of a target: which are there, which were touched, how often in the last window.
 *
 * Kept by blocks: what one table of small leaves maps, or one huge leaf.
 */
#ifndef UDAMON_ACCESS_SCAN_BLOCKS_H
#define UDAMON_ACCESS_SCAN_BLOCKS_H

#include <stdbool.h>

#include <udamon/damon.h>

#include "access/arch.h"
#include "access/reader.h"

#define SCAN_WORDS (PAGE_TABLE_ENTRIES / 64)

/**
 * struct scan_word - what is known of 64 pages, a bit for each
 * @mapped:	something is there
 * @young:	the Accessed bit is set
 * @special:	it can't ever be cleared (the zero page, device memory)
 * @stuck:	it was left set by the last clearing, so that it says nothing
 * @doubtful:	was cleared without a flush although in use: a clear bit says nothing
 * @unknown_in_window: nobody could say, at least once in this window
 * @kept:	touched since somebody else last asked; the engine itself doesn't use it
 * @held:	not to be made old this time: it was in use all the time, and that is taken to go on
 *
 * All of it lies in one cache line: each pass over a target's blocks, of which there are many in
 * a sampling interval, would otherwise fetch a line for each kind of bit.
 */
struct scan_word {
	uint64_t mapped;
	uint64_t young;
	uint64_t special;
	uint64_t stuck;
	uint64_t doubtful;
	uint64_t unknown_in_window;
	uint64_t kept;
	uint64_t held;
} __attribute__((aligned(64)));

/**
 * struct scan_block - pages that one table, or one huge leaf, maps; with its arrays one allocation
 * @start, @end: its addresses
 * @frame:	of a huge leaf
 * @heat:	sampling intervals of this window in which each page was touched
 * @last_heat, @last_mapped, @last_unknown: what the last window ended with
 * @page_shift:	log2 of a page's size; one huge page uses bit 0 of the only word
 * @huge_kind:	what is known of a huge leaf, SCAN_HUGE_*
 * @failed:	it couldn't be read this time: nothing is known
 * @words:	scan_block_words() of them
 */
struct scan_block {
	uint64_t start;
	uint64_t end;
	uint64_t frame;
	uint16_t *heat;
	uint16_t *last_heat;
	uint64_t *last_mapped;
	uint64_t *last_unknown;
	uint8_t page_shift;
	uint8_t huge_kind;
	bool failed;
	struct scan_word words[];
};

/* How many bits are set; without the processor's own instruction, which not all have, a call else. */
static inline uint64_t scan_ones(uint64_t bits)
{
	bits -= bits >> 1 & 0x5555555555555555;
	bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
	return ((bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56;
}

/* How many words of its bits a block uses. */
static inline size_t scan_block_words(const struct scan_block *block)
{
	return block->page_shift == ARCH_PAGE_SHIFT ? SCAN_WORDS : 1;
}

/* How many pages it has. */
static inline size_t scan_block_pages(const struct scan_block *block)
{
	return block->page_shift == ARCH_PAGE_SHIFT ? PAGE_TABLE_ENTRIES : 1;
}

#define SCAN_HUGE_UNASKED   0
#define SCAN_HUGE_PLAIN	    1 /* ordinary memory of one process */
#define SCAN_HUGE_SHARED    2 /* mapped more than once */
#define SCAN_HUGE_UNCLEARED 3 /* hugetlb, huge zero page, device: nothing clears it */

/**
 * struct scan_blocks - the blocks of a target, by address; zero-initialise it
 * @nr_entries:	page-table entries that map something
 * @nr_huge:	how many of them are huge leaves
 * @nr_held:	young pages whose bit &scan_word.held is set
 * @nr_samples:	sampling intervals counted in this window
 * @last_samples: and in the last one
 */
struct scan_blocks {
	size_t nr;
	struct scan_block **blocks;
	uint64_t nr_entries;
	uint64_t nr_huge;
	uint64_t nr_held;
	uint32_t nr_samples;
	uint32_t last_samples;
	/* private: */
	size_t capacity;
	size_t nr_before;
	size_t capacity_before;
	size_t next_before;
	struct scan_block **before;
};

/*
 * Reading all again: begin, take each leaf in by address, end. Blocks that were there
 * before keep what is known of them.
 */
void scan_blocks_begin(struct scan_blocks *blocks);

/** scan_blocks_take() - 0 or -ENOMEM */
int scan_blocks_take(struct scan_blocks *blocks, const struct page_leaf *leaf);
void scan_blocks_end(struct scan_blocks *blocks);

/** scan_blocks_gone() - instead of the end: nothing is there any more; the last window's heat stays */
void scan_blocks_gone(struct scan_blocks *blocks);

/** scan_blocks_clear() - free them */
void scan_blocks_clear(struct scan_blocks *blocks);

/** scan_word_bits() - what 64 entries of a table of small leaves say */
void scan_word_bits(const uint64_t *entries, uint64_t *mapped, uint64_t *young, uint64_t *special);

/** scan_blocks_find() - the block of an address, or NULL */
struct scan_block *scan_blocks_find(const struct scan_blocks *blocks, uint64_t addr);

/** scan_block_unknown() - pages of word @word of which nobody can say whether they were touched */
uint64_t scan_block_unknown(const struct scan_block *block, size_t word);

/** scan_blocks_count_heat() - a sampling interval is over: count what was touched */
void scan_blocks_count_heat(struct scan_blocks *blocks);

/** scan_blocks_end_window() - the counts of this window become those of the last one */
void scan_blocks_end_window(struct scan_blocks *blocks);

/** scan_blocks_forget_window() - the window's counts are void */
void scan_blocks_forget_window(struct scan_blocks *blocks);

/** SCAN_HOLD_EVERY - pages that stay in use are made old in one of so many sampling intervals, when saving */
#define SCAN_HOLD_EVERY 4

/**
 * scan_blocks_hold() - choose the pages that needn't be made old this time
 * @hold:	those touched in every sampling interval of the last window and of this one so far, where
 *		the last one had at least %SCAN_HOLD_EVERY of them; false: none
 *
 * Return: how many of them are young.
 */
uint64_t scan_blocks_hold(struct scan_blocks *blocks, bool hold);

/**
 * scan_blocks_account() - the share of each region's resident pages that was touched
 * @ranges:	sorted
 * @unit:	what a fully touched region gets
 * @access:	0 only when nothing was touched; DAMON_ACCESS_UNKNOWN where nothing known was
 *		touched and most of the resident memory is unknown
 */
void scan_blocks_account(const struct scan_blocks *blocks, const struct damon_addr_range *ranges,
			 size_t nr, uint32_t unit, uint32_t *access);

/**
 * scan_blocks_touched() - which of the 512 pages from @addr on were touched in this window
 * @last_too:	or in the last one
 * @touched:	a bit for each; none where nothing is known
 */
void scan_blocks_touched(const struct scan_blocks *blocks, uint64_t addr, bool last_too,
			 uint64_t *touched);

/**
 * scan_run_callback - pages of equal heat in the last window
 * @kept:	touched since somebody else last asked; the engine itself doesn't use it
 * @heat:	sampling intervals they were touched in, of @samples; -1: nobody can say
 */
typedef int scan_run_callback(void *data, uint64_t start, uint64_t end, uint64_t page_size,
			      int32_t heat, uint32_t samples);

/** scan_blocks_runs() - the last window's heat by runs; 0 or what the callback returned */
int scan_blocks_runs(const struct scan_blocks *blocks, scan_run_callback *callback, void *data);

#endif
