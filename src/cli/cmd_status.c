// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon status: what contexts there are, what they do, and what is staged but not in force. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/facts.h"
#include "cli/message.h"
#include "cli/reporting.h"
#include "cli/signals.h"
#include "report/format.h"

static struct format_text interval_in(const json_t *object, const char *key)
{
	return format_duration(1000.0 * (double)fact_number(object, key));
}

static void print_targets(const json_t *facts)
{
	const json_t *targets = json_object_get(facts, "targets"), *target;
	char comm[64];
	size_t i;

	if (!json_array_size(targets))
		fputs("physical memory", stdout);
	for (i = 0; (target = json_array_get(targets, i)); i++) {
		format_clean(comm, sizeof(comm), fact_text(target, "comm"), true);
		printf("%sprocess %lld", i ? ", " : "", fact_number(target, "pid"));
		if (json_is_true(json_object_get(target, "there")))
			printf(" (%s)", comm);
		else
			fputs(" (ended)", stdout);
	}
}

static void print_parameters(const json_t *facts)
{
	const json_t *intervals = json_object_get(facts, "intervals");
	const json_t *goal = json_object_get(facts, "intervals_goal");
	const json_t *regions = json_object_get(facts, "nr_regions");

	printf("     samples every %s, windows of %s, layout read every %s, %lld to %lld regions\n",
	       interval_in(intervals, "sample_us").s, interval_in(intervals, "aggr_us").s,
	       interval_in(intervals, "update_us").s, fact_number(regions, "min"),
	       fact_number(regions, "max"));
	if (fact_number(goal, "aggrs"))
		printf("     tuned until %s of the accesses are seen, every %lld windows, sampling "
		       "every %s to %s\n",
		       format_percent((double)fact_number(goal, "access_bp") / 100).s,
		       fact_number(goal, "aggrs"), interval_in(goal, "min_sample_us").s,
		       interval_in(goal, "max_sample_us").s);
}

/* Where the intervals aren't those that were asked for. */
static void print_last_window(const json_t *facts)
{
	const json_t *window = json_object_get(facts, "last_window");
	const json_t *intervals = json_object_get(facts, "intervals");

	if (!json_object_size(window) ||
	    (fact_number(window, "sample_us") == fact_number(intervals, "sample_us") &&
	     fact_number(window, "aggr_us") == fact_number(intervals, "aggr_us")))
		return;
	printf("     in the last window: samples every %s, windows of %s",
	       interval_in(window, "sample_us").s, interval_in(window, "aggr_us").s);
	if (fact_number(window, "floor_us"))
		printf("; the budget allows a look every %s", interval_in(window, "floor_us").s);
	putchar('\n');
}

static void print_overhead(const json_t *facts)
{
	const json_t *overhead = json_object_get(facts, "overhead");

	if (!json_object_size(overhead))
		return;
	printf("     so far %s windows, %s of processor time, %s pages made old",
	       format_count((uint64_t)fact_number(overhead, "windows")).s,
	       format_duration((double)fact_number(overhead, "cpu_ns")).s,
	       format_count((uint64_t)fact_number(overhead, "clears")).s);
	if (fact_number(overhead, "unwatchable_bytes"))
		printf("; %s can't be watched",
		       format_size((double)fact_number(overhead, "unwatchable_bytes")).s);
	putchar('\n');
}

static void print_differences(const json_t *facts)
{
	const json_t *list = json_object_get(facts, "not_in_force"), *difference;
	size_t i;

	for (i = 0; (difference = json_array_get(list, i)); i++)
		printf("     staged, not in force: %s is '%s', in force '%s'\n",
		       fact_text(difference, "file"), fact_text(difference, "staged"),
		       fact_text(difference, "in_force"));
}

static void print_schemes(const json_t *facts)
{
	const json_t *list = json_object_get(facts, "schemes"), *scheme;
	size_t i;

	for (i = 0; (scheme = json_array_get(list, i)); i++)
		printf("     scheme %zu: %s; tried %s in %s regions, applied to %s, quota used up %s "
		       "times\n",
		       i,
		       *fact_text(scheme, "words") ? fact_text(scheme, "words")
						   : fact_text(scheme, "action"),
		       format_size((double)fact_number(scheme, "sz_tried")).s,
		       format_count((uint64_t)fact_number(scheme, "nr_tried")).s,
		       format_size((double)fact_number(scheme, "sz_applied")).s,
		       format_count((uint64_t)fact_number(scheme, "qt_exceeds")).s);
}

static void print_context(const json_t *facts)
{
	const char *engine = fact_text(facts, "engine");
	char error[1024];

	printf("%-4s %s, ", fact_text(facts, "context"), fact_text(facts, "state"));
	print_targets(facts);
	printf("; %s%s%s", fact_text(facts, "operations"), *engine ? ", engine " : "", engine);
	if (json_is_integer(json_object_get(facts, "kdamond_pid")))
		printf(", kdamond %lld", fact_number(facts, "kdamond_pid"));
	putchar('\n');
	print_parameters(facts);
	print_last_window(facts);
	print_overhead(facts);
	print_differences(facts);
	print_schemes(facts);
	format_clean(error, sizeof(error), fact_text(facts, "error"), true);
	if (*error)
		printf("     last refused: %s\n", error);
}

struct listing {
	const struct tree *tree;
	json_t *list;
};

static int add_context(void *data, const struct context_address *address, enum context_state state)
{
	struct listing *listing = data;
	json_t *facts;
	int ret;

	ret = schemes_refresh(listing->tree, address, state);
	if (!ret)
		ret = context_facts(listing->tree, address, state, &facts);
	if (!ret && json_array_append_new(listing->list, facts))
		ret = give_up(EXIT_FAILED, "out of memory");
	return ret;
}

int status_command(const struct options *opts, int argc, char **argv)
{
	struct listing listing = {0};
	struct tree tree;
	const json_t *facts;
	size_t i;
	int ret;

	signals_note_end();
	ret = tree_open(&tree, opts);
	listing.tree = &tree;
	listing.list = json_array();
	if (!ret && !listing.list)
		ret = give_up(EXIT_FAILED, "out of memory");
	if (!ret)
		ret = contexts_for_each(&tree, argc, argv, add_context, &listing);
	if (!ret && opts->json) {
		ret = json_print(json_incref(listing.list));
	} else if (!ret) {
		for (i = 0; (facts = json_array_get(listing.list, i)); i++)
			print_context(facts);
		if (!json_array_size(listing.list))
			puts("no context; start one with: udamon start");
	}
	json_decref(listing.list);
	tree_close(&tree);
	return ret;
}
