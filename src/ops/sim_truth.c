/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a simulated program really touched, and how near to it a monitor came.
 */
#include <errno.h>
#include <stdlib.h>

#include "ops/sim.h"
#include "ops/sim_space.h"

/* A plan and its memory in one allocation. */
static struct sim_plan *plan_new(const struct sim_space *space, uint64_t t0_ns, uint64_t t1_ns)
{
	struct sim_plan *plan = calloc(1, sizeof(*plan) + sim_plan_size(space));

	if (!plan)
		return NULL;
	sim_plan_init(plan, space, plan + 1);
	sim_plan_set(plan, t0_ns, t1_ns);
	return plan;
}

int sim_truth_runs(const struct sim_space *space, uint64_t t0_ns, uint64_t t1_ns,
		   int (*fn)(const struct damon_addr_range *run, void *data), void *data)
{
	struct sim_plan *plan = plan_new(space, t0_ns, t1_ns);
	struct damon_addr_range run = {0};
	const struct sim_area *area;
	struct sim_leaf leaf;
	uint64_t offset, start;
	size_t i;
	int ret = 0;

	if (!plan)
		return -ENOMEM;
	for (i = 0; i < space->nr_areas; i++) {
		area = &space->areas[i];
		if (!plan->areas[i])
			continue;
		for (offset = 0; offset < area->ar.end - area->ar.start; offset += leaf.size) {
			leaf = sim_leaf_of(area, offset);
			if (!sim_plan_touched(plan->areas[i], leaf))
				continue;
			start = area->ar.start + leaf.offset;
			if (run.end != start) {
				if (run.end)
					ret = fn(&run, data);
				if (ret)
					goto out;
				run.start = start;
			}
			run.end = start + leaf.size;
		}
	}
	if (run.end)
		ret = fn(&run, data);
out:
	free(plan);
	return ret;
}

static int add_run(const struct damon_addr_range *run, void *data)
{
	*(uint64_t *)data += run->end - run->start;
	return 0;
}

int sim_truth_wss(const struct sim_space *space, uint64_t t0_ns, uint64_t t1_ns, uint64_t *bytes)
{
	*bytes = 0;
	return sim_truth_runs(space, t0_ns, t1_ns, add_run, bytes);
}

/* The parts of the sorted @found that count, met while going through addresses upwards. */
struct cursor {
	const struct sim_found *found;
	size_t nr;
	size_t at;
	uint64_t min_accesses;
};

/* Bytes of [@start, @end) that lie in such parts; never asked for lower addresses again. */
static uint64_t overlap(struct cursor *cursor, uint64_t start, uint64_t end)
{
	const struct damon_addr_range *ar;
	uint64_t low, high, bytes = 0;
	size_t i;

	while (cursor->at < cursor->nr && cursor->found[cursor->at].ar.end <= start)
		cursor->at++;
	for (i = cursor->at; i < cursor->nr && cursor->found[i].ar.start < end; i++) {
		if (cursor->found[i].nr_accesses < cursor->min_accesses)
			continue;
		ar = &cursor->found[i].ar;
		low = ar->start > start ? ar->start : start;
		high = ar->end < end ? ar->end : end;
		bytes += high - low;
	}
	return bytes;
}

static uint64_t found_bytes(const struct sim_found *found, size_t nr, uint64_t min_accesses)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < nr; i++) {
		if (found[i].nr_accesses >= min_accesses)
			bytes += found[i].ar.end - found[i].ar.start;
	}
	return bytes;
}

/* Whether the leaf is touched in at least @needed of the @nr plans. */
static bool is_hot(struct sim_plan *const *plans, uint32_t nr, size_t area, struct sim_leaf leaf,
		   uint64_t needed)
{
	uint64_t touched = 0;
	uint32_t i;

	for (i = 0; i < nr && touched < needed && touched + (nr - i) >= needed; i++)
		touched += sim_plan_touched(plans[i]->areas[area], leaf);
	return touched >= needed;
}

static void score_area(struct sim_score *score, const struct sim_space *space, size_t idx,
		       struct sim_plan *const *plans, const struct sim_span *span,
		       struct cursor *touched, struct cursor *hot)
{
	const struct sim_area *area = &space->areas[idx];
	struct sim_plan *whole = plans[span->nr_samples];
	uint64_t offset, start, end;
	struct sim_leaf leaf;

	if (!whole->areas[idx])
		return;
	for (offset = 0; offset < area->ar.end - area->ar.start; offset += leaf.size) {
		leaf = sim_leaf_of(area, offset);
		if (!sim_plan_touched(whole->areas[idx], leaf))
			continue;
		start = area->ar.start + leaf.offset;
		end = start + leaf.size;
		score->true_wss += leaf.size;
		score->both_wss += overlap(touched, start, end);
		if (!is_hot(plans, span->nr_samples, idx, leaf, hot->min_accesses))
			continue;
		score->true_hot += leaf.size;
		score->both_hot += overlap(hot, start, end);
	}
}

int sim_score_add(struct sim_score *score, const struct sim_space *space,
		  const struct sim_span *span, const struct sim_found *found, size_t nr)
{
	uint64_t needed = ((uint64_t)span->hot_bp * span->nr_samples + 9999) / 10000;
	uint64_t length = span->t1_ns - span->t0_ns;
	struct cursor touched = {found, nr, 0, 1};
	struct cursor hot = {found, nr, 0, needed ? needed : 1};
	struct sim_plan **plans;
	uint64_t t0_ns, t1_ns;
	int ret = -ENOMEM;
	uint32_t i;
	size_t j;

	/* One for each sampling interval, and one for the whole window. */
	plans = calloc((size_t)span->nr_samples + 1, sizeof(struct sim_plan *));
	if (!plans)
		return -ENOMEM;
	for (i = 0; i < span->nr_samples; i++) {
		t0_ns = span->t0_ns + length * i / span->nr_samples;
		t1_ns = span->t0_ns + length * (i + 1ULL) / span->nr_samples;
		plans[i] = plan_new(space, t0_ns, t1_ns);
		if (!plans[i])
			goto out;
	}
	plans[i] = plan_new(space, span->t0_ns, span->t1_ns);
	if (!plans[i])
		goto out;
	score->found_wss += found_bytes(found, nr, touched.min_accesses);
	score->found_hot += found_bytes(found, nr, hot.min_accesses);
	for (j = 0; j < space->nr_areas; j++)
		score_area(score, space, j, plans, span, &touched, &hot);
	ret = 0;
out:
	for (i = 0; i <= span->nr_samples; i++)
		free(plans[i]);
	free(plans);
	return ret;
}

double sim_score_wss_error(const struct sim_score *score)
{
	double truth = (double)score->true_wss, found = (double)score->found_wss;

	if (!score->true_wss)
		return score->found_wss ? 1 : 0;
	return (found > truth ? found - truth : truth - found) / truth;
}

double sim_score_precision(const struct sim_score *score)
{
	return score->found_hot ? (double)score->both_hot / (double)score->found_hot : 1;
}

double sim_score_recall(const struct sim_score *score)
{
	return score->true_hot ? (double)score->both_hot / (double)score->true_hot : 1;
}
