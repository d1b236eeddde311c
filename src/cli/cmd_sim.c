// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon sim: watch a simulated program in virtual time, and compare with the truth. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/judging.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/reporting.h"
#include "cli/schemes.h"
#include "cli/signals.h"
#include "cli/simulating.h"

/**
 * struct command_state - what there is to free in the end
 * @schemes:	of each side of --vs; all in the first one without it
 * @runs:	without schemes, then of each side
 * @path:	the record
 * @folder:	temporary folder of the record, or "" when it was named
 */
struct command_state {
	struct simulation sim;
	struct params_schemes schemes[JUDGED_MAX - 1];
	struct simulated *runs[JUDGED_MAX];
	struct record *rec;
	char path[PATH_MAX];
	char folder[PATH_MAX];
	struct progress progress;
};

static int open_record(struct command_state *state)
{
	const struct simulation *sim = &state->sim;
	const struct record_options options = {
		.virtual_time = true,
		.engine = "sim",
		.seed = sim->seed,
		.attrs = &sim->attrs,
	};
	const struct record_target target = {
		.id = 0,
		.pid = -1,
		.comm = sim->workload->name,
		.kind = damon_ops_name(DAMON_OPS_SIM),
	};
	const char *tmp = getenv("TMPDIR");
	struct damon_error err = {""};
	int ret;

	if (sim->opts->output) {
		snprintf(state->path, sizeof(state->path), "%s", sim->opts->output);
	} else {
		snprintf(state->folder, sizeof(state->folder), "%s/udamon.XXXXXX",
			 tmp && *tmp ? tmp : "/tmp");
		if (!mkdtemp(state->folder)) {
			ret = give_up(EXIT_FAILED, "cannot make a temporary folder '%s': %s",
				      state->folder, strerror(errno));
			state->folder[0] = '\0';
			return ret;
		}
		snprintf(state->path, sizeof(state->path), "%.*s/record",
			 (int)sizeof(state->path) - 10, state->folder);
	}
	ret = record_create(&state->rec, state->path, &options, &err);
	if (ret)
		return give_up(EXIT_FAILED, "%s", err.text);
	if (record_add_target(state->rec, &target))
		return give_up(EXIT_FAILED, "out of memory");
	return 0;
}

/* Judged are the windows after the warm-up or, in a run that ends before, all there are. */
static void take_truth(const struct simulated *run, double *wss_error_pct,
		       const struct sim_score **score, uint64_t *windows)
{
	bool late = run->judged;

	*windows = late ? run->judged : run->nr_early;
	*score = late ? &run->score : &run->early;
	*wss_error_pct =
		*windows ? (late ? run->wss_error : run->early_wss_error) / (double)*windows * 100
			 : NAN;
}

static json_t *truth_json(const struct simulated *run)
{
	const struct sim_score *score;
	double wss_error_pct;
	uint64_t windows;

	take_truth(run, &wss_error_pct, &score, &windows);
	if (!windows)
		return json_pack("{s:n, s:n, s:n, s:i}", "wss_error_pct", "precision", "recall",
				 "windows", 0);
	return json_pack("{s:f, s:f, s:f, s:I}", "wss_error_pct", wss_error_pct, "precision",
			 sim_score_precision(score), "recall", sim_score_recall(score), "windows",
			 (json_int_t)windows);
}

/* To a side's JSON object: what was found, done, and became of the memory. */
static int add_side(json_t *json, const struct simulated *run, const struct simulated *without)
{
	if (json_object_set_new(json, "truth", truth_json(run)) ||
	    json_object_set_new(json, "schemes", judging_schemes(run)))
		return -ENOMEM;
	if (without && json_object_set_new(json, "machine", judging_machine(run, without)))
		return -ENOMEM;
	return 0;
}

static int add_to_summary(json_t *json, void *data)
{
	const struct command_state *state = data;
	int ret = add_side(json, state->runs[1], state->runs[0]);

	if (!ret && state->runs[0] &&
	    json_object_set_new(json, "machine_without_schemes",
				judging_machine(state->runs[0], state->runs[0])))
		ret = -ENOMEM;
	return ret;
}

static int print_truth(const struct simulated *run)
{
	const struct sim_score *score;
	double wss_error_pct;
	uint64_t windows;
	char text[512];

	take_truth(run, &wss_error_pct, &score, &windows);
	if (!windows)
		return 0;
	snprintf(text, sizeof(text),
		 "\nagainst the truth, over %llu windows%s\n"
		 "  working set   %.2f %% off\n"
		 "  hot part      precision %.2f %%, recall %.2f %%\n",
		 (unsigned long long)windows,
		 run->judged ? " after the first 20" : " (the first, while it still learns)",
		 wss_error_pct, sim_score_precision(score) * 100, sim_score_recall(score) * 100);
	return output_text(text, strlen(text));
}

