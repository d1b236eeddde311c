// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Values and options of the command line: what is accepted, exactly, and what is refused how. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/message.h"
#include "cli/options.h"
#include "params/values.h"

/* Stands in for message.c: keeps the text instead of printing it. */
static char said[2048];
static int nr_said;

int give_up(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	nr_said++;
	return code;
}

struct value_case {
	const char *text;
	int ret;
	uint64_t value;
};

static void check_values(int (*parse)(const char *, uint64_t *), const struct value_case *cases)
{
	for (; cases->text; cases++) {
		uint64_t value = 12345;
		int ret = parse(cases->text, &value);

		if (ret != cases->ret || value != (ret ? 12345 : cases->value))
			fail_msg("'%s': expected %d and %llu, got %d and %llu", cases->text,
				 cases->ret, (unsigned long long)cases->value, ret,
				 (unsigned long long)value);
	}
}

static void test_counts_are_exact(void **state)
{
	static const struct value_case cases[] = {
		{"0", 0, 0},
		{"007", 0, 7},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE},
		{"99999999999999999999999999", -ERANGE},
		{"", -EINVAL},
		{" 1", -EINVAL},
		{"1 ", -EINVAL},
		{"-1", -EINVAL},
		{"+1", -EINVAL},
		{"0x10", -EINVAL},
		{"1K", -EINVAL},
		{"1.0", -EINVAL},
		{NULL},
	};

	check_values(parse_count, cases);
}

static void test_times_need_a_unit_and_are_exact(void **state)
{
	static const struct value_case cases[] = {
		{"5us", 0, 5},
		{"5ms", 0, 5000},
		{"5s", 0, 5000000},
		{"5m", 0, 300000000},
		{"18446744073709551615us", 0, UINT64_MAX},
		{"18446744073709551ms", 0, 18446744073709551000ULL},
		{"18446744073709552ms", -ERANGE},
		{"307445734562m", -ERANGE},
		{"18446744073709551616us", -ERANGE},
		{"0x", -EINVAL},
		{"0x5ms", -EINVAL},
		{"", -EINVAL},
		{"ms", -EINVAL},
		{"5", -EINVAL},
		{"-5ms", -EINVAL},
		{"5 ms", -EINVAL},
		{"5msx", -EINVAL},
		{"5MS", -EINVAL},
		{"1.5s", -EINVAL},
		{"5h", -EINVAL},
		{NULL},
	};

	check_values(parse_time, cases);
}

static void test_sizes_are_powers_of_1024_and_exact(void **state)
{
	static const struct value_case cases[] = {
		{"0", 0, 0},
		{"4096", 0, 4096},
		{"4K", 0, 4096},
		{"2M", 0, 2097152},
		{"3G", 0, 3221225472ULL},
		{"1T", 0, 1099511627776ULL},
		{"16777215T", 0, 18446742974197923840ULL},
		{"16777216T", -ERANGE},
		{"", -EINVAL},
		{"K", -EINVAL},
		{"-1K", -EINVAL},
		{"1k", -EINVAL},
		{"1KB", -EINVAL},
		{"0x1000", -EINVAL},
		{"1.5G", -EINVAL},
		{NULL},
	};

	check_values(parse_size, cases);
}

static void test_shares_are_exact_to_a_basis_point(void **state)
{
	static const struct value_case cases[] = {
		{"0", 0, 0},
		{"2%", 0, 200},
		{"2", 0, 200},
		{"12.5%", 0, 1250},
		{"0.01%", 0, 1},
		{"100%", 0, 10000},
		{"100.00", 0, 10000},
		{"100.01%", -ERANGE},
		{"101%", -ERANGE},
		{"0.001%", -ERANGE},
		{"99999999999999999999%", -ERANGE},
		{"", -EINVAL},
		{"%", -EINVAL},
		{"-1%", -EINVAL},
		{"1%%", -EINVAL},
		{".5%", -EINVAL},
		{"5.%", -EINVAL},
		{"1e2", -EINVAL},
		{NULL},
	};

	check_values(parse_percent, cases);
}

