/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the core's files share with each other; nobody outside src/core includes it.
 *
 * Two halves meet here. *Monitoring* (region_table, region, aggregate, attrs, target, context,
 * commit, probe) computes and never waits or locks. *Running* (kdamond, request)
 * owns threads, locks and time and calls the first half.
 */
#ifndef UDAMON_CORE_CORE_H
#define UDAMON_CORE_CORE_H

#include <udamon/damon.h>
#include <udamon/ops.h>

#include "core/rng.h"

struct damon_kdamond; /* request.h: the thread, its lock, the requests waiting for it */

/* lib.c: what contexts share. */
struct damon_lib {
	struct damon_port *port;
	const struct damon_operations *ops[DAMON_NR_OPS];
	void *ops_env[DAMON_NR_OPS];
	struct damon_mutex *lock; /* protects all that follows */
	uint32_t nr_running;	  /* kdamonds of all contexts */
	bool exclusive;		  /* they are one exclusive group */
};

/*
 * What a context has learned and where it is in its windows. Counts "due" are
 * in sampling intervals passed since start.
 */
struct damon_ctx_internal {
	struct damon_rng rng;
	uint64_t rng_seed;	  /* what it was last seeded with; 0: not yet */
	uint32_t counted_unit;	  /* &damon_ctx.access_unit of the last run; 0: none yet */
	uint64_t passed_sis;	  /* sampling intervals passed */
	uint64_t next_aggr_sis;	  /* window end due */
	uint64_t next_update_sis; /* layout update due */
	uint64_t next_tune_sis;	  /* interval tuning due */
	uint64_t window_start_ns; /* when the present window began */
	uint64_t floor_us;	  /* sampling intervals are at least so long, in this window */
	uint64_t next_floor_us;	  /* in the next one; a higher one at once */
	uint64_t interval_us;	  /* the present sampling interval is to last */
	uint64_t window_us;	  /* those of the present window so far, together */
	uint32_t window_samples;  /* sampling intervals in the present window so far */
	bool window_complete;	  /* merged, not published yet */
	uint32_t max_access;	  /* largest count seen in the present window, counting units */
	uint64_t split_offset;	  /* rotating start of "split every k-th region" */
	uint64_t last_nr_regions; /* regions at the last split */
	uint64_t failed_passes;	  /* passes left out because no memory was to be had */
	uint64_t cpu_start_ns;	  /* the kdamond's processor time when it began */
	bool changed; /* attributes, targets or regions, since the samples were picked */
	struct damon_training *training; /* to be fitted at the next start */
	bool applying; /* a scheme pass is under way: attributes and regions can't be set */
	uint32_t held; /* callbacks under way whose caller stands in targets or schemes: no commit */
	struct damon_kdamond *kdamond;
};

/*
 * Monitoring half, called by kdamond.c in the order of one iteration. All on
 * the kdamond (or before it runs). None waits.
 */
int damon_monitor_start(struct damon_ctx *ctx);	  /* ops init, targets, first size limit, buffers */
void damon_monitor_stop(struct damon_ctx *ctx);	  /* undo; regions stay (training) */
bool damon_monitor_valid(struct damon_ctx *ctx);  /* any target still valid? */
int damon_monitor_prepare(struct damon_ctx *ctx); /* step 2: pick samples, make them old */
int damon_monitor_check(struct damon_ctx *ctx);	  /* step 4: check, count; passed_sis++ */
bool damon_monitor_window_due(const struct damon_ctx *ctx);
void damon_monitor_merge(struct damon_ctx *ctx);     /* step 5 */
int damon_monitor_window_end(struct damon_ctx *ctx); /* step 8: tune, publish, reset, split */
void damon_monitor_update(struct damon_ctx *ctx);    /* step 9, if due */
/* True when targets, regions or attributes changed since prepare: the samples are void. Clears the mark. */
bool damon_monitor_samples_dropped(struct damon_ctx *ctx);
/* Time stood still for the last @ns (a pause, a hold): shift what is kept as clock readings. */
void damon_monitor_skip_time(struct damon_ctx *ctx, uint64_t ns);

/*
 * training.c: what was applied, fitted to the targets as they are after init_target(); at start.
 * 0 (also when there is none), -ESTALE, -EINVAL or -ENOMEM with everything as it was.
 */
int damon_training_fit(struct damon_ctx *ctx);

/* scheme.c: applied by kdamond.c, committed by commit.c. */
int damon_schemes_start(struct damon_ctx *ctx); /* check support, room; when each is first due */
/* Step 1: 0, or how long all schemes are held by their watermarks. */
uint64_t damon_schemes_hold_us(struct damon_ctx *ctx);
void damon_schemes_apply(struct damon_ctx *ctx);  /* step 7: those that are due */
void damon_schemes_rebase(struct damon_ctx *ctx); /* attributes changed: due counts from now */
/* Nobody acted until now: what pressure there was meanwhile is no goal's. */
void damon_schemes_skip_pressure(struct damon_ctx *ctx);
void damon_schemes_free(struct damon_lib *lib, struct damos **schemes, uint32_t nr);
/* Builds what @dst's schemes become by @src; -EINVAL or -ENOMEM. Swapping it in can't fail. */
int damon_schemes_commit_prepare(struct damon_ctx *dst, const struct damon_ctx *src,
				 struct damos ***schemes);
void damon_schemes_commit_swap(struct damon_ctx *dst, struct damos **schemes, uint32_t nr);

/* Running half, called by context.c. */
int damon_kdamond_new(struct damon_ctx *ctx);
void damon_kdamond_free(struct damon_ctx *ctx);
/* True on @ctx's kdamond, or when it isn't running: parameters may be changed. */
bool damon_kdamond_may_change(struct damon_ctx *ctx);

struct damon_port *damon_ctx_port(const struct damon_ctx *ctx);

#endif
