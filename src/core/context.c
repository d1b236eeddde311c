// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Contexts: made, freed, told of, and taken through start and stop. */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/sampling.h"

struct damon_port *damon_ctx_port(const struct damon_ctx *ctx)
{
	return ctx->lib->port;
}

int damon_new_ctx(struct damon_ctx **ctx, struct damon_lib *lib)
{
	struct damon_port *port = lib->port;
	struct damon_ctx *new;
	int err;

	new = port->alloc(port, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->lib = lib;
	new->access_unit = 1;
	damon_default_attrs(&new->attrs);
	new->internal = port->alloc(port, sizeof(*new->internal));
	err = new->internal ? damon_kdamond_new(new) : -ENOMEM;
	if (err) {
		port->free(port, new->internal);
		port->free(port, new);
		return err;
	}
	*ctx = new;
	return 0;
}

void damon_destroy_ctx(struct damon_ctx *ctx)
{
	struct damon_port *port;
	uint32_t i;

	if (!ctx)
		return;
	port = damon_ctx_port(ctx);
	damon_kdamond_free(ctx);
	damon_schemes_free(ctx->lib, ctx->schemes, ctx->nr_schemes);
	for (i = 0; i < ctx->nr_targets; i++)
		damon_free_target(ctx->targets[i]);
	port->free(port, ctx->targets);
	damon_training_free(ctx->internal->training);
	port->free(port, ctx->internal);
	port->free(port, ctx);
}

void damon_report_event(struct damon_ctx *ctx, const struct damon_target *target, const char *what,
			const char *detail)
{
	struct damon_port *port = damon_ctx_port(ctx);
	struct damon_event event = {
		.target = target ? (int64_t)target->id : -1,
		.what = what,
		.detail = detail ? detail : "",
	};

	if (!ctx->callbacks.event)
		return;
	event.t_ns = port->now_ns(port);
	/* Operations sets report from inside their loops over the targets. */
	ctx->internal->held++;
	ctx->callbacks.event(ctx, &event, ctx->callbacks.data);
	ctx->internal->held--;
}

/*
 * Room for all regions there may be, so that no pass has to ask later. Layouts with
 * very many ranges may still outgrow it; then passes ask.
 */
int damon_reserve_regions(struct damon_port *port, struct damon_target *target,
			  const struct damon_attrs *attrs)
{
	uint64_t room = attrs->max_nr_regions, most = 65536;

	/* A limit in the millions is a wish; memory is taken as it is needed. */
	if (room > most)
		room = most;
	/* Cutting to size may add as many as the lower limit, rounding in a split a few. */
	room += attrs->min_nr_regions < room ? attrs->min_nr_regions : room;
	room += 16;
	if (room < target->regions->now.nr)
		room = target->regions->now.nr;
	if (target->regions->spare.capacity >= room && target->regions->now.capacity >= room)
		return 0;
	return damon_region_table_reserve(port, target->regions, room);
}

static int start_targets(struct damon_ctx *ctx)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < ctx->nr_targets; i++) {
		if (ctx->ops->init_target)
			err = ctx->ops->init_target(ctx, ctx->targets[i]);
		if (err)
			break;
		err = damon_reserve_regions(damon_ctx_port(ctx), ctx->targets[i], &ctx->attrs);
		if (err) {
			i++; /* its init_target() is to be undone too */
			break;
		}
	}
	if (!err)
		return 0;
	while (i-- > 0)
		if (ctx->ops->cleanup_target)
			ctx->ops->cleanup_target(ctx, ctx->targets[i]);
	return err;
}

/* The access engine is another one than in the run before: what was learned, in its units. */
static void convert_counts(struct damon_ctx *ctx, uint32_t from, uint32_t to)
{
	uint32_t i;
	size_t idx;

	for (i = 0; from != to && i < ctx->nr_targets; i++) {
		struct damon_region_columns *now = &ctx->targets[i]->regions->now;

		for (idx = 0; idx < now->nr; idx++) {
			uint32_t *last = &now->rest[idx].last_nr_accesses;
			uint64_t count = (uint64_t)*last * to;

			/* Rounded up: what was touched stays touched. */
			count = count / from + (count % from != 0);
			*last = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
		}
	}
}

