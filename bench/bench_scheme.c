// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What a scheme pass costs: many regions, eight schemes with quotas, priorities and filters. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../tests/tools/idle_ops.h"
#include "core/core.h"
#include "core/region_table.h"

#define NR_SCHEMES 8
#define NR_PASSES  5
#define PAGE	   4096ULL

static const struct damon_operations operations = {
	.id = DAMON_OPS_SIM,
	.name = "bench",
	.init = idle_init,
	.prepare_access_checks = idle_access,
	.check_accesses = idle_access,
	.actions = UINT32_MAX,
	.filters = UINT32_MAX,
	.apply_scheme = idle_apply,
	.target_valid = idle_valid,
};

/* Processor time, which other programs have no part in. */
static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void check(int err)
{
	if (err) {
		fprintf(stderr, "bench_scheme: error %d\n", -err);
		exit(1);
	}
}

/* Regions of one page each, of all ages and frequencies. */
static void put_regions(struct damon_target *target, size_t nr)
{
	struct damon_region_value value = {0};
	size_t i;

	check(damon_region_table_reserve(target->lib->port, target->regions, nr + 1024));
	for (i = 0; i < nr; i++) {
		value.r.ar = (struct damon_addr_range){2 * i * PAGE, (2 * i + 1) * PAGE};
		value.r.nr_accesses = (uint32_t)(i * 7 % 21);
		value.r.age = (uint32_t)(i * 11 % 1000);
		damon_columns_append(&target->regions->spare, &value);
	}
	damon_region_table_swap(target->regions);
}

static void add_schemes(struct damon_ctx *ctx, size_t nr)
{
	const struct damos_filter addr = {.type = DAMOS_FILTER_ADDR,
					  .matching = true,
					  .addr_start = 0,
					  .addr_end = nr * PAGE / 2};
	const struct damos_filter target = {
		.type = DAMOS_FILTER_TARGET, .matching = true, .target_idx = 1};
	struct damos *scheme;
	uint32_t i;

	for (i = 0; i < NR_SCHEMES; i++) {
		check(damon_new_scheme(&scheme, ctx->lib));
		scheme->action = i % 2 ? DAMOS_PAGEOUT : DAMOS_LRU_PRIO;
		scheme->quota.sz = nr * PAGE / 100;
		scheme->quota.reset_interval_ms = 0;
		scheme->quota.weight_age = 1;
		scheme->quota.weight_nr_accesses = 1;
		scheme->pattern.min_nr_accesses = i % 2 ? 0 : 3;
		scheme->pattern.max_nr_accesses = i % 2 ? 2 : 20;
		check(damos_add_filter(scheme, &target));
		check(damos_add_filter(scheme, &addr));
		check(damon_add_scheme(ctx, scheme));
	}
}

static double measure(size_t nr)
{
	struct damon_port *port = damon_port_posix_new();
	struct damon_target *target;
	struct damon_lib *lib;
	struct damon_ctx *ctx;
	double took, best = 0;
	int i;

	if (!port)
		check(-1);
	check(damon_lib_new(&lib, port));
	check(damon_register_ops(lib, &operations, NULL));
	check(damon_new_ctx(&ctx, lib));
	check(damon_select_ops(ctx, DAMON_OPS_SIM));
	check(damon_new_target(&target, lib));
	check(damon_add_target(ctx, target));
	ctx->attrs.max_nr_regions = nr;
	add_schemes(ctx, nr);
	check(damon_monitor_start(ctx));
	put_regions(target, nr);
	for (i = 0; i < NR_PASSES; i++) {
		ctx->internal->passed_sis += 20;
		ctx->internal->next_aggr_sis = ctx->internal->passed_sis;
		took = now();
		damon_schemes_apply(ctx);
		took = now() - took;
		if (!i || took < best)
			best = took;
	}
	damon_monitor_stop(ctx);
	damon_destroy_ctx(ctx);
	damon_lib_free(lib);
	damon_port_posix_free(port);
	return best / (double)nr / NR_SCHEMES;
}

int main(void)
{
	static const size_t sizes[] = {1000, 100000, 1000000};
	size_t i;

	printf("{\"schemes\": %d, \"bytes_per_scheme\": %zu, \"bytes_per_region\": %zu, "
	       "\"ns_per_region_and_scheme\": {",
	       NR_SCHEMES, sizeof(struct damos),
	       2 * (sizeof(struct damon_addr_range) + sizeof(uint32_t) +
		    sizeof(struct damon_region_rest)) +
		       sizeof(uint64_t) + sizeof(uint32_t) + sizeof(uint8_t));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		printf("%s\"%zu\": %.1f", i ? ", " : "", sizes[i], measure(sizes[i]));
	printf("}}\n");
	return 0;
}
