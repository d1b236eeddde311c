/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What tests of the core stand on: a port that counts and refuses allocations, an operations set that
 * answers by a script, and a context made of both.
 */
#ifndef UDAMON_TESTS_TEST_PORT_H
#define UDAMON_TESTS_TEST_PORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/region_table.h"

#define TEST_PAGE 4096ULL

/*
 * A cooperative port with a counter before everything that can fail for lack of memory: alloc(),
 * mutex_new(), cond_new(), thread_start().
 */
struct test_port {
	struct damon_port port;
	struct damon_port *below;
	uint64_t nr_asked; /* how often something was asked for */
	uint64_t fail_at;  /* that one (from 1) is refused; 0: none */
	bool fail_on;	   /* and all after it */
	uint64_t ahead_ns; /* added to the clock */
};

void test_port_init(struct test_port *port);
/* Also says whether everything was given back. */
void test_port_free(struct test_port *port);
size_t test_port_nr_held(const struct test_port *port);
/* Refuse the @nr-th allocation from now on; 0: none. */
void test_port_fail_at(struct test_port *port, uint64_t nr);

/* What the operations set answers, and what it was asked. */
struct test_script {
	const struct damon_addr_range *ranges; /* for targets without regions */
	size_t nr_ranges;
	uint32_t access_unit; /* 0 stands for 1 */
	/* NULL: nothing is accessed, nothing passes. */
	uint32_t (*access)(struct test_script *script, uint64_t addr);
	bool (*hit)(struct test_script *script, const struct damon_probe *probe, uint64_t addr);
	void (*update)(struct test_script *script, struct damon_ctx *ctx);
	/* Bytes a scheme's action is applied to, or -errno; NULL: all. @passed starts as all. */
	int64_t (*apply)(struct test_script *script, const struct damon_addr_range *ar,
			 const struct damos *scheme, uint64_t *passed);
	void *data;
	int init_error, init_target_error, prepare_error, check_error, probe_error;
	unsigned int init_target_fails_at; /* with init_target_error: only that one (from 1) */
	bool gone;			   /* no target is valid any more */
	unsigned int nr_init, nr_init_target, nr_update, nr_prepare, nr_check, nr_probe, nr_valid;
	unsigned int nr_ready; /* init_target() that were not refused */
	unsigned int nr_cleanup, nr_cleanup_target;
	uint64_t last_addr;    /* the first region's, at the last check */
	bool unprepared_check; /* a check whose addresses weren't those of the last prepare */
	uint64_t prepared_addr;
};

extern const struct damon_operations test_ops;		/* DAMON_OPS_SIM */
extern const struct damon_operations test_ops_no_probe; /* DAMON_OPS_PADDR */

/* A context on a scripted operations set, with one target; callers may change it before start. */
struct test_world {
	struct test_port port;
	struct test_script script;
	struct damon_lib *lib;
	struct damon_ctx *ctx;
	struct damon_target *target;
	unsigned int nr_windows, nr_events;
	struct damon_window window; /* the last one */
	const char *event;	    /* the last one's word */
};

void test_world_init(struct test_world *world);
void test_world_free(struct test_world *world);
struct damon_target *test_world_add_target(struct test_world *world);

/* damon_monitor_start() with the given ranges for every target. */
void test_world_start(struct test_world *world, const struct damon_addr_range *ranges, size_t nr);
/* @nr sampling intervals, as the kdamond does them but without waiting, windows' ends included. */
void test_world_sample(struct test_world *world, unsigned int nr);
/* A whole window by the present attributes. */
void test_world_window(struct test_world *world);

/* @main on a thread of the port, where kdamonds can be started; @world is its argument. */
void test_world_run(struct test_world *world, void (*main)(void *world));
/* On such a thread: let @us of virtual time go by. */
void test_sleep_us(struct damon_port *port, uint64_t us);

/* A world of one range for kdamonds that sample every TEST_SAMPLE_US, four times a window. */
#define TEST_SAMPLE_US 5000ULL
void test_kdamond_init(struct test_world *world, const struct damon_addr_range *range);
/* The same, run through @main, and taken down. */
void test_kdamond(const struct damon_addr_range *range, void (*main)(void *world));

/* Makes @nr regions of @target's, as they stand. Counts in counting units. */
void test_put_regions(struct damon_target *target, const struct damon_region *regions, size_t nr);
/* Asserts that @target has exactly these addresses. */
void test_expect_ranges(const struct damon_target *target, const struct damon_addr_range *ranges,
			size_t nr);
/* Region @idx as it is stored, counts in counting units. */
struct damon_region test_region(const struct damon_target *target, size_t idx);

#define TEST_REGION(first_page, end_page, ...)                                                     \
	{                                                                                          \
		.ar = {(first_page)*TEST_PAGE, (end_page)*TEST_PAGE}, __VA_ARGS__                  \
	}
#define TEST_RANGE(first_page, end_page)                                                           \
	{                                                                                          \
		(first_page) * TEST_PAGE, (end_page)*TEST_PAGE                                     \
	}
#define TEST_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