static void test_ranges_are_hexadecimal_and_not_empty(void **state)
{
	struct damon_addr_range range;

	assert_int_equal(parse_range("7f00-0x7f10", &range), 0);
	assert_int_equal(range.start, 0x7f00);
	assert_int_equal(range.end, 0x7f10);
	assert_int_equal(parse_range("0-FFFFFFFFFFFFFFFF", &range), 0);
	assert_int_equal(range.end, UINT64_MAX);
	assert_int_equal(parse_range("10-10", &range), -ERANGE);
	assert_int_equal(parse_range("20-10", &range), -ERANGE);
	assert_int_equal(parse_range("0-10000000000000000", &range), -ERANGE);
	assert_int_equal(parse_range("10", &range), -EINVAL);
	assert_int_equal(parse_range("10-", &range), -EINVAL);
	assert_int_equal(parse_range("-10", &range), -EINVAL);
	assert_int_equal(parse_range("10-20-30", &range), -EINVAL);
	assert_int_equal(parse_range("0x-10", &range), -EINVAL);
	assert_int_equal(parse_range("10 -20", &range), -EINVAL);
}

static void test_intervals_goal_has_four_fields(void **state)
{
	struct damon_intervals_goal goal;

	assert_int_equal(parse_intervals_goal("500,4,1ms,2s", &goal), 0);
	assert_int_equal(goal.access_bp, 500);
	assert_int_equal(goal.aggrs, 4);
	assert_int_equal(goal.min_sample_us, 1000);
	assert_int_equal(goal.max_sample_us, 2000000);
	assert_int_equal(parse_intervals_goal("500,4,1ms", &goal), -EINVAL);
	assert_int_equal(parse_intervals_goal("500,4,1ms,2s,", &goal), -EINVAL);
	assert_int_equal(parse_intervals_goal(",4,1ms,2s", &goal), -EINVAL);
	assert_int_equal(parse_intervals_goal("", &goal), -EINVAL);
	assert_int_equal(parse_intervals_goal("0,4,1ms,2s", &goal), -ERANGE);
	assert_int_equal(parse_intervals_goal("10001,4,1ms,2s", &goal), -ERANGE);
	assert_int_equal(parse_intervals_goal("500,0,1ms,2s", &goal), -ERANGE);
	assert_int_equal(parse_intervals_goal("500,4,2s,1ms", &goal), -ERANGE);
}

/* Parse the words of @line as a command line of @command. */
static int parse(struct options *opts, enum command_bit command, bool stop, const char *line,
		 int *first)
{
	static char words[512];
	static char *argv[32];
	char *rest = words, *word;
	int argc = 0;

	snprintf(words, sizeof(words), "%s", line);
	while ((word = strsep(&rest, " ")))
		argv[argc++] = word;
	argv[argc] = NULL;
	nr_said = 0;
	said[0] = '\0';
	options_init(opts);
	return options_parse(opts, command, stop, argc, argv, first);
}

static void test_defaults_are_the_documented_ones(void **state)
{
	struct options opts;
	struct damon_attrs attrs;
	int first;

	assert_int_equal(parse(&opts, COMMAND_RUN, true, "run -- true", &first), 0);
	assert_int_equal(first, 2);
	assert_int_equal(options_attrs(&opts, &attrs), 0);
	assert_int_equal(attrs.sample_interval, 5000);
	assert_int_equal(attrs.aggr_interval, 100000);
	assert_int_equal(attrs.ops_update_interval, 1000000);
	assert_int_equal(attrs.min_nr_regions, 10);
	assert_int_equal(attrs.max_nr_regions, 1000);
	assert_int_equal(attrs.intervals_goal.access_bp, 400);
	assert_int_equal(attrs.intervals_goal.aggrs, 3);
	assert_int_equal(attrs.intervals_goal.min_sample_us, 5000);
	assert_int_equal(attrs.intervals_goal.max_sample_us, 10000000);
	options_clear(&opts);
}

static void test_asking_for_intervals_turns_tuning_off(void **state)
{
	struct options opts;
	struct damon_attrs attrs;
	int first;

	assert_int_equal(parse(&opts, COMMAND_SIM, false, "sim --sample 1ms x", &first), 0);
	assert_int_equal(options_attrs(&opts, &attrs), 0);
	assert_int_equal(attrs.sample_interval, 1000);
	assert_int_equal(attrs.intervals_goal.aggrs, 0);
	assert_int_equal(parse(&opts, COMMAND_SIM, false, "sim --no-autotune x", &first), 0);
	assert_int_equal(options_attrs(&opts, &attrs), 0);
	assert_int_equal(attrs.intervals_goal.aggrs, 0);
	assert_int_equal(parse(&opts, COMMAND_SIM, false, "sim --sample 10ms --autotune x", &first),
			 0);
	assert_int_equal(options_attrs(&opts, &attrs), 0);
	assert_int_equal(attrs.intervals_goal.aggrs, 3);
}

