/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The state file (SQLite): what a daemon was doing, for the one after it.
 *
 * meta(key, value); staged(seq, path, value): what is written in the tree's files, in the order in which it
 * can be written again; kdamond(number, saved_ms, engine, budget_bp, in_force, training): those that run;
 * scheme(kdamond, place, ...): what their schemes have done. Numbers above 2^63 are kept as the same bits.
 */
#ifndef UDAMON_DAEMON_STATE_H
#define UDAMON_DAEMON_STATE_H

#include "daemon/monitors.h"

struct state;

/** struct staged - a file of the tree and what was written to it */
struct staged {
	char *path;
	char *value;
};

/**
 * struct saved - what a state file holds
 * @config:	checksum of the configuration that was applied last, "" for none
 * @staged, @nr_staged: values of files
 * @running, @nr_running: kdamonds that were running
 */
struct saved {
	char config[32];
	struct staged *staged;
	size_t nr_staged;
	struct knowledge *running;
	size_t nr_running;
};

void saved_clear(struct saved *saved);

/** saved_add() - append a file; 0 or -ENOMEM */
int saved_add(struct saved *saved, const char *path, const char *value);

/**
 * state_open() - open or make the file @path, for this process alone
 * @saved:	set to what it holds
 * @lib:	of the training in it
 *
 * A database that is damaged, of another program, or of another version is moved aside, never deleted, which
 * is logged; a new one is begun. Training that can't be read is left out, and that logged, too.
 * Return: 0; -EEXIST (it is no database: left as it is); -EBUSY (another process has it); -errno, with a text.
 */
int state_open(struct state **state, const char *path, struct damon_lib *lib, struct saved *saved,
	       struct damon_error *err);

/** state_close() - NULL is allowed */
void state_close(struct state *state);

/*
 * Saving: state_begin(), then any of the four, then state_end(), which puts all of it in force at once or, after an
 * error anywhere, nothing. Errors are kept until then.
 */
void state_begin(struct state *state);
void state_put_config(struct state *state, const char *config);
/* Replaces all that were there. */
void state_put_staged(struct state *state, const struct saved *saved);
void state_put_running(struct state *state, const struct knowledge *knowledge);
/* Only these kdamonds run. */
void state_keep_running(struct state *state, const uint32_t *numbers, size_t nr);

/** state_end() - 0 or -errno, with a text */
int state_end(struct state *state, struct damon_error *err);

#endif
