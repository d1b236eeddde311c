/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * State of the pages of simulated programs: a bit of each kind for each 4 KiB; shared by the sim files only.
 *
 * A *block* is 2 MiB, counted from the start of an area; where it is huge it is one page to the
 * program and to whoever looks at its Accessed bit.
 */
#ifndef UDAMON_OPS_SIM_PAGES_H
#define UDAMON_OPS_SIM_PAGES_H

#include "ops/sim_machine.h"
#include "ops/sim_space.h"

#define SIM_BLOCK_PAGES (SIM_HUGE_SIZE / SIM_PAGE_SIZE)
#define SIM_BLOCK_WORDS (SIM_BLOCK_PAGES / 64)

/*
 * struct sim_pages - the pages of an area
 *
 * Those in none of @in and @gone were never touched, or are not mapped any more. @active, @cold
 * and @far are part of @in.
 */
struct sim_pages {
	struct sim_machine *machine;
	const struct sim_area *area;
	size_t idx;	  /* among the areas of the space */
	uint64_t nr;	  /* pages of the area at its largest */
	uint64_t mapped;  /* of those, the first that are mapped now */
	uint64_t *in;	  /* in memory */
	uint64_t *gone;	  /* was, and has to be read back */
	uint64_t *active; /* reclaim looks at others first */
	uint64_t *cold;	  /* reclaim takes these first */
	uint64_t *far;	  /* on node 1 */
	uint64_t *huge;	  /* by block */
	uint64_t *never;  /* by block: may not be made huge */
	uint64_t *old_ns; /* when each one's Accessed bit was last cleared to look at it again */
	uint64_t nr_in;
	uint64_t nr_active;
	uint64_t nr_far;
	uint64_t nr_huge; /* blocks */
};

/* struct sim_memory - the pages of a space, by area */
struct sim_memory {
	const struct sim_space *space;
	struct sim_pages *areas;
	struct sim_plan run;  /* of the step that runs */
	struct sim_plan look; /* of the last look at Accessed bits, */
	uint64_t look_t0_ns;  /* its beginning, */
	bool looked;	      /* if there was one */
	void *plans;	      /* memory of both */
};

struct sim_machine {
	struct sim_machine_config config;
	size_t nr_memories;
	struct sim_memory *memories;
	uint64_t t_ns;
	uint64_t nr_in[SIM_NR_NODES]; /* pages */
	uint64_t nr_odd; /* blocks that are huge or not, other than the workload says */
	uint64_t peak;
	unsigned __int128 page_ns; /* pages in memory times time */
	uint64_t pressure_ns;
	struct sim_machine_stat sums; /* what is only added to */
	size_t hand_memory;	      /* where reclaim goes on: memory, */
	size_t hand_area;	      /* area, */
	uint64_t hand_word;	      /* and word of bits */
	struct sim_size sizes[SIM_MAX_SIZES];
	size_t nr_sizes;
	uint64_t steps_per_size;
	void *room; /* all bits and plans */
};

static inline bool sim_bit(const uint64_t *bits, uint64_t idx)
{
	return bits[idx / 64] >> (idx % 64) & 1;
}

static inline void sim_bit_set(uint64_t *bits, uint64_t idx)
{
	bits[idx / 64] |= 1ULL << (idx % 64);
}

static inline void sim_bit_clear(uint64_t *bits, uint64_t idx)
{
	bits[idx / 64] &= ~(1ULL << (idx % 64));
}

/* The bits of word @word that stand for pages [@first, @end). */
static inline uint64_t sim_word_mask(uint64_t word, uint64_t first, uint64_t end)
{
	uint64_t mask = UINT64_MAX;

	if (word * 64 >= end || (word + 1) * 64 <= first)
		return 0;
	if (word * 64 < first)
		mask &= UINT64_MAX << (first - word * 64);
	if ((word + 1) * 64 > end)
		mask &= UINT64_MAX >> ((word + 1) * 64 - end);
	return mask;
}

static inline uint64_t sim_nr_bits(uint64_t bits)
{
	return (uint64_t)__builtin_popcountll(bits);
}

/* These pages of word @word come into memory, on node 0; none of them is there. */
void sim_pages_enter(struct sim_pages *pages, uint64_t word, uint64_t bits);

/* They leave it, to be read back when they are touched; all of them are there. A huge block breaks up. */
void sim_pages_leave(struct sim_pages *pages, uint64_t word, uint64_t bits);

/* They stop to exist. */
void sim_pages_forget(struct sim_pages *pages, uint64_t word, uint64_t bits);

/* Of pages in memory. */
void sim_pages_set_active(struct sim_pages *pages, uint64_t word, uint64_t bits, bool active);
void sim_pages_set_far(struct sim_pages *pages, uint64_t word, uint64_t bits, bool far);

void sim_pages_set_huge(struct sim_pages *pages, uint64_t block, bool huge);

/* Pages of the area that the program has mapped while in @stage. */
uint64_t sim_pages_mapped(const struct sim_pages *pages, const struct sim_stage *stage);

/* Whether @page is touched by @tasks; in a huge block, whether any page of it is. */
bool sim_page_touched(const struct sim_pages *pages, const struct sim_task *tasks, uint64_t page);

/*
 * Whether the Accessed bit of @page, which is in memory, is set now: touched since somebody
 * cleared it. With @clear it is cleared.
 */
bool sim_page_accessed(struct sim_memory *memory, struct sim_pages *pages, uint64_t page,
		       bool clear);

/* Give memory back until node 0 holds no more than it can. */
void sim_reclaim(struct sim_machine *machine);

/* &damon_operations.apply_scheme, for a target that watches @memory. */
int sim_apply(struct sim_machine *machine, struct sim_memory *memory,
	      const struct damon_addr_range *ar, const struct damos *scheme, uint64_t *sz_applied,
	      uint64_t *sz_filter_passed);
#define SIM_ACTIONS                                                                                \
	(1U << DAMOS_PAGEOUT | 1U << DAMOS_COLD | 1U << DAMOS_WILLNEED | 1U << DAMOS_HUGEPAGE |    \
	 1U << DAMOS_NOHUGEPAGE | 1U << DAMOS_COLLAPSE | 1U << DAMOS_LRU_PRIO |                    \
	 1U << DAMOS_LRU_DEPRIO | 1U << DAMOS_MIGRATE_HOT | 1U << DAMOS_MIGRATE_COLD)
#define SIM_FILTERS                                                                                \
	(1U << DAMOS_FILTER_ANON | 1U << DAMOS_FILTER_ACTIVE | 1U << DAMOS_FILTER_MEMCG |          \
	 1U << DAMOS_FILTER_YOUNG | 1U << DAMOS_FILTER_HUGEPAGE_SIZE)

/* The pages of @space on the machine, or NULL. */
struct sim_memory *sim_memory_of(struct sim_machine *machine, const struct sim_space *space);

/* Sample as sim_plan_check() did, where blocks are huge or not other than the workload says. */
void sim_memory_check(const struct sim_memory *memory, const struct sim_plan *plan, size_t nr,
		      const uint64_t *addrs, uint32_t *access);

/* Whether memory charged to @memcg is @path's; with @below also that of its children. */
bool sim_same_memcg(const char *memcg, const char *path, bool below);

#endif
