/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The core of udamon: contexts, targets, regions, attributes, requests.
 *
 * Units everywhere: addresses and sizes are bytes, intervals microseconds,
 * clock readings nanoseconds, ratios basis points (1/10,000). Functions return
 * 0 or -errno unless they say otherwise. Nothing here prints, exits, or changes
 * signal handlers. The names are those of Linux's DAMON where it has one.
 *
 * "On the kdamond" means: from inside a callback of the context (a window or
 * event callback, a damon_call() function, an operations set).
 */
#ifndef UDAMON_DAMON_H
#define UDAMON_DAMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <udamon/port.h>
#include <udamon/scheme.h>

#ifdef __cplusplus
extern "C" {
#endif

struct damon_lib;
struct damon_ctx;
struct damon_target;
struct damon_operations;

/** DAMON_MAX_PROBES - probes a context can have */
#define DAMON_MAX_PROBES 4

/** struct damon_addr_range - the addresses from @start up to, not including, @end */
struct damon_addr_range {
	uint64_t start;
	uint64_t end;
};

/**
 * struct damon_region - a range assumed to be accessed alike, as damon_get_region() shows it
 * @ar:		its addresses
 * @nr_accesses: sampling intervals of the present window in which it was found
 *		accessed; an exact engine's share is rounded up, so 0 always
 *		means that nothing was touched
 * @last_nr_accesses: the same of the window before
 * @nr_unknown: sampling intervals of the present window for which nobody can say
 *		(memory the access engine can't watch)
 * @age:	aggregation intervals since its access frequency last changed
 * @probe_hits: sampling intervals in which its sampled page passed each probe
 */
struct damon_region {
	struct damon_addr_range ar;
	uint32_t nr_accesses;
	uint32_t last_nr_accesses;
	uint32_t nr_unknown;
	uint32_t age;
	uint8_t probe_hits[DAMON_MAX_PROBES];
};

/**
 * struct damon_intervals_goal - aim of the automatic tuning of the intervals
 * @access_bp:	share of the possible access events that should be observed, bp
 * @aggrs:	windows per tuning step; 0 turns tuning off
 * @min_sample_us: shortest sampling interval it may choose
 * @max_sample_us: longest
 */
struct damon_intervals_goal {
	uint64_t access_bp;
	uint64_t aggrs;
	uint64_t min_sample_us;
	uint64_t max_sample_us;
};

/**
 * struct damon_attrs - how a context monitors
 * @sample_interval:	how often one page of each region is checked, us; 0 counts as 1
 * @aggr_interval:	how often counts are published and regions adapted, us;
 *			not below @sample_interval
 * @ops_update_interval: how often the targets' layouts are read again, us
 * @intervals_goal:	automatic tuning of the first two
 * @min_nr_regions:	at least 3, at most @max_nr_regions
 * @max_nr_regions:	upper bound, which also bounds the cost
 * @min_region_sz:	smallest region, bytes; a power of two
 * @addr_unit:		scale between core addresses and the operations set's; not 0
 */
struct damon_attrs {
	uint64_t sample_interval;
	uint64_t aggr_interval;
	uint64_t ops_update_interval;
	struct damon_intervals_goal intervals_goal;
	uint64_t min_nr_regions;
	uint64_t max_nr_regions;
	uint64_t min_region_sz;
	uint64_t addr_unit;
};

/** enum damon_filter_type - what a page filter of a probe looks at */
enum damon_filter_type {
	DAMON_FILTER_ANON,
	DAMON_FILTER_MEMCG,
};

/**
 * struct damon_filter - a test of one page
 * @type:	what is looked at
 * @matching:	true: it matches pages of that type; false: all others
 * @allow:	true: a page that matches passes; false: it doesn't
 * @memcg_path:	for DAMON_FILTER_MEMCG, relative to the hierarchy's root ("/" is the
 *		root); borrowed for the context's life
 *
 * Filters stand in order and the first that matches decides; where none
 * matches, the page passes unless the last filter is an allowing one.
 */
struct damon_filter {
	enum damon_filter_type type;
	bool matching;
	bool allow;
	const char *memcg_path;
};

#define DAMON_MAX_PROBE_FILTERS 8

/**
 * struct damon_probe - an attribute of pages that is counted along with accesses
 * @weight:	its share in the weighted sum of hits. If any probe of a context has one,
 *		access checking is off and merging and ageing use that sum.
 * @nr_filters:	how many of @filters are used
 * @filters:	the tests, in order
 */
struct damon_probe {
	uint32_t weight;
	uint32_t nr_filters;
	struct damon_filter filters[DAMON_MAX_PROBE_FILTERS];
};

/**
 * struct damon_cost - what monitoring has cost since the context started
 * @cpu_ns:	processor time of the kdamond
 * @clears:	Accessed bits made old (each may cost the target a page walk)
 * @flushes:	flushes of a target's whole TLB
 * @unwatchable_bytes: size of mappings that can't be watched now
 * @target_ns:	processor time that clears and flushes cost the targets, estimated
 */
struct damon_cost {
	uint64_t cpu_ns;
	uint64_t clears;
	uint64_t flushes;
	uint64_t unwatchable_bytes;
	uint64_t target_ns;
};

/**
 * struct damon_window - a finished aggregation interval, as the window callback gets it
 * @t_start_ns:	when it began, by the port's clock
 * @t_end_ns:	when it ended
 * @sample_us:	sampling interval that was in force; the mean, where a floor rose meanwhile
 * @aggr_us:	aggregation interval that was in force; likewise
 * @nr_samples:	sampling intervals it really had
 * @cost:	running totals at its end
 * @floor_us:	damon_set_interval_floor() where it is what lengthens the sampling interval, as of its
 *		end; else 0
 *
 * Regions are read with damon_get_region(): merged, not split yet.
 */
struct damon_window {
	uint64_t t_start_ns;
	uint64_t t_end_ns;
	uint64_t sample_us;
	uint64_t aggr_us;
	uint32_t nr_samples;
	struct damon_cost cost;
	uint64_t floor_us;
};

/**
 * struct damon_event - something worth noting that happened while monitoring
 * @t_ns:	when, by the port's clock
 * @target:	&damon_target.id, or -1 when it concerns the context
 * @what:	one word: "layout", "exec", "fork", "gone", "unwatchable", "tune",
 *		"commit", "pause", "resume", "pressure", ...
 * @detail:	free text, may be empty; valid only during the callback
 */
struct damon_event {
	uint64_t t_ns;
	int64_t target;
	const char *what;
	const char *detail;
};

/**
 * struct damon_callbacks - how a context tells its owner; all run on the kdamond
 * @started:	before the first iteration; non-zero ends the kdamond with that result
 * @window:	a window was published; non-zero ends the kdamond with that result
 * @event:	something happened
 * @stopped:	the kdamond is about to end; @result is 0 when asked to or when all
 *		targets are gone, else -errno
 * @data:	passed back to each
 */
struct damon_callbacks {
	int (*started)(struct damon_ctx *ctx, void *data);
	int (*window)(struct damon_ctx *ctx, const struct damon_window *window, void *data);
	void (*event)(struct damon_ctx *ctx, const struct damon_event *event, void *data);
	void (*stopped)(struct damon_ctx *ctx, int result, void *data);
	void *data;
};

/**
 * struct damon_target - one address space being watched
 * @id:		number within the context, stable for the target's life
 * @pid:	process id for process targets, else -1
 * @obsolete:	in a commit's source: drop the target of the same index
 * @ops_priv:	the operations set's own
 * @regions:	private to the core
 */
struct damon_target {
	uint32_t id;
	int64_t pid;
	bool obsolete;
	void *ops_priv;
	struct damon_region_table *regions;
	struct damon_lib *lib;
};

/**
 * struct damon_ctx - one monitoring job
 *
 * Made by damon_new_ctx() only, so it may grow. Public fields may be set before
 * damon_start() and read on the kdamond; a running context is changed by
 * damon_commit_ctx().
 *
 * @attrs:	as set by damon_set_attrs() and tuned since; damon_intervals_in_force() may be longer
 * @pause:	parameter: keep everything, do nothing (see damon_pause())
 * @seed:	of the context's random numbers; 0 asks the port for one at start,
 *		and then reads back what was used
 * @ops:	as set by damon_select_ops()
 * @ops_env:	what the operations set was registered with
 * @ops_priv:	the operations set's own, per context
 * @access_unit: counting units one fully accessed sampling interval adds: 1 for
 *		engines that sample a page, more for engines that know a
 *		region's touched share. Set by the operations set's init().
 * @nr_probes, @probes: attribute monitoring
 * @nr_targets, @targets: what is watched; changed by damon_add_target() only
 * @nr_schemes, @schemes: what is done about it; changed by damon_add_scheme() only
 * @callbacks:	who is told
 * @lib:	the library object
 * @internal:	private to the core
 */
struct damon_ctx {
	struct damon_attrs attrs;
	bool pause;
	uint64_t seed;
	const struct damon_operations *ops;
	void *ops_env;
	void *ops_priv;
	uint32_t access_unit;
	uint32_t nr_probes;
	struct damon_probe probes[DAMON_MAX_PROBES];
	uint32_t nr_targets;
	struct damon_target **targets;
	uint32_t nr_schemes;
	struct damos **schemes;
	struct damon_callbacks callbacks;
	struct damon_lib *lib;
	struct damon_ctx_internal *internal;
};

/* The library object: what contexts share. */

/**
 * damon_lib_new() - the object contexts are made on: port, registered operations sets, exclusiveness
 * Return: 0, -ENOMEM, or what the port's mutex_new() returned.
 */
int damon_lib_new(struct damon_lib **lib, struct damon_port *port);

/** damon_lib_free() - free it, after all its contexts */
void damon_lib_free(struct damon_lib *lib);
struct damon_port *damon_lib_port(struct damon_lib *lib);

/* Contexts and targets. */

/**
 * damon_new_ctx() - a context with default attributes, no targets, and no operations set
 * Return: 0 or -ENOMEM (or the port's error).
 */
int damon_new_ctx(struct damon_ctx **ctx, struct damon_lib *lib);

/** damon_destroy_ctx() - free a context that isn't running, with its targets; NULL is allowed */
void damon_destroy_ctx(struct damon_ctx *ctx);

/** damon_default_attrs() - 5 ms / 100 ms / 60 s, 10..1,000 regions, tuning off */
void damon_default_attrs(struct damon_attrs *attrs);

/** damon_check_attrs() - 0, or -EINVAL when a rule of &struct damon_attrs is broken */
int damon_check_attrs(const struct damon_attrs *attrs);

/**
 * damon_set_attrs() - replace the attributes, keeping what was learned
 *
 * Before start, or on the kdamond. When the intervals change, counts are rescaled
 * through basis points of the samples per window, ages by the ratio of the
 * window lengths, and a half-gathered window is dropped.
 * Return: 0; -EINVAL, or -EOPNOTSUPP when there are probes and the operations set has none;
 * -EBUSY from a walk's function (nothing changed).
 */
int damon_set_attrs(struct damon_ctx *ctx, const struct damon_attrs *attrs);

/**
 * damon_set_interval_floor() - keep sampling intervals from being shorter than @floor_us
 * @floor_us:	microseconds; 0 takes the bound away
 *
 * For those who bound the cost: an operations set, or the context's owner; the last call counts.
 * While &damon_attrs.sample_interval is shorter, sampling intervals are of this length, and a window
 * keeps its number of samples, so counts stay comparable. It goes before
 * &damon_intervals_goal.max_sample_us. The attributes go on holding what was asked for (or was tuned),
 * and are in force again when the floor allows it.
 *
 * A higher floor lengthens the sampling intervals to come at once, a lower one those of the next window.
 * A window tells what its intervals were on average (&damon_window.sample_us, @aggr_us), and its ages are in
 * terms of that. The event "tune" tells that the intervals in force have changed.
 * On the kdamond, or while the context isn't running: then it is in force from the
 * start on. The end of the kdamond takes it away.
 */
void damon_set_interval_floor(struct damon_ctx *ctx, uint64_t floor_us);

/**
 * damon_intervals_in_force() - the intervals of the present window; on the kdamond, or not running
 *
 * Those of &damon_ctx.attrs, unless the floor is higher.
 */
void damon_intervals_in_force(const struct damon_ctx *ctx, uint64_t *sample_us, uint64_t *aggr_us);

/** damon_new_target() - a target without regions; 0 or -ENOMEM */
int damon_new_target(struct damon_target **target, struct damon_lib *lib);

/**
 * damon_add_target() - hand a target over to a context that isn't running
 *
 * The target's id is set to the next free number. Return: 0 or -ENOMEM (the target is then still the
 * caller's).
 */
int damon_add_target(struct damon_ctx *ctx, struct damon_target *target);

/** damon_free_target() - free a target that belongs to no context; NULL is allowed */
void damon_free_target(struct damon_target *target);

/**
 * damon_set_regions() - make a target's regions cover exactly the given ranges
 * @target:	before start, or on the kdamond
 * @ranges:	sorted, not empty, not overlapping
 * @nr:		how many; 0 leaves no region
 * @min_region_sz: the context's; a power of two. Edges are aligned to it, outwards.
 *
 * What lies in the new ranges keeps its counts and age; holes become fresh
 * regions; what lies outside goes; a region across a new gap keeps its counts on both sides.
 * Return: 0; -EINVAL, -ENOMEM, or -EBUSY from a walk's function (nothing changed).
 */
int damon_set_regions(struct damon_target *target, const struct damon_addr_range *ranges, size_t nr,
		      uint64_t min_region_sz);

/** damon_nr_regions() - how many regions a target has; before start, or on the kdamond */
size_t damon_nr_regions(const struct damon_target *target);

/**
 * damon_get_region() - read region @idx (below damon_nr_regions()) of @target
 * @ctx:	the target's context; before start, stopped, or on the kdamond
 */
void damon_get_region(const struct damon_ctx *ctx, const struct damon_target *target, size_t idx,
		      struct damon_region *region);

/**
 * damon_moving_sum() - access frequency of a region now, in samples per window
 *
 * nr_accesses + last_nr_accesses * (share of the window still to come). On the kdamond.
 */
uint32_t damon_moving_sum(const struct damon_ctx *ctx, const struct damon_region *region);

/** damon_nr_samples_per_aggr() - sampling intervals in a window by the attributes, at least 1 */
uint64_t damon_nr_samples_per_aggr(const struct damon_attrs *attrs);

/**
 * damon_feed_loop_next_input() - proportional feedback towards a score of 10,000
 * @last:	last input, in 1/10,000 of the tuned unit
 * @score:	what it achieved; 10,000 is the goal
 *
 * Equal: @last. From 20,000 on: 10,000, which is the floor (one unit). Else
 * @last moves by @last * |10,000 - score| / 10,000, up when under-achieving,
 * down to the floor when over-achieving; it saturates and never wraps.
 * Source: the documented "aim-oriented feedback-driven" tuning of Linux DAMOS.
 */
uint64_t damon_feed_loop_next_input(uint64_t last, uint64_t score);

/* Schemes. */

/** damon_new_scheme() - a scheme that counts all regions every window; 0 or -ENOMEM */
int damon_new_scheme(struct damos **scheme, struct damon_lib *lib);

/**
 * damon_add_scheme() - hand a scheme over to a context that isn't running
 *
 * What the context's operations set or the port can't do is refused here when the set is
 * selected already, and again at start and commit. Return: 0; -EINVAL (an empty range, no such
 * action, contradictory watermarks, a goal of 0, ...); -EOPNOTSUPP (an action or filter
 * the operations set doesn't have, a metric the port doesn't); what reading a metric gave; -ENOMEM. After
 * an error the scheme is still the caller's.
 */
int damon_add_scheme(struct damon_ctx *ctx, struct damos *scheme);

/**
 * damos_add_filter() - append a filter to a scheme that belongs to no context
 * Return: 0; -EINVAL (no such type, an empty range, no path); -ENOSPC beyond DAMOS_MAX_FILTERS.
 */
int damos_add_filter(struct damos *scheme, const struct damos_filter *filter);

/**
 * damos_add_quota_goal() - append a goal to the quota of a scheme that belongs to no context
 * Return: 0; -EINVAL (no such metric, a target of 0, no path); -ENOSPC beyond DAMOS_MAX_GOALS.
 */
int damos_add_quota_goal(struct damos *scheme, const struct damos_quota_goal *goal);

/** damon_free_scheme() - free a scheme that belongs to no context; NULL is allowed */
void damon_free_scheme(struct damos *scheme);

/* Running. */

/**
 * damon_start() - start one kdamond per context; all or none
 * @exclusive:	no other kdamond of the library may run beside this group
 *
 * Waits until each runs. A stopped context may be started again and goes on with
 * the regions it had; see damon_forget(). Return: 0; -EINVAL (no operations set, bad attributes); -EBUSY (one
 * runs already, or exclusiveness forbids it); -ENOMEM; what init() returned; -ESTALE
 * (damon_training_apply()).
 */
int damon_start(struct damon_ctx **ctxs, size_t nr, bool exclusive);

/**
 * damon_stop() - ask the contexts' kdamonds to stop and wait until they have
 *
 * Takes effect while sleeping and while paused. Return: 0 (also when already
 * stopped); -EDEADLK on one of these kdamonds.
 */
int damon_stop(struct damon_ctx **ctxs, size_t nr);

/**
 * damon_forget() - drop what a context that isn't running has learned: counts, ages, regions' shape,
 * and training that waits for its start; 0 or -EBUSY
 */
int damon_forget(struct damon_ctx *ctx);

/**
 * struct damon_training_region - what was learned of a region
 * @ar:		its addresses
 * @nr_accesses: in the last complete window, counting units (&damon_training.access_unit)
 * @nr_unknown:	sampling intervals for which nobody could say, in the same window or the part of the
 *		present one that has passed; told, but not used when training is applied
 * @age:	aggregation intervals since its access frequency last changed
 * @probe_sum:	weighted sum of probe hits in the last complete window
 */
struct damon_training_region {
	struct damon_addr_range ar;
	uint32_t nr_accesses;
	uint32_t nr_unknown;
	uint32_t age;
	uint32_t probe_sum;
};

/**
 * struct damon_training_target - what was learned of a target
 * @pid:	as &damon_target.pid
 * @start_time, @name: who that was, for the caller to fill in and to compare; the core
 *		looks at neither
 * @nr_regions:	0 leaves the target as it is when training is applied
 * @regions:	sorted
 */
struct damon_training_target {
	int64_t pid;
	uint64_t start_time;
	char name[64];
	size_t nr_regions;
	struct damon_training_region *regions;
};

/** DAMON_BOOT_ID_SIZE - room for one, with its NUL */
#define DAMON_BOOT_ID_SIZE 40

/**
 * struct damon_training - what a context has learned, apart from any context
 * @ops_id:	enum damon_ops_id of its operations set
 * @access_unit: &damon_ctx.access_unit in which accesses were counted
 * @attrs:	the attributes in force, tuned intervals included
 * @nr_probes, @probe_weights: of its probes
 * @boot_id:	which start of the machine &damon_training_target.start_time belongs to; as that, for the
 *		caller. "" is unknown.
 * @last_nr_regions, @split_offset: where splitting stood; private to the core
 * @nr_targets, @targets: in the context's order
 * @lib:	the library object it was made with
 */
struct damon_training {
	uint32_t ops_id;
	uint32_t access_unit;
	struct damon_attrs attrs;
	uint32_t nr_probes;
	uint32_t probe_weights[DAMON_MAX_PROBES];
	char boot_id[DAMON_BOOT_ID_SIZE];
	uint64_t last_nr_regions;
	uint64_t split_offset;
	uint32_t nr_targets;
	struct damon_training_target *targets;
	struct damon_lib *lib;
};

/**
 * damon_training_new() - an empty one, for those who fill it from elsewhere
 * @nr_regions:	how many regions each of the @nr_targets gets room for, as its
 *		&damon_training_target.nr_regions
 * Return: 0 or -ENOMEM. It is one piece of the port's memory, filled with zeroes.
 */
int damon_training_new(struct damon_training **training, struct damon_lib *lib, uint32_t nr_targets,
		       const size_t *nr_regions);

/** damon_training_free() - from any thread, before the library object; NULL is allowed */
void damon_training_free(struct damon_training *training);

/**
 * damon_training_take() - copy what @ctx has learned; on the kdamond, or while it isn't running
 * Return: 0; -EBUSY on another thread while it runs; -EINVAL (no operations set); -ENOMEM.
 */
int damon_training_take(struct damon_training **training, struct damon_ctx *ctx);

/**
 * damon_training_apply() - have @ctx, which isn't running, go on at its next start with what was learned
 * @training:	of as many targets, in the same order; the context's from then on. NULL drops one
 *		that no start has used yet.
 *
 * Fitted at start, after init_target(), when the present layout is known: learned regions that lie in
 * it replace those that the targets have, what is new there is fresh. Where tuning is on, and was
 * when it was learned, the intervals are the learned ones, within the present goal's limits;
 * else counts and ages are rescaled to the intervals of the context. All or nothing:
 * damon_start() returns -ESTALE, with the targets as they were without training, when less than half of
 * what was learned of a target (bytes) lies in its present layout, or the number of targets, the
 * operations set, the scale of addresses, or the probes' weights are others; -EINVAL when the smallest
 * region has become larger; -ENOMEM. The training then stays for the next start.
 * Random numbers are no part of it.
 *
 * Return: 0; -EBUSY; -EINVAL (attributes or regions that can't be): @training is still the caller's.
 */
int damon_training_apply(struct damon_ctx *ctx, struct damon_training *training);

/** damon_is_running() - state now, from any thread */
bool damon_is_running(struct damon_ctx *ctx);

/** damon_kdamond_pid() - number of the kdamond's thread (&damon_port.thread_self), -1 when not running */
int64_t damon_kdamond_pid(struct damon_ctx *ctx);

/**
 * damon_wait() - wait until the kdamond has ended, by itself or by damon_stop()
 * @timeout_us:	UINT64_MAX waits without a limit
 * Return: 0; -ETIMEDOUT; -EDEADLK on the kdamond itself. The result the
 * kdamond ended with is in *@result when that isn't NULL.
 */
int damon_wait(struct damon_ctx *ctx, uint64_t timeout_us, int *result);

/*
 * Requests. None waits for ever: each ends when it is served, when its context's kdamond
 * ends, when its timeout passes, or when it is cancelled from any other thread. A refused
 * request leaves no trace.
 */

/** struct damon_request - the part of a request that is private to the core */
struct damon_request {
	/* private: */
	struct damon_request *prev;
	struct damon_request *next;
	uint64_t seq;
	uint64_t pass;
	int result;
	uint8_t kind;
	uint8_t state;
	bool cancelled;
};

/**
 * struct damon_call_control - a request to run a function on the kdamond
 * @fn:		called between iterations; its return value is the request's result, or,
 *		with @repeat, ends the repetition when not 0
 * @data:	passed to @fn
 * @repeat:	call @fn once every iteration (while paused: every sampling interval or 100 ms,
 *		whichever is longer) until it returns non-zero or is cancelled; damon_call() then
 *		doesn't wait
 * @timeout_us:	how long a waiting damon_call() waits, 0 for no limit; -ETIMEDOUT, @fn then
 *		never runs afterwards. A callback that has begun is waited for.
 * @end:	called exactly once as the last touch of an accepted request, with its result;
 *		may be NULL. With @repeat that is what @fn ended with, or -ECANCELED when the kdamond
 *		stopped or it was cancelled, and comes from the kdamond or from
 *		damon_call_cancel(); else it comes from damon_call() just before it returns.
 *
 * The rest is private. The struct must stay valid until damon_call()
 * returns, or with @repeat until @end was called.
 */
struct damon_call_control {
	int (*fn)(struct damon_ctx *ctx, void *data);
	void *data;
	bool repeat;
	uint64_t timeout_us;
	void (*end)(struct damon_call_control *control, int result);
	/* private: */
	struct damon_request request;
};

/**
 * damon_call() - have @control->fn run on @ctx's kdamond
 *
 * From any thread. Return: @fn's result; -ECANCELED (not running, or it
 * stopped first, or the call was cancelled); -EDEADLK on that kdamond; -EINVAL (no
 * function); -ETIMEDOUT. With repeat: 0 or one of the first three errors.
 */
int damon_call(struct damon_ctx *ctx, struct damon_call_control *control);

/**
 * damon_call_cancel() - end a call and wait until it can no longer run, its @end included
 *
 * From any thread. A waiting damon_call() returns -ECANCELED, unless its function had begun:
 * that is waited for and counts. From inside its own callback (where it marks a repeated call to
 * end after this time) or @end it doesn't wait. Return: 0 when this ended it; -ENOENT when there
 * was nothing to end, or it ended by itself.
 */
int damon_call_cancel(struct damon_ctx *ctx, struct damon_call_control *control);

/**
 * struct damos_walk_control - a request to see the regions the schemes are applied to
 * @walk_fn:	called for every region each scheme is applied to, right after its action;
 *		@sz_filter_passed is how many bytes of it passed the operations set's filters
 * @data:	passed to it
 * @timeout_us:	how long damos_walk() waits, 0 for no limit
 * @end:	called exactly once by an accepted damos_walk(), just before it returns; may be NULL
 */
struct damos_walk_control {
	void (*walk_fn)(struct damon_ctx *ctx, struct damon_target *target,
			const struct damon_region *region, struct damos *scheme,
			uint64_t sz_filter_passed, void *data);
	void *data;
	uint64_t timeout_us;
	void (*end)(struct damos_walk_control *control, int result);
	/* private: */
	struct damon_request request;
};

/**
 * damos_walk() - see one application of every scheme of @ctx
 *
 * Waits until each scheme has been applied once since the request, which takes up to the
 * longest apply interval. Several threads may walk at once; all are served by the same
 * pass. From any thread. Return: 0; -ECANCELED (not running, stopped, paused, no scheme, or
 * cancelled); -EDEADLK on that kdamond; -EINVAL (no function); -ETIMEDOUT.
 */
int damos_walk(struct damon_ctx *ctx, struct damos_walk_control *control);

/**
 * damos_walk_cancel() - make another thread's damos_walk() return -ECANCELED
 *
 * As damon_call_cancel(); a running @walk_fn is waited for, not the whole pass.
 */
int damos_walk_cancel(struct damon_ctx *ctx, struct damos_walk_control *control);

/**
 * damon_commit_ctx() - replace @dst's parameters by @src's, keeping learned data
 *
 * On @dst's kdamond, or while it isn't running. Attributes, pause, probes, schemes by index (those of
 * the same index keep their statistics and when they are due), targets
 * by index (the ones beyond @dst's are added, the ones marked obsolete and those that
 * @src doesn't have dropped; @src targets without regions keep @dst's). A transaction: on any
 * error (-EBUSY on another thread while it runs, and inside an event or walk callback, which
 * are called from the middle of the targets; -EINVAL, -ENOMEM, -EOPNOTSUPP for probes, the
 * operations set's) @dst is as it was. Strings of probes' filters are borrowed from then on.
 */
int damon_commit_ctx(struct damon_ctx *dst, struct damon_ctx *src);

/**
 * damon_pause(), damon_resume() - set or clear the pause parameter of a running context
 *
 * Paused, a kdamond checks no access, ages nothing, and advances no window; it
 * serves requests and honours stop. Each waits until it is in force, which for a pause is
 * the end of the present sampling interval. From any thread but the
 * kdamond. Return: 0, -ECANCELED when not running, -EDEADLK.
 */
int damon_pause(struct damon_ctx *ctx);
int damon_resume(struct damon_ctx *ctx);

#ifdef __cplusplus
}
#endif
#endif
