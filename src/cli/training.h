/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* --save-training and --load-training: what a monitor has learned outlives it. */
#ifndef UDAMON_CLI_TRAINING_H
#define UDAMON_CLI_TRAINING_H

#include <udamon/damon.h>

#include "cli/options.h"

/** TRAINING_EVERY_NS - so much time passes between two savings, so that a kill loses little */
#define TRAINING_EVERY_NS 3000000000ULL

/**
 * struct training - files of one run of the monitor; zero-initialise it
 * The members are private.
 */
struct training {
	const char *load;
	const char *save;
	struct damon_training_target *who; /* the context's targets, in their order */
	uint32_t nr;
	uint64_t t_saved_ns;
	bool failed; /* the last saving; it was said */
};

/**
 * training_begin() - before damon_start(): load what is to be loaded, see whether saving is possible
 * @name:	of a target that isn't a process; NULL where all are
 * Return: 0, or an exit code after the error was printed.
 */
int training_begin(struct training *training, const struct options *opts, struct damon_ctx *ctx,
		   const char *name);

/** training_refused() - why damon_start() returned -ESTALE, as an exit code after it was printed */
int training_refused(const struct training *training);

/** training_due_ns() - how long until training_tick() has something to do; UINT64_MAX: never */
uint64_t training_due_ns(const struct training *training);

/**
 * training_tick() - save, if it is time; a failure is said once, and no reason to stop
 *
 * On the kdamond or off it. What is said is said for @ctx running.
 */
void training_tick(struct training *training, struct damon_ctx *ctx);

/** training_end() - save for the last time, after damon_stop(); as training_begin() */
int training_end(struct training *training, struct damon_ctx *ctx);

void training_clear(struct training *training);

#endif
