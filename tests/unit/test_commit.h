/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A context as a destination of commits, which has learned something, and a source; for test_commit*.c. */
#ifndef UDAMON_TEST_COMMIT_H
#define UDAMON_TEST_COMMIT_H

#include <string.h>

#include "core/attrs.h"
#include "core/region.h"
#include "test_port.h"

static const struct damon_region learned[] = {
	TEST_REGION(0, 4, .last_nr_accesses = 7, .age = 9),
	TEST_REGION(4, 10, .last_nr_accesses = 3, .age = 2),
};

/* A context as a destination, whose one target knows something, and a copy of it as a source. */
struct commit {
	struct test_world world; /* the destination */
	struct damon_ctx *src;
	int result;
};

static inline void setup(struct commit *commit, int64_t pid)
{
	struct damon_target *target;

	memset(commit, 0, sizeof(*commit));
	test_world_init(&commit->world);
	commit->world.target->pid = pid;
	test_put_regions(commit->world.target, learned, 2);
	assert_int_equal(damon_new_ctx(&commit->src, commit->world.lib), 0);
	assert_int_equal(damon_new_target(&target, commit->world.lib), 0);
	target->pid = pid;
	assert_int_equal(damon_add_target(commit->src, target), 0);
}

static inline void teardown(struct commit *commit)
{
	damon_destroy_ctx(commit->src);
	test_world_free(&commit->world);
}

static inline struct damon_target *add_source(struct commit *commit, int64_t pid)
{
	struct damon_target *target;

	assert_int_equal(damon_new_target(&target, commit->world.lib), 0);
	target->pid = pid;
	assert_int_equal(damon_add_target(commit->src, target), 0);
	return target;
}

static inline struct damos *add_scheme(struct damon_ctx *ctx, uint64_t apply_us)
{
	struct damos *scheme;

	assert_int_equal(damon_new_scheme(&scheme, ctx->lib), 0);
	scheme->apply_interval_us = apply_us;
	assert_int_equal(damon_add_scheme(ctx, scheme), 0);
	return scheme;
}

static inline void commit(struct commit *commit)
{
	assert_int_equal(damon_commit_ctx(commit->world.ctx, commit->src), 0);
}

#endif