/* The table of as many sides as there are. */
static int print_sides(const struct command_state *state)
{
	static const char *const names[] = {"A", "B"};
	struct judged sides[JUDGED_MAX] = {{"no scheme", state->runs[0]}};
	char *text = NULL;
	size_t size, nr;
	FILE *out;
	int ret;

	for (nr = 1; nr < JUDGED_MAX && state->runs[nr] && state->runs[nr]->schemes; nr++)
		sides[nr] = (struct judged){names[nr - 1], state->runs[nr]};
	out = open_memstream(&text, &size);
	if (!out)
		return give_up(EXIT_FAILED, "out of memory");
	if (nr == 2)
		sides[1].name = "schemes";
	judging_print(out, sides, nr);
	ret = fclose(out) ? give_up(EXIT_FAILED, "out of memory") : output_text(text, size);
	free(text);
	return ret;
}

static int no_memory(void)
{
	return give_up(EXIT_FAILED, "out of memory");
}

/* The same program and machine without schemes, as far as @run came. */
static int run_without(struct command_state *state, const struct simulated *run)
{
	state->runs[0] = simulated_new(&state->sim, NULL, true);
	if (!state->runs[0])
		return no_memory();
	simulated_without(state->runs[0],
			  run->machine ? sim_machine_time(run->machine) : run->end_ns);
	return 0;
}

static void drop_signals(void)
{
	bool from_terminal;

	while (signals_next(&from_terminal))
		;
}

static int failed(const struct command_state *state, int err)
{
	return give_up(EXIT_FAILED, "the simulation of '%s' failed: %s", state->sim.workload->name,
		       strerror(-err));
}

/* Make the run and complete its record. */
static int go_recorded(struct command_state *state)
{
	struct simulated *run = state->runs[1];
	struct damon_error err = {""};
	struct record *rec;
	int ret;

	run->rec = state->rec;
	ret = simulated_go(run, &state->progress);
	/* Refused before anything was seen: no record either. */
	if (ret > 0 && !run->nr_early)
		return ret;
	rec = state->rec;
	state->rec = run->rec = NULL;
	if (record_close(rec, &err))
		return give_up(EXIT_FAILED, "%s", err.text);
	if (ret >= 0)
		return ret;
	if (ret != -EINTR)
		return failed(state, ret);
	/* Cut short, but a whole record of what was: as with live programs, no failure. */
	drop_signals();
	return 0;
}

/* One run with a record and a report. */
static int run_one(struct command_state *state)
{
	const struct options *opts = state->sim.opts;
	bool with_machine = opts->nr_schemes || opts->memory || opts->far_memory ||
			    opts->refault_us;
	int ret = open_record(state);

	if (ret)
		return ret;
	state->runs[1] = simulated_new(&state->sim, opts->nr_schemes ? &state->schemes[0] : NULL,
				       with_machine);
	if (!state->runs[1])
		return no_memory();
	ret = go_recorded(state);
	if (!ret && with_machine)
		ret = run_without(state, state->runs[1]);
	if (ret)
		return ret;
	ret = report_print(opts, report_kind_find("summary"), state->path, add_to_summary, state);
	if (!ret && !opts->json)
		ret = print_truth(state->runs[1]);
	if (!ret && !opts->json && with_machine)
		ret = print_sides(state);
	if (opts->output)
		note("%s: see it with: udamon report %s", state->path, state->path);
	return ret;
}

static int compared_json(const struct command_state *state)
{
	static const char *const names[] = {"none", "A", "B"};
	json_t *json, *sides = json_array(), *side;
	int ret = sides ? 0 : -ENOMEM;

	for (size_t i = 0; i < JUDGED_MAX && !ret; i++) {
		side = json_pack("{s:s}", "name", names[i]);
		ret = !side || json_array_append_new(sides, side) ? -ENOMEM : 0;
		if (!ret && i)
			ret = add_side(side, state->runs[i], state->runs[0]);
		else if (!ret &&
			 json_object_set_new(side, "machine",
					     judging_machine(state->runs[0], state->runs[0])))
			ret = -ENOMEM;
	}
	if (ret) {
		json_decref(sides);
		return no_memory();
	}
	json = json_pack("{s:s, s:I, s:o}", "workload", state->sim.workload->name, "seed",
			 (json_int_t)state->sim.seed, "sides", sides);
	return json_print(json);
}

