/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Whether a leaf is touched in an interval, in constant time.
 *
 * In turn: the n-th access of a pattern goes to slot n modulo the number of slots,
 * so an interval of accesses is a stretch of slots, or two when it starts over.
 *
 * At random: each access hits a leaf with chance p = its slots / all slots. The pattern's accesses are
 * divided into blocks in which a leaf expects about one hit. A number made from
 * (key, leaf, block) alone says how many hits the leaf has in the block, by the binomial
 * distribution, and further numbers which of the block's accesses they are, all
 * different. So each access of the past and the future has its answer
 * whenever and however often it is asked for, with chance 1 - (1 - p)^n for n of them. Of many
 * blocks the first one or two are nearly always enough, since the search ends at a hit.
 */
#include <string.h>

#include "ops/sim.h"
#include "ops/sim_space.h"

/* Odd, without pattern: they keep leaf and block apart before the mixing. */
#define LEAF_FACTOR  0x9e3779b97f4a7c15ULL
#define BLOCK_FACTOR 0xd1342543de82ef95ULL

static inline uint64_t block_number(uint64_t leaf_key, uint64_t block)
{
	return sim_mix(leaf_key + block * BLOCK_FACTOR);
}

/* Whether one of the block's hits is among its accesses [@from, @to). */
static bool part_touched(const struct sim_model *model, uint64_t number, uint64_t from, uint64_t to)
{
	uint64_t mask = (1ULL << model->block_shift) - 1;
	uint64_t hits[SIM_MAX_HITS];
	uint64_t position = number;
	unsigned int i, j;

	for (i = 0; i < model->nr_cdf && number >= model->cdf[i]; i++) {
		do {
			position = sim_mix(position + LEAF_FACTOR);
			hits[i] = position & mask;
			for (j = 0; j < i && hits[j] != hits[i]; j++)
				;
		} while (j < i);
		if (hits[i] >= from && hits[i] < to)
			return true;
	}
	return false;
}

static inline bool random_touched(const struct sim_model *model, uint64_t leaf_key, uint64_t n0,
				  uint64_t n1)
{
	uint64_t size = 1ULL << model->block_shift;
	uint64_t first = n0 >> model->block_shift, from = n0 & (size - 1);
	uint64_t last = (n1 - 1) >> model->block_shift, to = ((n1 - 1) & (size - 1)) + 1;
	uint64_t block, number;

	/* Whole blocks first: they need no more than one number. */
	for (block = first + 1; block < last; block++) {
		if (block_number(leaf_key, block) >= model->cdf[0])
			return true;
	}
	number = block_number(leaf_key, first);
	if (number >= model->cdf[0] && part_touched(model, number, from, first == last ? to : size))
		return true;
	if (first == last)
		return false;
	number = block_number(leaf_key, last);
	return number >= model->cdf[0] && part_touched(model, number, 0, to);
}

static inline bool schedule_touched(const struct sim_task *task, struct sim_leaf leaf)
{
	const struct sim_schedule *schedule = task->schedule;
	const struct sim_model *model = schedule->models;
	uint64_t slots, end = leaf.offset + leaf.size;
	unsigned int i;

	if (!schedule->random) {
		if ((leaf.offset > task->high[0] || end <= task->low[0]) &&
		    (leaf.offset > task->high[1] || end <= task->low[1]))
			return false;
		/*
		 * Inside the stretch; a leaf at least as large as the stride then holds one of its
		 * addresses, a smaller one may lie between two.
		 */
		return schedule->stride <= leaf.size || sim_leaf_slots(schedule, leaf);
	}
	if (leaf.offset > schedule->last)
		return false;
	if (!schedule->uniform) {
		slots = sim_leaf_slots(schedule, leaf);
		for (i = 0; i < schedule->nr_models && schedule->models[i].slots != slots; i++)
			;
		if (i == schedule->nr_models)
			return false;
		model = &schedule->models[i];
	}
	return random_touched(model, schedule->key + leaf.offset * LEAF_FACTOR, task->n0, task->n1);
}

static inline bool tasks_touched(const struct sim_task *task, struct sim_leaf leaf)
{
	for (; task; task = task->next) {
		if (schedule_touched(task, leaf))
			return true;
	}
	return false;
}

/* False when the schedule makes no access in [@n0, @n1). */
static bool task_set(struct sim_task *task, const struct sim_schedule *schedule, uint64_t n0,
		     uint64_t n1)
{
	uint64_t first, nr = n1 - n0;

	if (!nr)
		return false;
	task->schedule = schedule;
	task->next = NULL;
	task->n0 = n0;
	task->n1 = n1;
	if (schedule->random)
		return true;
	task->low[0] = 0;
	task->high[0] = schedule->last;
	task->low[1] = UINT64_MAX;
	task->high[1] = 0;
	if (nr >= schedule->slots)
		return true;
	first = n0 % schedule->slots;
	task->low[0] = first * schedule->stride;
	if (first + nr <= schedule->slots) {
		task->high[0] = (first + nr - 1) * schedule->stride;
	} else {
		task->low[1] = 0;
		task->high[1] = (first + nr - schedule->slots - 1) * schedule->stride;
	}
	return true;
}

