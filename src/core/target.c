// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Targets: one address space each, and the regions it is seen as. */
#include <errno.h>

#include "core/region.h"

int damon_new_target(struct damon_target **target, struct damon_lib *lib)
{
	struct damon_port *port = lib->port;
	struct damon_target *new = port->alloc(port, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->regions = damon_region_table_new(port);
	if (!new->regions) {
		port->free(port, new);
		return -ENOMEM;
	}
	new->pid = -1;
	new->lib = lib;
	*target = new;
	return 0;
}

void damon_free_target(struct damon_target *target)
{
	if (!target)
		return;
	damon_region_table_free(target->lib->port, target->regions);
	target->lib->port->free(target->lib->port, target);
}

int damon_add_target(struct damon_ctx *ctx, struct damon_target *target)
{
	struct damon_port *port = damon_ctx_port(ctx);
	struct damon_target **targets;
	uint32_t i, id = 0;

	targets = port->alloc(port, (ctx->nr_targets + 1) * sizeof(struct damon_target *));
	if (!targets)
		return -ENOMEM;
	for (i = 0; i < ctx->nr_targets; i++) {
		targets[i] = ctx->targets[i];
		if (targets[i]->id >= id)
			id = targets[i]->id + 1;
	}
	target->id = id;
	targets[ctx->nr_targets] = target;
	port->free(port, ctx->targets);
	ctx->targets = targets;
	ctx->nr_targets++;
	return 0;
}

int damon_set_regions(struct damon_target *target, const struct damon_addr_range *ranges, size_t nr,
		      uint64_t min_region_sz)
{
	int err;

	err = damon_regions_build(target->lib->port, target->regions, ranges, nr, min_region_sz);
	if (!err)
		damon_region_table_swap_ranges(target->regions);
	return err;
}

size_t damon_nr_regions(const struct damon_target *target)
{
	return target->regions->now.nr;
}

static uint32_t round_up_units(uint32_t units, uint32_t unit)
{
	return units / unit + (units % unit != 0);
}

void damon_get_region(const struct damon_ctx *ctx, const struct damon_target *target, size_t idx,
		      struct damon_region *region)
{
	struct damon_region_value value;
	uint32_t unit = ctx->access_unit;

	damon_columns_load(&target->regions->now, idx, &value);
	*region = value.r;
	if (unit > 1) {
		region->nr_accesses = round_up_units(region->nr_accesses, unit);
		region->last_nr_accesses = round_up_units(region->last_nr_accesses, unit);
	}
}
