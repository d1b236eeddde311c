// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* udamon sim: watch a simulated program in virtual time, and compare with the truth. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <udamon/ops.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/recording.h"
#include "cli/reporting.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/training.h"
#include "ops/sim.h"

/* The monitor learns the program in these; what it finds later is judged. */
#define WARM_UP_WINDOWS 20
/* Hot: touched in at least half of the samples. */
#define HOT_BP 5000

/**
 * struct simulation - one run
 * @path:	the record
 * @folder:	temporary folder of the record, or "" when it was named
 * @scores:	sum over the judged windows
 * @wss_error:	sum of their working-set errors
 * @judged:	how many
 * @early, @early_wss_error, @nr_early: the same of the windows of the warm-up
 * @result:	0 or -errno
 * @said:	an exit code whose reason was printed already, or 0
 */
struct simulation {
	const struct options *opts;
	struct damon_attrs attrs;
	struct sim_workload *workload;
	struct sim_space *space;
	uint64_t end_us;
	uint64_t seed;
	char path[PATH_MAX];
	char folder[PATH_MAX];
	struct damon_port *port;
	struct sim_env env;
	struct record *rec;
	struct training training;
	struct record_mapping *rows;
	struct sim_mapping *mappings;
	struct sim_score score, early;
	double wss_error, early_wss_error;
	uint64_t judged, nr_early;
	struct progress progress;
	int result;
	int said;
};

static int set_mappings(struct simulation *sim, uint64_t t_ns)
{
	size_t nr = sim_space_mappings(sim->space, t_ns, sim->mappings);

	for (size_t i = 0; i < nr; i++)
		sim->rows[i] = (struct record_mapping){
			.start = sim->mappings[i].ar.start,
			.end = sim->mappings[i].ar.end,
			.perms = sim->mappings[i].region->file_bytes ? "rw-s" : "rw-p",
			.path = sim->mappings[i].region->name,
		};
	return record_set_mappings(sim->rec, 0, sim->rows, nr);
}

static void add_score(struct sim_score *sum, const struct sim_score *score)
{
	sum->true_wss += score->true_wss;
	sum->found_wss += score->found_wss;
	sum->both_wss += score->both_wss;
	sum->true_hot += score->true_hot;
	sum->found_hot += score->found_hot;
	sum->both_hot += score->both_hot;
}

/* On the kdamond. A window in which anything fails ends the run. */
static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct simulation *sim = data;
	struct sim_score score = {0};
	uint64_t t_ns = sim_env_time(&sim->env, window->t_end_ns);
	int ret;

	ret = set_mappings(sim, sim_env_time(&sim->env, window->t_start_ns));
	if (!ret)
		ret = record_window(sim->rec, ctx, window);
	if (!ret)
		ret = sim_score_target(&score, ctx, ctx->targets[0], window, HOT_BP);
	if (ret)
		return ret;
	if (sim->nr_early < WARM_UP_WINDOWS) {
		sim->nr_early++;
		sim->early_wss_error += sim_score_wss_error(&score);
		add_score(&sim->early, &score);
	} else {
		sim->judged++;
		sim->wss_error += sim_score_wss_error(&score);
		add_score(&sim->score, &score);
	}
	training_tick(&sim->training, ctx);
	progress_show(&sim->progress, (double)t_ns / 1000 / (double)sim->end_us);
	return signals_end_asked() ? -EINTR : 0;
}

static void on_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	struct simulation *sim = data;

	record_event(sim->rec, event);
}

