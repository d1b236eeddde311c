// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The table of all options, and what is made from it: the parser, --help, completion. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "cli/options.h"
#include "params/values.h"

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

#define LIVE	   (COMMAND_RUN | COMMAND_RECORD)
#define MONITORING (LIVE | COMMAND_SIM)
#define REPORTING  (MONITORING | COMMAND_REPORT)
#define EVERY	   (REPORTING | COMMAND_EXPORT | COMMAND_DOCTOR)
#define AT(member) offsetof(struct options, member)
#define LONGEST_US (INT64_MAX / 1000) /* clocks are in nanoseconds */

static const char *const engine_words[] = {"auto", "point", "scan", NULL};
static const char *const colour_words[] = {"auto", "always", "never", NULL};
static const char *const format_words[] = {"damo", "csv", "json", NULL};
static const char *const sort_words[] = {"access", "size", "age", "address", NULL};
static const char *const heat_words[] = {"mean", "max", NULL};

static const struct option_spec specs[] = {
	{"pid", 'p', COMMAND_RECORD, OPTION_PIDS, 0, "PID[,PID...]", 1, INT_MAX, NULL,
	 "watch these processes; may be repeated"},
	{"cgroup", 0, COMMAND_RECORD, OPTION_FOLDER, AT(cgroup), "PATH", 0, 0, NULL,
	 "watch the processes that are in this control group now"},
	{"range", 0, COMMAND_RECORD, OPTION_RANGE, 0, "START-END", 0, 0, NULL,
	 "watch only these addresses, hexadecimal as in /proc/PID/maps; may be repeated"},
	{"range", 0, COMMAND_REPORT, OPTION_RANGE, 0, "START-END", 0, 0, NULL,
	 "show only these addresses, hexadecimal as in /proc/PID/maps"},
	{"user", 0, LIVE, OPTION_TEXT, AT(user), "NAME", 0, 0, NULL,
	 "start the command as this user (default: the user who runs udamon)"},
	{"for", 0, LIVE, OPTION_TIME, AT(for_us), "TIME", 1, LONGEST_US, NULL,
	 "stop watching after this time; a command goes on (default: watch until it ends)"},
	{"for", 0, COMMAND_SIM, OPTION_TIME, AT(for_us), "TIME", 1, LONGEST_US, NULL,
	 "simulate so much time (default: until the workload ends)"},
	{"output", 'o', LIVE, OPTION_FILE, AT(output), "FILE", 0, 0, NULL,
	 "the record to write; an older record of that name is replaced (default record.udamon)"},
	{"output", 'o', COMMAND_SIM, OPTION_FILE, AT(output), "FILE", 0, 0, NULL,
	 "keep the record in this file; an older record of that name is replaced"},
	{"output", 'o', COMMAND_EXPORT, OPTION_FILE, AT(output), "FILE", 0, 0, NULL,
	 "the file to write (default: standard output)"},
	{"sample", 0, MONITORING, OPTION_TIME, AT(sample_us), "TIME", 1, LONGEST_US, NULL,
	 "check one page of each region this often (default 5ms); no tuning unless asked for"},
	{"aggr", 0, MONITORING, OPTION_TIME, AT(aggr_us), "TIME", 1, LONGEST_US, NULL,
	 "length of a window (default 100ms); no tuning unless asked for"},
	{"update", 0, MONITORING, OPTION_TIME, AT(update_us), "TIME", 1, LONGEST_US, NULL,
	 "look for new and gone mappings this often (default 1s)"},
	{"min-regions", 0, MONITORING, OPTION_COUNT, AT(min_regions), "N", 3, UINT32_MAX, NULL,
	 "at least this many regions (default 10)"},
	{"max-regions", 0, MONITORING, OPTION_COUNT, AT(max_regions), "N", 3, UINT32_MAX, NULL,
	 "at most this many, which bounds the cost (default 1000)"},
	{"autotune", 0, MONITORING, OPTION_TUNE, 0, "BP,AGGRS,MIN,MAX", 0, 0, NULL,
	 "tune the intervals until this share of the possible accesses is seen, basis points, "
	 "over so many windows, sampling every MIN to MAX (default 400,3,5ms,10s)"},
	{"no-autotune", 0, MONITORING, OPTION_CHOOSE, AT(autotune), NULL, TUNE_OFF, 0, NULL,
	 "keep the intervals as they are"},
	{"engine", 0, LIVE, OPTION_NAME, AT(engine), "NAME", 0, 0, engine_words,
	 "how to learn of accesses (default auto)"},
	{"max-stall", 0, LIVE, OPTION_TIME, AT(max_stall_us), "TIME", 1, LONGEST_US, NULL,
	 "scan: longest time that clearing may keep a program from changing its mappings (default "
	 "20ms)"},
	{"seed", 0, LIVE, OPTION_COUNT, AT(seed), "N", 1, UINT64_MAX, NULL,
	 "seed of the random numbers (default: another one each time)"},
	{"seed", 0, COMMAND_SIM, OPTION_COUNT, AT(seed), "N", 1, UINT64_MAX, NULL,
	 "seed of the random numbers; equal runs give equal results (default 1)"},
	{"save-training", 0, MONITORING, OPTION_FILE, AT(save_training), "FILE", 0, 0, NULL,
	 "save what was learned in this file, every few seconds and at the end"},
	{"load-training", 0, COMMAND_RECORD | COMMAND_SIM, OPTION_FILE, AT(load_training), "FILE",
	 0, 0, NULL, "start with what was learned before and saved in this file"},
	{"rate", 0, COMMAND_SIM, OPTION_COUNT, AT(rate), "N", 1, 0, NULL,
	 "accesses in a simulated second (default 10000000)"},
	{"list", 0, COMMAND_SIM, OPTION_FLAG, AT(list), NULL, 0, 0, NULL,
	 "list the built-in workloads"},
	{"format", 0, COMMAND_EXPORT, OPTION_NAME, AT(format), "FORMAT", 0, 0, format_words,
	 "what to write; required"},
	{"min-access", 0, COMMAND_REPORT, OPTION_PERCENT, AT(min_access_bp), "PERCENT", 0, 0, NULL,
	 "what counts as the working set: accessed in at least this share of the samples "
	 "(default: any access)"},
	{"target", 0, COMMAND_REPORT, OPTION_COUNT, AT(target), "ID", 0, UINT32_MAX, NULL,
	 "only this target of the record (default all)"},
	{"from", 0, COMMAND_REPORT, OPTION_TIME, AT(from_us), "TIME", 0, LONGEST_US, NULL,
	 "leave out what was before this time of the record"},
	{"to", 0, COMMAND_REPORT, OPTION_TIME, AT(to_us), "TIME", 1, LONGEST_US, NULL,
	 "leave out what was after this time of the record"},
	{"sort", 0, COMMAND_REPORT, OPTION_WORD, AT(sort), "KEY", 0, 0, sort_words,
	 "order of the regions: access (default, hottest first), size, age or address"},
	{"limit", 0, COMMAND_REPORT, OPTION_COUNT, AT(limit), "N", 0, UINT32_MAX, NULL,
	 "print at most so many regions (default 0: all)"},
	{"heat", 0, COMMAND_REPORT, OPTION_WORD, AT(heat), "KIND", 0, 0, heat_words,
	 "what a cell of the heatmap shows: mean (default), or max to see small hot parts"},
	{"html", 0, REPORTING, OPTION_FILE, AT(html), "FILE", 0, 0, NULL,
	 "also write the report as one self-contained web page"},
	{"json", 0, REPORTING | COMMAND_DOCTOR, OPTION_FLAG, AT(json), NULL, 0, 0, NULL,
	 "print the result as JSON"},
	{"color", 0, REPORTING | COMMAND_DOCTOR, OPTION_WORD, AT(colour), "WHEN", 0, 0,
	 colour_words, "colours and block characters (default auto: on a terminal)"},
	{"quiet", 'q', EVERY, OPTION_FLAG, AT(quiet), NULL, 0, 0, NULL,
	 "no live view, no progress, no notes; only results and errors"},
	{"verbose", 'v', EVERY, OPTION_FLAG, AT(verbose), NULL, 0, 0, NULL,
	 "say more about what is done"},
	{"help", 'h', EVERY, OPTION_FLAG, AT(help), NULL, 0, 0, NULL, "show this help"},
};

