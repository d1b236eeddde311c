// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * An operations set of one's own: which slots of an application's cache are in use?
 *
 * The "addresses" are slot numbers and the "Accessed bit" is a byte that the
 * application sets on each lookup. It runs in virtual time, so it ends at once
 * and always prints the same. docs/operations-set.md walks through it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <udamon/damon.h>
#include <udamon/ops.h>

#define NR_SLOTS   65536
#define HOT_START  16384
#define HOT_END	   24576
#define NR_WINDOWS 20

/* The application: a cache whose lookups all go to one eighth of its slots. */
struct cache {
	uint8_t used[NR_SLOTS];
	unsigned int windows;
};

static void cache_lookup(struct cache *cache, unsigned int slot)
{
	cache->used[slot] = 1;
}

static void cache_work(struct cache *cache)
{
	unsigned int slot;

	for (slot = HOT_START; slot < HOT_END; slot++)
		cache_lookup(cache, slot);
}

/* The operations set: six callbacks between the core and the cache. */
static int slots_init(struct damon_ctx *ctx)
{
	ctx->access_unit = 1; /* a sample is accessed or it isn't */
	return 0;
}

static int slots_init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	static const struct damon_addr_range all = {0, NR_SLOTS};

	if (damon_nr_regions(target))
		return 0; /* started again: go on with what was learned */
	return damon_set_regions(target, &all, 1, ctx->attrs.min_region_sz);
}

static int slots_prepare(struct damon_ctx *ctx, struct damon_target *target,
			 const struct damon_batch *batch)
{
	struct cache *cache = ctx->ops_env;
	size_t i;

	(void)target;
	for (i = 0; i < batch->nr; i++)
		cache->used[batch->sampling_addrs[i]] = 0;
	cache_work(cache); /* what happens in the sampling interval that follows */
	return 0;
}

static int slots_check(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_batch *batch)
{
	const struct cache *cache = ctx->ops_env;
	size_t i;

	(void)target;
	for (i = 0; i < batch->nr; i++)
		batch->access[i] = cache->used[batch->sampling_addrs[i]];
	return 0;
}

static void slots_update(struct damon_ctx *ctx)
{
	(void)ctx; /* the cache never grows */
}

static bool slots_valid(struct damon_ctx *ctx, struct damon_target *target)
{
	(void)ctx;
	(void)target;
	return true;
}

static const struct damon_operations slots_ops = {
	.id = DAMON_OPS_SIM,
	.name = "slots",
	.init = slots_init,
	.init_target = slots_init_target,
	.update = slots_update,
	.prepare_access_checks = slots_prepare,
	.check_accesses = slots_check,
	.target_valid = slots_valid,
};

/* The user of it all: print what was in use in the last window. */
static int print_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct cache *cache = data;
	struct damon_region region;
	size_t i;

	if (++cache->windows < NR_WINDOWS)
		return 0;
	for (i = 0; i < damon_nr_regions(ctx->targets[0]); i++) {
		damon_get_region(ctx, ctx->targets[0], i, &region);
		printf("slots %5" PRIu64 "..%5" PRIu64 ": used in %3" PRIu32 " of %" PRIu32
		       " samples, for %" PRIu32 " windows\n",
		       region.ar.start, region.ar.end, region.nr_accesses, window->nr_samples,
		       region.age);
	}
	return -ECANCELED; /* ends the monitoring */
}

struct example {
	struct damon_port *port;
	int result;
};

static int watch(struct damon_lib *lib, struct cache *cache)
{
	struct damon_target *target = NULL;
	struct damon_ctx *ctx = NULL;
	struct damon_attrs attrs;
	int err, result;

	err = damon_register_ops(lib, &slots_ops, cache);
	if (!err)
		err = damon_new_ctx(&ctx, lib);
	if (!err)
		err = damon_select_ops(ctx, DAMON_OPS_SIM);
	if (!err)
		err = damon_new_target(&target, lib);
	if (!err)
		err = damon_add_target(ctx, target);
	if (err) {
		damon_free_target(ctx && ctx->nr_targets ? NULL : target);
		goto out;
	}
	damon_default_attrs(&attrs);
	attrs.min_region_sz = 64; /* slots */
	err = damon_set_attrs(ctx, &attrs);
	if (err)
		goto out;
	ctx->callbacks = (struct damon_callbacks){.window = print_window, .data = cache};
	err = damon_start(&ctx, 1, false);
	if (!err)
		err = damon_wait(ctx, UINT64_MAX, &result);
	if (!err && result != -ECANCELED)
		err = result;
out:
	damon_destroy_ctx(ctx);
	return err;
}

static void run(void *arg)
{
	struct example *example = arg;
	struct damon_lib *lib = NULL;
	struct cache *cache = calloc(1, sizeof(*cache));

	example->result = cache ? damon_lib_new(&lib, example->port) : -ENOMEM;
	if (!example->result) {
		example->result = watch(lib, cache);
		damon_lib_free(lib);
	}
	free(cache);
}

int main(void)
{
	struct example example = {.port = damon_port_coop_new(1, NULL)};
	int err;

	if (!example.port)
		return 1;
	err = damon_port_coop_run(example.port, run, &example);
	damon_port_coop_free(example.port);
	return err || example.result ? 1 : 0;
}