/* The first thread of the virtual world: what main() would be in a live one. */
static void simulate(void *arg)
{
	struct simulation *sim = arg;
	struct damon_target *target = NULL;
	struct damon_lib *lib = NULL;
	struct damon_ctx *ctx = NULL;
	int ret;

	ret = damon_lib_new(&lib, sim->port);
	if (!ret)
		ret = sim_register_ops(lib, &sim->env);
	if (!ret)
		ret = damon_new_ctx(&ctx, lib);
	if (!ret)
		ret = damon_select_ops(ctx, DAMON_OPS_SIM);
	if (!ret)
		ret = damon_set_attrs(ctx, &sim->attrs);
	if (!ret)
		ret = damon_new_target(&target, lib);
	if (!ret) {
		target->pid = 0;
		ret = damon_add_target(ctx, target);
		if (ret)
			damon_free_target(target);
	}
	if (!ret) {
		ctx->seed = sim->seed;
		ctx->callbacks = (struct damon_callbacks){
			.window = on_window,
			.event = on_event,
			.data = sim,
		};
		sim->said = training_begin(&sim->training, sim->opts, ctx, sim->workload->name);
		ret = sim->said ? -ECANCELED : damon_start(&ctx, 1, false);
		if (ret == -ESTALE)
			sim->said = training_refused(&sim->training);
	}
	if (!ret) {
		int result = 0;

		damon_wait(ctx, sim->end_us, &result);
		damon_stop(&ctx, 1);
		damon_wait(ctx, UINT64_MAX, &result);
		ret = result;
		sim->said = training_end(&sim->training, ctx);
	}
	sim->result = ret;
	damon_destroy_ctx(ctx);
	if (lib)
		damon_lib_free(lib);
}

static int open_record(struct simulation *sim)
{
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
		snprintf(sim->path, sizeof(sim->path), "%s", sim->opts->output);
	} else {
		snprintf(sim->folder, sizeof(sim->folder), "%s/udamon.XXXXXX",
			 tmp && *tmp ? tmp : "/tmp");
		if (!mkdtemp(sim->folder)) {
			ret = give_up(EXIT_FAILED, "cannot make a temporary folder '%s': %s",
				      sim->folder, strerror(errno));
			sim->folder[0] = '\0';
			return ret;
		}
		snprintf(sim->path, sizeof(sim->path), "%.*s/record", (int)sizeof(sim->path) - 10,
			 sim->folder);
	}
	ret = record_create(&sim->rec, sim->path, &options, &err);
	if (ret)
		return give_up(EXIT_FAILED, "%s", err.text);
	if (record_add_target(sim->rec, &target))
		return give_up(EXIT_FAILED, "out of memory");
	return 0;
}

static int load(struct simulation *sim, const char *name)
{
	struct damon_error err = {""};
	const struct options *opts = sim->opts;
	int ret;

	ret = options_attrs(opts, &sim->attrs);
	if (ret)
		return ret;
	sim->seed = opts->seed ? opts->seed : 1;
	ret = sim_workload_get(name, &sim->workload, &err);
	if (ret)
		return give_up(ret == -EINVAL || ret == -ENOENT ? EXIT_USAGE : EXIT_FAILED, "%s%s",
			       err.text,
			       ret == -ENOENT ? "; 'udamon sim --list' shows the built-in ones"
					      : "");
	ret = sim_space_new(&sim->space, sim->workload, sim->seed, opts->rate, &err);
	if (ret)
		return give_up(EXIT_FAILED, "%s", err.text);
	sim->env = (struct sim_env){.nr_spaces = 1, .spaces = &sim->space};
	sim->end_us = sim_space_end_ns(sim->space) / 1000;
	if (opts->for_us && opts->for_us < sim->end_us)
		sim->end_us = opts->for_us;
	sim->mappings = calloc(sim->workload->nr_regions, sizeof(*sim->mappings));
	sim->rows = calloc(sim->workload->nr_regions, sizeof(*sim->rows));
	sim->port = damon_port_coop_new(sim->seed, NULL);
	if (!sim->mappings || !sim->rows || !sim->port)
		return give_up(EXIT_FAILED, "out of memory");
	return 0;
}

static int run(struct simulation *sim)
{
	struct damon_error err = {""};
	struct record *rec;
	int ret;

	if (sim->opts->verbose)
		note("workload '%s', seed %llu, %.3f s, a look every %llu us, windows of %llu us",
		     sim->workload->name, (unsigned long long)sim->seed, (double)sim->end_us / 1e6,
		     (unsigned long long)sim->attrs.sample_interval,
		     (unsigned long long)sim->attrs.aggr_interval);
	progress_start(&sim->progress, sim->opts, "simulating");
	ret = damon_port_coop_run(sim->port, simulate, sim);
	terminal_clear_status();
	if (!ret)
		ret = sim->result;
	/* Refused before anything was seen: no record either. */
	if (sim->said && !sim->nr_early)
		return sim->said;
	rec = sim->rec;
	sim->rec = NULL;
	if (record_close(rec, &err))
		return give_up(EXIT_FAILED, "%s", err.text);
	if (sim->said)
		return sim->said;
	if (ret == -EINTR) {
		bool from_terminal;
		int signo;

		/* Cut short, but a whole record of what was: as with live programs, no failure. */
		while ((signo = signals_next(&from_terminal)))
			;
		return 0;
	}
	if (ret)
		return give_up(EXIT_FAILED, "the simulation of '%s' failed: %s",
			       sim->workload->name, strerror(-ret));
	return 0;
}