/* What the engine scan does unless told otherwise. */
#define SCAN_SAMPLE_US 1000000
#define SCAN_AGGR_US   5000000

#define NR_SPECS (sizeof(specs) / sizeof(specs[0]))

void options_init(struct options *opts)
{
	struct damon_attrs attrs;

	damon_default_attrs(&attrs);
	*opts = (struct options){
		.update_us = 1000000,
		.min_regions = attrs.min_nr_regions,
		.max_regions = attrs.max_nr_regions,
		.goal = {.access_bp = 400,
			 .aggrs = 3,
			 .min_sample_us = 5000,
			 .max_sample_us = 10000000},
		.engine = "auto",
		.target = UINT64_MAX,
	};
}

void options_clear(struct options *opts)
{
	free(opts->pids);
	free(opts->ranges);
	opts->pids = NULL;
	opts->ranges = NULL;
}

/* "--min-regions '2'": how an option and its bad value are quoted. */
static int bad_value(const struct option_spec *spec, const char *text, const char *expected)
{
	return give_up(EXIT_USAGE, "--%s '%s': expected %s", spec->name, text, expected);
}

static int bad_number(const struct option_spec *spec, const char *text, const char *what)
{
	char expected[160];

	if (spec->max && spec->max < UINT32_MAX)
		snprintf(expected, sizeof(expected), "%s from %llu to %llu", what,
			 (unsigned long long)spec->min, (unsigned long long)spec->max);
	else
		snprintf(expected, sizeof(expected), "%s, at least %llu", what,
			 (unsigned long long)spec->min);
	return bad_value(spec, text, expected);
}

