/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What a scheme consists of: pattern, action, quota with goals, watermarks, filters, statistics.
 *
 * Included by damon.h, which has the functions. Sizes are bytes, ages aggregation intervals, ratios
 * basis points unless said otherwise.
 */
#ifndef UDAMON_SCHEME_H
#define UDAMON_SCHEME_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct damon_lib;

/** enum damos_action - what a scheme does with the regions of its pattern */
enum damos_action {
	DAMOS_STAT,	    /* count them, nothing else */
	DAMOS_PAGEOUT,	    /* out of memory */
	DAMOS_COLD,	    /* first in line to leave memory */
	DAMOS_WILLNEED,	    /* into memory */
	DAMOS_HUGEPAGE,	    /* may be made of huge pages */
	DAMOS_NOHUGEPAGE,   /* may not */
	DAMOS_COLLAPSE,	    /* make huge pages of it now */
	DAMOS_LRU_PRIO,	    /* as if just used */
	DAMOS_LRU_DEPRIO,   /* as if not used for long */
	DAMOS_MIGRATE_HOT,  /* to another node, hottest first */
	DAMOS_MIGRATE_COLD, /* to another node, coldest first */
	DAMOS_NR_ACTIONS,
};

/**
 * struct damos_access_pattern - which regions a scheme is for; all bounds are included
 * @min_sz_region, @max_sz_region: size, bytes
 * @min_nr_accesses, @max_nr_accesses: access frequency (damon_moving_sum()), samples per window
 * @min_age_region, @max_age_region: aggregation intervals
 */
struct damos_access_pattern {
	uint64_t min_sz_region;
	uint64_t max_sz_region;
	uint32_t min_nr_accesses;
	uint32_t max_nr_accesses;
	uint32_t min_age_region;
	uint32_t max_age_region;
};

/** enum damos_quota_goal_metric - what a goal of a quota is measured by */
enum damos_quota_goal_metric {
	DAMOS_GOAL_USER_INPUT,	       /* &damos_quota_goal.current_value, set by the caller */
	DAMOS_GOAL_SOME_MEM_PSI_US,    /* growth of memory pressure "some" in a quota window, us */
	DAMOS_GOAL_NODE_MEM_USED_BP,   /* used memory of a node */
	DAMOS_GOAL_NODE_MEM_FREE_BP,   /* free memory of a node */
	DAMOS_GOAL_NODE_MEMCG_USED_BP, /* a memory cgroup's share of a node's memory */
	DAMOS_GOAL_NODE_MEMCG_FREE_BP, /* the rest of the node's */
	DAMOS_GOAL_ACTIVE_MEM_BP,      /* active share of the reclaimable memory */
	DAMOS_GOAL_INACTIVE_MEM_BP,    /* inactive share of it */
	DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP, /* a node's share of the pattern's bytes; "paddr" only */
	DAMOS_NR_GOAL_METRICS,
};

/**
 * struct damos_quota_goal - something a quota is tuned towards
 * @metric:	how it is measured
 * @target_value: what is aimed at, in the metric's unit; not 0
 * @current_value: the last measure; the caller's to write for DAMOS_GOAL_USER_INPUT
 * @nid:	node, where the metric is of one
 * @memcg_path:	cgroup relative to the hierarchy's root, where the metric is of one; borrowed for
 *		the context's life
 */
struct damos_quota_goal {
	enum damos_quota_goal_metric metric;
	uint64_t target_value;
	uint64_t current_value;
	int32_t nid;
	const char *memcg_path;
};

/** enum damos_quota_goal_tuner - how goals move the effective quota */
enum damos_quota_goal_tuner {
	DAMOS_TUNER_CONSIST, /* in steps, by damon_feed_loop_next_input() */
	DAMOS_TUNER_TEMPORAL, /* nothing once the goal is reached, else all that other limits allow */
	DAMOS_NR_TUNERS,
};

#define DAMOS_MAX_GOALS	  8
#define DAMOS_MAX_FILTERS 16
#define DAMOS_MAX_DESTS	  8

