/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * One walk down a page table, written once for the BPF program and for the tests.
 *
 * Whoever includes this defines before:
 *   WALK_READ(value, address)	fetch the 8 bytes at kernel address @address into
 *				@value; 0 when that worked
 * and has uint64_t and uint32_t.
 */
#ifndef UDAMON_ACCESS_WALK_H
#define UDAMON_ACCESS_WALK_H

#include "access/arch.h"

/* Status of an address: flags in the low byte, log2 of the leaf's size above. */
#define WALK_MAPPED	 1u /* an entry maps a page here */
#define WALK_ACCESSED	 2u /* its Accessed bit is set */
#define WALK_NO_ACCESS	 4u /* mapped, but any access faults: PROT_NONE or a NUMA hint */
#define WALK_FAILED	 8u /* a table couldn't be read */
#define WALK_LEAF_SHIFT	 8
#define WALK_LEAF(shift) ((uint32_t)(shift) << WALK_LEAF_SHIFT)

/*
 * How physical addresses in the tables become kernel addresses: learned by
 * calibration (calibrate.c).
 */
struct walk_space {
	uint64_t direct_map; /* kernel address of physical address 0 */
	uint64_t frame_mask; /* bits of an entry that are a physical address */
	uint32_t levels;     /* 4 or 5 */
	uint32_t reserved;
};

/*
 * The level 2 table of the last address. Neighbours of sorted addresses mostly
 * share it, and then half of the reads are saved. Never kept beyond a batch.
 */
struct walk_cache {
	uint64_t gib; /* address / 1 GiB it belongs to, + 1; 0 for none */
	uint64_t table;
};

static inline uint32_t walk_leaf(uint64_t entry, int level)
{
	uint32_t status = WALK_MAPPED;

	if (!(entry & ARCH_ENTRY_PRESENT)) {
		/*
		 * Neither present nor "no access": at level 1 swapped out or under
		 * migration. Above it the leaf bit alone marks a huge page that is just
		 * being split, which still maps its memory.
		 */
		if (level == 1 && !(entry & ARCH_ENTRY_NO_ACCESS))
			return 0;
		status |= WALK_NO_ACCESS;
	}
	if (entry & ARCH_ENTRY_ACCESSED)
		status |= WALK_ACCESSED;
	return status | WALK_LEAF(ARCH_LEVEL_SHIFT(level));
}

/* Fetch the entry of @addr in a table of @level; keep *@entry when that fails. */
static inline int walk_step(uint64_t table, uint64_t addr, int level, uint64_t *entry)
{
	int shift = ARCH_LEVEL_SHIFT(level);
	uint64_t value;

	if (WALK_READ(value, table + ((addr >> shift) & ARCH_TABLE_MASK) * 8))
		return -1;
	*entry = value;
	return 0;
}

static inline uint64_t walk_next(const struct walk_space *space, uint64_t entry)
{
	return space->direct_map + (entry & space->frame_mask);
}

/*
 * Walk from the top to the level 2 table of @addr. 0: *@table is it; else the
 * walk ended above it with this status, WALK_HOLE for nothing there: then *@table is
 * log2 of the size of the aligned hole around @addr.
 */
#define WALK_HOLE (~0u)

static inline uint32_t walk_top(const struct walk_space *space, uint64_t top, uint64_t addr,
				uint64_t *table, uint64_t *entry)
{
	uint64_t here = top;

	if (space->levels == 5) {
		if (walk_step(here, addr, 5, entry))
			return WALK_FAILED;
		*table = ARCH_LEVEL_SHIFT(5);
		if (!(*entry & ARCH_ENTRY_PRESENT))
			return WALK_HOLE;
		here = walk_next(space, *entry);
	}
	if (walk_step(here, addr, 4, entry))
		return WALK_FAILED;
	*table = ARCH_LEVEL_SHIFT(4);
	if (!(*entry & ARCH_ENTRY_PRESENT))
		return WALK_HOLE;
	if (walk_step(walk_next(space, *entry), addr, 3, entry))
		return WALK_FAILED;
	if (ARCH_LEAF_LEVEL_3 && (*entry & ARCH_ENTRY_LEAF))
		return walk_leaf(*entry, 3);
	*table = ARCH_LEVEL_SHIFT(3);
	if (!(*entry & ARCH_ENTRY_PRESENT))
		return WALK_HOLE;
	*table = walk_next(space, *entry);
	return 0;
}

/*
 * walk() - status of user address @addr in the page table with top level @top
 *
 * *@entry becomes the last entry that could be read. No lock is taken: a table that is
 * freed meanwhile may give one wrong answer.
 */
static inline uint32_t walk(const struct walk_space *space, uint64_t top, uint64_t addr,
			    struct walk_cache *cache, uint64_t *entry)
{
	uint64_t gib = (addr >> 30) + 1;
	uint32_t status;

	if (cache->gib != gib) {
		cache->gib = 0;
		status = walk_top(space, top, addr, &cache->table, entry);
		if (status == WALK_HOLE)
			return 0;
		if (status)
			return status;
		cache->gib = gib;
	}
	if (walk_step(cache->table, addr, 2, entry))
		return WALK_FAILED;
	if (ARCH_LEAF_LEVEL_2 && (*entry & ARCH_ENTRY_LEAF))
		return walk_leaf(*entry, 2);
	if (!(*entry & ARCH_ENTRY_PRESENT))
		return 0;
	if (walk_step(walk_next(space, *entry), addr, 1, entry))
		return WALK_FAILED;
	return walk_leaf(*entry, 1);
}

/* walk_frame() - number of the 4 KiB frame that @addr lies in, from the leaf's entry and status */
static inline uint64_t walk_frame(const struct walk_space *space, uint64_t entry, uint32_t status,
				  uint64_t addr)
{
	uint64_t inside = (1ULL << (status >> WALK_LEAF_SHIFT)) - 1;

	/* Entries that aren't present hold the frame inverted (a defence against L1TF). */
	if (!(entry & ARCH_ENTRY_PRESENT))
		entry = ~entry;
	return ((entry & space->frame_mask & ~inside) | (addr & inside)) >> ARCH_PAGE_SHIFT;
}

#endif
