/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A set of pages of an address space: a hash table of pieces, open addressing.
 */
#include "access/page_set.h"

#include <stdlib.h>

#define PAGE_BYTES     4096ULL
#define FIRST_CAPACITY 64 /* a power of two, as all are */
#define EMPTY	       UINT64_MAX

struct page_set_piece {
	uint64_t addr;
	uint64_t bits[PAGE_SET_WORDS];
};

/* Where the piece at @addr is, or would be put. */
static struct page_set_piece *find(struct page_set_piece *pieces, size_t capacity, uint64_t addr)
{
	size_t at = (size_t)(addr / PAGE_SET_PIECE * 0x9e3779b97f4a7c15ULL >> 32) & (capacity - 1);

	while (pieces[at].addr != EMPTY && pieces[at].addr != addr)
		at = (at + 1) & (capacity - 1);
	return &pieces[at];
}

static bool grow(struct page_set *set)
{
	size_t capacity = set->capacity ? 2 * set->capacity : FIRST_CAPACITY, i;
	struct page_set_piece *pieces = calloc(capacity, sizeof(*pieces));

	if (!pieces)
		return false;
	for (i = 0; i < capacity; i++)
		pieces[i].addr = EMPTY;
	for (i = 0; i < set->capacity; i++) {
		if (set->pieces[i].addr != EMPTY)
			*find(pieces, capacity, set->pieces[i].addr) = set->pieces[i];
	}
	free(set->pieces);
	set->pieces = pieces;
	set->capacity = capacity;
	return true;
}

/* The piece at @addr, new if need be; NULL when memory ran out. */
static struct page_set_piece *get(struct page_set *set, uint64_t addr)
{
	struct page_set_piece *piece;

	/* Never more than half full, so that searches are short, and end. */
	if (2 * (set->nr + 1) > set->capacity && !grow(set))
		return NULL;
	piece = find(set->pieces, set->capacity, addr);
	set->nr += piece->addr == EMPTY;
	piece->addr = addr;
	return piece;
}

void page_set_add(struct page_set *set, uint64_t start, uint64_t end)
{
	struct page_set_piece *piece = NULL;
	size_t page;

	for (; start < end; start += PAGE_BYTES) {
		uint64_t addr = start & ~(PAGE_SET_PIECE - 1);

		if (!piece || piece->addr != addr)
			piece = get(set, addr);
		if (!piece) {
			set->incomplete = true;
			return;
		}
		page = (start - addr) / PAGE_BYTES;
		piece->bits[page / 64] |= 1ULL << (page % 64);
	}
}

uint64_t *page_set_bits(const struct page_set *set, uint64_t addr)
{
	struct page_set_piece *piece;

	if (!set->nr)
		return NULL;
	piece = find(set->pieces, set->capacity, addr);
	return piece->addr == addr ? piece->bits : NULL;
}

void page_set_clear(struct page_set *set)
{
	free(set->pieces);
	*set = (struct page_set){};
}
