/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Watching a process with the engines "point" and "scan" at once.
 */
#include "ops/vaddr_both.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/vaddr_internal.h"
#include "system/clock.h"

/* The context of "vaddr" with both engines in it, and what it takes to compare them. */
struct both_ctx {
	struct vaddr_ctx vaddr; /* first: vaddr_cleanup() frees it */
	uint64_t point_cpu_ns;
	uint64_t scan_cpu_ns;
	uint32_t *access; /* what "scan" says of the regions: not used */
	size_t capacity;
};

static int both_init(struct damon_ctx *ctx)
{
	struct damon_vaddr_env *env = ctx->ops_env;
	struct both_ctx *mine = calloc(1, sizeof(*mine));
	struct damon_error err;
	int ret;

	if (!mine)
		return -ENOMEM;
	mine->vaddr.env = env;
	mine->vaddr.never_saves = true;
	ret = scan_engine_new(&mine->vaddr.scan, vaddr_env_calibration(env),
			      vaddr_env_scan_options(env), &err);
	if (!ret)
		ret = point_engine_new(&mine->vaddr.point, vaddr_env_calibration(env), &err);
	ctx->ops_priv = mine;
	if (ret) {
		vaddr_cleanup(ctx);
		return vaddr_env_fail(env, ret, &err);
	}
	ctx->access_unit = 1;
	return 0;
}

static void both_cleanup(struct damon_ctx *ctx)
{
	struct both_ctx *mine = ctx->ops_priv;

	if (mine)
		free(mine->access);
	vaddr_cleanup(ctx);
}

static bool shadow_young(void *data, uint64_t addr)
{
	return scan_target_kept(data, addr);
}

static void shadow_cleared(void *data, uint64_t start, uint64_t end)
{
	scan_target_forget(data, start, end);
}

static const struct point_shadow shadow = {.young = shadow_young, .cleared = shadow_cleared};

static int both_init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	struct both_ctx *mine = ctx->ops_priv;
	struct vaddr_target *watched;
	struct damon_error err;
	int ret = vaddr_operations.init_target(ctx, target);

	if (ret)
		return ret;
	watched = target->ops_priv;
	ret = point_target_new(&watched->point, mine->vaddr.point, watched->pidfd,
			       watched->info.pid, &watched->map, &err);
	if (ret) {
		vaddr_cleanup_target(ctx, target);
		return vaddr_env_fail(mine->vaddr.env, ret, &err);
	}
	point_target_set_shadow(watched->point, &shadow, watched->scan);
	return 0;
}

static int failed(const struct both_ctx *mine, const struct vaddr_target *watched, const char *what,
		  int code)
{
	struct damon_error err;

	damon_error_set(&err, code, "can't %s of process %d (%s): %s", what, (int)watched->info.pid,
			watched->info.comm, strerror(-code));
	return vaddr_env_fail(mine->vaddr.env, code, &err);
}

/* "scan" looks first where it has no reading yet, so that it knows what "point" alone would find. */
static int both_prepare(struct damon_ctx *ctx, struct damon_target *target,
			const struct damon_batch *batch)
{
	struct both_ctx *mine = ctx->ops_priv;
	struct vaddr_target *watched = target->ops_priv;
	struct page_process process;
	uint64_t begun = clock_ns(CLOCK_THREAD_CPUTIME_ID), looked, cleared;
	bool may_clear;
	int ret;

	vaddr_note_pressure(ctx);
	may_clear = !mine->vaddr.pressure.high;
	ret = scan_look(watched->scan, batch->ranges, batch->nr);
	/* What is young is about to be cleared; "point" alone would find it set the next time. */
	if (!ret)
		scan_target_keep(watched->scan);
	looked = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (!ret)
		ret = point_prepare(watched->point, batch->sampling_addrs, batch->nr, may_clear,
				    &process);
	cleared = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (!ret)
		ret = scan_prepare(watched->scan, batch->ranges, batch->nr, may_clear, &process);
	mine->point_cpu_ns += cleared - looked;
	mine->scan_cpu_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - cleared + looked - begun;
	if (ret)
		return failed(mine, watched, "make pages old", ret);
	vaddr_note_process(ctx, target, &process);
	vaddr_note_unwatchable(ctx, target);
	return 0;
}

static int make_room(struct both_ctx *mine, size_t nr)
{
	uint32_t *access;

	if (nr <= mine->capacity)
		return 0;
	access = realloc(mine->access, nr * sizeof(*access));
	if (!access)
		return -ENOMEM;
	mine->access = access;
	mine->capacity = nr;
	return 0;
}

static int both_check(struct damon_ctx *ctx, struct damon_target *target,
		      const struct damon_batch *batch)
{
	struct both_ctx *mine = ctx->ops_priv;
	struct vaddr_target *watched = target->ops_priv;
	struct page_process process;
	uint64_t begun, pointed;
	int ret = make_room(mine, batch->nr);

	begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (!ret)
		ret = point_check(watched->point, batch->sampling_addrs, batch->nr, batch->access,
				  &process);
	pointed = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	if (!ret)
		ret = scan_check(watched->scan, batch->ranges, batch->nr, mine->access, &process);
	mine->point_cpu_ns += pointed - begun;
	mine->scan_cpu_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - pointed;
	if (ret)
		return failed(mine, watched, "read page tables", ret);
	vaddr_note_process(ctx, target, &process);
	return 0;
}

static void both_update(struct damon_ctx *ctx)
{
	vaddr_operations.update(ctx);
}

static bool both_valid(struct damon_ctx *ctx, struct damon_target *target)
{
	return vaddr_operations.target_valid(ctx, target);
}

static const struct damon_operations both_operations = {
	.id = DAMON_OPS_VADDR,
	.name = "vaddr",
	.init = both_init,
	.init_target = both_init_target,
	.update = both_update,
	.prepare_access_checks = both_prepare,
	.check_accesses = both_check,
	.window_ended = vaddr_window_ended,
	.target_valid = both_valid,
	.cleanup_target = vaddr_cleanup_target,
	.cleanup = both_cleanup,
	.cost = vaddr_cost,
};

int vaddr_both_register(struct damon_lib *lib, struct damon_vaddr_env *env)
{
	return damon_register_ops(lib, &both_operations, env);
}

void vaddr_both_cost(const struct damon_ctx *ctx, struct vaddr_both_cost *cost)
{
	const struct both_ctx *mine = ctx->ops_priv;

	*cost = (struct vaddr_both_cost){
		.point_cpu_ns = mine->point_cpu_ns,
		.scan_cpu_ns = mine->scan_cpu_ns,
		.point_clears = point_engine_stat(mine->vaddr.point)->clears,
		.scan_clears = scan_engine_stat(mine->vaddr.scan)->clears,
	};
}
