/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The table of all options, for the parser, the help and completion; nobody else needs it. */
#ifndef UDAMON_CLI_OPTION_TABLE_H
#define UDAMON_CLI_OPTION_TABLE_H

#include "cli/options.h"

/** enum option_kind - what the value of an option is, and where in struct options it goes */
enum option_kind {
	OPTION_FLAG,	/* bool = true */
	OPTION_CHOOSE,	/* int = the entry's @min; no value */
	OPTION_COUNT,	/* uint64_t, from @min to @max */
	OPTION_TIME,	/* uint64_t, microseconds */
	OPTION_PERCENT, /* uint64_t, basis points */
	OPTION_WORD,	/* int: index into @words */
	OPTION_NAME,	/* const char *: one of @words */
	OPTION_TEXT,	/* const char * */
	OPTION_FILE,	/* const char *; completed as a file name */
	OPTION_FOLDER,	/* const char *; completed as a folder name */
	OPTION_PIDS,	/* pids, nr_pids; a list, repeatable */
	OPTION_RANGE,	/* ranges, nr_ranges; repeatable */
	OPTION_SIZE,	/* uint64_t, bytes, from @min */
	OPTION_SCHEME,	/* schemes, nr_schemes; repeatable */
	OPTION_SCHEMES, /* likewise; a file of them, completed as a file name */
	OPTION_VS,	/* vs, nr_before_vs: no value, but a place among the schemes */
	OPTION_BUDGET,	/* budget_bp and no_budget */
	OPTION_TUNE,	/* autotune and goal; the value may be left out */
};

/**
 * struct option_spec - one option
 * @name, @letter: --name, and -letter unless 0
 * @commands:	who has it, bits of enum command_bit; an option that means something a little
 *		different elsewhere has a line for each meaning
 * @kind:	what its value is
 * @offset:	where in struct options it goes
 * @value:	how the value is called in the help
 * @min, @max:	limits of numbers; @max 0 is no limit
 * @words:	possible words, NULL at the end
 * @help:	what it does
 */
struct option_spec {
	const char *name;
	char letter;
	unsigned int commands;
	enum option_kind kind;
	size_t offset;
	const char *value;
	uint64_t min;
	uint64_t max;
	const char *const *words;
	const char *help;
};

extern const struct option_spec option_specs[];
extern const size_t nr_option_specs;
enum { MAX_OPTION_SPECS = 128 }; /* for arrays of as many */

/** option_argument() - no_argument, optional_argument or required_argument of getopt_long() */
int option_argument(const struct option_spec *spec);

#endif
