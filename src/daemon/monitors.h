/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The kdamonds that run now, and copies of what they know for the state file.
 */
#ifndef UDAMON_DAEMON_MONITORS_H
#define UDAMON_DAEMON_MONITORS_H

#include <udamon/damon.h>
#include <udamon/error.h>

#include "sysfs/tree.h"

struct monitors;

/** struct scheme_knowledge - what a scheme has done, and where its quota stands */
struct scheme_knowledge {
	struct damos_stat stat;
	uint64_t esz;
	struct damos_quota_state quota;
};

/**
 * struct knowledge - what a running kdamond has in force and has learned
 * @kdamond:	its number
 * @engine:	access engine that was chosen for it, as the file "engine" has it
 * @budget_bp:	as the file "budget" has it
 * @in_force:	its parameters as JSON, {"kdamonds": [one]}
 * @training:	regions, counts, ages, intervals, and who the targets are
 * @nr_schemes, @schemes: of the schemes in @in_force
 */
struct knowledge {
	uint32_t kdamond;
	char engine[16];
	uint64_t budget_bp;
	char *in_force;
	struct damon_training *training;
	size_t nr_schemes;
	struct scheme_knowledge *schemes;
};

/** knowledge_clear() - free what it has */
void knowledge_clear(struct knowledge *knowledge);

/** monitors_new() - 0 or -ENOMEM */
int monitors_new(struct monitors **monitors);

/** monitors_free() - after the last kdamond has ended; NULL is allowed */
void monitors_free(struct monitors *monitors);

/**
 * monitors_meet() - @pid, the process of a target, now has this start time and name
 *
 * Told when the target is made: later the number may be another's.
 */
void monitors_meet(struct monitors *monitors, int64_t pid, uint64_t start_time, const char *name);

/* What the host passes on; see struct sysfs_host. */
int monitors_prepare(struct monitors *monitors, uint32_t kdamond, struct damon_ctx *ctx,
		     const struct sysfs_choices *choices, struct damon_error *err);
void monitors_started(struct monitors *monitors, uint32_t kdamond, struct damon_ctx *ctx);
void monitors_event(struct monitors *monitors, uint32_t kdamond);
void monitors_stopped(struct monitors *monitors, uint32_t kdamond);

/**
 * monitors_give() - have the next start of @knowledge's kdamond go on with its training and schemes
 * @knowledge:	borrowed until monitors_take_back(); its training goes to the context
 */
void monitors_give(struct monitors *monitors, struct knowledge *knowledge);
void monitors_take_back(struct monitors *monitors, struct knowledge *knowledge);

/**
 * monitors_await() - wait until a kdamond whose start has succeeded has said so itself
 *
 * Before that, monitors_running() doesn't know it, and what is saved of it would be dropped.
 */
void monitors_await(struct monitors *monitors, uint32_t kdamond);

/** monitors_running() - fills @numbers with those of at most @max running kdamonds; returns how many run */
size_t monitors_running(struct monitors *monitors, uint32_t *numbers, size_t max);

/** monitors_changes() - another number whenever a kdamond was started or has ended */
uint64_t monitors_changes(struct monitors *monitors);

/** enum monitors_taken - what came of monitors_take() */
enum monitors_taken {
	MONITORS_TAKEN,	    /* there is a new copy */
	MONITORS_UNCHANGED, /* paused since the last copy: that is all there is */
	MONITORS_BUSY,	    /* it didn't answer in time, or there was no memory: later */
	MONITORS_NONE,	    /* it doesn't run */
};

/**
 * monitors_take() - copy what a kdamond knows, by a request to it
 * @anew:	also where nothing has changed
 *
 * From one thread at a time, not a kdamond.
 */
enum monitors_taken monitors_take(struct monitors *monitors, uint32_t kdamond, bool anew,
				  struct knowledge *knowledge);

#endif