int damon_monitor_start(struct damon_ctx *ctx)
{
	struct damon_ctx_internal *internal = ctx->internal;
	struct damon_port *port = damon_ctx_port(ctx);
	int err;

	if (!ctx->ops)
		return -EINVAL;
	err = damon_check_attrs(&ctx->attrs);
	if (!err)
		err = damon_check_probes(ctx->ops, &ctx->attrs, ctx->probes, ctx->nr_probes);
	if (err)
		return err;
	if (!ctx->seed)
		ctx->seed = port->seed(port);
	if (!ctx->seed)
		ctx->seed = 1; /* 0 stands for "none" */
	/* Started again with the same seed, the numbers go on where they stopped. */
	if (internal->rng_seed != ctx->seed)
		damon_rng_seed(&internal->rng, ctx->seed);
	internal->rng_seed = ctx->seed;
	ctx->access_unit = 1;
	err = ctx->ops->init(ctx);
	if (err) {
		/* What there is from an earlier run can still be read, in its own unit. */
		ctx->access_unit = internal->counted_unit ? internal->counted_unit : 1;
		return err;
	}
	if (!ctx->access_unit)
		ctx->access_unit = 1;
	if (internal->counted_unit)
		convert_counts(ctx, internal->counted_unit, ctx->access_unit);
	internal->counted_unit = ctx->access_unit;
	err = damon_schemes_start(ctx);
	if (!err)
		err = start_targets(ctx);
	if (err) {
		if (ctx->ops->cleanup)
			ctx->ops->cleanup(ctx);
		return err;
	}
	err = damon_training_fit(ctx);
	if (err) {
		damon_monitor_stop(ctx);
		return err;
	}
	internal->passed_sis = 0;
	internal->window_complete = false;
	internal->cpu_start_ns = port->thread_cpu_ns(port);
	damon_drop_half_window(ctx);
	damon_floor_start(ctx);
	damon_rebase(ctx);
	damon_monitor_limit_size(ctx);
	return 0;
}

void damon_monitor_stop(struct damon_ctx *ctx)
{
	uint32_t i;

	damon_floor_stop(ctx);
	for (i = 0; i < ctx->nr_targets; i++)
		if (ctx->ops->cleanup_target)
			ctx->ops->cleanup_target(ctx, ctx->targets[i]);
	if (ctx->ops->cleanup)
		ctx->ops->cleanup(ctx);
}

bool damon_monitor_valid(struct damon_ctx *ctx)
{
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++)
		if (ctx->ops->target_valid(ctx, ctx->targets[i]))
			return true;
	return false;
}

void damon_monitor_update(struct damon_ctx *ctx)
{
	struct damon_ctx_internal *internal = ctx->internal;
	uint64_t every = ctx->attrs.ops_update_interval / damon_sample_us(ctx);

	if (internal->passed_sis < internal->next_update_sis)
		return;
	if (__builtin_add_overflow(internal->passed_sis, every ? every : 1,
				   &internal->next_update_sis))
		internal->next_update_sis = UINT64_MAX;
	if (ctx->ops->update)
		ctx->ops->update(ctx);
}

/* Neighbours become one region that knows nothing. */
static void forget_target(struct damon_target *target)
{
	struct damon_region_columns *now = &target->regions->now;
	size_t from, to = 0;

	for (from = 0; from < now->nr; from++) {
		if (to && now->ranges[to - 1].end == now->ranges[from].start)
			now->ranges[to - 1].end = now->ranges[from].end;
		else
			now->ranges[to++] = now->ranges[from];
	}
	now->nr = to;
	if (to) {
		memset(now->nr_accesses, 0, to * sizeof(*now->nr_accesses));
		memset(now->rest, 0, to * sizeof(*now->rest));
	}
}

int damon_forget(struct damon_ctx *ctx)
{
	uint32_t i;

	if (damon_is_running(ctx))
		return -EBUSY;
	for (i = 0; i < ctx->nr_targets; i++)
		forget_target(ctx->targets[i]);
	damon_training_free(ctx->internal->training);
	ctx->internal->training = NULL;
	ctx->internal->rng_seed = 0;
	ctx->internal->last_nr_regions = 0;
	ctx->internal->split_offset = 0;
	return 0;
}
