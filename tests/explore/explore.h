/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The schedule explorer: runs a small scenario through every schedule with a bounded number of
 * forced switches, and shows the shortest one in which something is wrong.
 *
 * A scenario is a function that runs as thread 1 of a cooperative port, starts other threads, and
 * says what it does. A *forced switch* is a point at which another thread goes on although the
 * current one could. Where it can't, any other may go on, and every one is tried.
 */
#ifndef UDAMON_TESTS_EXPLORE_H
#define UDAMON_TESTS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <udamon/port.h>

#define EXPLORE_MAX_THREADS 8
#define EXPLORE_NO_LIMIT    UINT64_MAX

/**
 * struct explore_scenario - something to be explored
 * @name:	without blanks and '@'
 * @run:	thread 1
 * @arg:	passed to @run
 * @nr_columns:	threads that get a column of their own
 * @columns:	their titles
 */
struct explore_scenario {
	const char *name;
	void (*run)(void *arg);
	void *arg;
	unsigned int nr_columns;
	const char *columns[EXPLORE_MAX_THREADS];
};

/**
 * struct explore_options - how far to look
 * @max_switches: forced switches a schedule may have
 * @deadline_s:	stop looking at that time of CLOCK_MONOTONIC, 0: never
 * @all_points:	show all synchronisation points in a counterexample, not only what was noted
 */
struct explore_options {
	unsigned int max_switches;
	double deadline_s;
	bool all_points;
};

/**
 * struct explore_result - what was seen
 * @nr_schedules: schedules run with at most the last bound's forced switches
 * @nr_pruned:	schedules left when they came to where an equivalent one had been
 * @nr_cut:	choices not followed because the bound was used up
 * @max_points:	most synchronisation points in one schedule
 * @out_of_time: @deadline_s came before the bound was exhausted
 * @fault:	what is wrong in the shortest faulty schedule, empty if nothing
 * @schedule:	its name
 * @nr_switches: its forced switches
 */
struct explore_result {
	uint64_t nr_schedules;
	uint64_t nr_pruned;
	uint64_t nr_cut;
	unsigned int max_points;
	bool out_of_time;
	char fault[256];
	char schedule[512];
	unsigned int nr_switches;
};

/** explore() - look for faults, with 0, 1, 2, ... forced switches until one is found */
void explore(const struct explore_scenario *scenario, const struct explore_options *options,
	     struct explore_result *result);

/**
 * explore_replay() - run one schedule and print it as columns
 * @schedule:	as in &struct explore_result, without the scenario's name; "" is the fixed rule's
 * Return: 0, or -EINVAL when it isn't a schedule of the scenario.
 */
int explore_replay(const struct explore_scenario *scenario, const char *schedule, bool all_points,
		   struct explore_result *result);

/* For scenarios. */

/** explore_port() - the port they run on */
struct damon_port *explore_port(void);

/** explore_thread() - start a thread; joined by explore_join() */
struct damon_thread *explore_thread(void (*fn)(void *arg), void *arg);
void explore_join(struct damon_thread *thread);

/** explore_note() - say what the current thread does; shown in its column */
void explore_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** explore_fault() - end the run: something is wrong; doesn't return */
void explore_fault(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#define explore_check(cond, ...)                                                                   \
	do {                                                                                       \
		if (!(cond))                                                                       \
			explore_fault(__VA_ARGS__);                                                \
	} while (0)

/** explore_quiet() - whether what comes is not to be explored (setting up, tearing down) */
void explore_quiet(bool quiet);

/**
 * explore_begin() - the current thread begins something that must end in time
 * @what:	for the message
 * @limit_us:	it is a fault if time passes beyond this while it isn't done
 */
void explore_begin(const char *what, uint64_t limit_us);
void explore_end(void);

/**
 * explore_lend() - the memory at @object may be touched by the code under test from now on
 *
 * explore_return() ends that: from then on explore_touch_object() of it is a fault, and so is a
 * changed byte, looked for when the run ends. It must stay mapped until then.
 */
void explore_lend(void *object, size_t size, const char *what);
void explore_return(void *object);
void explore_touch_object(const void *object);

#endif