static int set_number(const struct option_spec *spec, uint64_t *value, const char *text)
{
	uint64_t v;
	int ret;

	if (spec->kind == OPTION_TIME) {
		ret = parse_time(text, &v);
		if (ret == -EINVAL)
			return bad_value(spec, text,
					 "a time such as 5ms (a whole number and us, ms, s or m)");
		if (ret || v < spec->min || v > spec->max)
			return bad_value(spec, text, "a time from 1us to 292 years");
	} else if (spec->kind == OPTION_PERCENT) {
		if (parse_percent(text, &v))
			return bad_value(spec, text, "a share from 0% to 100%, such as 12.5%");
	} else {
		ret = parse_count(text, &v);
		if (ret || v < spec->min || (spec->max && v > spec->max))
			return bad_number(spec, text, "a whole number");
	}
	*value = v;
	return 0;
}

static int set_word(const struct option_spec *spec, void *where, const char *text)
{
	char expected[160] = "one of";

	for (int i = 0; spec->words[i]; i++) {
		if (!strcmp(spec->words[i], text)) {
			if (spec->kind == OPTION_WORD)
				*(int *)where = i;
			else
				*(const char **)where = spec->words[i];
			return 0;
		}
		strncat(expected, i ? ", " : " ", sizeof(expected) - strlen(expected) - 1);
		strncat(expected, spec->words[i], sizeof(expected) - strlen(expected) - 1);
	}
	return bad_value(spec, text, expected);
}

static int add_pids(const struct option_spec *spec, struct options *opts, const char *text)
{
	const char *rest = text;

	for (;;) {
		size_t len = strcspn(rest, ",");
		char word[24];
		uint64_t pid;
		pid_t *pids;

		if (!len || len >= sizeof(word))
			return bad_number(spec, text, "process ids");
		memcpy(word, rest, len);
		word[len] = '\0';
		if (parse_count(word, &pid) || pid < spec->min || pid > spec->max)
			return bad_number(spec, text, "process ids");
		for (size_t i = 0; i < opts->nr_pids; i++)
			if (opts->pids[i] == (pid_t)pid)
				return bad_value(spec, text, "every process once");
		pids = reallocarray(opts->pids, opts->nr_pids + 1, sizeof(*pids));
		if (!pids)
			return give_up(EXIT_FAILED, "out of memory");
		pids[opts->nr_pids++] = (pid_t)pid;
		opts->pids = pids;
		if (!rest[len])
			return 0;
		rest += len + 1;
	}
}

static int add_range(const struct option_spec *spec, struct options *opts, const char *text)
{
	struct damon_addr_range range, *ranges;
	size_t at = 0;

	if (parse_range(text, &range))
		return bad_value(
			spec, text,
			"START-END in hexadecimal, as 7f0000000000-7f0000200000, START first");
	while (at < opts->nr_ranges && opts->ranges[at].start < range.start)
		at++;
	if ((at && opts->ranges[at - 1].end > range.start) ||
	    (at < opts->nr_ranges && opts->ranges[at].start < range.end))
		return bad_value(spec, text, "ranges that don't overlap");
	ranges = reallocarray(opts->ranges, opts->nr_ranges + 1, sizeof(*ranges));
	if (!ranges)
		return give_up(EXIT_FAILED, "out of memory");
	memmove(ranges + at + 1, ranges + at, (opts->nr_ranges - at) * sizeof(*ranges));
	ranges[at] = range;
	opts->ranges = ranges;
	opts->nr_ranges++;
	return 0;
}

