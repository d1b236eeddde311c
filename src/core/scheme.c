// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Schemes: what is done about regions of a pattern, when, and what came of it. */
#include <errno.h>
#include <string.h>

#include "core/request.h"

int damon_new_scheme(struct damos **scheme, struct damon_lib *lib)
{
	struct damos *new = lib->port->alloc(lib->port, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->pattern.max_sz_region = UINT64_MAX;
	new->pattern.max_nr_accesses = UINT32_MAX;
	new->pattern.max_age_region = UINT32_MAX;
	new->action = DAMOS_STAT;
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

static int check_scheme(const struct damos *scheme)
{
	const struct damos_access_pattern *pattern = &scheme->pattern;

	if ((unsigned int)scheme->action >= DAMOS_NR_ACTIONS ||
	    pattern->min_sz_region > pattern->max_sz_region ||
	    pattern->min_nr_accesses > pattern->max_nr_accesses ||
	    pattern->min_age_region > pattern->max_age_region)
		return -EINVAL;
	return 0;
}

int damon_add_scheme(struct damon_ctx *ctx, struct damos *scheme)
{
	struct damon_port *port = ctx->lib->port;
	struct damos **schemes;
	int err = check_scheme(scheme);

	if (err)
		return err;
	schemes = port->alloc(port, (ctx->nr_schemes + 1) * sizeof(struct damos *));
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
	uint64_t sample_us = ctx->attrs.sample_interval ? ctx->attrs.sample_interval : 1;
	uint64_t nr;

	if (!scheme->apply_interval_us)
		return damon_nr_samples_per_aggr(&ctx->attrs);
	nr = scheme->apply_interval_us / sample_us;
	return nr ? nr : 1;
}

static void set_due(struct damon_ctx *ctx, struct damos *scheme)
{
	scheme->next_apply_sis = ctx->internal->passed_sis + apply_samples(ctx, scheme);
}

void damon_schemes_rebase(struct damon_ctx *ctx)
{
	uint32_t i;

	for (i = 0; i < ctx->nr_schemes; i++)
		set_due(ctx, ctx->schemes[i]);
}

void damon_schemes_start(struct damon_ctx *ctx)
{
	damon_schemes_rebase(ctx);
}

/* What. */

static bool matches(const struct damon_ctx *ctx, const struct damos *scheme,
		    const struct damon_region *region)
{
	const struct damos_access_pattern *pattern = &scheme->pattern;
	uint64_t sz = region->ar.end - region->ar.start;
	uint32_t nr_accesses = damon_moving_sum(ctx, region);

	return sz >= pattern->min_sz_region && sz <= pattern->max_sz_region &&
	       nr_accesses >= pattern->min_nr_accesses && nr_accesses <= pattern->max_nr_accesses &&
	       region->age >= pattern->min_age_region && region->age <= pattern->max_age_region;
}

static void apply_to_region(struct damon_ctx *ctx, struct damos *scheme,
			    struct damon_target *target, const struct damon_region *region)
{
	uint64_t sz = region->ar.end - region->ar.start;

	scheme->stat.nr_tried++;
	scheme->stat.sz_tried += sz;
	scheme->stat.nr_applied++;
	scheme->stat.sz_applied += sz;
	damon_walks_region(ctx->internal->kdamond, target, region, scheme, sz);
}

static void apply_to_target(struct damon_ctx *ctx, struct damos *scheme,
			    struct damon_target *target)
{
	struct damon_region region;
	size_t i;

	for (i = 0; i < damon_nr_regions(target); i++) {
		damon_get_region(ctx, target, i, &region);
		if (matches(ctx, scheme, &region))
			apply_to_region(ctx, scheme, target, &region);
	}
	scheme->stat.nr_snapshots++;
}

void damon_schemes_apply(struct damon_ctx *ctx)
{
	struct damon_kdamond *kdamond = ctx->internal->kdamond;
	bool begun = false;
	uint32_t i, t;

	if (!ctx->nr_schemes) {
		damon_requests_cancel_walks(kdamond);
		return;
	}
	for (i = 0; i < ctx->nr_schemes; i++) {
		struct damos *scheme = ctx->schemes[i];

		if (ctx->internal->passed_sis < scheme->next_apply_sis)
			continue;
		if (!begun)
			damon_walks_begin(kdamond);
		begun = true;
		ctx->internal->held++;
		for (t = 0; t < ctx->nr_targets; t++)
			apply_to_target(ctx, scheme, ctx->targets[t]);
		ctx->internal->held--;
		damon_walks_scheme_done(kdamond, scheme);
		set_due(ctx, scheme);
	}
	if (begun)
		damon_walks_end(kdamond);
}

/* Commit. */

/* A copy of @src that goes on where @old, the scheme of the same index, is; NULL: none. */
static struct damos *committed(struct damon_ctx *dst, const struct damos *src,
			       const struct damos *old)
{
	struct damos *new;

	if (damon_new_scheme(&new, dst->lib))
		return NULL;
	new->pattern = src->pattern;
	new->action = src->action;
	new->apply_interval_us = src->apply_interval_us;
	if (old) {
		new->stat = old->stat;
		new->last_pass = old->last_pass;
		new->next_apply_sis = old->next_apply_sis;
	}
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
		err = check_scheme(src->schemes[i]);
		if (err)
			return err;
	}
	*schemes = NULL;
	if (!src->nr_schemes)
		return 0;
	new = port->alloc(port, src->nr_schemes * sizeof(struct damos *));
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
			set_due(dst, schemes[i]);
	dst->schemes = schemes;
	dst->nr_schemes = nr;
	damon_schemes_free(dst->lib, old, nr_old);
}
