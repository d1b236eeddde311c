/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the tests of schemes share: a world whose scripted operations set notes what was done. */
#ifndef UDAMON_TESTS_SCHEME_FIXTURE_H
#define UDAMON_TESTS_SCHEME_FIXTURE_H

#include <errno.h>
#include <string.h>

#include "core/request.h"
#include "core/scheme.h"
#include "test_port.h"

#define MAX_DONE 64

struct scheme_world {
	struct test_world world;
	struct damon_addr_range done[MAX_DONE]; /* what apply_scheme() was asked for, in order */
	size_t nr_done;
	uint64_t cpu_ns_per_page; /* the action's processor time */
	uint64_t slow_page;	  /* from here on (0: nowhere) it is so many times as much: */
	uint64_t slow_times;
	uint64_t cpu_ns; /* the thread's, 0 stands for virtual time */
	bool in_vain;	 /* nothing is applied */
	uint64_t metric; /* every metric of the port */
	int metric_err;
	unsigned int nr_metric;
};

static int64_t note_apply(struct test_script *script, const struct damon_addr_range *ar,
			  const struct damos *scheme, uint64_t *passed)
{
	struct scheme_world *w = script->data;
	uint64_t slow;

	(void)scheme;
	(void)passed;
	assert_in_range(w->nr_done, 0, MAX_DONE - 1);
	w->done[w->nr_done++] = *ar;
	w->cpu_ns += (ar->end - ar->start) / TEST_PAGE * w->cpu_ns_per_page;
	if (w->slow_page && ar->end > w->slow_page * TEST_PAGE) {
		slow = w->slow_page * TEST_PAGE > ar->start ? w->slow_page * TEST_PAGE : ar->start;
		w->cpu_ns +=
			(ar->end - slow) / TEST_PAGE * w->cpu_ns_per_page * (w->slow_times - 1);
	}
	return w->in_vain ? 0 : (int64_t)(ar->end - ar->start);
}

static int read_metric(struct damon_port *port, enum damon_metric metric, int32_t nid,
		       const char *memcg_path, uint64_t *value)
{
	struct scheme_world *w = port->metric_data;

	(void)metric;
	(void)nid;
	(void)memcg_path;
	w->nr_metric++;
	*value = w->metric;
	return w->metric_err;
}

static uint64_t cpu_time(struct damon_port *port)
{
	return ((struct scheme_world *)port->metric_data)->cpu_ns;
}

/* 1,000 pages in one region, windows of 20 samples. */
static void scheme_world_init(struct scheme_world *w)
{
	static const struct damon_addr_range pages = TEST_RANGE(0, 1000);

	memset(w, 0, sizeof(*w));
	w->cpu_ns = 1;
	test_world_init(&w->world);
	w->world.script.data = w;
	w->world.script.apply = note_apply;
	w->world.port.port.metric = read_metric;
	w->world.port.port.metric_data = w;
	w->world.port.port.thread_cpu_ns = cpu_time;
	w->world.script.ranges = &pages;
	w->world.script.nr_ranges = 1;
}

static struct damos *scheme_new(struct scheme_world *w, enum damos_action action)
{
	struct damos *scheme;

	assert_int_equal(damon_new_scheme(&scheme, w->world.lib), 0);
	scheme->action = action;
	return scheme;
}

static inline struct damos *scheme_add(struct scheme_world *w, enum damos_action action)
{
	struct damos *scheme = scheme_new(w, action);

	assert_int_equal(damon_add_scheme(w->world.ctx, scheme), 0);
	return scheme;
}

static inline void scheme_world_start(struct scheme_world *w)
{
	assert_int_equal(damon_monitor_start(w->world.ctx), 0);
}

/* A window's end, @ms later: all schemes of that interval are due. What was done before is forgotten. */
static inline void scheme_pass(struct scheme_world *w, uint64_t ms)
{
	struct damon_ctx_internal *internal = w->world.ctx->internal;

	w->nr_done = 0;
	w->world.port.ahead_ns += ms * 1000000;
	internal->passed_sis += 20;
	internal->next_aggr_sis = internal->passed_sis;
	damon_schemes_apply(w->world.ctx);
}

static inline void expect_done(const struct scheme_world *w, const struct damon_addr_range *ranges,
			       size_t nr)
{
	size_t i;

	assert_int_equal(w->nr_done, nr);
	for (i = 0; i < nr; i++) {
		assert_int_equal(w->done[i].start / TEST_PAGE, ranges[i].start / TEST_PAGE);
		assert_int_equal(w->done[i].end / TEST_PAGE, ranges[i].end / TEST_PAGE);
	}
}

#define EXPECT_DONE(w, ...)                                                                        \
	do {                                                                                       \
		const struct damon_addr_range expected[] = {__VA_ARGS__};                          \
		expect_done(w, expected, TEST_COUNT(expected));                                    \
	} while (0)

#endif