static int set_tuning(const struct option_spec *spec, struct options *opts, const char *text)
{
	opts->autotune = TUNE_ON;
	if (!text)
		return 0;
	if (parse_intervals_goal(text, &opts->goal))
		return bad_value(spec, text,
				 "BP,AGGRS,MIN,MAX as 400,3,5ms,10s (1 to 10000 basis points, at "
				 "least 1 window, MIN not above MAX)");
	return 0;
}

static int set_option(const struct option_spec *spec, struct options *opts, const char *text)
{
	void *where = (char *)opts + spec->offset;

	switch (spec->kind) {
	case OPTION_FLAG:
		*(bool *)where = true;
		return 0;
	case OPTION_CHOOSE:
		*(int *)where = (int)spec->min;
		return 0;
	case OPTION_COUNT:
	case OPTION_TIME:
	case OPTION_PERCENT:
		return set_number(spec, where, text);
	case OPTION_WORD:
	case OPTION_NAME:
		return set_word(spec, where, text);
	case OPTION_TEXT:
	case OPTION_FILE:
	case OPTION_FOLDER:
		if (!*text)
			return bad_value(spec, text, spec->value);
		*(const char **)where = text;
		return 0;
	case OPTION_PIDS:
		return add_pids(spec, opts, text);
	case OPTION_RANGE:
		return add_range(spec, opts, text);
	case OPTION_TUNE:
		return set_tuning(spec, opts, text);
	}
	return 0;
}

static int argument_of(const struct option_spec *spec)
{
	if (spec->kind == OPTION_FLAG || spec->kind == OPTION_CHOOSE)
		return no_argument;
	return spec->kind == OPTION_TUNE ? optional_argument : required_argument;
}

/* What getopt_long() wants, for one command. Its values are 256 + index into specs. */
static void make_getopt_tables(enum command_bit command, struct option *longs, char *letters)
{
	*letters++ = ':';
	for (size_t i = 0; i < NR_SPECS; i++) {
		int argument = argument_of(&specs[i]);

		if (!(specs[i].commands & command))
			continue;
		*longs++ = (struct option){specs[i].name, argument, NULL, 256 + (int)i};
		if (!specs[i].letter)
			continue;
		*letters++ = specs[i].letter;
		if (argument == required_argument)
			*letters++ = ':';
	}
	*letters = '\0';
	*longs = (struct option){NULL, 0, NULL, 0};
}

static const struct option_spec *spec_of(int c, enum command_bit command)
{
	if (c >= 256)
		return &specs[c - 256];
	for (size_t i = 0; i < NR_SPECS; i++)
		if ((specs[i].commands & command) && specs[i].letter && specs[i].letter == c)
			return &specs[i];
	return NULL;
}

static int complain(int c, const char *word, const char *command, enum command_bit bit)
{
	const struct option_spec *spec = optopt ? spec_of(optopt, bit) : NULL;

	if (c == ':' && spec)
		return give_up(EXIT_USAGE, "'%s' needs a value: --%s %s", word, spec->name,
			       spec->value);
	if (spec && optopt >= 256)
		return give_up(EXIT_USAGE, "'%s': --%s takes no value", word, spec->name);
	if (optopt && optopt < 256)
		return give_up(EXIT_USAGE, "unknown option '-%c'; see 'udamon %s --help'", optopt,
			       command);
	return give_up(EXIT_USAGE, "unknown option '%s'; see 'udamon %s --help'", word, command);
}

int options_parse(struct options *opts, enum command_bit command, bool stop_at_operand, int argc,
		  char **argv, int *first_operand)
{
	struct option longs[NR_SPECS + 1];
	char letters[2 * NR_SPECS + 4] = "+";
	int c, ret;

	make_getopt_tables(command, longs, letters + (stop_at_operand ? 1 : 0));
	opterr = 0;
	optind = 0; /* start over, whatever was parsed before */
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			return complain(c, argv[optind - 1], argv[0], command);
		ret = set_option(spec_of(c, command), opts, optarg);
		if (ret)
			return ret;
	}
	*first_operand = optind;
	return 0;
}

