/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The keywords of parameters, as the kernel's files have them: one table for everybody who reads or
 * writes one.
 */
#ifndef UDAMON_PARAMS_NAMES_H
#define UDAMON_PARAMS_NAMES_H

#include <stddef.h>

/** enum params_keyword - what a keyword stands for */
enum params_keyword {
	PARAMS_ACTION,	     /* enum damos_action */
	PARAMS_GOAL_METRIC,  /* enum damos_quota_goal_metric */
	PARAMS_GOAL_TUNER,   /* enum damos_quota_goal_tuner */
	PARAMS_WMARK_METRIC, /* enum damos_wmark_metric */
	PARAMS_FILTER_TYPE,  /* enum damos_filter_type, of schemes' filters */
	PARAMS_PROBE_FILTER, /* enum damon_filter_type, of probes' filters */
	PARAMS_OPS,	     /* enum damon_ops_id */
};

/** params_name() - the keyword of @value; NULL when there is no such value */
const char *params_name(enum params_keyword kind, unsigned int value);

/** params_value() - the value of the keyword that @text is as a whole; -EINVAL when it is none */
int params_value(enum params_keyword kind, const char *text);

/** params_names() - all keywords of @kind in their order, "a, b, c", cut to @size; returns @text */
char *params_names(enum params_keyword kind, char *text, size_t size);

#endif
