// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The table of all options. */
#include <getopt.h>
#include <limits.h>

#include "cli/option_table.h"

#define LIVE	   (COMMAND_RUN | COMMAND_RECORD)
#define MONITORING (LIVE | COMMAND_SIM)
#define REPORTING  (MONITORING | COMMAND_REPORT)
#define ATTRIBUTES (MONITORING | COMMAND_START)
#define CHANGES	   (COMMAND_PAUSE | COMMAND_RESUME | COMMAND_TUNE)
#define CONTROLS                                                                                   \
	(COMMAND_START | COMMAND_STOP | CHANGES | COMMAND_STATUS | COMMAND_SCHEMES | COMMAND_TOP)
#define EVERY	   (REPORTING | CONTROLS | COMMAND_EXPORT | COMMAND_DOCTOR | COMMAND_VERIFY | COMMAND_NS)
#define AT(member) offsetof(struct options, member)
#define LONGEST_US (INT64_MAX / 1000) /* clocks are in nanoseconds */

static const char *const engine_words[] = {"auto", "point", "scan", NULL};
static const char *const start_engine_words[] = {"auto", "point", "scan", "kernel", NULL};
static const char *const control_engine_words[] = {"kernel", NULL};
static const char *const ops_words[] = {"vaddr", "fvaddr", "paddr", NULL};
static const char *const colour_words[] = {"auto", "always", "never", NULL};
static const char *const format_words[] = {"damo", "csv", "json", NULL};
static const char *const sort_words[] = {"access", "size", "age", "address", NULL};
static const char *const heat_words[] = {"mean", "max", NULL};