int options_attrs(const struct options *opts, struct damon_attrs *attrs)
{
	bool scan = opts->engine && !strcmp(opts->engine, "scan");
	bool tune = opts->autotune == TUNE_ON ||
		    (opts->autotune == TUNE_DEFAULT && !scan && !opts->sample_us && !opts->aggr_us);

	damon_default_attrs(attrs);
	if (scan) {
		/* Each interval it looks at every page, so it needs fewer of them. */
		attrs->sample_interval = SCAN_SAMPLE_US;
		attrs->aggr_interval = SCAN_AGGR_US;
		if (opts->sample_us && !opts->aggr_us)
			attrs->aggr_interval = SCAN_AGGR_US / SCAN_SAMPLE_US * opts->sample_us;
		if (opts->aggr_us && !opts->sample_us)
			attrs->sample_interval = opts->aggr_us < SCAN_SAMPLE_US ? opts->aggr_us
										: SCAN_SAMPLE_US;
	}
	attrs->ops_update_interval = opts->update_us;
	attrs->min_nr_regions = opts->min_regions;
	attrs->max_nr_regions = opts->max_regions;
	if (opts->sample_us)
		attrs->sample_interval = opts->sample_us;
	if (opts->aggr_us)
		attrs->aggr_interval = opts->aggr_us;
	if (attrs->min_nr_regions > attrs->max_nr_regions)
		return give_up(
			EXIT_USAGE,
			"--min-regions '%llu' is above --max-regions '%llu'; raise the second "
			"or lower the first",
			(unsigned long long)opts->min_regions,
			(unsigned long long)opts->max_regions);
	if (attrs->sample_interval > attrs->aggr_interval)
		return give_up(
			EXIT_USAGE,
			"the sampling interval of %lluus is longer than the window of %lluus; "
			"raise --aggr or lower --sample",
			(unsigned long long)attrs->sample_interval,
			(unsigned long long)attrs->aggr_interval);
	if (tune) {
		attrs->intervals_goal = opts->goal;
		if (attrs->sample_interval < opts->goal.min_sample_us ||
		    attrs->sample_interval > opts->goal.max_sample_us)
			return give_up(EXIT_USAGE,
				       "the sampling interval of %lluus is outside the %lluus to "
				       "%lluus of --autotune; choose --sample or --autotune to fit",
				       (unsigned long long)attrs->sample_interval,
				       (unsigned long long)opts->goal.min_sample_us,
				       (unsigned long long)opts->goal.max_sample_us);
	}
	if (damon_check_attrs(attrs))
		return give_up(EXIT_USAGE,
			       "these intervals and numbers of regions don't go together");
	return 0;
}

/* Print @text from column @indent on, broken at spaces to stay inside 80 columns. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
	int column = indent;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > 79) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", len, text);
		column += len;
		text += len;
		while (*text == ' ')
			text++;
	}
	fputc('\n', out);
}

void options_help(enum command_bit command, FILE *out)
{
	enum { INDENT = 30 };

	for (size_t i = 0; i < NR_SPECS; i++) {
		const struct option_spec *spec = &specs[i];
		int argument = argument_of(spec);
		char left[64], letter[8] = "    ";
		int len;

		if (!(spec->commands & command))
			continue;
		if (spec->letter)
			snprintf(letter, sizeof(letter), "-%c, ", spec->letter);
		len = snprintf(left, sizeof(left), "  %s--%s%s%s%s", letter, spec->name,
			       argument == optional_argument   ? "[="
			       : argument == required_argument ? " "
							       : "",
			       argument == no_argument ? "" : spec->value,
			       argument == optional_argument ? "]" : "");
		fputs(left, out);
		if (len >= INDENT)
			fprintf(out, "\n%*s", INDENT, "");
		else
			fprintf(out, "%*s", INDENT - len, "");
		print_wrapped(out, spec->help, INDENT);
	}
}

void options_names(enum command_bit command, FILE *out)
{
	for (size_t i = 0; i < NR_SPECS; i++) {
		const struct option_spec *spec = &specs[i];

		if (!(spec->commands & command))
			continue;
		fprintf(out, "--%s", spec->name);
		if (spec->letter)
			fprintf(out, "|-%c", spec->letter);
		if (argument_of(spec) == optional_argument)
			fputc('=', out);
		switch (spec->kind) {
		case OPTION_FLAG:
		case OPTION_CHOOSE:
		case OPTION_TUNE:
			break;
		case OPTION_FILE:
			fputs(" @file", out);
			break;
		case OPTION_FOLDER:
			fputs(" @folder", out);
			break;
		case OPTION_PIDS:
			fputs(" @pid", out);
			break;
		case OPTION_WORD:
		case OPTION_NAME:
			for (int w = 0; spec->words[w]; w++)
				fprintf(out, " %s", spec->words[w]);
			break;
		default:
			fputs(" @value", out);
		}
		fputc('\n', out);
	}
}
