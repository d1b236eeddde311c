// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Every page of a target: which are there, which were touched, how often in the last window.
 */
#include "access/scan_blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <udamon/ops.h>

#include "access/arch.h"

#define BLOCK_SIZE (1ULL << PAGE_TABLE_SHIFT)

void scan_blocks_begin(struct scan_blocks *blocks)
{
	struct scan_block **list = blocks->before;
	size_t capacity = blocks->capacity_before;

	blocks->before = blocks->blocks;
	blocks->capacity_before = blocks->capacity;
	blocks->nr_before = blocks->nr;
	blocks->next_before = 0;
	blocks->blocks = list;
	blocks->capacity = capacity;
	blocks->nr = 0;
	blocks->nr_entries = blocks->nr_huge = 0;
}

static int make_room(struct scan_blocks *blocks)
{
	size_t capacity = blocks->capacity ? 2 * blocks->capacity : 64;
	struct scan_block **list;

	if (blocks->nr < blocks->capacity)
		return 0;
	list = realloc(blocks->blocks, capacity * sizeof(struct scan_block *));
	if (!list)
		return -ENOMEM;
	blocks->blocks = list;
	blocks->capacity = capacity;
	return 0;
}

/* Blocks from before that end at @addr or below are gone. */
static void drop_before(struct scan_blocks *blocks, uint64_t addr)
{
	while (blocks->next_before < blocks->nr_before &&
	       blocks->before[blocks->next_before]->start < addr)
		free(blocks->before[blocks->next_before++]);
}

static struct scan_block *new_block(uint64_t start, uint8_t page_shift)
{
	const struct scan_block form = {
		.start = start,
		.end = start + (page_shift == ARCH_PAGE_SHIFT ? BLOCK_SIZE : 1ULL << page_shift),
		.page_shift = page_shift};
	size_t words = scan_block_words(&form), pages = scan_block_pages(&form);
	size_t align = _Alignof(struct scan_block);
	size_t size = sizeof(form) + words * sizeof(*form.words) +
		      2 * words * sizeof(*form.last_mapped) + 2 * pages * sizeof(*form.heat);
	struct scan_block *block;

	size = (size + align - 1) / align * align;
	block = aligned_alloc(align, size);
	if (!block)
		return NULL;
	memset(block, 0, size);
	*block = form;
	block->last_mapped = (uint64_t *)(block->words + words);
	block->last_unknown = block->last_mapped + words;
	block->heat = (uint16_t *)(block->last_unknown + words);
	block->last_heat = block->heat + pages;
	return block;
}

/* The block of @start, from before if it has the same pages. */
static struct scan_block *get_block(struct scan_blocks *blocks, uint64_t start, uint8_t page_shift)
{
	struct scan_block *block = NULL;

	drop_before(blocks, start);
	if (blocks->next_before < blocks->nr_before &&
	    blocks->before[blocks->next_before]->start == start)
		block = blocks->before[blocks->next_before++];
	if (block && block->page_shift == page_shift)
		return block;
	free(block);
	return new_block(start, page_shift);
}

#ifdef __SSE2__
/* All flags that count lie in an entry's low bits: 8 entries become 8 lanes of 16 bits. */
static __m128i low_bits(const uint64_t *table)
{
	const __m128i *from = (const __m128i *)table;
	__m128i mask = _mm_set1_epi64x((1 << (ARCH_BIT_SPECIAL + 1)) - 1), pairs[4];
	int i;

	for (i = 0; i < 4; i++)
		pairs[i] = _mm_and_si128(_mm_loadu_si128(from + i), mask);
	return _mm_packs_epi32(_mm_packs_epi32(pairs[0], pairs[1]),
			       _mm_packs_epi32(pairs[2], pairs[3]));
}

/* One bit of each of 16 lanes. */
static uint64_t gather(__m128i first, __m128i second, int bit)
{
	__m128i count = _mm_cvtsi32_si128(15 - bit);

	return (uint64_t)_mm_movemask_epi8(
		_mm_packs_epi16(_mm_sll_epi16(first, count), _mm_sll_epi16(second, count)));
}

