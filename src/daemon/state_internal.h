/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the files that write and read the state file share; nobody else includes it. */
#ifndef UDAMON_DAEMON_STATE_INTERNAL_H
#define UDAMON_DAEMON_STATE_INTERNAL_H

#include <sqlite3.h>

#include "daemon/state.h"

/**
 * struct state - an open state file
 * @rc:		of the transaction: SQLITE_OK, or the first thing that went wrong
 * @error_code:	errno as it was then
 */
struct state {
	sqlite3 *db;
	char *path;
	int rc;
	int error_code;
};

/* The columns of a scheme after the first two, in both directions. */
#define SCHEME_NUMBERS 19
void state_scheme_to_numbers(struct scheme_knowledge *scheme, uint64_t *numbers);
void state_scheme_from_numbers(struct scheme_knowledge *scheme, const uint64_t *numbers);

/* state_load.c: everything that is in it. 0 or -errno. */
int state_load(struct state *state, struct damon_lib *lib, struct saved *saved,
	       struct damon_error *err);

#endif
