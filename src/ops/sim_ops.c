/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The operations set "sim": a context watches simulated programs as it would watch real ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ops/sim.h"
#include "ops/sim_pages.h"
#include "ops/sim_space.h"

/* Unmapped stretches at least this large are not monitored. */
#define CUT_GAP (16ULL << 20)

/* struct sim_watch - a context's own */
struct sim_watch {
	uint64_t clears;
};

/* struct sim_watched - a target's own */
struct sim_watched {
	const struct sim_space *space;
	struct sim_memory *memory; /* NULL without a machine */
	uint64_t prepared_ns;	   /* time of the space when the samples were made old */
	struct sim_plan plan;
	struct sim_mapping *mappings;
	size_t nr_ranges;
	struct damon_addr_range *ranges; /* as given to the core last */
	struct damon_addr_range *fresh;
	max_align_t plan_room[]; /* of the plan */
};

uint64_t sim_env_time(const struct sim_env *env, uint64_t port_ns)
{
	return port_ns > env->start_ns ? port_ns - env->start_ns : 0;
}

const struct sim_space *sim_target_space(const struct damon_ctx *ctx,
					 const struct damon_target *target)
{
	const struct sim_env *env = ctx->ops_env;
	uint64_t idx = target->pid < 0 ? target->id : (uint64_t)target->pid;

	return idx < env->nr_spaces ? env->spaces[idx] : NULL;
}

static uint64_t time_now(const struct damon_ctx *ctx)
{
	struct damon_port *port = damon_lib_port(ctx->lib);

	return sim_env_time(ctx->ops_env, port->now_ns(port));
}

static int sim_init(struct damon_ctx *ctx)
{
	struct damon_port *port = damon_lib_port(ctx->lib);

	/* Simulated addresses need no scale. */
	if (!ctx->ops_env || ctx->attrs.addr_unit != 1)
		return -EINVAL;
	ctx->ops_priv = port->alloc(port, sizeof(struct sim_watch));
	if (!ctx->ops_priv)
		return -ENOMEM;
	ctx->access_unit = 1;
	return 0;
}

static void sim_cleanup(struct damon_ctx *ctx)
{
	struct damon_port *port = damon_lib_port(ctx->lib);

	port->free(port, ctx->ops_priv);
	ctx->ops_priv = NULL;
}

/*
 * What is mapped now, small gaps included, as ranges for the core. Those must not overlap after
 * being aligned to the smallest region either.
 */
static size_t read_ranges(struct sim_watched *watched, uint64_t t_ns, uint64_t min_region_sz,
			  struct damon_addr_range *ranges)
{
	size_t i, nr_mappings = sim_space_mappings(watched->space, t_ns, watched->mappings);
	uint64_t cut = CUT_GAP > 2 * min_region_sz ? CUT_GAP : 2 * min_region_sz;
	const struct damon_addr_range *ar;
	size_t nr = 0;

	for (i = 0; i < nr_mappings; i++) {
		ar = &watched->mappings[i].ar;
		if (nr && ar->start - ranges[nr - 1].end < cut)
			ranges[nr - 1].end = ar->end;
		else
			ranges[nr++] = *ar;
	}
	return nr;
}

/* Tell the core the layout; whether it differs from the last one is in *@changed. */
static int set_layout(struct damon_ctx *ctx, struct damon_target *target, bool *changed)
{
	struct sim_watched *watched = target->ops_priv;
	struct damon_addr_range *ranges = watched->fresh;
	size_t nr = read_ranges(watched, time_now(ctx), ctx->attrs.min_region_sz, ranges);
	int err;

	err = damon_set_regions(target, ranges, nr, ctx->attrs.min_region_sz);
	if (err)
		return err;
	*changed = nr != watched->nr_ranges ||
		   memcmp(ranges, watched->ranges, nr * sizeof(*ranges));
	watched->fresh = watched->ranges;
	watched->ranges = ranges;
	watched->nr_ranges = nr;
	return 0;
}

static void sim_cleanup_target(struct damon_ctx *ctx, struct damon_target *target)
{
	struct damon_port *port = damon_lib_port(ctx->lib);
	struct sim_watched *watched = target->ops_priv;

	if (!watched)
		return;
	port->free(port, watched->mappings);
	port->free(port, watched->ranges);
	port->free(port, watched->fresh);
	port->free(port, watched);
	target->ops_priv = NULL;
}

static int sim_init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	const struct sim_space *space = sim_target_space(ctx, target);
	struct damon_port *port = damon_lib_port(ctx->lib);
	const struct sim_env *env = ctx->ops_env;
	struct sim_watched *watched;
	int err = -ENOMEM;
	bool changed;

	if (!space)
		return -EINVAL;
	watched = port->alloc(port, sizeof(*watched) + sim_plan_size(space));
	if (!watched)
		return -ENOMEM;
	target->ops_priv = watched;
	watched->space = space;
	if (env->machine)
		watched->memory = sim_memory_of(env->machine, space);
	watched->mappings = port->alloc(port, space->nr_areas * sizeof(struct sim_mapping));
	watched->ranges = port->alloc(port, space->nr_areas * sizeof(struct damon_addr_range));
	watched->fresh = port->alloc(port, space->nr_areas * sizeof(struct damon_addr_range));
	if (!watched->mappings || !watched->ranges || !watched->fresh)
		goto fail;
	sim_plan_init(&watched->plan, space, watched->plan_room);
	err = damon_nr_regions(target) ? 0 : set_layout(ctx, target, &changed);
	if (err)
		goto fail;
	return 0;
fail:
	sim_cleanup_target(ctx, target);
	return err;
}