void scan_word_bits(const uint64_t *entries, uint64_t *mapped, uint64_t *young, uint64_t *special)
{
	uint64_t here = 0, used = 0, odd = 0;
	size_t bit;

	for (bit = 0; bit < 64; bit += 16) {
		__m128i first = low_bits(entries + bit), second = low_bits(entries + bit + 8);

		here |= (gather(first, second, 0) | gather(first, second, ARCH_BIT_NO_ACCESS))
			<< bit;
		used |= gather(first, second, ARCH_BIT_ACCESSED) << bit;
		odd |= gather(first, second, ARCH_BIT_SPECIAL) << bit;
	}
	*mapped = here;
	*young = used & here;
	*special = odd & here;
}
#else
void scan_word_bits(const uint64_t *entries, uint64_t *mapped, uint64_t *young, uint64_t *special)
{
	size_t bit;

	*mapped = *young = *special = 0;
	for (bit = 0; bit < 64; bit++) {
		uint64_t entry = entries[bit];
		uint64_t present = (entry | entry >> ARCH_BIT_NO_ACCESS) & 1;

		*mapped |= present << bit;
		*young |= (present & entry >> ARCH_BIT_ACCESSED) << bit;
		*special |= (present & entry >> ARCH_BIT_SPECIAL) << bit;
	}
}
#endif

static void take_table(struct scan_blocks *blocks, struct scan_block *block, const uint64_t *table)
{
	size_t i;

	block->failed = false;
	for (i = 0; i < SCAN_WORDS; i++) {
		struct scan_word *word = &block->words[i];

		scan_word_bits(table + i * 64, &word->mapped, &word->young, &word->special);
		blocks->nr_entries += scan_ones(word->mapped);
	}
}

static void take_huge(struct scan_block *block, const struct page_state *state)
{
	block->failed = state->flags & PAGE_FAILED;
	if (block->failed)
		return;
	if (block->frame != state->frame)
		block->huge_kind = SCAN_HUGE_UNASKED;
	block->frame = state->frame;
	block->words[0].mapped = !!(state->flags & PAGE_MAPPED);
	block->words[0].young = !!(state->flags & PAGE_ACCESSED);
}

int scan_blocks_take(struct scan_blocks *blocks, const struct page_leaf *leaf)
{
	uint8_t shift = leaf->table ? ARCH_PAGE_SHIFT : leaf->state.leaf_shift;
	struct scan_block *block;

	if (make_room(blocks))
		return -ENOMEM;
	block = get_block(blocks, leaf->addr, shift);
	if (!block)
		return -ENOMEM;
	blocks->blocks[blocks->nr++] = block;
	if (!leaf->table) {
		take_huge(block, &leaf->state);
		blocks->nr_entries += block->words[0].mapped;
		blocks->nr_huge += block->words[0].mapped;
		return 0;
	}
	take_table(blocks, block, leaf->table);
	return 0;
}

void scan_blocks_end(struct scan_blocks *blocks)
{
	drop_before(blocks, UINT64_MAX);
	blocks->nr_before = blocks->next_before = 0;
}

void scan_blocks_gone(struct scan_blocks *blocks)
{
	size_t nr = blocks->nr_before, i, word;

	if (blocks->nr) {
		scan_blocks_end(blocks);
	} else {
		/* The ones from before are the present ones again. */
		scan_blocks_begin(blocks);
		blocks->nr = nr;
	}
	blocks->nr_before = blocks->next_before = 0;
	blocks->nr_entries = blocks->nr_huge = 0;
	for (i = 0; i < blocks->nr; i++) {
		struct scan_block *block = blocks->blocks[i];

		block->failed = false;
		for (word = 0; word < scan_block_words(block); word++)
			block->words[word].mapped = block->words[word].young = 0;
	}
}

void scan_blocks_clear(struct scan_blocks *blocks)
{
	size_t i;

	/* In the middle of a failed reading some are still in the list from before. */
	for (i = 0; i < blocks->nr; i++)
		free(blocks->blocks[i]);
	for (i = blocks->next_before; i < blocks->nr_before; i++)
		free(blocks->before[i]);
	free(blocks->blocks);
	free(blocks->before);
	*blocks = (struct scan_blocks){};
}

