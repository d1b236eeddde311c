/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A context that has learned something; for test_training*.c. */
#ifndef UDAMON_TEST_TRAINING_H
#define UDAMON_TEST_TRAINING_H

#include <udamon/training.h>

#include "test_port.h"

static const struct damon_region learned[] = {
	TEST_REGION(0, 10, .last_nr_accesses = 0, .age = 40),
	TEST_REGION(10, 30, .last_nr_accesses = 18, .age = 7),
	TEST_REGION(30, 100, .last_nr_accesses = 2, .age = 1),
};

/* A world that has learned @learned. */
static inline struct damon_training *taught(struct test_world *world)
{
	struct damon_training *training;

	test_put_regions(world->target, learned, TEST_COUNT(learned));
	assert_int_equal(damon_training_take(&training, world->ctx), 0);
	assert_int_equal(training->nr_targets, 1);
	assert_int_equal(training->targets[0].nr_regions, TEST_COUNT(learned));
	return training;
}

#endif
