/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * One run of the monitor on a simulated program, from the options to what came of it.
 *
 * A simulation is prepared once (program, machine, attributes); its runs, with one set of schemes
 * each, don't know of each other.
 */
#ifndef UDAMON_CLI_SIMULATING_H
#define UDAMON_CLI_SIMULATING_H

#include "cli/options.h"
#include "cli/progress.h"
#include "cli/training.h"
#include "ops/sim_machine.h"
#include "params/scheme.h"
#include "record/record.h"

/**
 * struct simulation - what all runs share
 * @workload, @space: the program
 * @end_us:	how long it is watched
 * @machine:	what it runs on
 */
struct simulation {
	const struct options *opts;
	struct damon_attrs attrs;
	struct sim_workload *workload;
	struct sim_space *space;
	struct sim_machine_config machine;
	uint64_t end_us;
	uint64_t seed;
};

/**
 * struct simulated_scheme - what a scheme did
 * @stat:	as the core counts
 * @allowed:	bytes that its quota allowed, over all quota windows; 0: there was a window without
 *		a limit, or it has none
 */
struct simulated_scheme {
	struct damos_stat stat;
	double allowed;
};

/**
 * struct simulated - a run and its result
 * @schemes:	what is to be done, borrowed; empty: nothing
 * @first_scheme: how many others stand before them in the options
 * @rec:	the record, or NULL for none; the caller's
 * @first, @share: the part of a progress line that is this run's, 0..1
 * @end_ns:	how far it came
 * @done:	what each scheme did
 * @machine:	the state of memory in the end; NULL without one
 * @score:	sum over the judged windows
 * @wss_error:	sum of their working-set errors
 * @judged:	how many
 * @early, @early_wss_error, @nr_early: the same of the windows of the warm-up
 * @result:	0 or -errno
 * @said:	an exit code whose reason was printed already, or 0
 */
struct simulated {
	struct simulation *sim;
	const struct params_schemes *schemes;
	size_t first_scheme;
	struct record *rec;
	double first, share;
	uint64_t end_ns;
	struct simulated_scheme *done;
	struct sim_machine *machine;
	struct sim_score score, early;
	double wss_error, early_wss_error;
	uint64_t judged, nr_early;
	int result;
	int said;
	/* private: */
	struct sim_env env;
	struct damon_port *port;
	struct training training;
	struct record_mapping *rows;
	struct sim_mapping *mappings;
	struct progress *progress;
	bool unlimited[]; /* by scheme: there was a window without a limit */
};

/** simulation_prepare() - the program of that name; 0, or an exit code after the error was printed */
int simulation_prepare(struct simulation *sim, const struct options *opts, const char *name);
void simulation_clear(struct simulation *sim);

/**
 * simulated_new() - a run that is to be made
 * @schemes:	borrowed; NULL for none
 * @with_machine: keep track of pages, which schemes need
 * Return: NULL when memory ran out.
 */
struct simulated *simulated_new(struct simulation *sim, const struct params_schemes *schemes,
				bool with_machine);
void simulated_free(struct simulated *run);

/**
 * simulated_go() - make the run
 * @progress:	of all runs
 *
 * Return: 0; -EINTR: a signal cut it short, what there is of it is whole; another -errno, of
 * which nothing was said yet; or an exit code after the error was printed.
 */
int simulated_go(struct simulated *run, struct progress *progress);

/** simulated_without() - no monitor, no schemes, only the program and its machine */
void simulated_without(struct simulated *run, uint64_t end_ns);

#endif