struct scan_block *scan_blocks_find(const struct scan_blocks *blocks, uint64_t addr)
{
	size_t low = 0, high = blocks->nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (blocks->blocks[middle]->end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < blocks->nr && blocks->blocks[low]->start <= addr ? blocks->blocks[low] : NULL;
}

static uint64_t unknown_pages(const struct scan_block *block, const struct scan_word *word)
{
	if (block->failed)
		return word->mapped;
	return (word->young & (word->special | word->stuck)) |
	       (~word->young & word->mapped & word->doubtful);
}

uint64_t scan_block_unknown(const struct scan_block *block, size_t word)
{
	return unknown_pages(block, &block->words[word]);
}

static void count_block(struct scan_block *block)
{
	size_t i, nr_words = scan_block_words(block);

	for (i = 0; i < nr_words; i++) {
		struct scan_word *word = &block->words[i];
		uint64_t unknown, touched;

		if (!word->mapped)
			continue;
		unknown = unknown_pages(block, word);
		touched = word->young & ~unknown;
		word->unknown_in_window |= unknown;
		for (; touched; touched &= touched - 1) {
			uint16_t *heat = &block->heat[i * 64 + (size_t)__builtin_ctzll(touched)];

			if (*heat < UINT16_MAX)
				(*heat)++;
		}
	}
}

void scan_blocks_count_heat(struct scan_blocks *blocks)
{
	size_t i;

	for (i = 0; i < blocks->nr; i++)
		count_block(blocks->blocks[i]);
	if (blocks->nr_samples < UINT16_MAX)
		blocks->nr_samples++;
}

void scan_blocks_end_window(struct scan_blocks *blocks)
{
	size_t i, word, nr_words;

	for (i = 0; i < blocks->nr; i++) {
		struct scan_block *block = blocks->blocks[i];

		nr_words = scan_block_words(block);
		memcpy(block->last_heat, block->heat,
		       scan_block_pages(block) * sizeof(*block->heat));
		for (word = 0; word < nr_words; word++) {
			block->last_mapped[word] = block->words[word].mapped;
			block->last_unknown[word] = block->words[word].unknown_in_window;
		}
	}
	blocks->last_samples = blocks->nr_samples;
	scan_blocks_forget_window(blocks);
}

void scan_blocks_forget_window(struct scan_blocks *blocks)
{
	size_t i, word, nr_words;

	for (i = 0; i < blocks->nr; i++) {
		struct scan_block *block = blocks->blocks[i];

		nr_words = scan_block_words(block);
		memset(block->heat, 0, scan_block_pages(block) * sizeof(*block->heat));
		for (word = 0; word < nr_words; word++)
			block->words[word].unknown_in_window = 0;
	}
	blocks->nr_samples = 0;
}

/* Pages of a word that were touched in every sampling interval of two windows, of those in @pages. */
static uint64_t always_touched(const struct scan_blocks *blocks, const struct scan_block *block,
			       size_t word, uint64_t pages)
{
	const uint16_t *heat = block->heat + word * 64, *last = block->last_heat + word * 64;
	uint64_t always = 0;

	for (; pages; pages &= pages - 1) {
		size_t page = (size_t)__builtin_ctzll(pages);
		bool touched = heat[page] == blocks->nr_samples &&
			       last[page] == blocks->last_samples;

		always |= (uint64_t)touched << page;
	}
	return always;
}

uint64_t scan_blocks_hold(struct scan_blocks *blocks, bool hold)
{
	size_t i, word;

	hold = hold && blocks->last_samples >= SCAN_HOLD_EVERY;
	/* Nothing to be set, nothing to be taken back: the usual case. */
	if (!hold && !blocks->nr_held)
		return 0;
	blocks->nr_held = 0;
	for (i = 0; i < blocks->nr; i++) {
		struct scan_block *block = blocks->blocks[i];

		for (word = 0; word < scan_block_words(block); word++) {
			struct scan_word *here = &block->words[word];

			here->held = hold ? always_touched(blocks, block, word, here->young) : 0;
			blocks->nr_held += scan_ones(here->held);
		}
	}
	return blocks->nr_held;
}

/* The pages of a word that overlap [start, end). */
static uint64_t word_mask(const struct scan_block *block, size_t word, uint64_t start, uint64_t end)
{
	uint64_t first = block->start + (word * 64ULL << block->page_shift);
	uint64_t size = 1ULL << block->page_shift, low = 0, high = 64;

	if (start > first)
		low = (start - first) >> block->page_shift;
	if (end <= first || low >= 64)
		return 0;
	if (end - first < 64 * size)
		high = (end - first + size - 1) >> block->page_shift;
	if (high <= low)
		return 0;
	return (high == 64 ? ~0ULL : (1ULL << high) - 1) & (~0ULL << low);
}

/* Sizes by what is known, bytes. */
struct totals {
	uint64_t resident;
	uint64_t touched;
	uint64_t unknown;
};

static void add_word(const struct scan_block *block, const struct scan_word *word, uint64_t mask,
		     uint64_t size, struct totals *totals)
{
	uint64_t unknown = unknown_pages(block, word) & mask;

	totals->resident += scan_ones(word->mapped & mask) * size;
	if (unknown)
		totals->unknown += scan_ones(unknown) * size;
	totals->touched += scan_ones(word->young & mask & ~unknown) * size;
}

/* Its only bit needs no counting, which there would be much of: regions are about as many as huge pages. */
static void add_huge(const struct scan_block *block, uint64_t bytes, struct totals *totals)
{
	const struct scan_word *word = &block->words[0];

	if (!word->mapped)
		return;
	totals->resident += bytes;
	if (unknown_pages(block, word))
		totals->unknown += bytes;
	else if (word->young)
		totals->touched += bytes;
}

/* Huge pages may overlap a region in part; what overlaps counts. */
static void add_pages(const struct scan_block *block, uint64_t start, uint64_t end,
		      struct totals *totals)
{
	uint64_t size = 1ULL << block->page_shift;
	size_t word, last;

