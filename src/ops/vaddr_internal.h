/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the files of the "vaddr" and "fvaddr" operations sets share; nobody else includes it.
 */
#ifndef UDAMON_OPS_VADDR_INTERNAL_H
#define UDAMON_OPS_VADDR_INTERNAL_H

#include <udamon/ops.h>

#include "access/pagemap.h"
#include "access/point.h"
#include "access/scan.h"
#include "access/toll.h"
#include "ops/budget.h"
#include "ops/layout.h"
#include "ops/pressure.h"
#include "ops/thrift.h"
#include "ops/vaddr_map.h"
#include "system/process.h"
#include "system/target_lock.h"
#include <udamon/vaddr.h>

/* vaddr_env.c: what all contexts share. */

enum vaddr_engine {
	VADDR_POINT,
	VADDR_SCAN,
	VADDR_AUTO, /* not chosen yet */
};

/* For @ctx: the first one that asks decides where it is to be chosen. */
enum vaddr_engine vaddr_env_engine_kind(struct damon_vaddr_env *env, const struct damon_ctx *ctx);
const struct toll *vaddr_env_toll(const struct damon_vaddr_env *env);

/* Share of a processor that each context may spend, basis points; 0: no bound. */
uint32_t vaddr_env_budget(const struct damon_vaddr_env *env);
const struct scan_options *vaddr_env_scan_options(const struct damon_vaddr_env *env);

/* How page tables are walked here. */
const struct page_calibration *vaddr_env_calibration(const struct damon_vaddr_env *env);

/* Remember why a callback failed; returns @code. */
int vaddr_env_fail(struct damon_vaddr_env *env, int code, const struct damon_error *err);

/*
 * Hold on to the process that a target's number was given for; the number's
 * present owner when it was given without damon_vaddr_target_new().
 */
int vaddr_env_open(struct damon_vaddr_env *env, pid_t pid, int *pidfd, struct process_info *info,
		   struct damon_error *err);

/* vaddr.c: one context, one target. */

/* What was done to targets that costs them. */
struct vaddr_work {
	uint64_t pages;	     /* made old */
	uint64_t interrupts; /* of each thread that runs */
};

struct vaddr_ctx {
	struct damon_vaddr_env *env;
	struct point_engine *point;    /* with scan: only for probes, made when first asked */
	struct scan_engine *scan;      /* NULL where the engine is point */
	struct vaddr_actor *actor;     /* for schemes; made when the first one acts */
	struct vaddr_work filter_work; /* done by filters of schemes */
	struct pressure_gate pressure;
	struct budget budget;
	struct vaddr_work charged;
	double target_ns;    /* what it cost the targets */
	bool checked;	     /* since the budget was looked at */
	uint64_t counted_ns; /* when running threads were counted last */
	uint64_t told_us;    /* the floor as it was told of last; 0: none */
	/* What stays in use is looked at less often, as the budget is short. */
	bool saving;
	bool never_saves;      /* the engines are being compared */
	uint64_t nr_intervals; /* checked */
	uint64_t nr_held;      /* looks that "point" saved; "scan" counts its own */
	uint64_t judged_intervals, judged_held; /* as of when it was last thought about */
};

#define VADDR_MAX_CHILDREN 256

/* Schemes whose failures are told apart, as many as bits in a word; with more, some share what is kept. */
#define VADDR_NOTED_SCHEMES 64

struct vaddr_target {
	struct vaddr_ctx *ctx;
	struct process_info info;
	int pidfd;
	struct target_lock lock;
	struct mapping_list mappings;
	struct watch_map map;
	struct point_target *point; /* as the context's */
	struct scan_target *scan;
	/* The layout given to the core last. */
	struct damon_addr_range ranges[LAYOUT_MAX_RANGES];
	size_t nr_ranges;
	/* Which program it is, by the last batch; all 0 before the first. */
	struct page_process process;
	/* Threads that run, on the average, at first one, and what that is known from. */
	double nr_running;
	uint64_t used_ns;
	uint64_t used_at_ns;
	/* To look at some regions less often: what was saved, whether it was in this interval. */
	struct thrift thrift;
	bool saved;
	uint64_t nr_window, nr_last_window; /* sampling intervals of this window and of the last */
	/* For schemes: the mappings as of this pass, and how each action on it ended last, 0 or -errno. */
	bool maps_read;
	uint64_t maps_ns;
	int pagemap_fd;
	int scheme_errors[VADDR_NOTED_SCHEMES];
	bool pages_changed; /* since the engine looked last */
	/* Where filters ask what was used: pages in use that the engine made old since they were asked about. */
	bool remembers;
	struct page_set made_old;
	struct page_set doubted; /* looked unused at the last test, maybe because of somebody else */
	bool exec_seen;		 /* an exec that the layout doesn't show yet */
	bool exit_seen;
	/* Known children, ascending. */
	pid_t children[VADDR_MAX_CHILDREN];
	int nr_children; /* -1 before they were read first */
	size_t next_thread;
	/* Unwatchable memory as it was reported last. */
	uint64_t unwatchable;
	uint64_t unwatchable_ns;
};