/**
 * struct damos_quota - how much a scheme may do in a quota window
 * @reset_interval_ms: length of the window; 0: every application is one
 * @ms:		processor time; 0: no limit. Once it is used up, the window's quota is, whatever
 *		the bytes; large regions are worked off in steps, between which the clock is read.
 * @sz:		bytes; 0: no limit
 * @nr_goals, @goals: the limit is also tuned towards these
 * @tuner:	how
 * @weight_sz:	kept for the tools that set it; sizes have no part in a region's priority
 * @weight_nr_accesses, @weight_age: shares of both in it; both 0: no priorities
 * @fail_charge_num, @fail_charge_denom: a byte that was tried in vain is charged as num / denom
 *		bytes; denom 0: in full
 * @esz:	the effective limit in bytes that came of all this when the window began (of @ms: by
 *		the speed measured so far); the core's to write
 */
struct damos_quota {
	uint64_t reset_interval_ms;
	uint64_t ms;
	uint64_t sz;
	uint32_t nr_goals;
	struct damos_quota_goal goals[DAMOS_MAX_GOALS];
	enum damos_quota_goal_tuner tuner;
	uint32_t weight_sz;
	uint32_t weight_nr_accesses;
	uint32_t weight_age;
	uint32_t fail_charge_num;
	uint32_t fail_charge_denom;
	uint64_t esz;
};

/** enum damos_wmark_metric - what watermarks are compared with */
enum damos_wmark_metric {
	DAMOS_WMARK_NONE,	   /* nothing: always active */
	DAMOS_WMARK_FREE_MEM_RATE, /* free memory of the system, per mille */
	DAMOS_NR_WMARK_METRICS,
};

/**
 * struct damos_watermarks - when a scheme is active at all
 * @metric:	what is looked at
 * @interval_us: how often, while all schemes of the context are inactive
 * @high:	above it the scheme is inactive
 * @mid:	from here up to @high it stays what it is, below it becomes active
 * @low:	below it the scheme is inactive
 */
struct damos_watermarks {
	enum damos_wmark_metric metric;
	uint64_t interval_us;
	uint64_t high;
	uint64_t mid;
	uint64_t low;
};

/** enum damos_filter_type - what a filter of a scheme looks at; the last two the core handles */
enum damos_filter_type {
	DAMOS_FILTER_ANON,	    /* anonymous pages */
	DAMOS_FILTER_ACTIVE,	    /* pages on an active list */
	DAMOS_FILTER_MEMCG,	    /* pages charged to a memory cgroup */
	DAMOS_FILTER_YOUNG,	    /* pages accessed since the last test, which makes them old */
	DAMOS_FILTER_HUGEPAGE_SIZE, /* pages of a size within a range */
	DAMOS_FILTER_UNMAPPED,	    /* pages no process maps */
	DAMOS_FILTER_ADDR,	    /* addresses within a range */
	DAMOS_FILTER_TARGET,	    /* a target, by its place in the context */
	DAMOS_NR_FILTER_TYPES,
};

/**
 * struct damos_filter - keeps a scheme from, or to, part of what its pattern matches
 * @type:	what is looked at
 * @matching:	true: it matches memory of that type; false: all other memory
 * @allow:	true: what it matches is acted on; false: it isn't
 * @memcg_path:	for DAMOS_FILTER_MEMCG, as &damos_quota_goal.memcg_path
 * @addr_start, @addr_end: for DAMOS_FILTER_ADDR; the end isn't included. Regions are split at
 *		both, aligned down to the smallest region.
 * @sz_min, @sz_max: for DAMOS_FILTER_HUGEPAGE_SIZE, both included
 * @target_idx:	for DAMOS_FILTER_TARGET
 *
 * The first one that matches decides. Those of the core come first; when one of them allowed
 * the region, those of the operations set aren't asked. Where none matches, memory is acted on
 * unless the last filter (of the core, or of the operations set) is an allowing one; and
 * with any filter of the operations set, the core's pass on what none of them matched.
 */
struct damos_filter {
	enum damos_filter_type type;
	bool matching;
	bool allow;
	const char *memcg_path;
	uint64_t addr_start;
	uint64_t addr_end;
	uint64_t sz_min;
	uint64_t sz_max;
	uint32_t target_idx;
};

