// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Schemes: made, added, due, committed. What one pass of them does is in scheme_pass.c. */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/request.h"
#include "core/scheme.h"

void damos_default_values(struct damos *scheme)
{
	memset(scheme, 0, sizeof(*scheme));
	scheme->pattern.max_sz_region = UINT64_MAX;
	scheme->pattern.max_nr_accesses = UINT32_MAX;
	scheme->pattern.max_age_region = UINT32_MAX;
	scheme->action = DAMOS_STAT;
	scheme->target_nid = -1;
	scheme->quota.reset_interval_ms = 1000;
}

int damon_new_scheme(struct damos **scheme, struct damon_lib *lib)
{
	struct damos *new = lib->port->alloc(lib->port, sizeof(*new));

	if (!new)
		return -ENOMEM;
	damos_default_values(new);
	new->lib = lib;
	*scheme = new;
	return 0;
}

void damon_free_scheme(struct damos *scheme)
{
	if (scheme)
		scheme->lib->port->free(scheme->lib->port, scheme);
}

void damon_schemes_free(struct damon_lib *lib, struct damos **schemes, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		damon_free_scheme(schemes[i]);
	lib->port->free(lib->port, schemes);
}

int damos_add_filter(struct damos *scheme, const struct damos_filter *filter)
{
	int err = damon_check_filter(filter);

	if (err)
		return err;
	if (scheme->nr_filters >= DAMOS_MAX_FILTERS)
		return -ENOSPC;
	scheme->filters[scheme->nr_filters++] = *filter;
	return 0;
}

int damos_add_quota_goal(struct damos *scheme, const struct damos_quota_goal *goal)
{
	struct damos_quota *quota = &scheme->quota;
	int err = damon_check_goal(goal);

	if (err)
		return err;
	if (quota->nr_goals >= DAMOS_MAX_GOALS)
		return -ENOSPC;
	quota->goals[quota->nr_goals++] = *goal;
	return 0;
}

int damon_add_scheme(struct damon_ctx *ctx, struct damos *scheme)
{
	struct damon_port *port = ctx->lib->port;
	struct damos **schemes;
	int err = damon_check_scheme(ctx, ctx->ops, scheme);

	if (err)
		return err;
	schemes = port->alloc(port, (ctx->nr_schemes + 1) * DAMOS_ROOM);
	if (!schemes)
		return -ENOMEM;
	if (ctx->nr_schemes)
		memcpy(schemes, ctx->schemes, ctx->nr_schemes * sizeof(struct damos *));
	schemes[ctx->nr_schemes++] = scheme;
	port->free(port, ctx->schemes);
	ctx->schemes = schemes;
	return 0;
}

/* When. */

/* Sampling intervals between two applications. */
static uint64_t apply_samples(const struct damon_ctx *ctx, const struct damos *scheme)
{
	uint64_t nr;

	if (!scheme->apply_interval_us)
		return damon_nr_samples_per_aggr(&ctx->attrs);
	nr = scheme->apply_interval_us / damon_sample_us(ctx);
	return nr ? nr : 1;
}

void damon_scheme_set_due(struct damon_ctx *ctx, struct damos *scheme)
{
	scheme->next_apply_sis =
		damon_add_u64(ctx->internal->passed_sis, apply_samples(ctx, scheme));
}

void damon_schemes_rebase(struct damon_ctx *ctx)
{
	uint32_t i;

	for (i = 0; i < ctx->nr_schemes; i++)
		damon_scheme_set_due(ctx, ctx->schemes[i]);
}

int damon_schemes_start(struct damon_ctx *ctx)
{
	uint32_t i;
	int err;

	for (i = 0; i < ctx->nr_schemes; i++) {
		err = damon_check_scheme(ctx, ctx->ops, ctx->schemes[i]);
		if (err)
			return err;
	}
	damon_schemes_skip_pressure(ctx);
	return 0;
}

/* Commit. */

static bool same_goal(const struct damos_quota_goal *a, const struct damos_quota_goal *b)
{
	return a->metric == b->metric && a->nid == b->nid;
}

/* What @old has learned and counted, where it is, for what replaces it. */
static void keep_learned(struct damos *new, const struct damos *old)
{
	uint32_t i;

	new->stat = old->stat;
	new->last_pass = old->last_pass;
	new->next_apply_sis = old->next_apply_sis;
	new->wmarks_inactive = old->wmarks_inactive;
	new->quota_state = old->quota_state;
	new->quota.esz = old->quota.esz;
	if (!damon_quota_limits(&old->quota))
		new->quota_state.begun = false;
	for (i = 0; i < new->quota.nr_goals; i++) {
		struct damos_quota_goal *goal = &new->quota.goals[i];

		if (i >= old->quota.nr_goals || !same_goal(goal, &old->quota.goals[i])) {
			new->quota_state.psi_known[i] = false;
			new->quota_state.goal_errors[i] = 0;
		} else if (goal->metric != DAMOS_GOAL_USER_INPUT) {
			goal->current_value = old->quota.goals[i].current_value;
		}
	}
	/* The throughput of another action says nothing of this one's. */
	if (new->action != old->action)
		new->quota_state.timed_sz = new->quota_state.timed_ns = 0;
}

/* A copy of @src that goes on where @old, the scheme of the same index, is; NULL: none. */
static struct damos *committed(struct damon_ctx *dst, const struct damos *src,
			       const struct damos *old)
{
	struct damos *new;

	if (damon_new_scheme(&new, dst->lib))
		return NULL;
	*new = *src;
	new->lib = dst->lib;
	memset(&new->stat, 0, sizeof(new->stat));
	memset(&new->quota_state, 0, sizeof(new->quota_state));
	new->quota.esz = 0;
	new->last_pass = 0;
	new->wmarks_inactive = false;
	if (old)
		keep_learned(new, old);
	return new;
}

int damon_schemes_commit_prepare(struct damon_ctx *dst, const struct damon_ctx *src,
				 struct damos ***schemes)
{
	struct damon_port *port = dst->lib->port;
	struct damos **new;
	uint32_t i;
	int err;

	for (i = 0; i < src->nr_schemes; i++) {
		err = damon_check_scheme(dst, src->ops ? src->ops : dst->ops, src->schemes[i]);
		if (err)
			return err;
	}
	*schemes = NULL;
	if (!src->nr_schemes)
		return 0;
	new = port->alloc(port, src->nr_schemes * DAMOS_ROOM);
	if (!new)
		return -ENOMEM;
	for (i = 0; i < src->nr_schemes; i++) {
		new[i] = committed(dst, src->schemes[i],
				   i < dst->nr_schemes ? dst->schemes[i] : NULL);
		if (!new[i]) {
			damon_schemes_free(dst->lib, new, i);
			return -ENOMEM;
		}
	}
	*schemes = new;
	return 0;
}

void damon_schemes_commit_swap(struct damon_ctx *dst, struct damos **schemes, uint32_t nr)
{
	struct damos **old = dst->schemes;
	uint32_t nr_old = dst->nr_schemes, i;

	for (i = 0; i < nr; i++)
		if (i >= nr_old || old[i]->apply_interval_us != schemes[i]->apply_interval_us)
			damon_scheme_set_due(dst, schemes[i]);
	dst->schemes = schemes;
	dst->nr_schemes = nr;
	damon_schemes_free(dst->lib, old, nr_old);
}
