// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon start: stage a context in a free kdamond and start it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/contexts.h"
#include "cli/message.h"
#include "cli/schemes.h"
#include "cli/signals.h"
#include "cli/staging_context.h"
#include "system/process.h"

/*
 * The number of kdamonds can't change while one runs, and changing it throws away what is staged in all. So
 * the first start makes some to spare for later ones.
 */
#define SPARE_KDAMONDS "4"

/* What is found while a place is looked for. */
struct places {
	bool free;
	bool staged;
	struct context_address first_free;
	unsigned int staged_one;
};

static int look_at(const struct tree *tree, unsigned int nr, struct places *places)
{
	char path[TREE_PATH_SIZE];

	*places = (struct places){0};
	for (unsigned int k = 0; k < nr; k++) {
		struct context_address address = {.kdamond = k};
		enum context_state state;
		int ret = context_state(tree, &address, &state);

		if (ret)
			return tree_failed(tree, tree_path(path, "%u/state", k), NULL, ret);
		if (state == CONTEXT_NONE && !places->free) {
			places->free = true;
			places->first_free = address;
		}
		if (state == CONTEXT_OFF && !places->staged) {
			places->staged = true;
			places->staged_one = k;
		}
	}
	return 0;
}

/*
 * Find a kdamond in which nothing is staged. Where there is none at all, make some; where there are others,
 * that would take away what is staged in them.
 */
static int find_place(const struct tree *tree, struct context_address *address)
{
	struct places places;
	unsigned int nr;
	int ret = nr_kdamonds(tree, &nr);

	if (!ret)
		ret = look_at(tree, nr, &places);
	if (ret)
		return ret;
	if (places.free) {
		*address = places.first_free;
		return 0;
	}
	if (!nr) {
		*address = (struct context_address){0};
		ret = tree_put(tree, "nr_kdamonds", SPARE_KDAMONDS);
		return ret ? tree_failed(tree, "nr_kdamonds", SPARE_KDAMONDS, ret) : 0;
	}
	if (places.staged)
		return give_up(
			EXIT_FAILED,
			"no kdamond is free (%u there are); empty one that doesn't run with: "
			"udamon stop %u",
			nr, places.staged_one);
	return give_up(EXIT_FAILED,
		       "no kdamond is free, and there can't be more than the %u while one runs; "
		       "stop one with: udamon stop",
		       nr);
}

/* The kdamond that was named, if it is free. */
static int named_place(const struct tree *tree, const char *text, bool force,
		       struct context_address *address)
{
	char path[TREE_PATH_SIZE];
	enum context_state state;
	int ret = address_parse(text, address);

	if (ret)
		return ret;
	if (address->context)
		return give_up(EXIT_FAILED, "'%s': a kdamond has one context, number 0", text);
	ret = context_state(tree, address, &state);
	if (ret == -ENOENT)
		return give_up(EXIT_FAILED,
			       "'%s': there is no such kdamond; leave it out to have a free one "
			       "found",
			       text);
	if (ret)
		return tree_failed(tree, tree_path(path, "%u/state", address->kdamond), NULL, ret);
	if (state == CONTEXT_ON || state == CONTEXT_PAUSED)
		return give_up(EXIT_FAILED, "'%s': it runs already; change it with: udamon tune %s",
			       text, text);
	if (state == CONTEXT_OFF && !force)
		return give_up(EXIT_FAILED,
			       "'%s': something is staged there; replace it with --force", text);
	return 0;
}

/* The file tree would refuse them as well, when all is staged; the kernel's takes some that have no memory. */
static int check_processes(const struct options *opts)
{
	for (size_t i = 0; i < opts->nr_pids; i++) {
		struct process_info info;
		struct damon_error err;
		int pidfd, pid = (int)opts->pids[i];
		int ret = process_open(pid, &pidfd, &info, &err);
		bool exited;

		if (ret)
			return give_up(EXIT_FAILED, "--pid '%d': %s", pid, err.text);
		exited = process_state(pidfd) != PROCESS_ALIVE;
		close(pidfd);
		if (exited)
			return give_up(EXIT_FAILED, "--pid '%d': process %d (%s) has exited", pid,
				       pid, info.comm);
	}
	return 0;
}