const struct option_spec option_specs[] = {
	{"pid", 'p', COMMAND_RECORD | COMMAND_START, OPTION_PIDS, 0, "PID[,PID...]", 1, INT_MAX,
	 NULL, "watch these processes; may be repeated"},
	{"pid", 'p', COMMAND_VERIFY, OPTION_PIDS, 0, "PID", 1, INT_MAX, NULL,
	 "the process to watch"},
	{"cgroup", 0, COMMAND_RECORD, OPTION_FOLDER, AT(cgroup), "PATH", 0, 0, NULL,
	 "watch the processes that are in this control group now"},
	{"range", 0, COMMAND_RECORD | COMMAND_START, OPTION_RANGE, 0, "START-END", 0, 0, NULL,
	 "watch only these addresses, hexadecimal as in /proc/PID/maps; may be repeated"},
	{"range", 0, COMMAND_REPORT, OPTION_RANGE, 0, "START-END", 0, 0, NULL,
	 "show only these addresses, hexadecimal as in /proc/PID/maps"},
	{"user", 0, LIVE, OPTION_TEXT, AT(user), "NAME", 0, 0, NULL,
	 "start the command as this user (default: the user who runs udamon)"},
	{"for", 0, LIVE, OPTION_TIME, AT(for_us), "TIME", 1, LONGEST_US, NULL,
	 "stop watching after this time; a command goes on (default: watch until it ends)"},
	{"for", 0, COMMAND_VERIFY, OPTION_TIME, AT(for_us), "TIME", 1, LONGEST_US, NULL,
	 "watch for this time (default: 25 windows)"},
	{"for", 0, COMMAND_SIM, OPTION_TIME, AT(for_us), "TIME", 1, LONGEST_US, NULL,
	 "simulate so much time (default: until the workload ends)"},
	{"output", 'o', LIVE, OPTION_FILE, AT(output), "FILE", 0, 0, NULL,
	 "the record to write; an older record of that name is replaced (default record.udamon)"},
	{"output", 'o', COMMAND_SIM, OPTION_FILE, AT(output), "FILE", 0, 0, NULL,
	 "keep the record in this file; an older record of that name is replaced"},
	{"output", 'o', COMMAND_EXPORT, OPTION_FILE, AT(output), "FILE", 0, 0, NULL,
	 "the file to write (default: standard output)"},
	{"sample", 0, ATTRIBUTES, OPTION_TIME, AT(sample_us), "TIME", 1, LONGEST_US, NULL,
	 "check one page of each region this often (default 5ms); no tuning unless asked for"},
	{"sample", 0, COMMAND_VERIFY, OPTION_TIME, AT(sample_us), "TIME", 1, LONGEST_US, NULL,
	 "look this often (default 50ms; longer where a look at all memory takes above 5ms)"},
	{"aggr", 0, ATTRIBUTES, OPTION_TIME, AT(aggr_us), "TIME", 1, LONGEST_US, NULL,
	 "length of a window (default 100ms); no tuning unless asked for"},
	{"aggr", 0, COMMAND_VERIFY, OPTION_TIME, AT(aggr_us), "TIME", 1, LONGEST_US, NULL,
	 "length of a window (default: 20 looks, fewer where --for is short)"},
	{"update", 0, ATTRIBUTES | COMMAND_VERIFY, OPTION_TIME, AT(update_us), "TIME", 1,
	 LONGEST_US, NULL, "look for new and gone mappings this often (default 1s)"},
	{"min-regions", 0, ATTRIBUTES | COMMAND_VERIFY, OPTION_COUNT, AT(min_regions), "N", 3,
	 UINT32_MAX, NULL, "at least this many regions (default 10)"},
	{"max-regions", 0, ATTRIBUTES | COMMAND_VERIFY, OPTION_COUNT, AT(max_regions), "N", 3,
	 UINT32_MAX, NULL, "at most this many, which bounds the cost (default 1000)"},
	{"autotune", 0, ATTRIBUTES, OPTION_TUNE, 0, "BP,AGGRS,MIN,MAX", 0, 0, NULL,
	 "tune the intervals until this share of the possible accesses is seen, basis points, "
	 "over so many windows, sampling every MIN to MAX (default 400,3,5ms,10s)"},
	{"no-autotune", 0, ATTRIBUTES, OPTION_CHOOSE, AT(autotune), NULL, TUNE_OFF, 0, NULL,
	 "keep the intervals as they are"},
	{"sample", 0, COMMAND_TUNE, OPTION_TIME, AT(sample_us), "TIME", 1, LONGEST_US, NULL,
	 "check one page of each region this often; no tuning unless asked for"},
	{"aggr", 0, COMMAND_TUNE, OPTION_TIME, AT(aggr_us), "TIME", 1, LONGEST_US, NULL,
	 "length of a window; no tuning unless asked for"},
	{"update", 0, COMMAND_TUNE, OPTION_TIME, AT(update_us), "TIME", 1, LONGEST_US, NULL,
	 "look for new and gone mappings this often"},
	{"min-regions", 0, COMMAND_TUNE, OPTION_COUNT, AT(min_regions), "N", 3, UINT32_MAX, NULL,
	 "at least this many regions"},
	{"max-regions", 0, COMMAND_TUNE, OPTION_COUNT, AT(max_regions), "N", 3, UINT32_MAX, NULL,
	 "at most this many, which bounds the cost"},
	{"autotune", 0, COMMAND_TUNE, OPTION_TUNE, 0, "BP,AGGRS,MIN,MAX", 0, 0, NULL,
	 "tune the intervals until this share of the possible accesses is seen, basis points, "
	 "over so many windows, sampling every MIN to MAX (default 400,3,5ms,10s)"},
	{"no-autotune", 0, COMMAND_TUNE, OPTION_CHOOSE, AT(autotune), NULL, TUNE_OFF, 0, NULL,
	 "keep the intervals as they are now"},
	{"engine", 0, LIVE, OPTION_NAME, AT(engine), "NAME", 0, 0, engine_words,
	 "how to learn of accesses (default auto)"},
	{"engine", 0, COMMAND_START, OPTION_NAME, AT(engine), "NAME", 0, 0, start_engine_words,
	 "how udamond learns of accesses (default auto); kernel: have the kernel's DAMON do it"},
	{"engine", 0, CONTROLS & ~(unsigned int)COMMAND_START, OPTION_NAME, AT(engine), "NAME", 0,
	 0, control_engine_words, "kernel: the kernel's DAMON instead of udamond"},
	{"mount", 0, CONTROLS | COMMAND_NS | COMMAND_RECORD, OPTION_FOLDER, AT(mount), "FOLDER", 0,
	 0, NULL, "where the tree is (default /run/udamon/sys; with --engine kernel /sys)"},
	{"ops", 0, COMMAND_START, OPTION_NAME, AT(ops), "NAME", 0, 0, ops_words,
	 "what is watched: vaddr (processes, the default), fvaddr (only given addresses, the default "
	 "with --range), paddr (physical memory; with --engine kernel)"},
	{"count", 'n', COMMAND_TOP, OPTION_COUNT, AT(count), "N", 1, UINT32_MAX, NULL,
	 "print so many views, and end"},
	{"context", 0, COMMAND_RECORD, OPTION_TEXT, AT(context), "K/C", 0, 0, NULL,
	 "record what this context of the daemon finds"},
	{"regions", 0, COMMAND_SCHEMES, OPTION_FLAG, AT(regions), NULL, 0, 0, NULL,
	 "also list the regions of the next pass, which it waits for"},
	{"scheme", 0, COMMAND_START, OPTION_SCHEME, 0, "KEY=VALUE,...", 0, 0, NULL,
	 "act on what is found, as in action=pageout,access=0%,age=5s..max; may be repeated. Shares and "
	 "times are converted once, by the intervals it starts with"},
	{"scheme", 0, COMMAND_TUNE, OPTION_SCHEME, 0, "KEY=VALUE,...", 0, 0, NULL,
	 "have these schemes instead of the present ones; may be repeated"},
	{"schemes", 0, COMMAND_START | COMMAND_TUNE, OPTION_SCHEMES, 0, "FILE", 0, 0, NULL,
	 "the same for the schemes in this JSON file; may be repeated"},
	{"no-schemes", 0, COMMAND_TUNE, OPTION_FLAG, AT(no_schemes), NULL, 0, 0, NULL,
	 "remove all schemes"},
	{"all", 0, COMMAND_STOP, OPTION_FLAG, AT(all), NULL, 0, 0, NULL, "stop every context"},
	{"keep", 0, COMMAND_STOP, OPTION_FLAG, AT(keep), NULL, 0, 0, NULL,
	 "leave parameters and statistics readable, and the place taken"},
	{"force", 0, COMMAND_START, OPTION_FLAG, AT(force), NULL, 0, 0, NULL,
	 "replace what is staged in the kdamond that was named"},
	{"force", 0, CHANGES, OPTION_FLAG, AT(force), NULL, 0, 0, NULL,
	 "bring in force whatever else is staged, too"},
	{"max-stall", 0, LIVE | COMMAND_VERIFY, OPTION_TIME, AT(max_stall_us), "TIME", 1,
	 LONGEST_US, NULL,
	 "scan: longest time that clearing may keep a program from changing its mappings (default "
	 "20ms)"},
	{"budget", 0, LIVE, OPTION_BUDGET, 0, "PERCENT", 0, 0, NULL,
	 "bound for the cost, to the monitor and to what is watched together, of one processor: looks "
	 "less often to keep to it (default 2%; max: no bound)"},
	{"no-budget", 0, LIVE, OPTION_FLAG, AT(no_budget), NULL, 0, 0, NULL,
	 "no bound for the cost"},
	{"budget", 0, COMMAND_START, OPTION_BUDGET, 0, "PERCENT", 0, 0, NULL,
	 "bound for the cost, of one processor, of this kdamond from now on (default: as it is, 2% at "
	 "first; max: no bound)"},
	{"no-budget", 0, COMMAND_START, OPTION_FLAG, AT(no_budget), NULL, 0, 0, NULL,
	 "no bound for the cost of this kdamond from now on"},
	{"seed", 0, LIVE | COMMAND_VERIFY, OPTION_COUNT, AT(seed), "N", 1, UINT64_MAX, NULL,
	 "seed of the random numbers (default: another one each time)"},
	{"seed", 0, COMMAND_SIM, OPTION_COUNT, AT(seed), "N", 1, UINT64_MAX, NULL,
	 "seed of the random numbers; equal runs give equal results (default 1)"},
	{"save-training", 0, MONITORING, OPTION_FILE, AT(save_training), "FILE", 0, 0, NULL,
	 "save what was learned in this file, every few seconds and at the end"},
	{"load-training", 0, COMMAND_RECORD | COMMAND_SIM, OPTION_FILE, AT(load_training), "FILE",
	 0, 0, NULL, "start with what was learned before and saved in this file"},
	{"rate", 0, COMMAND_SIM, OPTION_COUNT, AT(rate), "N", 1, 0, NULL,
	 "accesses in a simulated second (default 10000000)"},
	{"scheme", 0, MONITORING, OPTION_SCHEME, 0, "KEY=VALUE,...", 0, 0, NULL,
	 "act on what is found, as in action=pageout,access=0%,age=5s..max; may be repeated"},
	{"schemes", 0, MONITORING, OPTION_SCHEMES, 0, "FILE", 0, 0, NULL,
	 "the same for the schemes in this JSON file; may be repeated"},
	{"vs", 0, COMMAND_SIM, OPTION_VS, 0, NULL, 0, 0, NULL,
	 "compare the schemes before this with those after it, and both with no scheme"},
	{"memory", 0, COMMAND_SIM, OPTION_SIZE, AT(memory), "SIZE", 4096, 0, NULL,
	 "memory of the simulated machine (default: twice the workload's)"},
	{"far-memory", 0, COMMAND_SIM, OPTION_SIZE, AT(far_memory), "SIZE", 4096, 0, NULL,
	 "slower memory on a second node, number 1 (default: no such node)"},
	{"refault", 0, COMMAND_SIM, OPTION_TIME, AT(refault_us), "TIME", 1, LONGEST_US, NULL,
	 "what a program waits for a page that is read back (default 100us)"},
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
	{"json", 0,
	 REPORTING | COMMAND_DOCTOR | COMMAND_VERIFY | COMMAND_START | COMMAND_STATUS |
		 COMMAND_SCHEMES,
	 OPTION_FLAG, AT(json), NULL, 0, 0, NULL, "print the result as JSON"},
	{"color", 0, REPORTING | COMMAND_DOCTOR | COMMAND_TOP, OPTION_WORD, AT(colour), "WHEN", 0,
	 0, colour_words, "colours and block characters (default auto: on a terminal)"},
	{"quiet", 'q', EVERY, OPTION_FLAG, AT(quiet), NULL, 0, 0, NULL,
	 "no live view, no progress, no notes; only results and errors"},
	{"verbose", 'v', EVERY, OPTION_FLAG, AT(verbose), NULL, 0, 0, NULL,
	 "say more about what is done"},
	{"help", 'h', EVERY, OPTION_FLAG, AT(help), NULL, 0, 0, NULL, "show this help"},
};

const size_t nr_option_specs = sizeof(option_specs) / sizeof(option_specs[0]);
_Static_assert(sizeof(option_specs) / sizeof(option_specs[0]) <= MAX_OPTION_SPECS,
	       "raise the limit");

int option_argument(const struct option_spec *spec)
{
	if (spec->kind == OPTION_FLAG || spec->kind == OPTION_CHOOSE || spec->kind == OPTION_VS)
		return no_argument;
	return spec->kind == OPTION_TUNE ? optional_argument : required_argument;
}
