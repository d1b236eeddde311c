// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Committing one context's parameters to another: everything that can fail is built first,
 * beside what is in force; then it is swapped in, which can't fail.
 */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/region.h"
#include "core/sampling.h"

/* What the destination will have; owned by the commit until it is swapped in. */
struct plan {
	struct damon_target **targets; /* in the end; the first ones may be the destination's own */
	uint32_t nr_targets;
	struct damos **schemes;
	uint32_t next_id;
	bool running;
};

static bool same_target(const struct damon_target *dst, const struct damon_target *src)
{
	return dst->pid == src->pid;
}

static bool in_plan(const struct plan *plan, const struct damon_target *target)
{
	uint32_t i;

	for (i = 0; i < plan->nr_targets; i++)
		if (plan->targets[i] == target)
			return true;
	return false;
}

/*
 * Which of the destination's targets number @idx of the source stands for: the one of the same
 * index, or a process that only changed its place. NULL where it is a new one.
 */
static struct damon_target *find_own(const struct damon_ctx *dst, const struct damon_ctx *src,
				     uint32_t idx, const struct plan *plan)
{
	const struct damon_target *wanted = src->targets[idx];
	uint32_t i;

	if (idx < dst->nr_targets && same_target(dst->targets[idx], wanted))
		return dst->targets[idx];
	for (i = 0; wanted->pid != -1 && i < dst->nr_targets; i++) {
		if (!same_target(dst->targets[i], wanted) || in_plan(plan, dst->targets[i]))
			continue;
		if (i < src->nr_targets && same_target(dst->targets[i], src->targets[i]))
			continue; /* stays where it is */
		return dst->targets[i];
	}
	return NULL;
}

static bool own_target(const struct damon_ctx *ctx, const struct damon_target *target)
{
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++)
		if (ctx->targets[i] == target)
			return true;
	return false;
}

/* A target of ours in the image of @src. */
static int copy_target(struct damon_ctx *dst, const struct damon_target *src,
		       const struct damon_attrs *attrs, struct plan *plan)
{
	const struct damon_region_columns *now = &src->regions->now;
	struct damon_target *copy;
	int err;

	err = damon_new_target(&copy, dst->lib);
	if (err)
		return err;
	copy->pid = src->pid;
	copy->id = plan->next_id++;
	if (now->nr)
		err = damon_set_regions(copy, now->ranges, now->nr, attrs->min_region_sz);
	if (!err && plan->running && dst->ops->init_target)
		err = dst->ops->init_target(dst, copy);
	if (err) {
		damon_free_target(copy);
		return err;
	}
	plan->targets[plan->nr_targets++] = copy;
	return damon_reserve_regions(damon_ctx_port(dst), copy, attrs);
}

/* The destination's own target, with what @src says of its ranges built beside its regions. */
static int keep_target(struct damon_ctx *dst, struct damon_target *target,
		       const struct damon_target *src, const struct damon_attrs *attrs,
		       struct plan *plan)
{
	const struct damon_region_columns *now = &src->regions->now;
	int err;

	plan->targets[plan->nr_targets++] = target;
	err = damon_reserve_regions(damon_ctx_port(dst), target, attrs);
	if (!err && now->nr)
		err = damon_regions_build(damon_ctx_port(dst), target->regions, now->ranges,
					  now->nr, attrs->min_region_sz);
	return err;
}

static int plan_targets(struct damon_ctx *dst, struct damon_ctx *src, struct plan *plan)
{
	struct damon_port *port = damon_ctx_port(dst);
	struct damon_target *own;
	uint32_t i;
	int err;

	for (i = 0; i < src->nr_targets; i++)
		if (src->targets[i]->obsolete && i >= dst->nr_targets)
			return -EINVAL;
	for (i = 0; i < dst->nr_targets; i++)
		if (dst->targets[i]->id >= plan->next_id)
			plan->next_id = dst->targets[i]->id + 1;
	plan->targets = port->alloc(port, (src->nr_targets + 1) * sizeof(struct damon_target *));
	if (!plan->targets)
		return -ENOMEM;
	for (i = 0; i < src->nr_targets; i++) {
		if (src->targets[i]->obsolete)
			continue;
		own = find_own(dst, src, i, plan);
		if (own)
			err = keep_target(dst, own, src->targets[i], &src->attrs, plan);
		else
			err = copy_target(dst, src->targets[i], &src->attrs, plan);
		if (err)
			return err;
	}
	return 0;
}