static void sim_update(struct damon_ctx *ctx)
{
	bool changed;
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++) {
		if (set_layout(ctx, ctx->targets[i], &changed))
			damon_report_event(ctx, ctx->targets[i], "layout",
					   "not enough memory to take in the new layout");
		else if (changed)
			damon_report_event(ctx, ctx->targets[i], "layout", "");
	}
}

static int sim_prepare(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_batch *batch)
{
	struct sim_watched *watched = target->ops_priv;
	struct sim_watch *watch = ctx->ops_priv;

	watched->prepared_ns = time_now(ctx);
	/* At worst every sample's bit was set, and clearing it cost the program a page walk. */
	watch->clears += batch->nr;
	return 0;
}

static int sim_check(struct damon_ctx *ctx, struct damon_target *target,
		     const struct damon_batch *batch)
{
	struct sim_watched *watched = target->ops_priv;

	sim_plan_set(&watched->plan, watched->prepared_ns, time_now(ctx));
	sim_plan_check(&watched->plan, batch->nr, batch->sampling_addrs, batch->access);
	if (watched->memory && watched->memory->areas->machine->nr_odd)
		sim_memory_check(watched->memory, &watched->plan, batch->nr, batch->sampling_addrs,
				 batch->access);
	return 0;
}

static bool filter_matches(const struct damon_filter *filter, const struct sim_area *area,
			   uint64_t offset)
{
	const char *memcg = area->region->memcg;
	bool is = false;

	switch (filter->type) {
	case DAMON_FILTER_ANON:
		is = offset >= area->region->file_bytes;
		break;
	case DAMON_FILTER_MEMCG:
		is = sim_same_memcg(memcg ? memcg : "/",
				    filter->memcg_path ? filter->memcg_path : "/", false);
		break;
	}
	return is == filter->matching;
}

static bool passes(const struct damon_probe *probe, const struct sim_area *area, uint64_t offset)
{
	uint32_t i;

	for (i = 0; i < probe->nr_filters; i++) {
		if (filter_matches(&probe->filters[i], area, offset))
			return probe->filters[i].allow;
	}
	return !probe->nr_filters || !probe->filters[probe->nr_filters - 1].allow;
}

static int sim_check_probe(struct damon_ctx *ctx, struct damon_target *target,
			   const struct damon_probe *probe, const struct damon_batch *batch,
			   uint8_t *hit)
{
	const struct sim_watched *watched = target->ops_priv;
	const struct sim_area *area;
	size_t i;

	for (i = 0; i < batch->nr; i++) {
		area = sim_area_of(watched->space, batch->sampling_addrs[i]);
		hit[i] = area && passes(probe, area, batch->sampling_addrs[i] - area->ar.start);
	}
	return 0;
}

static bool sim_target_valid(struct damon_ctx *ctx, struct damon_target *target)
{
	const struct sim_watched *watched = target->ops_priv;

	return time_now(ctx) < sim_space_end_ns(watched->space);
}

static void sim_cost(struct damon_ctx *ctx, struct damon_cost *cost)
{
	const struct sim_watch *watch = ctx->ops_priv;

	cost->clears += watch->clears;
}

static int sim_apply_scheme(struct damon_ctx *ctx, struct damon_target *target,
			    const struct damon_addr_range *ar, const struct damos *scheme,
			    uint64_t *sz_applied, uint64_t *sz_filter_passed)
{
	const struct sim_watched *watched = target->ops_priv;
	const struct sim_env *env = ctx->ops_env;

	if (!watched->memory)
		return -ENODEV;
	sim_machine_run(env->machine, time_now(ctx));
	return sim_apply(env->machine, watched->memory, ar, scheme, sz_applied, sz_filter_passed);
}

#define SIM_OPERATIONS                                                                             \
	.id = DAMON_OPS_SIM, .name = "sim", .init = sim_init, .init_target = sim_init_target,      \
	.update = sim_update, .prepare_access_checks = sim_prepare, .check_accesses = sim_check,   \
	.check_probe = sim_check_probe, .target_valid = sim_target_valid,                          \
	.cleanup_target = sim_cleanup_target, .cleanup = sim_cleanup, .cost = sim_cost

static const struct damon_operations sim_operations = {SIM_OPERATIONS};

/* The same where there are pages to act on. */
static const struct damon_operations sim_machine_operations = {
	SIM_OPERATIONS,
	.actions = SIM_ACTIONS,
	.filters = SIM_FILTERS,
	.apply_scheme = sim_apply_scheme,
};

int sim_register_ops(struct damon_lib *lib, struct sim_env *env)
{
	return damon_register_ops(lib, env->machine ? &sim_machine_operations : &sim_operations,
				  env);
}

int sim_score_target(struct sim_score *score, const struct damon_ctx *ctx,
		     const struct damon_target *target, const struct damon_window *window,
		     uint32_t hot_bp)
{
	const struct sim_space *space = sim_target_space(ctx, target);
	size_t i, nr = damon_nr_regions(target);
	struct sim_span span = {
		.t0_ns = sim_env_time(ctx->ops_env, window->t_start_ns),
		.t1_ns = sim_env_time(ctx->ops_env, window->t_end_ns),
		.nr_samples = window->nr_samples ? window->nr_samples : 1,
		.hot_bp = hot_bp,
	};
	struct damon_region region;
	struct sim_found *found;
	int err;

	if (!space)
		return -EINVAL;
	found = calloc(nr ? nr : 1, sizeof(*found));
	if (!found)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		damon_get_region(ctx, target, i, &region);
		found[i].ar = region.ar;
		found[i].nr_accesses = region.nr_accesses;
	}
	err = sim_score_add(score, space, &span, found, nr);
	free(found);
	return err;
}
