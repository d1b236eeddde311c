/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the files about schemes on live processes share; nobody else includes it.
 *
 * A region is worked off mapping by mapping, and in a mapping step by step: look which pages are
 * there, ask the filters, act, and look again what that changed.
 */
#ifndef UDAMON_OPS_VADDR_SCHEME_H
#define UDAMON_OPS_VADDR_SCHEME_H

#include "access/clear.h"
#include "access/folio.h"
#include "ops/vaddr_internal.h"

#define PAGE_BYTES  4096ULL
#define PIECE_PAGES PAGE_TABLE_ENTRIES
#define PIECE_WORDS (PIECE_PAGES / 64)
#define PIECE_BYTES (PIECE_PAGES * PAGE_BYTES)
#define STEP_PIECES 64

/**
 * struct vaddr_piece - what one page table maps; a bit for each page
 * @addr:	where it begins
 * @huge:	it is one huge page
 * @mapped:	pages that are there and ordinary memory
 * @young:	their Accessed bits
 * @want:	what is to be acted on: of those the ones in the region that passed the filters
 * @after_known, @after_huge, @after_mapped, @after_young: the same when looked at again
 */
struct vaddr_piece {
	uint64_t addr;
	bool huge;
	uint64_t mapped[PIECE_WORDS];
	uint64_t young[PIECE_WORDS];
	uint64_t want[PIECE_WORDS];
	bool after_known;
	bool after_huge;
	uint64_t after_mapped[PIECE_WORDS];
	uint64_t after_young[PIECE_WORDS];
};

/**
 * struct vaddr_actor - a scheme at work
 * @ctx, @target, @scheme: whose
 * @mine:	the target's own
 * @filtered:	pages are to be tested
 * @inodes:	of the cgroups that filters name
 * @mapping:	the one that is worked on
 * @start, @end: what of it lies in the region
 * @next:	where the next step begins
 * @nr_pieces, @pieces: the present step
 * @list, @old:	ranges to act on; to be made old again by filters
 * @nr_old:	pages of the latter
 * @entries:	of /proc/PID/pagemap, of one piece
 * @scratch:	for folio_extent()
 * @kernel_splits: large folios that are mapped page by page can't be made old as a whole
 * @self_told:	that it doesn't act on itself was reported
 * @missing_told: schemes of which it was reported that a cgroup is gone: bit (index % VADDR_NOTED_SCHEMES)
 */
struct vaddr_actor {
	struct damon_ctx *ctx;
	struct damon_target *target;
	const struct damos *scheme;
	struct vaddr_target *mine;
	bool filtered;
	uint64_t inodes[DAMOS_MAX_FILTERS];
	const struct mapping *mapping;
	uint64_t start;
	uint64_t end;
	uint64_t next;
	size_t nr_pieces;
	struct vaddr_piece pieces[STEP_PIECES];
	struct clear_list *list;
	struct clear_list *old;
	uint64_t nr_old;
	uint64_t entries[PIECE_PAGES];
	uint64_t scratch[FOLIO_MAX_FRAMES];
	bool kernel_splits;
	bool self_told;
	uint64_t missing_told;
};

static inline bool piece_has(const uint64_t *bits, size_t page)
{
	return bits[page / 64] >> (page % 64) & 1;
}

static inline void piece_set(uint64_t *bits, size_t page)
{
	bits[page / 64] |= 1ULL << (page % 64);
}

static inline void piece_unset(uint64_t *bits, size_t page)
{
	bits[page / 64] &= ~(1ULL << (page % 64));
}

static inline uint64_t piece_page(const struct vaddr_piece *piece, size_t page)
{
	return piece->addr + page * PAGE_BYTES;
}

/* Bytes of the pages whose bits are set. */
static inline uint64_t piece_bytes(const uint64_t *bits)
{
	uint64_t nr = 0;
	size_t word;

	for (word = 0; word < PIECE_WORDS; word++)
		nr += (unsigned int)__builtin_popcountll(bits[word]);
	return nr * PAGE_BYTES;
}

/* vaddr_scheme.c */

/* The piece's entries of pagemap, as far as the mapping goes; 0 elsewhere. 0 or -errno. */
int vaddr_read_entries(struct vaddr_actor *actor, const struct vaddr_piece *piece);

/* Look at the step's pieces again: fills in what they have about afterwards. 0 or -errno. */
int vaddr_look_again(struct vaddr_actor *actor);

/* vaddr_filter.c: leave in @want what passes the scheme's filters; 0 or -errno. */
int vaddr_filter_step(struct vaddr_actor *actor);

/* vaddr_action.c: do it; bytes it was really done to are added to *@applied. 0 or -errno. */
int vaddr_act_step(struct vaddr_actor *actor, uint64_t *applied);

/* The one action that is about pages that aren't there: for the whole range at once. */
int vaddr_act_willneed(struct vaddr_actor *actor, uint64_t *applied);

#endif
