/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the tests of the simulated machine share: a program on one, driven by hand.
 *
 * Most programs there touch their pages in turn, one a millisecond, so that the numbers can be
 * worked out by hand.
 */
#ifndef UDAMON_TESTS_SIM_WORLD_H
#define UDAMON_TESTS_SIM_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/sim_pages.h"

#define MS   1000000ULL
#define PAGE SIM_PAGE_SIZE
#define HUGE SIM_HUGE_SIZE

/* 16 pages in turn, one each ms, for 10 s. */
#define IN_TURN "a, 65536, none\n\np\n10000\na, 0, 4096, 1\n"

struct world {
	struct sim_workload *workload;
	struct sim_space *space;
	struct sim_machine *machine;
	struct damos scheme;
	uint64_t applied; /* by the last act(), bytes */
	uint64_t passed;
};

static inline void set_up(struct world *w, const char *text, uint64_t rate,
			  const struct sim_machine_config *config)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct damon_error err = {""};

	memset(w, 0, sizeof(*w));
	assert_non_null(file);
	if (sim_workload_parse(file, "test", &w->workload, &err))
		fail_msg("%s", err.text);
	fclose(file);
	assert_int_equal(sim_space_new(&w->space, w->workload, 1, rate, NULL), 0);
	assert_int_equal(sim_machine_new(&w->machine, config, 1, &w->space), 0);
	w->scheme.target_nid = -1;
}

static inline void tear_down(struct world *w)
{
	sim_machine_free(w->machine);
	sim_space_free(w->space);
	sim_workload_free(w->workload);
}

static inline uint64_t base(const struct world *w, size_t area)
{
	return w->space->areas[area].ar.start;
}

/* At @t_ms, do @action to pages [@first, @first + @nr), counted from the start of @area. */
static inline uint64_t act(struct world *w, uint64_t t_ms, enum damos_action action, size_t area,
			   uint64_t first, uint64_t nr)
{
	struct damon_addr_range ar = {base(w, area) + first * PAGE,
				      base(w, area) + (first + nr) * PAGE};

	sim_machine_run(w->machine, t_ms * MS);
	w->scheme.action = action;
	w->applied = w->passed = 0;
	assert_int_equal(sim_apply(w->machine, w->machine->memories, &ar, &w->scheme, &w->applied,
				   &w->passed),
			 0);
	return w->applied / PAGE;
}

static inline struct sim_machine_stat stat_at(struct world *w, uint64_t t_ms)
{
	struct sim_machine_stat stat;

	sim_machine_run(w->machine, t_ms * MS);
	sim_machine_stat(w->machine, &stat);
	return stat;
}

static inline uint64_t resident_at(struct world *w, uint64_t t_ms)
{
	return stat_at(w, t_ms).resident / PAGE;
}

static inline uint64_t refaults_at(struct world *w, uint64_t t_ms)
{
	return stat_at(w, t_ms).refaults;
}

static inline void add_filter(struct world *w, enum damos_filter_type type, bool matching,
			      bool allow)
{
	w->scheme.filters[w->scheme.nr_filters++] =
		(struct damos_filter){.type = type, .matching = matching, .allow = allow};
}

#endif
