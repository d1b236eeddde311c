/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Laying a workload out in an address space, and preparing its patterns for questions.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/sim.h"
#include "ops/sim_build.h"
#include "ops/sim_space.h"

#define FIRST_ADDR 0x7f0000000000ULL
#define NS_PER_MS  1000000ULL
#define NS_PER_S   1000000000ULL
#define ADDR_LIMIT (1ULL << 62)

static uint64_t round_up(uint64_t x, uint64_t to)
{
	return (x + to - 1) / to * to;
}

static int lay_out(struct sim_space *space, struct damon_error *err)
{
	const struct sim_workload *workload = space->workload;
	const struct sim_region *region;
	uint64_t addr = FIRST_ADDR;
	struct sim_area *area;
	size_t i;

	for (i = 0; i < workload->nr_regions; i++) {
		region = &workload->regions[i];
		area = &space->areas[i];
		addr = round_up(addr + region->gap, region->huge ? SIM_HUGE_SIZE : SIM_PAGE_SIZE);
		area->ar.start = addr;
		addr += round_up(region->size, SIM_PAGE_SIZE);
		area->ar.end = addr;
		area->huge_end = region->huge ? region->size & ~(SIM_HUGE_SIZE - 1) : 0;
		area->region = region;
		if (addr > ADDR_LIMIT)
			return damon_error_set(err, -EINVAL,
					       "%s: region '%s' ends beyond the address space",
					       workload->name, region->name);
	}
	return 0;
}

/*
 * The number of hits in a block of B accesses, each of which hits with chance p, is binomial; the
 * block is chosen so that about one is to be expected.
 */
static void prepare_model(struct sim_model *model, uint64_t slots, uint64_t all_slots)
{
	double p = (double)slots / (double)all_slots;
	double size, pmf, cdf, scaled;
	unsigned int i;

	model->slots = slots;
	model->block_shift = 0;
	while (p < 0.5 && ldexp(p, (int)model->block_shift) < 0.7)
		model->block_shift++;
	size = ldexp(1, (int)model->block_shift);
	pmf = p >= 1 ? 0 : exp(size * log1p(-p));
	cdf = pmf;
	for (i = 0; i < SIM_MAX_HITS && (double)i < size; i++) {
		scaled = ldexp(cdf, 64);
		model->cdf[i] = scaled >= 0x1p64 ? UINT64_MAX : (uint64_t)scaled;
		if (p < 1)
			pmf *= (size - i) / (i + 1) * p / (1 - p);
		cdf += pmf;
	}
	model->nr_cdf = i;
}

static void add_model(struct sim_schedule *schedule, struct sim_leaf leaf)
{
	uint64_t slots = sim_leaf_slots(schedule, leaf);
	unsigned int i;

	for (i = 0; i < schedule->nr_models; i++) {
		if (schedule->models[i].slots == slots)
			return;
	}
	if (slots)
		prepare_model(&schedule->models[schedule->nr_models++], slots, schedule->slots);
}

/*
 * All leaves of one size hold stride's share of it, rounded down or up, except the last, which may
 * reach beyond the end.
 */
static void add_models(struct sim_schedule *schedule, const struct sim_area *area, uint64_t mapped)
{
	struct sim_leaf last = sim_leaf_of(area, mapped - 1);
	uint64_t count, huge_end = mapped < area->huge_end ? mapped : area->huge_end;
	struct sim_model *model;
	uint64_t sizes[] = {SIM_PAGE_SIZE, SIM_HUGE_SIZE};
	/* Large pages can break up into small ones. */
	bool present[] = {true, huge_end > 0};
	unsigned int i, j, k;

	for (i = 0; i < 2; i++) {
		count = sizes[i] / schedule->stride;
		for (j = 0; present[i] && j < 2; j++, count++) {
			if (!count || count > schedule->slots ||
			    (j && sizes[i] % schedule->stride == 0))
				continue;
			for (k = 0; k < schedule->nr_models; k++) {
				if (schedule->models[k].slots == count)
					break;
			}
			if (k < schedule->nr_models)
				continue;
			model = &schedule->models[schedule->nr_models++];
			prepare_model(model, count, schedule->slots);
		}
	}
	add_model(schedule, last);
	add_model(schedule, (struct sim_leaf){(mapped - 1) & ~(SIM_PAGE_SIZE - 1), SIM_PAGE_SIZE});
	schedule->uniform = schedule->nr_models == 1 && schedule->stride <= SIM_PAGE_SIZE;
}

static void prepare_schedule(struct sim_space *space, const struct sim_stage *stage,
			     const struct sim_pattern *pattern, struct sim_schedule *schedule)
{
	const struct sim_area *area = &space->areas[pattern->region];
	uint64_t mapped = stage->phase->sizes[pattern->region];

	schedule->area = pattern->region;
	schedule->id = (uint32_t)(schedule - space->schedules);
	schedule->random = pattern->random;
	schedule->weight = pattern->weight;
	schedule->stride = pattern->stride;
	schedule->by_shift = !(pattern->stride & (pattern->stride - 1));
	schedule->shift = (unsigned int)__builtin_ctzll(pattern->stride);
	schedule->slots = (mapped + pattern->stride - 1) / pattern->stride;
	schedule->last = (schedule->slots - 1) * pattern->stride;
	schedule->key = sim_mix(sim_mix(space->seed) + schedule->id + 1);
	if (schedule->random)
		add_models(schedule, area, mapped);
}