static int check_usage(const struct options *opts, int argc, char **argv)
{
	bool physical = opts->ops && !strcmp(opts->ops, "paddr");

	if ((opts->budget_given || opts->no_budget) && !strcmp(opts->engine, "kernel"))
		return give_up(EXIT_USAGE,
			       "%s and --engine kernel don't go together: a kernel's "
			       "DAMON has no budget",
			       opts->budget_given ? "--budget" : "--no-budget");
	if (argc > 1)
		return give_up(EXIT_USAGE, "'%s': one kdamond at a time", argv[1]);
	if (physical && opts->nr_pids)
		return give_up(EXIT_USAGE,
			       "--pid '%d' and --ops paddr don't go together: physical memory "
			       "belongs to no process",
			       (int)opts->pids[0]);
	if (!physical && !opts->nr_pids)
		return give_up(EXIT_USAGE, "what shall be watched? give -p PID, or --ops paddr");
	if (opts->nr_ranges && opts->nr_pids > 1)
		return give_up(EXIT_USAGE, "--range needs one process: addresses are another "
					   "process's");
	/* The ranges would only be where it begins: it takes all mappings as soon as it has read them. */
	if (opts->ops && !strcmp(opts->ops, "vaddr") && opts->nr_ranges)
		return give_up(EXIT_USAGE, "--range and --ops vaddr don't go together: that "
					   "watches all mappings; leave out --ops vaddr");
	if (opts->ops && !strcmp(opts->ops, "fvaddr") && !opts->nr_ranges)
		return give_up(EXIT_USAGE, "--ops fvaddr needs the addresses: --range START-END");
	return 0;
}

static void add_targets(struct settings *settings, const struct options *opts)
{
	const char *usual = opts->nr_ranges ? "fvaddr" : "vaddr";
	size_t nr = opts->nr_pids ? opts->nr_pids : 1;

	settings_text(settings, opts->ops ? opts->ops : usual, NULL, "operations");
	settings_number(settings, nr, 0, "targets/nr_targets");
	for (size_t i = 0; i < opts->nr_pids; i++)
		settings_number(settings, (uint64_t)opts->pids[i], UINT64_MAX,
				"targets/%zu/pid_target", i);
	if (!opts->nr_ranges)
		return;
	settings_number(settings, opts->nr_ranges, 0, "targets/0/regions/nr_regions");
	for (size_t i = 0; i < opts->nr_ranges; i++) {
		settings_number(settings, opts->ranges[i].start, UINT64_MAX,
				"targets/0/regions/%zu/start", i);
		settings_number(settings, opts->ranges[i].end, UINT64_MAX,
				"targets/0/regions/%zu/end", i);
	}
}

/* Take what was staged away again, so that the kdamond is free. */
static void clear_place(const struct tree *tree, const struct context_address *address)
{
	char path[TREE_PATH_SIZE];

	tree_path(path, "%u/contexts/nr_contexts", address->kdamond);
	if (tree_put(tree, path, "0"))
		give_up(EXIT_FAILED,
			"what was staged in kdamond %u is left; remove it with: udamon stop %u",
			address->kdamond, address->kdamond);
}

/* Tuning is only a default: kernels before 6.15 haven't it. */
static void fit_attrs(const struct tree *tree, const struct context_address *address,
		      const struct options *opts, struct damon_attrs *attrs)
{
	char path[TREE_PATH_SIZE];

	if (opts->autotune != TUNE_DEFAULT || !attrs->intervals_goal.aggrs ||
	    tree_has(tree,
		     tree_path(path, "%u/contexts/%u/monitoring_attrs/intervals/intervals_goal",
			       address->kdamond, address->context)))
		return;
	note("this kernel's DAMON can't tune the intervals; they stay as they are");
	attrs->intervals_goal.aggrs = 0;
}