extern const struct damon_operations vaddr_operations;
extern const struct damon_operations fvaddr_operations;

int vaddr_init(struct damon_ctx *ctx);
void vaddr_cleanup(struct damon_ctx *ctx);
int vaddr_open_target(struct damon_ctx *ctx, struct damon_target *target);
void vaddr_cleanup_target(struct damon_ctx *ctx, struct damon_target *target);
int vaddr_prepare(struct damon_ctx *ctx, struct damon_target *target,
		  const struct damon_batch *batch);
int vaddr_check(struct damon_ctx *ctx, struct damon_target *target,
		const struct damon_batch *batch);
bool vaddr_target_valid(struct damon_ctx *ctx, struct damon_target *target);
int vaddr_check_probe(struct damon_ctx *ctx, struct damon_target *target,
		      const struct damon_probe *probe, const struct damon_batch *batch,
		      uint8_t *hit);
void vaddr_window_ended(struct damon_ctx *ctx);
void vaddr_cost(struct damon_ctx *ctx, struct damon_cost *cost);

/* vaddr_probe.c */

/* The engine that reads single pages; beside scan it is made when first asked for. */
int vaddr_need_point(struct vaddr_ctx *ctx, struct vaddr_target *target);

/* vaddr_scheme.c */

/* What schemes can do on this kernel: bits of &damon_operations. */
void vaddr_scheme_support(uint32_t *actions, uint32_t *filters);

/* -EINVAL, and the text in the environment, where schemes of @ctx would act on this very process. */
int vaddr_check_self(struct damon_ctx *ctx, const struct damon_target *target);

/* Whether the cgroups and nodes that @scheme names are there: see &damon_operations.check_scheme. */
int vaddr_check_scheme(const struct damos *scheme, struct damon_error *err);

/* Before the engine makes pages old, which filters may have to know. */
void vaddr_prepare_filters(struct damon_ctx *ctx, struct vaddr_target *target);
int vaddr_apply_scheme(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_addr_range *ar, const struct damos *scheme,
		       uint64_t *sz_applied, uint64_t *sz_filter_passed);
void vaddr_actor_free(struct vaddr_actor *actor);

/* vaddr_budget.c */

/* The engine has just made pages of @target old: what that costs it. */
void vaddr_charge(struct vaddr_ctx *ctx, const struct vaddr_target *target);

/* Between two sampling intervals: keep to the budget. */
void vaddr_mind_budget(struct damon_ctx *ctx);

/* Which engine is right for the targets that @ctx has. */
enum vaddr_engine vaddr_choose(const struct damon_ctx *ctx, const struct damon_vaddr_env *env);

/* vaddr_thrift.c */

/*
 * "point" in one sampling interval: with all regions, or where the budget is short, those that are
 * due. As point_prepare() and point_check().
 */
int vaddr_prepare_points(struct damon_ctx *ctx, struct damon_target *target,
			 const struct damon_batch *batch, struct page_process *process);
int vaddr_check_points(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_batch *batch, struct page_process *process);
void vaddr_end_thrift(struct vaddr_target *target);

/* Begin when looking at all regions is too dear for the budget, end when it wouldn't be any more. */
void vaddr_mind_saving(struct damon_ctx *ctx);

/* vaddr_events.c: what happens to a target. */

/* Read the mappings; what an exited process has is nothing. */
int vaddr_read_map(struct vaddr_target *target);

/* After a batch: has the process become another program? */
void vaddr_note_process(struct damon_ctx *ctx, struct damon_target *target,
			const struct page_process *process);
void vaddr_note_exits(struct damon_ctx *ctx, struct damon_target *target);
void vaddr_note_children(struct damon_ctx *ctx, struct damon_target *target);
void vaddr_note_unwatchable(struct damon_ctx *ctx, struct damon_target *target);
void vaddr_note_pressure(struct damon_ctx *ctx);

/* The action of scheme @idx ended with @err (0: it didn't fail): told of when it changes. */
void vaddr_note_scheme(struct damon_ctx *ctx, struct damon_target *target, uint32_t idx, int err);

uint64_t vaddr_now_ns(void);

/* "1.5 MiB" */
const char *vaddr_format_bytes(char *text, size_t size, uint64_t bytes);

#endif