/** struct damos_dest - a node to migrate to, and its share among the others */
struct damos_dest {
	int32_t nid;
	uint32_t weight;
};

/**
 * struct damos_stat - what a scheme has done since it was added
 * @nr_tried:	regions its action was tried on
 * @sz_tried:	their bytes
 * @nr_applied:	regions its action was applied to, at least in part
 * @sz_applied:	bytes it was really applied to
 * @sz_ops_filter_passed: bytes that passed the operations set's filters
 * @qt_exceeds:	quota windows that ended with a full quota
 * @nr_snapshots: passes over a target (two targets count two a pass)
 */
struct damos_stat {
	uint64_t nr_tried;
	uint64_t sz_tried;
	uint64_t nr_applied;
	uint64_t sz_applied;
	uint64_t sz_ops_filter_passed;
	uint64_t qt_exceeds;
	uint64_t nr_snapshots;
};

/* What a quota has learned and where it stands; private to the core. */
struct damos_quota_state {
	bool begun;	     /* there is a window */
	uint64_t window_ns;  /* context time when it began */
	uint64_t charged_sz; /* in it */
	uint64_t spent_sz;   /* in it, with a limit of time: bytes tried, */
	uint64_t spent_ns;   /* and the processor time that took */
	uint64_t esz_bp;     /* what the tuner arrived at, 1/10,000 byte */
	uint64_t timed_sz;   /* the same over all windows */
	uint64_t timed_ns;
	bool go_on;	       /* the next pass goes on after what was charged last: */
	uint32_t go_on_target; /* in this target (its id), */
	uint64_t go_on_addr;   /* from here */
	uint32_t min_score;    /* regions below are left out in this pass */
	bool psi_known[DAMOS_MAX_GOALS];
	uint64_t psi_us[DAMOS_MAX_GOALS]; /* total pressure at the last measure */
	int goal_errors[DAMOS_MAX_GOALS]; /* of the last measures, 0 or -errno: what was reported */
	int wmarks_error;		  /* of the last look at the watermarks' metric */
};

/**
 * struct damos - a scheme: do this to regions of that pattern
 * @pattern:	which regions
 * @action:	what to do with them
 * @apply_interval_us: how often; 0 stands for the aggregation interval
 * @quota:	how much of it
 * @wmarks:	when at all
 * @nr_filters, @filters: which part of the regions, in order
 * @target_nid:	the node migrating actions move to, when there are no @dests; -1: none
 * @nr_dests, @dests: the nodes they spread over
 * @max_nr_snapshots: it stops after so many &damos_stat.nr_snapshots; 0: never
 * @stat:	what it has done; the core's to write
 * @core_filters_allowed: for apply_scheme() of operations sets: their filters aren't asked
 *
 * Made by damon_new_scheme() only, so it may grow; for its parameters alone, filled in by
 * damos_default_values(). The rest is private.
 */
struct damos {
	struct damos_access_pattern pattern;
	enum damos_action action;
	uint64_t apply_interval_us;
	struct damos_quota quota;
	struct damos_watermarks wmarks;
	uint32_t nr_filters;
	struct damos_filter filters[DAMOS_MAX_FILTERS];
	int32_t target_nid;
	uint32_t nr_dests;
	struct damos_dest dests[DAMOS_MAX_DESTS];
	uint64_t max_nr_snapshots;
	struct damos_stat stat;
	bool core_filters_allowed;
	/* private: */
	struct damon_lib *lib;
	uint64_t next_apply_sis; /* sampling intervals passed when it is next due */
	uint64_t last_pass;	 /* the last scheme pass it took part in (request.c) */
	bool wmarks_inactive;	 /* held by its watermarks */
	struct damos_quota_state quota_state;
};

/**
 * damos_default_values() - what damon_new_scheme() makes, without a library object
 *
 * For parameters that are kept before there is a context. All of @scheme is overwritten; no context takes it.
 */
void damos_default_values(struct damos *scheme);

/** DAMOS_FILTER_IS_CORE - whether the core handles filters of that type, not the operations set */
#define DAMOS_FILTER_IS_CORE(type) ((type) >= DAMOS_FILTER_ADDR)

#ifdef __cplusplus
}
#endif
#endif
