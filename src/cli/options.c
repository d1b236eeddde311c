// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Parsing the options of a command by the table, and what follows from several of them. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "cli/option_table.h"
#include "params/values.h"

/* What the engine scan does unless told otherwise. */
#define SCAN_SAMPLE_US 1000000
#define SCAN_AGGR_US   5000000

void options_init(struct options *opts)
{
	*opts = (struct options){
		.goal = {.access_bp = 400,
			 .aggrs = 3,
			 .min_sample_us = 5000,
			 .max_sample_us = 10000000},
		.engine = "auto",
		.budget_bp = 200,
		.target = UINT64_MAX,
	};
}

void options_clear(struct options *opts)
{
	free(opts->pids);
	free(opts->ranges);
	free(opts->schemes);
	opts->schemes = NULL;
	opts->pids = NULL;
	opts->ranges = NULL;
}

/* "--min-regions '2'": how an option and its bad value are quoted. */
static int bad_value(const struct option_spec *spec, const char *text, const char *expected)
{
	return give_up(EXIT_USAGE, "--%s '%s': expected %s", spec->name, text, expected);
}

/* @too_large: then the limit is named even where nobody comes near it by design. */
static int bad_number(const struct option_spec *spec, const char *text, const char *what,
		      bool too_large)
{
	char expected[160];

	if (spec->max && (spec->max < UINT32_MAX || too_large))
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
	} else if (spec->kind == OPTION_SIZE) {
		if (parse_size(text, &v) || v < spec->min)
			return bad_value(
				spec, text,
				"a size of 4K or more, such as 100M (a whole number and K, M, G or T)");
	} else if (spec->kind == OPTION_PERCENT) {
		if (parse_percent(text, &v))
			return bad_value(spec, text, "a share from 0% to 100%, such as 12.5%");
	} else {
		ret = parse_count(text, &v);
		if (ret || v < spec->min || (spec->max && v > spec->max))
			return bad_number(spec, text, "a whole number",
					  ret == -ERANGE || (!ret && v > spec->max));
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
			return bad_number(spec, text, "process ids", false);
		memcpy(word, rest, len);
		word[len] = '\0';
		if (parse_count(word, &pid) || pid < spec->min || pid > spec->max)
			return bad_number(spec, text, "process ids", false);
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

/* Read later, when the intervals are known that shares and times are converted by. */
static int add_scheme(struct options *opts, const char *text, bool is_file)
{
	struct scheme_option *schemes =
		reallocarray(opts->schemes, opts->nr_schemes + 1, sizeof(*opts->schemes));

	if (!schemes)
		return give_up(EXIT_FAILED, "out of memory");
	schemes[opts->nr_schemes++] = (struct scheme_option){is_file, text};
	opts->schemes = schemes;
	return 0;
}

static int set_vs(struct options *opts)
{
	if (opts->vs)
		return give_up(EXIT_USAGE, "--vs given twice; two sides are compared");
	opts->vs = true;
	opts->nr_before_vs = opts->nr_schemes;
	return 0;
}

static int set_budget(const struct option_spec *spec, struct options *opts, const char *text)
{
	opts->budget_given = true;
	opts->no_budget = !strcmp(text, "max");
	if (opts->no_budget)
		return 0;
	if (parse_percent(text, &opts->budget_bp) || !opts->budget_bp)
		return bad_value(spec, text,
				 "a share from 0.01% to 100%, such as 2%, or max for no bound");
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
	case OPTION_SIZE:
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
	case OPTION_SCHEME:
	case OPTION_SCHEMES:
		return add_scheme(opts, text, spec->kind == OPTION_SCHEMES);
	case OPTION_VS:
		return set_vs(opts);
	case OPTION_BUDGET:
		return set_budget(spec, opts, text);
	case OPTION_TUNE:
		return set_tuning(spec, opts, text);
	}
	return 0;
}

/* What getopt_long() wants, for one command. Its values are 256 + index into specs. */
static void make_getopt_tables(enum command_bit command, struct option *longs, char *letters)
{
	*letters++ = ':';
	for (size_t i = 0; i < nr_option_specs; i++) {
		int argument = option_argument(&option_specs[i]);

		if (!(option_specs[i].commands & command))
			continue;
		*longs++ = (struct option){option_specs[i].name, argument, NULL, 256 + (int)i};
		if (!option_specs[i].letter)
			continue;
		*letters++ = option_specs[i].letter;
		if (argument == required_argument)
			*letters++ = ':';
	}
	*letters = '\0';
	*longs = (struct option){NULL, 0, NULL, 0};
}

static const struct option_spec *spec_of(int c, enum command_bit command)
{
	if (c >= 256)
		return &option_specs[c - 256];
	for (size_t i = 0; i < nr_option_specs; i++)
		if ((option_specs[i].commands & command) && option_specs[i].letter &&
		    option_specs[i].letter == c)
			return &option_specs[i];
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
	struct option longs[MAX_OPTION_SPECS + 1];
	char letters[2 * MAX_OPTION_SPECS + 4] = "+";
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

uint64_t options_update_us(const struct options *opts)
{
	return opts->update_us ? opts->update_us : 1000000;
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
	attrs->ops_update_interval = options_update_us(opts);
	if (opts->min_regions)
		attrs->min_nr_regions = opts->min_regions;
	if (opts->max_regions)
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
			(unsigned long long)attrs->min_nr_regions,
			(unsigned long long)attrs->max_nr_regions);
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
