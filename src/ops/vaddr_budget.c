/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What watching a process costs, it and us, and staying within what may be spent.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "ops/vaddr_internal.h"

/* A floor this much other than the one told of last is told of. */
#define WORTH_TELLING 1.25

/* What a look of "scan" takes for each page, ns: reading it twice, clearing it. */
#define SCAN_PAGE_NS 80

/* How much of a process is in use while it is looked at, where nobody knows yet. */
#define IN_USE 0.25

/* Who wants to look more often than this wants "point": each look of "scan" is at everything. */
#define SCAN_LEAST_US 1000000

/* What a look of "scan" takes beside its pages, as so many more of them. */
#define SCAN_BASE_PAGES 4096

/* What was done that costs a target. */
static struct vaddr_work work_done(const struct vaddr_ctx *mine)
{
	struct vaddr_work work = mine->filter_work;

	if (mine->scan) {
		work.pages += scan_engine_stat(mine->scan)->clears;
		work.interrupts += scan_engine_stat(mine->scan)->interrupts;
	} else if (mine->point) {
		/* Each page is a range of its own. */
		work.pages += point_engine_stat(mine->point)->clears;
		work.interrupts += point_engine_stat(mine->point)->clears;
	}
	return work;
}

void vaddr_charge(struct vaddr_ctx *mine, const struct vaddr_target *target)
{
	struct vaddr_work work = work_done(mine);

	mine->target_ns += toll_ns(vaddr_env_toll(mine->env), work.pages - mine->charged.pages,
				   work.interrupts - mine->charged.interrupts, target->nr_running);
	mine->charged = work;
}

/*
 * How many of a process's threads ran on the average since the last time: each of them is
 * interrupted, and walks page tables of its own accord.
 */
static void count_running(struct vaddr_target *target, uint64_t now_ns)
{
	double most = (double)sysconf(_SC_NPROCESSORS_ONLN);
	struct timespec used;
	clockid_t clock;
	uint64_t used_ns;

	if (clock_getcpuclockid(target->info.pid, &clock) || clock_gettime(clock, &used))
		return;
	used_ns = (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
	if (target->used_at_ns && now_ns > target->used_at_ns && used_ns >= target->used_ns)
		target->nr_running =
			(double)(used_ns - target->used_ns) / (double)(now_ns - target->used_at_ns);
	if (most > 0 && target->nr_running > most)
		target->nr_running = most;
	target->used_ns = used_ns;
	target->used_at_ns = now_ns;
}

/* Told of when it begins or ends to bind, and when it has become quite another one. */
static void tell_floor(struct damon_ctx *ctx, struct vaddr_ctx *mine)
{
	const struct budget *budget = &mine->budget;
	bool binds = budget->floor_us > ctx->attrs.sample_interval;
	/* 0 counts as 1. */
	uint64_t asked_us = ctx->attrs.sample_interval ? ctx->attrs.sample_interval : 1;
	double ratio = mine->told_us ? (double)budget->floor_us / (double)mine->told_us : 0;
	char detail[256], intervals[96];

	if (binds == !!mine->told_us &&
	    (!binds || (ratio < WORTH_TELLING && ratio > 1 / WORTH_TELLING)))
		return;
	mine->told_us = binds ? budget->floor_us : 0;
	if (binds)
		snprintf(detail, sizeof(detail),
			 "looking %s: the latter would cost %.1f %% of a processor, and the "
			 "budget is %g %%, 90 %% of which is aimed at",
			 budget_words(intervals, sizeof(intervals), budget->floor_us, asked_us),
			 budget_use_bp(budget, asked_us) / 100, (double)budget->share / 100);
	else
		snprintf(
			detail, sizeof(detail),
			"the interval asked for costs %.1f %% of a processor, within the budget of "
			"%g %%",
			budget_use_bp(budget, asked_us) / 100, (double)budget->share / 100);
	damon_report_event(ctx, NULL, "budget", detail);
}

/* What a look's cost is proportional to: of "scan", the pages there are. */
static uint64_t look_size(const struct damon_ctx *ctx)
{
	const struct vaddr_ctx *mine = ctx->ops_priv;
	const struct vaddr_target *target;
	uint64_t size = SCAN_BASE_PAGES;
	uint32_t i;

	if (!mine->scan)
		return 1;
	for (i = 0; i < ctx->nr_targets; i++) {
		target = ctx->targets[i]->ops_priv;
		if (target && target->scan)
			size += scan_target_blocks(target->scan)->nr_entries;
	}
	return size;
}

void vaddr_mind_budget(struct damon_ctx *ctx)
{
	struct damon_port *port = damon_lib_port(ctx->lib);
	struct vaddr_ctx *mine = ctx->ops_priv;
	uint64_t now_ns = vaddr_now_ns();
	struct vaddr_target *target;
	bool checked = mine->checked, due = now_ns - mine->counted_ns >= BUDGET_PERIOD_NS;
	double spent_ns;
	uint32_t i;

	if (!mine->budget.share)
		mine->budget.share = vaddr_env_budget(mine->env);
	if (due) {
		mine->counted_ns = now_ns;
		for (i = 0; i < ctx->nr_targets; i++) {
			target = ctx->targets[i]->ops_priv;
			if (target)
				count_running(target, now_ns);
		}
	}
	if (!mine->budget.share)
		return;
	mine->budget.size = look_size(ctx);
	mine->checked = false;
	mine->nr_intervals += checked;
	spent_ns = (double)port->thread_cpu_ns(port) + mine->target_ns;
	if (budget_feed(&mine->budget, now_ns, spent_ns, checked)) {
		damon_set_interval_floor(ctx, mine->budget.floor_us);
		tell_floor(ctx, mine);
	}
	if (due)
		vaddr_mind_saving(ctx);
}

/* Which engine. */

enum vaddr_engine vaddr_choose(const struct damon_ctx *ctx, const struct damon_vaddr_env *env)
{
	const struct scan_options *options = vaddr_env_scan_options(env);
	uint64_t stall_us = options->max_stall_us ? options->max_stall_us : SCAN_DEFAULT_STALL_US;
	double share = (double)vaddr_env_budget(env) / BUDGET_FULL, pages, most = 0, look_ns = 0;
	uint64_t every_us = ctx->attrs.sample_interval;
	uint32_t i;

	if (every_us < SCAN_LEAST_US)
		return VADDR_POINT;
	for (i = 0; i < ctx->nr_targets; i++) {
		pages = (double)process_resident_pages((pid_t)ctx->targets[i]->pid);
		most = pages > most ? pages : most;
		look_ns += pages * (SCAN_PAGE_NS + IN_USE * vaddr_env_toll(env)->page_ns) +
			   vaddr_env_toll(env)->interrupt_ns;
	}
	if (most * SCAN_PAGE_NS > (double)stall_us * 1000)
		return VADDR_POINT;
	return share > 0 && look_ns > share * (double)every_us * 1000 ? VADDR_POINT : VADDR_SCAN;
}
