/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A set of pages of an address space, kept by pieces of 512.
 */
#ifndef UDAMON_ACCESS_PAGE_SET_H
#define UDAMON_ACCESS_PAGE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SET_WORDS 8 /* a bit for each page of a piece */
#define PAGE_SET_PIECE (512 * 4096ULL)

/**
 * struct page_set - zero-initialise it
 * @incomplete:	memory ran out: pages are missing
 */
struct page_set {
	bool incomplete;
	/* private: */
	size_t nr;
	size_t capacity;
	struct page_set_piece *pieces;
};

/** page_set_add() - the pages from @start to @end; where memory runs out, @set->incomplete is set */
void page_set_add(struct page_set *set, uint64_t start, uint64_t end);

/** page_set_bits() - which pages of the piece at @addr are in it; writable, NULL for none */
uint64_t *page_set_bits(const struct page_set *set, uint64_t addr);

/** page_set_clear() - empty it, and free its memory */
void page_set_clear(struct page_set *set);

#endif