	if (start < block->start)
		start = block->start;
	if (end > block->end)
		end = block->end;
	if (start >= end)
		return;
	if (block->failed && !block->words[0].mapped)
		totals->unknown += end - start, totals->resident += end - start;
	if (scan_block_pages(block) == 1) {
		add_huge(block, end - start, totals);
		return;
	}
	last = (end - 1 - block->start) / size / 64;
	for (word = (start - block->start) / size / 64; word <= last; word++)
		if (block->words[word].mapped)
			add_word(block, &block->words[word], word_mask(block, word, start, end),
				 size, totals);
}

static uint32_t share(const struct totals *totals, uint32_t unit)
{
	uint64_t known = totals->resident - totals->unknown;

	/* A few old pages don't make a region idle of which most is unknown. */
	if (totals->unknown && !totals->touched && totals->unknown > known)
		return DAMON_ACCESS_UNKNOWN;
	/* Most regions are one or the other, and a division takes as long as all else here. */
	if (!totals->touched || totals->touched == known)
		return totals->touched ? unit : 0;
	/* Rounded up: 0 is kept for "nothing at all". */
	if (totals->touched <= UINT32_MAX)
		return (uint32_t)((totals->touched * unit + known - 1) / known);
	return (uint32_t)(((unsigned __int128)totals->touched * unit + known - 1) / known);
}

void scan_blocks_account(const struct scan_blocks *blocks, const struct damon_addr_range *ranges,
			 size_t nr, uint32_t unit, uint32_t *access)
{
	size_t first = 0, block, i;

	for (i = 0; i < nr; i++) {
		struct totals totals = {};

		while (first < blocks->nr && blocks->blocks[first]->end <= ranges[i].start)
			first++;
		for (block = first;
		     block < blocks->nr && blocks->blocks[block]->start < ranges[i].end; block++)
			add_pages(blocks->blocks[block], ranges[i].start, ranges[i].end, &totals);
		access[i] = share(&totals, unit);
	}
}

/* A run that is being gathered. */
struct run {
	uint64_t start, end, page_size;
	int32_t heat;
};

static int end_run(struct run *run, uint32_t samples, scan_run_callback *callback, void *data)
{
	int ret = 0;

	if (run->end > run->start)
		ret = callback(data, run->start, run->end, run->page_size, run->heat, samples);
	run->start = run->end = 0;
	return ret;
}

static int run_block(const struct scan_block *block, struct run *run, uint32_t samples,
		     scan_run_callback *callback, void *data)
{
	uint64_t size = 1ULL << block->page_shift, start;
	size_t page, nr = scan_block_pages(block);
	int32_t heat;
	int ret;

	for (page = 0; page < nr; page++) {
		if (!(block->last_mapped[page / 64] >> (page % 64) & 1))
			continue;
		start = block->start + page * size;
		heat = block->last_heat[page];
		if (!heat && (block->last_unknown[page / 64] >> (page % 64) & 1))
			heat = -1;
		if (run->end != start || run->heat != heat || run->page_size != size) {
			ret = end_run(run, samples, callback, data);
			if (ret)
				return ret;
			*run = (struct run){start, start, size, heat};
		}
		run->end = start + size;
	}
	return 0;
}

int scan_blocks_runs(const struct scan_blocks *blocks, scan_run_callback *callback, void *data)
{
	struct run run = {};
	size_t i;
	int ret;

	for (i = 0; i < blocks->nr; i++) {
		ret = run_block(blocks->blocks[i], &run, blocks->last_samples, callback, data);
		if (ret)
			return ret;
	}
	return end_run(&run, blocks->last_samples, callback, data);
}

void scan_blocks_touched(const struct scan_blocks *blocks, uint64_t addr, bool last_too,
			 uint64_t *touched)
{
	const struct scan_block *block = scan_blocks_find(blocks, addr);
	size_t page;

	memset(touched, 0, SCAN_WORDS * sizeof(*touched));
	if (!block)
		return;
	if (scan_block_pages(block) == 1) {
		if (block->heat[0] || (last_too && block->last_heat[0]))
			memset(touched, 0xff, SCAN_WORDS * sizeof(*touched));
		return;
	}
	for (page = 0; page < PAGE_TABLE_ENTRIES; page++) {
		if (block->heat[page] || (last_too && block->last_heat[page]))
			touched[page / 64] |= 1ULL << (page % 64);
	}
}
