// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The keywords of parameters. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <udamon/ops.h>

#include "params/names.h"

static const char *const actions[] = {
	[DAMOS_STAT] = "stat",
	[DAMOS_PAGEOUT] = "pageout",
	[DAMOS_COLD] = "cold",
	[DAMOS_WILLNEED] = "willneed",
	[DAMOS_HUGEPAGE] = "hugepage",
	[DAMOS_NOHUGEPAGE] = "nohugepage",
	[DAMOS_COLLAPSE] = "collapse",
	[DAMOS_LRU_PRIO] = "lru_prio",
	[DAMOS_LRU_DEPRIO] = "lru_deprio",
	[DAMOS_MIGRATE_HOT] = "migrate_hot",
	[DAMOS_MIGRATE_COLD] = "migrate_cold",
};

static const char *const goal_metrics[] = {
	[DAMOS_GOAL_USER_INPUT] = "user_input",
	[DAMOS_GOAL_SOME_MEM_PSI_US] = "some_mem_psi_us",
	[DAMOS_GOAL_NODE_MEM_USED_BP] = "node_mem_used_bp",
	[DAMOS_GOAL_NODE_MEM_FREE_BP] = "node_mem_free_bp",
	[DAMOS_GOAL_NODE_MEMCG_USED_BP] = "node_memcg_used_bp",
	[DAMOS_GOAL_NODE_MEMCG_FREE_BP] = "node_memcg_free_bp",
	[DAMOS_GOAL_ACTIVE_MEM_BP] = "active_mem_bp",
	[DAMOS_GOAL_INACTIVE_MEM_BP] = "inactive_mem_bp",
	[DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP] = "node_eligible_mem_bp",
};

static const char *const goal_tuners[] = {
	[DAMOS_TUNER_CONSIST] = "consist",
	[DAMOS_TUNER_TEMPORAL] = "temporal",
};

static const char *const wmark_metrics[] = {
	[DAMOS_WMARK_NONE] = "none",
	[DAMOS_WMARK_FREE_MEM_RATE] = "free_mem_rate",
};

static const char *const filter_types[] = {
	[DAMOS_FILTER_ANON] = "anon",
	[DAMOS_FILTER_ACTIVE] = "active",
	[DAMOS_FILTER_MEMCG] = "memcg",
	[DAMOS_FILTER_YOUNG] = "young",
	[DAMOS_FILTER_HUGEPAGE_SIZE] = "hugepage_size",
	[DAMOS_FILTER_UNMAPPED] = "unmapped",
	[DAMOS_FILTER_ADDR] = "addr",
	[DAMOS_FILTER_TARGET] = "target",
};

static const char *const probe_filters[] = {
	[DAMON_FILTER_ANON] = "anon",
	[DAMON_FILTER_MEMCG] = "memcg",
};

#define KEYWORDS(names)                                                                            \
	{                                                                                          \
		names, sizeof(names) / sizeof((names)[0])                                          \
	}

static const struct {
	const char *const *names;
	unsigned int nr;
} keywords[] = {
	[PARAMS_ACTION] = KEYWORDS(actions),
	[PARAMS_GOAL_METRIC] = KEYWORDS(goal_metrics),
	[PARAMS_GOAL_TUNER] = KEYWORDS(goal_tuners),
	[PARAMS_WMARK_METRIC] = KEYWORDS(wmark_metrics),
	[PARAMS_FILTER_TYPE] = KEYWORDS(filter_types),
	[PARAMS_PROBE_FILTER] = KEYWORDS(probe_filters),
	[PARAMS_OPS] = {NULL, DAMON_NR_OPS}, /* the core has these */
};

_Static_assert(sizeof(actions) / sizeof(actions[0]) == DAMOS_NR_ACTIONS, "an action has no name");
_Static_assert(sizeof(goal_metrics) / sizeof(goal_metrics[0]) == DAMOS_NR_GOAL_METRICS,
	       "a metric has no name");
_Static_assert(sizeof(goal_tuners) / sizeof(goal_tuners[0]) == DAMOS_NR_TUNERS,
	       "a tuner has no name");
_Static_assert(sizeof(wmark_metrics) / sizeof(wmark_metrics[0]) == DAMOS_NR_WMARK_METRICS,
	       "a metric has no name");
_Static_assert(sizeof(filter_types) / sizeof(filter_types[0]) == DAMOS_NR_FILTER_TYPES,
	       "a filter has no name");

const char *params_name(enum params_keyword kind, unsigned int value)
{
	if (value >= keywords[kind].nr)
		return NULL;
	return kind == PARAMS_OPS ? damon_ops_name(value) : keywords[kind].names[value];
}

int params_value(enum params_keyword kind, const char *text)
{
	unsigned int i;

	for (i = 0; i < keywords[kind].nr; i++)
		if (!strcmp(params_name(kind, i), text))
			return (int)i;
	return -EINVAL;
}

char *params_names(enum params_keyword kind, char *text, size_t size)
{
	size_t used = 0;
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < keywords[kind].nr && used < size; i++) {
		int n = snprintf(text + used, size - used, "%s%s", i ? ", " : "",
				 params_name(kind, i));

		used += n > 0 ? (size_t)n : 0;
	}
	return text;
}
