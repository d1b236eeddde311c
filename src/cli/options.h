/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Options of all commands. One table (option_table.c) is what parsing, --help and shell completion
 * are made from.
 */
#ifndef UDAMON_CLI_OPTIONS_H
#define UDAMON_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <udamon/damon.h>

/** enum command_bit - the commands an option can belong to */
enum command_bit {
	COMMAND_RUN = 1 << 0,
	COMMAND_RECORD = 1 << 1,
	COMMAND_REPORT = 1 << 2,
	COMMAND_EXPORT = 1 << 3,
	COMMAND_SIM = 1 << 4,
	COMMAND_DOCTOR = 1 << 5,
	COMMAND_VERIFY = 1 << 6,
	COMMAND_START = 1 << 7,
	COMMAND_STOP = 1 << 8,
	COMMAND_PAUSE = 1 << 9,
	COMMAND_RESUME = 1 << 10,
	COMMAND_TUNE = 1 << 11,
	COMMAND_STATUS = 1 << 12,
	COMMAND_SCHEMES = 1 << 13,
	COMMAND_TOP = 1 << 14,
	COMMAND_NS = 1 << 15,
};

/** enum colour_choice - --color */
enum colour_choice {
	COLOUR_AUTO,
	COLOUR_ALWAYS,
	COLOUR_NEVER,
};

/** enum tune_choice - --autotune, --no-autotune */
enum tune_choice {
	TUNE_DEFAULT,
	TUNE_ON,
	TUNE_OFF,
};

/** struct scheme_option - a scheme as it was given, or with @is_file the file that has some */
struct scheme_option {
	bool is_file;
	const char *text;
};

/**
 * struct options - what was asked for; the defaults where nothing was
 *
 * Times are in microseconds, sizes in bytes, shares in basis points. 0 and NULL mean "not
 * given" where that can't be a value; @target then is UINT64_MAX.
 */
struct options {
	uint64_t sample_us;
	uint64_t aggr_us;
	uint64_t update_us;
	uint64_t min_regions;
	uint64_t max_regions;
	enum tune_choice autotune;
	struct damon_intervals_goal goal;
	const char *engine;
	const char *mount;
	const char *ops;
	uint64_t max_stall_us;
	uint64_t budget_bp;
	bool no_budget;
	bool budget_given; /* by --budget; else it is the default */
	uint64_t seed;
	uint64_t for_us;
	pid_t *pids;
	size_t nr_pids;
	const char *cgroup;
	struct damon_addr_range *ranges;
	size_t nr_ranges;
	const char *user;
	const char *output;
	const char *save_training;
	const char *load_training;
	const char *html;
	const char *format;
	uint64_t rate;
	struct scheme_option *schemes; /* --scheme and --schemes, in order */
	size_t nr_schemes;
	bool vs;	     /* --vs; */
	size_t nr_before_vs; /* and how many of them stand before it */
	uint64_t memory;
	uint64_t far_memory;
	uint64_t refault_us;
	bool no_schemes;
	uint64_t min_access_bp;
	uint64_t from_us;
	uint64_t to_us;
	uint64_t target;
	uint64_t limit;
	int sort;   /* enum report_sort */
	int heat;   /* enum report_heat */
	int colour; /* enum colour_choice */
	bool list;
	bool keep;
	bool force;
	bool all;
	bool regions;
	uint64_t count;
	const char *context;
	bool json;
	bool quiet;
	bool verbose;
	bool help;
};

/** options_init() - the defaults */
void options_init(struct options *opts);

/** options_clear() - free the lists in @opts */
void options_clear(struct options *opts);

/**
 * options_parse() - read the options of a command
 * @command:	which options there are
 * @stop_at_operand: the first operand ends the options (it is a command with options of its own)
 * @argc, @argv: with argv[0] the command's name; operands are moved behind the options
 * @first_operand: index of the first operand
 *
 * Return: 0, or an exit code after the error was printed.
 */
int options_parse(struct options *opts, enum command_bit command, bool stop_at_operand, int argc,
		  char **argv, int *first_operand);

/** options_update_us() - how often the layout is to be read again */
uint64_t options_update_us(const struct options *opts);

/**
 * options_attrs() - monitoring attributes from the options, checked against each other
 *
 * Asking for intervals turns automatic tuning off, unless it was asked for as well.
 * Return: 0, or an exit code after the error was printed.
 */
int options_attrs(const struct options *opts, struct damon_attrs *attrs);

/** options_help() - describe a command's options, one a line or more */
void options_help(enum command_bit command, FILE *out);

/**
 * options_names() - a command's options for shell completion, one a line: "--name[|-letter][=] [VALUES]"
 *
 * VALUES are words to choose from, or one of @file, @folder, @pid, @value (anything).
 */
void options_names(enum command_bit command, FILE *out);

#endif