/* A run for each side, and what they come to beside each other. */
static int run_versus(struct command_state *state)
{
	int ret;

	for (size_t i = 1; i < JUDGED_MAX; i++) {
		struct simulated *run = simulated_new(&state->sim, &state->schemes[i - 1], true);

		if (!run)
			return no_memory();
		state->runs[i] = run;
		run->first_scheme = i == 1 ? 0 : state->schemes[0].nr;
		run->first = (double)(i - 1) / (JUDGED_MAX - 1);
		run->share = 1.0 / (JUDGED_MAX - 1);
		ret = simulated_go(run, &state->progress);
		if (ret == -EINTR) {
			drop_signals();
			return give_up(EXIT_FAILED, "interrupted, so there is nothing to compare");
		}
		if (ret)
			return ret < 0 ? failed(state, ret) : ret;
	}
	ret = run_without(state, state->runs[1]);
	if (ret)
		return ret;
	return state->sim.opts->json ? compared_json(state) : print_sides(state);
}

/* The nodes that schemes name are there. */
static int check_nodes(const struct simulation *sim, const struct params_schemes *schemes,
		       size_t first)
{
	for (size_t i = 0; i < schemes->nr; i++) {
		const struct damos *scheme = &schemes->list[i].values;
		int32_t nid = scheme->target_nid;

		for (uint32_t k = 0; k < scheme->nr_dests; k++)
			if (scheme->dests[k].nid > nid)
				nid = scheme->dests[k].nid;
		if (nid > 1 || (nid == 1 && !sim->machine.far_memory))
			return give_up(EXIT_USAGE,
				       "scheme %zu: node '%d' isn't there; the simulated machine "
				       "has node 0 and, with --far-memory, node 1",
				       first + i + 1, (int)nid);
	}
	return 0;
}

static int read_schemes(struct command_state *state)
{
	const struct options *opts = state->sim.opts;
	size_t middle = opts->vs ? opts->nr_before_vs : opts->nr_schemes;
	int ret;

	if (opts->vs && (!middle || middle == opts->nr_schemes))
		return give_up(EXIT_USAGE,
			       "--vs stands between two sides: --scheme A --vs --scheme B");
	if (opts->vs && (opts->output || opts->html || opts->save_training || opts->load_training))
		return give_up(EXIT_USAGE, "--vs writes no record, page or training; leave out "
					   "--output, --html and the like, or --vs");
	ret = schemes_read(opts, 0, middle, &state->sim.attrs, &state->schemes[0]);
	if (!ret)
		ret = schemes_read(opts, middle, opts->nr_schemes, &state->sim.attrs,
				   &state->schemes[1]);
	for (size_t i = 0; i < JUDGED_MAX - 1 && !ret; i++)
		ret = check_nodes(&state->sim, &state->schemes[i], i ? middle : 0);
	return ret;
}

static void clear(struct command_state *state)
{
	record_discard(state->rec);
	if (state->folder[0]) {
		unlink(state->path);
		rmdir(state->folder);
	}
	for (size_t i = 0; i < JUDGED_MAX; i++)
		simulated_free(state->runs[i]);
	for (size_t i = 0; i < JUDGED_MAX - 1; i++)
		params_schemes_free(&state->schemes[i]);
	simulation_clear(&state->sim);
	free(state);
}

void sim_words(FILE *out)
{
	const struct sim_builtin *builtins;
	size_t nr;

	builtins = sim_builtins(&nr);
	for (size_t i = 0; i < nr; i++)
		fprintf(out, " %s", builtins[i].name);
}

static int list_workloads(void)
{
	const struct sim_builtin *builtins;
	size_t nr;

	builtins = sim_builtins(&nr);
	for (size_t i = 0; i < nr; i++)
		printf("%-14s %s\n", builtins[i].name, builtins[i].summary);
	return 0;
}

int sim_command(const struct options *opts, int argc, char **argv)
{
	struct command_state *state;
	int ret;

	if (opts->list)
		return list_workloads();
	if (argc != 1)
		return give_up(EXIT_USAGE, argc ? "one workload at a time"
						: "which workload? 'udamon sim --list' shows the "
						  "built-in ones; or give a file");
	state = calloc(1, sizeof(*state));
	if (!state)
		return no_memory();
	if (signals_start(false))
		ret = give_up(EXIT_FAILED, "cannot wait for signals: %s", strerror(errno));
	else
		ret = simulation_prepare(&state->sim, opts, argv[0]);
	if (!ret)
		ret = read_schemes(state);
	if (!ret && opts->verbose)
		note("workload '%s', seed %llu, %.3f s, a look every %llu us, windows of %llu us",
		     state->sim.workload->name, (unsigned long long)state->sim.seed,
		     (double)state->sim.end_us / 1e6,
		     (unsigned long long)state->sim.attrs.sample_interval,
		     (unsigned long long)state->sim.attrs.aggr_interval);
	progress_start(&state->progress, opts, "simulating");
	if (!ret)
		ret = opts->vs ? run_versus(state) : run_one(state);
	clear(state);
	return ret;
}
