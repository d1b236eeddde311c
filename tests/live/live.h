/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the live tests share: a target with a known pattern, a monitor, and a comparison of the two.
 */
#ifndef UDAMON_TESTS_LIVE_H
#define UDAMON_TESTS_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <udamon/ops.h>

#include <udamon/vaddr.h>

#define LIVE_MAX_PARTS	 16
#define LIVE_MAX_TARGETS 8
#define LIVE_MAX_REGIONS 1200 /* more than max_nr_regions */
/*
 * Each window narrows the edges of the parts down by a random cut, from the largest size a region can
 * have: a tenth of it all with the default of 10 regions, which 10 windows are often too few for.
 */
#define LIVE_MIN_REGIONS 100
#define LIVE_WINDOWS	 10 /* kept, the last ones */
/*
 * By then the edges are found. Cuts being random, it takes a few windows most often and some ten now and
 * then; more where several targets share the regions.
 */
#define LIVE_MOST_WINDOWS 150
#define LIVE_MAX_EVENTS	  64

/* A part of a target's memory, as it declared it. */
struct live_part {
	uint64_t start;
	uint64_t end;
	bool hot;
};

/* A running "patterns" program. */
struct live_target {
	pid_t pid;
	pid_t child; /* the last one it told of */
	FILE *to;
	FILE *from;
	size_t nr_parts;
	struct live_part parts[LIVE_MAX_PARTS];
	struct live_beats *beats; /* when it didn't get to run */
};

/* Start it with the options in @options (separated by blanks) and wait until it is ready. */
void live_target_start(struct live_target *target, const char *options);

/* Give it a command and take in its answer. */
void live_target_command(struct live_target *target, const char *command);

/* End it, if it hasn't ended, and reap it. */
void live_target_stop(struct live_target *target);

/* A child of ours with a number of our choice, which sleeps; 0 when the kernel doesn't let us. */
pid_t live_start_with_number(pid_t number);

/* A field of its /proc/PID/smaps_rollup, bytes. */
uint64_t live_target_rollup(const struct live_target *target, const char *field);

struct live_snapshot {
	size_t nr;
	uint32_t nr_samples;
	struct damon_region regions[LIVE_MAX_REGIONS];
};

/* A context, and what it told. */
struct live_monitor {
	bool running; /* prepared, and not stopped */
	struct damon_port *port;
	struct damon_lib *lib;
	struct damon_vaddr_env *env;
	struct damon_ctx *ctx;
	struct damon_error error;
	struct damon_mutex *mutex;
	struct damon_cond *cond;
	/* Under the mutex. */
	uint64_t nr_windows; /* judged */
	uint64_t nr_late;    /* not judged: a target didn't get to run */
	uint64_t late_ns[LIVE_MAX_TARGETS];
	bool stopped;
	int result;
	struct damon_cost cost;
	struct live_snapshot snapshots[LIVE_MAX_TARGETS][LIVE_WINDOWS];
	size_t nr_events;
	struct {
		int64_t target;
		char what[24];
		char detail[200];
	} events[LIVE_MAX_EVENTS];
};

/* How monitors watch that are prepared from now on. */
struct live_way {
	const char *engine; /* NULL: the default; "both": point, compared with scan */
	uint64_t sample_us; /* 0: the default, as the next */
	uint64_t aggr_us;
	uint32_t budget_bp; /* 0: none */
	/* Called for each window that is judged, on the kdamond. */
	void (*window)(struct damon_ctx *ctx, const struct damon_window *window);
};

extern struct live_way live_way;

/*
 * Leave out windows in which one of these @nr targets didn't get to run for more than a tenth of
 * the time; in the order in which they are watched.
 */
void live_monitor_judge(const struct live_target *targets, size_t nr);

/* Skips the test when @ret is -EAGAIN: the machine is too busy to try an engine. */
void live_skip_if_busy(int ret, const struct damon_error *err);

/* Watch these targets, and judge them; the test fails where that can't be. */
void live_monitor_watch(struct live_monitor *monitor, const struct live_target *targets, size_t nr);

/* A context without targets, not started. */
void live_monitor_prepare(struct live_monitor *monitor);

/*
 * Watch processes with the default intervals, LIVE_MIN_REGIONS, and layout updates every 200 ms;
 * @ops is DAMON_OPS_VADDR. damon_start()'s result; the text is in @monitor->error.
 */
int live_monitor_start(struct live_monitor *monitor, const pid_t *pids, size_t nr);

/* Start it with what live_monitor_prepare() made and the caller changed; as live_monitor_start(). */
int live_monitor_start_prepared(struct live_monitor *monitor, const pid_t *pids, size_t nr);

/*
 * Wait until @nr more windows have been published that are judged, or the kdamond has ended
 * (false). Skips the test when the machine is so busy that this takes longer than a minute.
 */
bool live_monitor_windows(struct live_monitor *monitor, unsigned int nr);

/* Wait until an event @what came (true), or @seconds have passed. */
bool live_monitor_event(struct live_monitor *monitor, const char *what, unsigned int seconds);

/* The same for one that has this in its detail. */
bool live_monitor_told(struct live_monitor *monitor, const char *what, const char *detail,
		       unsigned int seconds);

/* How often it came. */
unsigned int live_monitor_nr_events(struct live_monitor *monitor, const char *what);

/* Stop it and free everything; nothing where that was done, or it was never prepared. */
void live_monitor_stop(struct live_monitor *monitor);

/*
 * How well the hot parts of a target were found: medians of the last LIVE_WINDOWS
 * windows. Where regions are cut is random, and so are a single window's edges;
 * and on a busy machine the target may not run for a while.
 */
struct live_score {
	double precision; /* per cent of the bytes found */
	double recall;	  /* per cent of the bytes that are hot */
	double unknown;	  /* of the hot parts: per cent of samples nobody can say anything about */
	double found;	  /* KiB */
	double truth;	  /* KiB */
	/* Of the monitor, since it was started. */
	uint64_t windows; /* judged */
	uint64_t late;	  /* left out */
};

void live_score(struct live_monitor *monitor, size_t idx, const struct live_target *target,
		struct live_score *score);

/*
 * From now on, and within LIVE_MOST_WINDOWS windows, LIVE_WINDOWS in a row must come whose medians are at
 * least @precision and @recall per cent; else the test fails.
 */
void live_assert_found(struct live_monitor *monitor, size_t idx, const struct live_target *target,
		       double precision, double recall);

/* Show the regions around the hot parts in the windows kept, for whoever looks into a failure. */
void live_print_regions(struct live_monitor *monitor, size_t idx, const struct live_target *target);

/* Have cmocka run only the tests that UDAMON_TEST_FILTER names, and leave out those of UDAMON_TEST_SKIP; *, ? allowed. */
void live_choose_tests(void);

/*
 * Why live tests can't run here, or NULL. Prints the TAP line for it, so that main() only
 * returns 0 then. @mib: memory the targets need at most.
 */
const char *live_skip_all(unsigned int mib);

/* Whether targets may have so much memory here: it leaves three times as much to others. */
bool live_has_memory(uint64_t mib);

#endif
