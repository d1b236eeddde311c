/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where the budget is short, the engines look less often at what stays in use: that is what costs
 * the target something, and what will be found there is known beforehand. "point" does so by regions, "scan" by pages.
 */
#include <stdio.h>

#include "ops/vaddr_internal.h"

/*
 * A region is expected to stay in use when it was, in nearly all of the sampling intervals of the last
 * window, and hasn't changed for so many windows.
 */
#define STEADY_SHARE 0.9
#define STEADY_AGE   3

/* What clearing one page by itself costs the monitor, ns; of one among all others the engine "scan" knows. */
#define CLEAR_NS 1000

/* With so much of a margin to the budget, back to normal. */
#define FITS_AGAIN 0.75

_Static_assert(THRIFT_EVERY == SCAN_HOLD_EVERY, "both engines say the same");

struct region_question {
	struct damon_ctx *ctx;
	struct damon_target *target;
};

static bool stays_in_use(void *data, size_t idx)
{
	const struct region_question *question = data;
	const struct vaddr_target *mine = question->target->ops_priv;
	struct damon_region region;

	damon_get_region(question->ctx, question->target, idx, &region);
	return region.age >= STEADY_AGE && mine->nr_last_window &&
	       region.last_nr_accesses >= STEADY_SHARE * (double)mine->nr_last_window;
}

int vaddr_prepare_points(struct damon_ctx *ctx, struct damon_target *target,
			 const struct damon_batch *batch, struct page_process *process)
{
	struct region_question question = {ctx, target};
	struct vaddr_ctx *priv = ctx->ops_priv;
	struct vaddr_target *mine = target->ops_priv;
	bool may_clear = !priv->pressure.high;

	/* Without memory for it, all of them are looked at. */
	mine->saved = priv->saving && !thrift_pick(&mine->thrift, batch, stays_in_use, &question);
	if (!mine->saved)
		return point_prepare(mine->point, batch->sampling_addrs, batch->nr, may_clear,
				     process);
	priv->nr_held += batch->nr - mine->thrift.nr_due;
	return point_prepare(mine->point, mine->thrift.addrs, mine->thrift.nr_due, may_clear,
			     process);
}

int vaddr_check_points(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_batch *batch, struct page_process *process)
{
	struct vaddr_target *mine = target->ops_priv;
	int ret;

	if (!mine->saved)
		return point_check(mine->point, batch->sampling_addrs, batch->nr, batch->access,
				   process);
	ret = point_check(mine->point, mine->thrift.addrs, mine->thrift.nr_due,
			  mine->thrift.answers, process);
	if (!ret)
		thrift_spread(&mine->thrift, batch);
	return ret;
}

void vaddr_end_thrift(struct vaddr_target *target)
{
	thrift_end_window(&target->thrift);
	target->nr_last_window = target->nr_window;
	target->nr_window = 0;
}

static void set_saving(struct damon_ctx *ctx, struct vaddr_ctx *mine, bool saving)
{
	const char *looked_at = mine->scan ? "pages" : "regions";
	char detail[128];

	mine->saving = saving;
	mine->budget.together = 1;
	if (saving)
		snprintf(detail, sizeof(detail),
			 "%s that stay in use are looked at each %dth time only", looked_at,
			 THRIFT_EVERY);
	else
		snprintf(detail, sizeof(detail), "all %s are looked at each time again", looked_at);
	damon_report_event(ctx, NULL, "budget", detail);
}

/* What a look that was saved would have cost, ns. */
static double look_ns(const struct vaddr_ctx *mine)
{
	const struct toll *toll = vaddr_env_toll(mine->env);

	if (mine->scan)
		return toll->page_ns + scan_engine_prices(mine->scan)->refs_page;
	return toll->page_ns + toll->interrupt_ns + CLEAR_NS;
}

void vaddr_mind_saving(struct damon_ctx *ctx)
{
	struct vaddr_ctx *mine = ctx->ops_priv;
	const struct budget *budget = &mine->budget;
	double intervals = (double)(mine->nr_intervals - mine->judged_intervals), held, saved_bp;
	uint64_t sample_us = ctx->attrs.sample_interval ? ctx->attrs.sample_interval : 1, nr_held;

	if (!budget->share || mine->never_saves || (!mine->point && !mine->scan))
		return;
	nr_held = mine->scan ? scan_engine_stat(mine->scan)->held : mine->nr_held;
	if (!mine->saving) {
		if (budget->floor_us > ctx->attrs.sample_interval)
			set_saving(ctx, mine, true);
	} else if (intervals < THRIFT_EVERY) {
		return;
	} else {
		held = (double)(nr_held - mine->judged_held) / intervals;
		/* Of the intervals of "scan" each fourth one is dear then; those of "point" are alike. */
		mine->budget.together = mine->scan && held > 0 ? SCAN_HOLD_EVERY : 1;
		saved_bp = held * look_ns(mine) / 1000 / (double)sample_us * BUDGET_FULL;
		if (budget_use_bp(budget, sample_us) + saved_bp < FITS_AGAIN * budget->share)
			set_saving(ctx, mine, false);
	}
	mine->judged_intervals = mine->nr_intervals;
	mine->judged_held = nr_held;
}