static void test_the_budget(void **state)
{
	struct options opts;
	int first;

	assert_int_equal(parse(&opts, COMMAND_RUN, true, "run x", &first), 0);
	assert_int_equal(opts.budget_bp, 200);
	assert_false(opts.no_budget);
	assert_int_equal(parse(&opts, COMMAND_RUN, true, "run --budget 0.5% x", &first), 0);
	assert_int_equal(opts.budget_bp, 50);
	assert_int_equal(parse(&opts, COMMAND_RUN, true, "run --budget max x", &first), 0);
	assert_true(opts.no_budget);
	assert_int_equal(parse(&opts, COMMAND_RUN, true, "run --no-budget x", &first), 0);
	assert_true(opts.no_budget);
	/* The last one counts. */
	assert_int_equal(parse(&opts, COMMAND_RUN, true, "run --no-budget --budget 10 x", &first),
			 0);
	assert_false(opts.no_budget);
	assert_int_equal(opts.budget_bp, 1000);
}

static void test_operands_and_the_commands_own_options(void **state)
{
	struct options opts;
	int first;

	assert_int_equal(parse(&opts, COMMAND_RUN, true, "run -q ls -l --all", &first), 0);
	assert_int_equal(first, 2);
	assert_true(opts.quiet);
	assert_int_equal(parse(&opts, COMMAND_REPORT, false, "report wss --json f", &first), 0);
	assert_int_equal(first, 2);
	assert_true(opts.json);
	assert_int_equal(parse(&opts, COMMAND_REPORT, false, "report -- --json", &first), 0);
	assert_int_equal(first, 2);
	assert_false(opts.json);
}

static void test_lists_gather(void **state)
{
	struct options opts;
	int first;

	assert_int_equal(parse(&opts, COMMAND_RECORD, true,
			       "record -p 1,2 --pid=3 --range 30-40 --range 10-20 --range 20-30",
			       &first),
			 0);
	assert_int_equal(opts.nr_pids, 3);
	assert_int_equal(opts.pids[2], 3);
	assert_int_equal(opts.nr_ranges, 3);
	assert_int_equal(opts.ranges[0].start, 0x10);
	assert_int_equal(opts.ranges[1].start, 0x20);
	assert_int_equal(opts.ranges[2].end, 0x40);
	options_clear(&opts);
}