static void prepare_stages(struct sim_space *space)
{
	const struct sim_phase *phase;
	struct sim_stage *stage;
	uint64_t start_ns = 0;
	size_t i, j, k, nr = 0;

	for (i = 0; i < space->nr_stages; i++) {
		stage = &space->stages[i];
		phase = &space->workload->phases[i];
		stage->phase = phase;
		stage->start_ns = start_ns;
		stage->end_ns = start_ns + phase->duration_ms * NS_PER_MS;
		start_ns = stage->end_ns;
		stage->first = nr;
		stage->nr = phase->nr_patterns;
		for (j = 0; j < space->nr_areas; j++) {
			for (k = 0; k < phase->nr_patterns; k++) {
				if (phase->patterns[k].region != j)
					continue;
				stage->weight += phase->patterns[k].weight;
				prepare_schedule(space, stage, &phase->patterns[k],
						 &space->schedules[nr++]);
			}
		}
	}
}

static int count_schedules(const struct sim_workload *workload, size_t *nr)
{
	size_t i;

	*nr = 0;
	for (i = 0; i < workload->nr_phases; i++)
		*nr += workload->phases[i].nr_patterns;
	return *nr > UINT32_MAX ? -EINVAL : 0;
}

int sim_space_new(struct sim_space **space, const struct sim_workload *workload, uint64_t seed,
		  uint64_t rate, struct damon_error *err)
{
	struct sim_space *made;
	int ret;

	if (rate > SIM_MAX_RATE)
		return damon_error_set(err, -EINVAL,
				       "rate %llu: at most %llu accesses per second are simulated",
				       (unsigned long long)rate, SIM_MAX_RATE);
	made = calloc(1, sizeof(*made));
	if (!made)
		return damon_error_set(err, -ENOMEM, "%s: not enough memory", workload->name);
	made->workload = workload;
	made->seed = seed;
	made->rate = rate ? rate : SIM_DEFAULT_RATE;
	made->nr_areas = workload->nr_regions;
	made->nr_stages = workload->nr_phases;
	ret = count_schedules(workload, &made->nr_schedules);
	if (ret) {
		damon_error_set(err, ret, "%s: has too many patterns", workload->name);
		goto out;
	}
	made->areas = calloc(made->nr_areas, sizeof(*made->areas));
	made->stages = calloc(made->nr_stages, sizeof(*made->stages));
	made->schedules = calloc(made->nr_schedules, sizeof(*made->schedules));
	if (!made->areas || !made->stages || !made->schedules) {
		ret = damon_error_set(err, -ENOMEM, "%s: not enough memory", workload->name);
		goto out;
	}
	ret = lay_out(made, err);
	if (ret)
		goto out;
	prepare_stages(made);
	*space = made;
	return 0;
out:
	sim_space_free(made);
	return ret;
}

void sim_space_free(struct sim_space *space)
{
	if (!space)
		return;
	free(space->areas);
	free(space->stages);
	free(space->schedules);
	free(space);
}

const struct sim_workload *sim_space_workload(const struct sim_space *space)
{
	return space->workload;
}

uint64_t sim_space_end_ns(const struct sim_space *space)
{
	return space->stages[space->nr_stages - 1].end_ns;
}

const struct sim_area *sim_area_of(const struct sim_space *space, uint64_t addr)
{
	size_t low = 0, high = space->nr_areas, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (addr >= space->areas[mid].ar.end)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == space->nr_areas || addr < space->areas[low].ar.start)
		return NULL;
	return &space->areas[low];
}

const struct sim_stage *sim_stage_of(const struct sim_space *space, uint64_t t_ns)
{
	size_t low = 0, high = space->nr_stages - 1, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (t_ns >= space->stages[mid].end_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return &space->stages[low];
}

uint64_t sim_stage_accesses(const struct sim_space *space, const struct sim_stage *stage,
			    uint64_t t_ns)
{
	if (t_ns <= stage->start_ns)
		return 0;
	if (t_ns > stage->end_ns)
		t_ns = stage->end_ns;
	return (uint64_t)((unsigned __int128)(t_ns - stage->start_ns) * space->rate / NS_PER_S);
}

size_t sim_space_mappings(const struct sim_space *space, uint64_t t_ns,
			  struct sim_mapping *mappings)
{
	const struct sim_stage *stage = sim_stage_of(space, t_ns);
	const struct sim_area *area;
	uint64_t mapped;
	size_t i, nr = 0;

	for (i = 0; i < space->nr_areas; i++) {
		area = &space->areas[i];
		mapped = stage->phase->sizes[i];
		if (!mapped)
			continue;
		mapped = round_up(mapped, sim_leaf_of(area, mapped - 1).size);
		mappings[nr].ar.start = area->ar.start;
		mappings[nr].ar.end = area->ar.start + mapped;
		mappings[nr++].region = area->region;
	}
	return nr;
}