size_t sim_plan_size(const struct sim_space *space)
{
	return space->nr_areas * sizeof(struct sim_task *) +
	       space->nr_schedules * (sizeof(struct sim_task) + sizeof(uint64_t));
}

void sim_plan_init(struct sim_plan *plan, const struct sim_space *space, void *memory)
{
	plan->space = space;
	plan->t1_ns = 0;
	plan->tasks = memory;
	plan->areas = (struct sim_task **)(plan->tasks + space->nr_schedules);
	plan->n1 = (uint64_t *)(plan->areas + space->nr_areas);
}

void sim_plan_set(struct sim_plan *plan, uint64_t t0_ns, uint64_t t1_ns)
{
	const struct sim_space *space = plan->space;
	const struct sim_stage *stage = sim_stage_of(space, t0_ns);
	const struct sim_stage *end = space->stages + space->nr_stages;
	/* Where the last interval ended, this one goes on from what was computed for its end. */
	bool goes_on = t0_ns == plan->t1_ns;
	const struct sim_schedule *schedule;
	struct sim_task *task = plan->tasks;
	uint64_t accesses0, accesses1, n0, n1;
	size_t i;

	memset(plan->areas, 0, space->nr_areas * sizeof(*plan->areas));
	for (; stage < end && stage->start_ns < t1_ns; stage++) {
		accesses0 = sim_stage_accesses(space, stage, t0_ns);
		accesses1 = sim_stage_accesses(space, stage, t1_ns);
		for (i = 0; i < stage->nr; i++) {
			schedule = &space->schedules[stage->first + i];
			if (!accesses0)
				n0 = 0;
			else if (goes_on)
				n0 = plan->n1[schedule->id];
			else
				n0 = sim_schedule_accesses(stage, schedule, accesses0);
			n1 = sim_schedule_accesses(stage, schedule, accesses1);
			plan->n1[schedule->id] = n1;
			if (!task_set(task, schedule, n0, n1))
				continue;
			task->next = plan->areas[schedule->area];
			plan->areas[schedule->area] = task++;
		}
	}
	plan->t1_ns = t1_ns;
}

bool sim_plan_touched(const struct sim_task *tasks, struct sim_leaf leaf)
{
	return tasks_touched(tasks, leaf);
}

void sim_tasks_span(const struct sim_task *tasks, uint64_t *low, uint64_t *high)
{
	uint64_t task_low, task_high;

	*low = UINT64_MAX;
	*high = 0;
	for (; tasks; tasks = tasks->next) {
		task_low = 0;
		task_high = tasks->schedule->last;
		if (!tasks->schedule->random) {
			task_low = tasks->low[0] < tasks->low[1] ? tasks->low[0] : tasks->low[1];
			task_high = tasks->high[0] > tasks->high[1] ? tasks->high[0]
								    : tasks->high[1];
		}
		if (task_low < *low)
			*low = task_low;
		if (task_high > *high)
			*high = task_high;
	}
}

void sim_plan_check(const struct sim_plan *plan, size_t nr, const uint64_t *addrs, uint32_t *access)
{
	const struct sim_area *area = plan->space->areas;
	const struct sim_area *end = area + plan->space->nr_areas;
	struct sim_task *const *tasks = plan->areas;
	size_t i;

	for (i = 0; i < nr; i++) {
		/* Addresses are sorted, so the areas are walked through once. */
		for (; area < end && addrs[i] >= area->ar.end; area++)
			tasks++;
		access[i] = area < end && *tasks && addrs[i] >= area->ar.start &&
			    tasks_touched(*tasks, sim_leaf_of(area, addrs[i] - area->ar.start));
	}
}

bool sim_truth_touched(const struct sim_space *space, uint64_t addr, uint64_t t0_ns, uint64_t t1_ns)
{
	const struct sim_area *area = sim_area_of(space, addr);
	const struct sim_stage *stage = sim_stage_of(space, t0_ns);
	const struct sim_stage *end = space->stages + space->nr_stages;
	const struct sim_schedule *schedule;
	uint64_t accesses0, accesses1;
	struct sim_task task;
	struct sim_leaf leaf;
	size_t i;

	if (!area)
		return false;
	leaf = sim_leaf_of(area, addr - area->ar.start);
	for (; stage < end && stage->start_ns < t1_ns; stage++) {
		accesses0 = sim_stage_accesses(space, stage, t0_ns);
		accesses1 = sim_stage_accesses(space, stage, t1_ns);
		for (i = 0; i < stage->nr; i++) {
			schedule = &space->schedules[stage->first + i];
			if (schedule->area == (size_t)(area - space->areas) &&
			    task_set(&task, schedule,
				     sim_schedule_accesses(stage, schedule, accesses0),
				     sim_schedule_accesses(stage, schedule, accesses1)) &&
			    schedule_touched(&task, leaf))
				return true;
		}
	}
	return false;
}
