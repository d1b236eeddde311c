/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The two models of other protocols on which the explorer proves that it can find faults. */
#ifndef UDAMON_TESTS_FIXTURES_H
#define UDAMON_TESTS_FIXTURES_H

#include "explore.h"

/* fixture_discussed.c: must be free of faults without, and hang with, restart. */
extern const struct explore_scenario discussed_without_restart;
extern const struct explore_scenario discussed_with_restart;

/* fixture_later.c: each must show its fault. */
extern const struct explore_scenario later_reads_after_queueing;
extern const struct explore_scenario later_busy_without_walker;
extern const struct explore_scenario later_stale_mark;

#endif