/* How a udamond learns of accesses; the kernel has one way. */
static int choose_engine(const struct tree *tree, const struct context_address *address,
			 const struct options *opts)
{
	char path[TREE_PATH_SIZE];
	int ret;

	if (tree->kernel)
		return 0;
	tree_path(path, "%u/engine", address->kdamond);
	ret = tree_put_own(tree, path, opts->engine);
	if (ret == -ENOENT && !strcmp(opts->engine, "auto"))
		return 0;
	return ret ? tree_failed_own(tree, path, opts->engine, ret) : 0;
}

/* Only where one is asked for: else it stays what somebody may have written. */
static int choose_budget(const struct tree *tree, const struct context_address *address,
			 const struct options *opts)
{
	char path[TREE_PATH_SIZE], value[24];
	int ret;

	if (!opts->budget_given && !opts->no_budget)
		return 0;
	snprintf(value, sizeof(value), "%" PRIu64, opts->no_budget ? 0 : opts->budget_bp);
	ret = tree_put_own(tree, tree_path(path, "%u/budget", address->kdamond), value);
	return ret ? tree_failed_own(tree, path, value, ret) : 0;
}

static int stage_and_start(const struct tree *tree, const struct context_address *address,
			   const struct options *opts, struct damon_attrs *attrs,
			   const struct params_schemes *schemes)
{
	struct settings settings = {0};
	char path[TREE_PATH_SIZE];
	int ret;

	tree_path(path, "%u/contexts/nr_contexts", address->kdamond);
	ret = tree_put(tree, path, "1");
	if (ret)
		return tree_failed(tree, path, "1", ret);
	fit_attrs(tree, address, opts, attrs);
	add_targets(&settings, opts);
	settings_attrs(&settings, attrs);
	settings_schemes(&settings, schemes);
	ret = settings_write(&settings, tree, address, NULL);
	settings_clear(&settings);
	if (!ret)
		ret = choose_engine(tree, address, opts);
	if (!ret)
		ret = choose_budget(tree, address, opts);
	if (!ret && signals_end_asked())
		ret = give_up(EXIT_FAILED, "interrupted; nothing was started");
	if (!ret)
		ret = tree_state(tree, address->kdamond, "on");
	if (ret)
		clear_place(tree, address);
	return ret;
}

static void tell_started(const struct tree *tree, const struct context_address *address,
			 const struct options *opts)
{
	int64_t kdamond;
	char path[TREE_PATH_SIZE], what[64];

	if (!opts->nr_pids)
		snprintf(what, sizeof(what), "physical memory");
	else if (opts->nr_pids == 1)
		snprintf(what, sizeof(what), "process %d", (int)opts->pids[0]);
	else
		snprintf(what, sizeof(what), "%zu processes", opts->nr_pids);
	if (tree_get_number(tree, tree_path(path, "%u/pid", address->kdamond), &kdamond))
		kdamond = -1;
	if (opts->json)
		printf("{\"context\": \"%u/%u\", \"kdamond_pid\": %lld}\n", address->kdamond,
		       address->context, (long long)kdamond);
	else
		printf("%u/%u\n", address->kdamond, address->context);
	note("watches %s; see: udamon status %u", what, address->kdamond);
}

int start_command(const struct options *opts, int argc, char **argv)
{
	struct params_schemes schemes = {0};
	struct context_address address;
	struct damon_attrs attrs;
	struct tree tree;
	int ret = check_usage(opts, argc, argv);

	if (!ret)
		ret = options_attrs(opts, &attrs);
	if (!ret)
		ret = schemes_read(opts, 0, opts->nr_schemes, &attrs, &schemes);
	if (ret) {
		params_schemes_free(&schemes);
		return ret;
	}
	signals_note_end();
	ret = tree_open(&tree, opts);
	if (!ret)
		ret = check_processes(opts);
	if (!ret)
		ret = tree_lock(&tree);
	if (!ret)
		ret = argc ? named_place(&tree, argv[0], opts->force, &address)
			   : find_place(&tree, &address);
	if (!ret)
		ret = stage_and_start(&tree, &address, opts, &attrs, &schemes);
	if (!ret)
		tell_started(&tree, &address, opts);
	params_schemes_free(&schemes);
	tree_close(&tree);
	return ret;
}