static void drop_target(struct damon_ctx *dst, struct damon_target *target, bool running)
{
	if (running && dst->ops->cleanup_target)
		dst->ops->cleanup_target(dst, target);
	damon_free_target(target);
}

static void drop_plan(struct damon_ctx *dst, struct plan *plan)
{
	uint32_t i;

	for (i = 0; i < plan->nr_targets; i++) {
		if (own_target(dst, plan->targets[i]))
			plan->targets[i]->regions->spare.nr = 0;
		else
			drop_target(dst, plan->targets[i], plan->running);
	}
	damon_ctx_port(dst)->free(damon_ctx_port(dst), plan->targets);
}

static void swap_targets(struct damon_ctx *dst, struct plan *plan)
{
	struct damon_target **old = dst->targets;
	uint32_t nr_old = dst->nr_targets, i;

	for (i = 0; i < plan->nr_targets; i++)
		if (plan->targets[i]->regions->spare.nr)
			damon_region_table_swap_ranges(plan->targets[i]->regions);
	for (i = 0; i < nr_old; i++)
		if (!in_plan(plan, old[i]))
			drop_target(dst, old[i], plan->running);
	if (nr_old != plan->nr_targets)
		dst->internal->changed = true;
	dst->targets = plan->targets;
	dst->nr_targets = plan->nr_targets;
	damon_ctx_port(dst)->free(damon_ctx_port(dst), old);
}

static int check_source(const struct damon_ctx *dst, const struct damon_ctx *src, bool running)
{
	int err;

	if (src == dst || src->lib != dst->lib || (running && src->ops && src->ops != dst->ops))
		return -EINVAL;
	err = damon_check_attrs(&src->attrs);
	if (err)
		return err;
	return damon_check_probes(src->ops ? src->ops : dst->ops, &src->attrs, src->probes,
				  src->nr_probes);
}

static bool same_filter(const struct damon_filter *a, const struct damon_filter *b)
{
	if (a->type != b->type || a->matching != b->matching || a->allow != b->allow)
		return false;
	if (!a->memcg_path || !b->memcg_path)
		return a->memcg_path == b->memcg_path;
	return !strcmp(a->memcg_path, b->memcg_path);
}

static bool same_probe(const struct damon_probe *a, const struct damon_probe *b)
{
	uint32_t i;

	if (a->weight != b->weight || a->nr_filters != b->nr_filters)
		return false;
	for (i = 0; i < a->nr_filters; i++)
		if (!same_filter(&a->filters[i], &b->filters[i]))
			return false;
	return true;
}

/* With other probes, what was counted in this window counted something else. */
static void swap_probes(struct damon_ctx *dst, const struct damon_ctx *src)
{
	bool same = dst->nr_probes == src->nr_probes;
	uint32_t i;

	for (i = 0; same && i < src->nr_probes; i++)
		same = same_probe(&dst->probes[i], &src->probes[i]);
	dst->nr_probes = src->nr_probes;
	for (i = 0; i < DAMON_MAX_PROBES; i++)
		dst->probes[i] = src->probes[i];
	if (same)
		return;
	/* With weights, samples weren't made old, or need not have been. */
	dst->internal->changed = true;
	if (dst->internal->window_complete)
		return;
	damon_drop_half_window(dst);
	damon_monitor_start_window(dst);
}

int damon_commit_ctx(struct damon_ctx *dst, struct damon_ctx *src)
{
	struct plan plan = {0};
	int err;

	if (!damon_kdamond_may_change(dst) || dst->internal->held)
		return -EBUSY;
	plan.running = damon_is_running(dst);
	err = check_source(dst, src, plan.running);
	if (err)
		return err;
	err = plan_targets(dst, src, &plan);
	if (!err)
		err = damon_schemes_commit_prepare(dst, src, &plan.schemes);
	if (err) {
		drop_plan(dst, &plan);
		return err;
	}
	/* Nothing below can fail. */
	if (src->ops && !plan.running) {
		dst->ops = src->ops;
		dst->ops_env = src->ops_env;
	}
	dst->pause = src->pause;
	swap_targets(dst, &plan);
	swap_probes(dst, src);
	damon_apply_attrs(dst, &src->attrs);
	damon_schemes_commit_swap(dst, plan.schemes, src->nr_schemes);
	if (plan.running)
		damon_report_event(dst, NULL, "commit", "");
	return 0;
}
