/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How a simulated program is kept: areas, leaves, schedules of patterns; shared by the sim files only.
 *
 * Time within a phase is counted in *accesses*: the space makes rate accesses a second and a
 * pattern makes its share (weight / sum of weights) of them, evenly spread, so that
 * pattern_accesses(t) is known for each t, and an interval of time is an interval
 * [n0, n1) of the pattern's own accesses. Intervals that touch share a bound, so
 * what is true in one or the other is exactly what is true in both together.
 *
 * A *leaf* is what one Accessed bit stands for: a 4 KiB page, or a 2 MiB one.
 */
#ifndef UDAMON_OPS_SIM_SPACE_H
#define UDAMON_OPS_SIM_SPACE_H

#include "ops/sim.h"

/* Hits that a block can hold; more have a chance below 1e-9 each block. */
#define SIM_MAX_HITS 16

/* The sizes of leaf a pattern meets, and how many of its addresses a leaf of that size holds. */
#define SIM_MAX_MODELS 6

/* struct sim_model - when a leaf that holds @slots of a random pattern's addresses is touched */
struct sim_model {
	uint64_t slots;
	unsigned int block_shift; /* a block is 1 << this many accesses of the pattern */
	unsigned int nr_cdf;
	uint64_t cdf[SIM_MAX_HITS]; /* P(at most i hits in a block) * 2^64 */
};

/* struct sim_schedule - a pattern in its phase, prepared for questions */
struct sim_schedule {
	uint32_t area;
	uint32_t id; /* among all schedules of the space */
	bool random;
	bool uniform; /* each leaf up to that of @last holds as many slots: models[0] */
	uint64_t weight;
	uint64_t stride;
	bool by_shift; /* stride is 1 << shift, so that nothing need be divided by it */
	unsigned int shift;
	uint64_t slots; /* addresses it can touch: 0, stride, 2 * stride, ... */
	uint64_t last;	/* the last of them */
	uint64_t key;	/* of its random numbers */
	unsigned int nr_models;
	struct sim_model models[SIM_MAX_MODELS];
};

/* struct sim_stage - a phase: when, and its schedules in order of areas */
struct sim_stage {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t weight; /* of all its patterns */
	const struct sim_phase *phase;
	size_t first;
	size_t nr;
};

/* struct sim_area - where a region of the workload lies */
struct sim_area {
	struct damon_addr_range ar; /* at its largest */
	uint64_t huge_end;	    /* offset up to which it is made of 2 MiB leaves */
	const struct sim_region *region;
};

struct sim_space {
	const struct sim_workload *workload;
	uint64_t seed;
	uint64_t rate;
	size_t nr_areas;
	struct sim_area *areas;
	size_t nr_stages;
	struct sim_stage *stages;
	size_t nr_schedules;
	struct sim_schedule *schedules;
};

/* struct sim_leaf - [@offset, @offset + @size) of an area */
struct sim_leaf {
	uint64_t offset;
	uint64_t size;
};

static inline struct sim_leaf sim_leaf_of(const struct sim_area *area, uint64_t offset)
{
	uint64_t size = offset < area->huge_end ? SIM_HUGE_SIZE : SIM_PAGE_SIZE;

	return (struct sim_leaf){offset & ~(size - 1), size};
}

/* The area that holds @addr, or NULL. */
const struct sim_area *sim_area_of(const struct sim_space *space, uint64_t addr);

/* The stage of @t_ns (its end belongs to the next); the last one when the program has ended. */
const struct sim_stage *sim_stage_of(const struct sim_space *space, uint64_t t_ns);

/* Accesses of all patterns of a stage up to @t_ns, which is cut to the stage's time. */
uint64_t sim_stage_accesses(const struct sim_space *space, const struct sim_stage *stage,
			    uint64_t t_ns);

/* The share of @schedule in the first @accesses of its stage. */
static inline uint64_t sim_schedule_accesses(const struct sim_stage *stage,
					     const struct sim_schedule *schedule, uint64_t accesses)
{
	unsigned __int128 product = (unsigned __int128)accesses * schedule->weight;

	if (stage->nr == 1)
		return accesses;
	if (product >> 64)
		return (uint64_t)(product / stage->weight);
	return (uint64_t)product / stage->weight;
}

/* Slots of @schedule below @offset. */
static inline uint64_t sim_slots_below(const struct sim_schedule *schedule, uint64_t offset)
{
	uint64_t end = offset + schedule->stride - 1;

	return schedule->by_shift ? end >> schedule->shift : end / schedule->stride;
}

/* Slots of @schedule in a leaf. */
static inline uint64_t sim_leaf_slots(const struct sim_schedule *schedule, struct sim_leaf leaf)
{
	uint64_t first = sim_slots_below(schedule, leaf.offset);
	uint64_t end = sim_slots_below(schedule, leaf.offset + leaf.size);

	if (end > schedule->slots)
		end = schedule->slots;
	return end > first ? end - first : 0;
}

/* A well mixed function of all bits of @x. */
static inline uint64_t sim_mix(uint64_t x)
{
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93ULL;
	return x ^ (x >> 32);
}

/*
 * struct sim_task - what one schedule does in an interval
 *
 * In turn (not random): its addresses lie, leaf by leaf, in one or two stretches of offsets; the
 * second when it starts over, else that one is empty.
 */
struct sim_task {
	const struct sim_schedule *schedule;
	struct sim_task *next; /* of the same area */
	uint64_t n0;
	uint64_t n1;
	uint64_t low[2];  /* offset of a stretch's first address */
	uint64_t high[2]; /* of its last one */
};

/*
 * struct sim_plan - what a space does in an interval, by area
 *
 * Made once, then set to one interval after the other without allocation.
 */
struct sim_plan {
	const struct sim_space *space;
	uint64_t t1_ns;
	struct sim_task **areas; /* first task of each, or NULL */
	struct sim_task *tasks;	 /* as many as the space has schedules */
	uint64_t *n1;		 /* of each schedule, at t1_ns, if that is in its stage */
};

/* Bytes of memory that sim_plan_init() wants for a plan. */
size_t sim_plan_size(const struct sim_space *space);

/* @memory: zeroed, aligned for any type */
void sim_plan_init(struct sim_plan *plan, const struct sim_space *space, void *memory);
void sim_plan_set(struct sim_plan *plan, uint64_t t0_ns, uint64_t t1_ns);

/* Whether a leaf of the area with these tasks is touched in the plan's interval. */
bool sim_plan_touched(const struct sim_task *tasks, struct sim_leaf leaf);

/* The offsets [*@low, *@high] beyond which @tasks, one at least, touch nothing. */
void sim_tasks_span(const struct sim_task *tasks, uint64_t *low, uint64_t *high);

/* 1 in @access[i] where the page at @addrs[i] is touched in the plan's interval, else 0. */
void sim_plan_check(const struct sim_plan *plan, size_t nr, const uint64_t *addrs,
		    uint32_t *access);

#endif
