/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What schemes saved and what they cost, side by side: as a table, and as JSON. */
#ifndef UDAMON_CLI_JUDGING_H
#define UDAMON_CLI_JUDGING_H

#include <jansson.h>
#include <stdio.h>

#include "cli/simulating.h"

/** struct judged - one side: its name, and its run; the first one has no schemes */
struct judged {
	const char *name;
	const struct simulated *run;
};

/** JUDGED_MAX - sides that fit into 80 columns */
#define JUDGED_MAX 3

/** judging_print() - the table of @nr sides, and below it, of two sides with schemes, what each one did, in words */
void judging_print(FILE *out, const struct judged *sides, size_t nr);

/** judging_schemes() - an array of what the schemes of a side did; NULL when memory ran out */
json_t *judging_schemes(const struct simulated *run);

/**
 * judging_machine() - what became of the memory of a side, an object
 * @without:	the side without schemes, which it is compared with
 * Return: NULL when memory ran out.
 */
json_t *judging_machine(const struct simulated *run, const struct simulated *without);

#endif
