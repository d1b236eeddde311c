/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The commands of the udamon program and what they share. */
#ifndef UDAMON_CLI_COMMAND_H
#define UDAMON_CLI_COMMAND_H

#include "cli/options.h"

/**
 * struct command - one command
 * @name:	as typed
 * @bit:	which options it has
 * @takes_command: its operands are a command to start, so the first one ends the options
 * @operands:	what stands behind the options, for the help
 * @words:	prints the words an operand can be, a space before each, for completion; or NULL
 * @summary:	one line
 * @run:	does it. Gets the parsed options and the operands; returns an exit code.
 */
struct command {
	const char *name;
	enum command_bit bit;
	bool takes_command;
	const char *operands;
	void (*words)(FILE *out);
	const char *summary;
	int (*run)(const struct options *opts, int argc, char **argv);
};

/** DEFAULT_RECORD - the record that run and record write, and report reads, unless told otherwise */
#define DEFAULT_RECORD "record.udamon"

extern const struct command commands[]; /* a NULL name ends it */

int run_command(const struct options *opts, int argc, char **argv);
int record_command(const struct options *opts, int argc, char **argv);
int report_command(const struct options *opts, int argc, char **argv);
int export_command(const struct options *opts, int argc, char **argv);
int sim_command(const struct options *opts, int argc, char **argv);
int verify_command(const struct options *opts, int argc, char **argv);
int doctor_command(const struct options *opts, int argc, char **argv);
int top_command(const struct options *opts, int argc, char **argv);
int ns_command(const struct options *opts, int argc, char **argv);
int start_command(const struct options *opts, int argc, char **argv);
int stop_command(const struct options *opts, int argc, char **argv);
int pause_command(const struct options *opts, int argc, char **argv);
int resume_command(const struct options *opts, int argc, char **argv);
int tune_command(const struct options *opts, int argc, char **argv);
int status_command(const struct options *opts, int argc, char **argv);
int schemes_command(const struct options *opts, int argc, char **argv);

void report_words(FILE *out);
void sim_words(FILE *out);

/** completion_print() - the bash completion script, made from the tables */
void completion_print(FILE *out);

#endif