/* Each is refused with status 2 and one message that holds the second text. */
static void test_wrong_usage_is_quoted_and_explained(void **state)
{
	static const char *const cases[][2] = {
		{"--sample 0x", "--sample '0x': expected a time such as 5ms"},
		{"--sample 5", "--sample '5': expected a time"},
		{"--sample 0us", "--sample '0us': expected a time from 1us"},
		{"--sample -5ms", "--sample '-5ms': expected a time"},
		{"--sample=", "--sample '': expected a time"},
		{"--for 99999999999999999999s", "--for '99999999999999999999s': expected"},
		{"--min-regions 2", "--min-regions '2': expected a whole number, at least 3"},
		{"--min-regions 1e3", "--min-regions '1e3': expected"},
		{"--max-regions 4294967296",
		 "--max-regions '4294967296': expected a whole number from 3 to 4294967295"},
		{"--autotune=1,2", "--autotune '1,2': expected BP,AGGRS,MIN,MAX"},
		{"--budget 0", "--budget '0': expected a share from 0.01% to 100%"},
		{"--budget 101%", "--budget '101%': expected a share"},
		{"--budget most", "--budget 'most': expected a share"},
		{"--engine warp", "--engine 'warp': expected one of auto, point"},
		{"--color never,always", "--color 'never,always': expected one of auto, always"},
		{"--pid 0", "--pid '0': expected process ids from 1 to"},
		{"--pid 1,", "--pid '1,': expected process ids"},
		{"--pid ,1", "--pid ',1': expected process ids"},
		{"--pid 5,5", "--pid '5,5': expected every process once"},
		{"--pid 99999999999", "--pid '99999999999': expected process ids"},
		{"--range 10-30 --range 20-40", "--range '20-40': expected ranges that don't"},
		{"--seed 0", "--seed '0': expected a whole number, at least 1"},
		{"--output=", "--output '': expected FILE"},
		{"--frobnicate", "unknown option '--frobnicate'; see 'udamon record --help'"},
		{"-X", "unknown option '-X'; see 'udamon record --help'"},
		{"--rate 5", "unknown option '--rate'"},
		{"--json=yes", "'--json=yes': --json takes no value"},
		{"--sample", "'--sample' needs a value: --sample TIME"},
		{"-o", "'-o' needs a value: --output FILE"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options opts;
		char line[256];
		int first, ret;

		snprintf(line, sizeof(line), "record %s", cases[i][0]);
		ret = parse(&opts, COMMAND_RECORD, true, line, &first);
		if (ret != EXIT_USAGE || nr_said != 1 || !strstr(said, cases[i][1]))
			fail_msg("'%s': expected status 2 and one line with \"%s\", got %d, %d "
				 "lines, \"%s\"",
				 line, cases[i][1], ret, nr_said, said);
		options_clear(&opts);
	}
}

/* Options that are fine one by one and don't go together. */
static void test_contradictions_are_wrong_usage(void **state)
{
	static const char *const cases[][2] = {
		{"--min-regions 2000 --max-regions 10",
		 "--min-regions '2000' is above --max-regions '10'"},
		{"--min-regions 2000", "--min-regions '2000' is above --max-regions '1000'"},
		{"--sample 1s", "1000000us is longer than the window of 100000us"},
		{"--sample 1ms --autotune", "1000us is outside the 5000us to 10000000us"},
		{"--autotune=400,3,6ms,1s", "5000us is outside the 6000us to 1000000us"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options opts;
		struct damon_attrs attrs;
		char line[256];
		int first, ret;

		snprintf(line, sizeof(line), "sim %s", cases[i][0]);
		assert_int_equal(parse(&opts, COMMAND_SIM, false, line, &first), 0);
		ret = options_attrs(&opts, &attrs);
		if (ret != EXIT_USAGE || nr_said != 1 || !strstr(said, cases[i][1]))
			fail_msg("'%s': expected status 2 and one line with \"%s\", got %d, %d "
				 "lines, \"%s\"",
				 line, cases[i][1], ret, nr_said, said);
		options_clear(&opts);
	}
}

/* Whatever the parser knows, help and completion know, and no line is wider than a terminal. */
static void test_help_and_completion_show_each_option(void **state)
{
	char *help = NULL, *names = NULL;
	size_t help_size, names_size;
	FILE *out = open_memstream(&help, &help_size);
	int shown = 0, completed = 0;

	options_help(COMMAND_RECORD, out);
	fclose(out);
	out = open_memstream(&names, &names_size);
	options_names(COMMAND_RECORD, out);
	fclose(out);
	assert_non_null(strstr(help, "  -p, --pid PID[,PID...]"));
	assert_non_null(strstr(help, "--autotune[=BP,AGGRS,MIN,MAX]"));
	assert_null(strstr(help, "--rate"));
	assert_non_null(strstr(names, "--pid|-p @pid\n"));
	assert_non_null(strstr(names, "--autotune=\n"));
	assert_non_null(strstr(names, "--color auto always never\n"));
	for (char *line = strtok(help, "\n"); line; line = strtok(NULL, "\n")) {
		shown += strncmp(line, "      --", 8) == 0 || strncmp(line, "  -", 3) == 0;
		assert_true(strlen(line) < 80);
	}
	for (char *line = strtok(names, "\n"); line; line = strtok(NULL, "\n"))
		completed++;
	assert_int_equal(shown, completed);
	free(help);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_are_exact),
		cmocka_unit_test(test_times_need_a_unit_and_are_exact),
		cmocka_unit_test(test_sizes_are_powers_of_1024_and_exact),
		cmocka_unit_test(test_shares_are_exact_to_a_basis_point),
		cmocka_unit_test(test_ranges_are_hexadecimal_and_not_empty),
		cmocka_unit_test(test_intervals_goal_has_four_fields),
		cmocka_unit_test(test_defaults_are_the_documented_ones),
		cmocka_unit_test(test_asking_for_intervals_turns_tuning_off),
		cmocka_unit_test(test_the_budget),
		cmocka_unit_test(test_operands_and_the_commands_own_options),
		cmocka_unit_test(test_lists_gather),
		cmocka_unit_test(test_wrong_usage_is_quoted_and_explained),
		cmocka_unit_test(test_contradictions_are_wrong_usage),
		cmocka_unit_test(test_help_and_completion_show_each_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