/* Judged are the windows after the warm-up or, in a run that ends before, all there are. */
static void take_truth(const struct simulation *sim, double *wss_error_pct,
		       const struct sim_score **score, uint64_t *windows)
{
	bool late = sim->judged;

	*windows = late ? sim->judged : sim->nr_early;
	*score = late ? &sim->score : &sim->early;
	*wss_error_pct =
		*windows ? (late ? sim->wss_error : sim->early_wss_error) / (double)*windows * 100
			 : NAN;
}

static int add_truth(json_t *json, void *data)
{
	const struct simulation *sim = data;
	const struct sim_score *score;
	double wss_error_pct;
	uint64_t windows;
	json_t *truth;

	take_truth(sim, &wss_error_pct, &score, &windows);
	if (windows)
		truth = json_pack("{s:f, s:f, s:f, s:I}", "wss_error_pct", wss_error_pct,
				  "precision", sim_score_precision(score), "recall",
				  sim_score_recall(score), "windows", (json_int_t)windows);
	else
		truth = json_pack("{s:n, s:n, s:n, s:i}", "wss_error_pct", "precision", "recall",
				  "windows", 0);
	if (json_object_set_new(json, "truth", truth) ||
	    json_object_set_new(json, "schemes", json_array()))
		return -ENOMEM;
	return 0;
}

static int print_truth(const struct simulation *sim)
{
	const struct sim_score *score;
	double wss_error_pct;
	uint64_t windows;
	char text[512];

	take_truth(sim, &wss_error_pct, &score, &windows);
	if (!windows)
		return 0;
	snprintf(text, sizeof(text),
		 "\nagainst the truth, over %llu windows%s\n"
		 "  working set   %.2f %% off\n"
		 "  hot part      precision %.2f %%, recall %.2f %%\n",
		 (unsigned long long)windows,
		 sim->judged ? " after the first 20" : " (the first, while it still learns)",
		 wss_error_pct, sim_score_precision(score) * 100, sim_score_recall(score) * 100);
	return output_text(text, strlen(text));
}

static int report(struct simulation *sim)
{
	int ret = report_print(sim->opts, report_kind_find("summary"), sim->path, add_truth, sim);

	if (!ret && !sim->opts->json)
		ret = print_truth(sim);
	if (sim->opts->output)
		note("%s: see it with: udamon report %s", sim->path, sim->path);
	return ret;
}

static void clear(struct simulation *sim)
{
	record_discard(sim->rec);
	if (sim->folder[0]) {
		unlink(sim->path);
		rmdir(sim->folder);
	}
	if (sim->port)
		damon_port_coop_free(sim->port);
	training_clear(&sim->training);
	free(sim->rows);
	free(sim->mappings);
	sim_space_free(sim->space);
	sim_workload_free(sim->workload);
	free(sim);
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
	struct simulation *sim;
	int ret;

	if (opts->list)
		return list_workloads();
	if (argc != 1)
		return give_up(EXIT_USAGE, argc ? "one workload at a time"
						: "which workload? 'udamon sim --list' shows the "
						  "built-in ones; or give a file");
	sim = calloc(1, sizeof(*sim));
	if (!sim)
		return give_up(EXIT_FAILED, "out of memory");
	sim->opts = opts;
	if (signals_start(false))
		ret = give_up(EXIT_FAILED, "cannot wait for signals: %s", strerror(errno));
	else
		ret = load(sim, argv[0]);
	if (!ret)
		ret = open_record(sim);
	if (!ret)
		ret = run(sim);
	if (!ret)
		ret = report(sim);
	clear(sim);
	return ret;
}
