/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Operations sets "vaddr" and "fvaddr": the memory of live processes.
 *
 * A program makes one environment, registers the two operations sets with its
 * library object, makes targets from process ids, and starts contexts:
 *
 *	damon_vaddr_env_new(&env, NULL, &err);
 *	damon_vaddr_register(lib, env);
 *	damon_select_ops(ctx, DAMON_OPS_VADDR);
 *	damon_vaddr_target_new(&target, lib, env, pid, &err);
 *	damon_add_target(ctx, target);
 *	damon_start(&ctx, 1, false) || damon_vaddr_env_error(env, &err);
 *
 * Events they report: "layout" (ranges changed), "exec", "fork" (a child appeared),
 * "children" (it had some before anybody looked), "gone" (the process exited), "unwatchable" (memory the engine can't watch),
 * "pressure" (clearing stopped or went on because of memory pressure), "budget" (the sampling interval
 * is or isn't lengthened for the budget), "scheme" (an action failed).
 */
#ifndef UDAMON_VADDR_H
#define UDAMON_VADDR_H

#include <sys/types.h>

#include <udamon/damon.h>
#include <udamon/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct damon_vaddr_env;

/**
 * struct damon_vaddr_options - choices for an environment; all zero is the default
 * @engine:	"auto", "point", "scan" (NULL is "auto")
 * @max_stall_us: scan: longest time that clearing may keep a target from changing its mappings;
 *		0 is 20 ms
 * @no_flush:	scan: leave TLBs alone, to show what that misses
 * @budget_bp:	bound for what each context may cost: its kdamond's processor time, and that which
 *		clears and flushes cost the targets, in basis points of one processor; 0: no bound.
 *		It is kept by damon_set_interval_floor().
 */
struct damon_vaddr_options {
	const char *engine;
	uint64_t max_stall_us;
	bool no_flush;
	uint32_t budget_bp;
};

/**
 * damon_vaddr_env_new() - load and calibrate the access engine
 * @options:	NULL for the defaults
 * @err:	why not, in one line; may be NULL
 *
 * Return: 0; -EINVAL (no such engine); -EPERM or -EACCES (a privilege is missing); -EOPNOTSUPP (this
 * kernel or this build can't); -ENOMEM; another -errno.
 */
int damon_vaddr_env_new(struct damon_vaddr_env **env, const struct damon_vaddr_options *options,
			struct damon_error *err);

/** damon_vaddr_env_free() - after the library object it was registered with; NULL is allowed */
void damon_vaddr_env_free(struct damon_vaddr_env *env);

/** damon_vaddr_env_engine() - name of the access engine in use, e.g. "point"; "auto" before it is chosen */
const char *damon_vaddr_env_engine(const struct damon_vaddr_env *env);

/**
 * damon_vaddr_choose_engine() - have the engine "auto" be chosen for the targets @ctx has now
 *
 * "scan" where &damon_attrs.sample_interval is a second or more and looking at everything so often is
 * predicted to be within the budget and the longest stall; else "point". It is chosen once for
 * an environment: by this, or by the first start of a context; for those who want to set
 * the intervals by it. Return: the name of the engine.
 */
const char *damon_vaddr_choose_engine(struct damon_vaddr_env *env, const struct damon_ctx *ctx);

/**
 * damon_vaddr_env_error() - text of the last failure inside init() or init_target()
 *
 * For callers of damon_start() and damon_commit_ctx(), which return a number
 * only; and of what ended a kdamond. From any thread. Returns the -errno the text belongs to, 0 (and an
 * empty text) when there was none since it was asked last.
 */
int damon_vaddr_env_error(struct damon_vaddr_env *env, struct damon_error *err);

/**
 * damon_vaddr_heat_callback - pages that were touched equally often in the last window
 * @page_size:	bytes
 * @touched:	sampling intervals in which each was touched; -1: nobody can say
 * @samples:	sampling intervals of the window
 */
typedef int damon_vaddr_heat_callback(void *data, uint64_t start, uint64_t end, uint64_t page_size,
				      int32_t touched, uint32_t samples);

/**
 * damon_vaddr_page_heat() - the heat of each resident page of a target in the last window
 *
 * Needs the engine "scan". On the kdamond; the stopped callback included. Return: 0; what
 * @callback returned; -EOPNOTSUPP where another engine is used.
 */
int damon_vaddr_page_heat(struct damon_ctx *ctx, const struct damon_target *target,
			  damon_vaddr_heat_callback *callback, void *data);

/**
 * damon_vaddr_describe_flush() - how the context makes sure that pages in use are marked again
 *
 * On the kdamond. NULL where the engine doesn't need it ("point" flushes what it clears).
 */
const char *damon_vaddr_describe_flush(struct damon_ctx *ctx);

/**
 * damon_vaddr_clear_cost_ns() - what each page that is made old costs each running thread of a target
 *
 * As measured on this machine; with "point" the flush of that page included. On the kdamond.
 */
double damon_vaddr_clear_cost_ns(struct damon_ctx *ctx);

/** damon_vaddr_flush_cost_ns() - the same of a flush of the whole TLB; on the kdamond */
double damon_vaddr_flush_cost_ns(struct damon_ctx *ctx);

/** damon_vaddr_longest_stall_ns() - the longest that clearing kept a target from changing its mappings; on the kdamond */
uint64_t damon_vaddr_longest_stall_ns(struct damon_ctx *ctx);

/** damon_vaddr_register() - register "vaddr" and "fvaddr"; as damon_register_ops() */
int damon_vaddr_register(struct damon_lib *lib, struct damon_vaddr_env *env);

/**
 * damon_vaddr_target_new() - a target for the process that has @pid now
 *
 * Should the process end and its number go to another one before the context
 * starts, the start fails with -ESRCH. Targets for "fvaddr" are given their
 * ranges with damon_set_regions() afterwards.
 *
 * Return: 0; -ESRCH (no such process, or it has exited); -EINVAL (a kernel thread, or not a process
 * but one of its threads); -EPERM or -EACCES; -ENOMEM. @err says it in words.
 */
int damon_vaddr_target_new(struct damon_target **target, struct damon_lib *lib,
			   struct damon_vaddr_env *env, pid_t pid, struct damon_error *err);

#ifdef __cplusplus
}
#endif
#endif
