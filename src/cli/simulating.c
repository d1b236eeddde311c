// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* One run of the monitor on a simulated program. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <udamon/ops.h>

#include "cli/message.h"
#include "cli/schemes.h"
#include "cli/signals.h"
#include "cli/simulating.h"
#include "cli/terminal.h"

/* The monitor learns the program in these; what it finds later is judged. */
#define WARM_UP_WINDOWS 20
/* Hot: touched in at least half of the samples. */
#define HOT_BP 5000

static int set_mappings(struct simulated *run, uint64_t t_ns)
{
	size_t nr = sim_space_mappings(run->sim->space, t_ns, run->mappings);

	for (size_t i = 0; i < nr; i++)
		run->rows[i] = (struct record_mapping){
			.start = run->mappings[i].ar.start,
			.end = run->mappings[i].ar.end,
			.perms = run->mappings[i].region->file_bytes ? "rw-s" : "rw-p",
			.path = run->mappings[i].region->name,
		};
	return record_set_mappings(run->rec, 0, run->rows, nr);
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

static int judge_window(struct simulated *run, struct damon_ctx *ctx,
			const struct damon_window *window)
{
	struct sim_score score = {0};
	int ret = sim_score_target(&score, ctx, ctx->targets[0], window, HOT_BP);

	if (ret)
		return ret;
	if (run->nr_early < WARM_UP_WINDOWS) {
		run->nr_early++;
		run->early_wss_error += sim_score_wss_error(&score);
		add_score(&run->early, &score);
	} else {
		run->judged++;
		run->wss_error += sim_score_wss_error(&score);
		add_score(&run->score, &score);
	}
	return 0;
}

/* Add what the quotas allowed in a window of monitoring: its share of a quota window. */
static void add_allowed(struct simulated *run, const struct damon_ctx *ctx,
			const struct damon_window *window)
{
	for (uint32_t i = 0; i < ctx->nr_schemes; i++) {
		const struct damos_quota *quota = &ctx->schemes[i]->quota;
		double length_ms = (double)(window->t_end_ns - window->t_start_ns) / 1e6;
		uint64_t apply_us = ctx->schemes[i]->apply_interval_us;
		/* Without a length of its own each application is a quota window. */
		double of_ms = quota->reset_interval_ms ? (double)quota->reset_interval_ms
			       : apply_us		? (double)apply_us / 1000
							: length_ms;

		if (!quota->esz || quota->esz == UINT64_MAX) {
			if (!quota->nr_goals)
				run->unlimited[i] = true;
			continue;
		}
		run->done[i].allowed += (double)quota->esz * length_ms / of_ms;
	}
}

/* On the kdamond. A window in which anything fails ends the run. */
static int on_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct simulated *run = data;
	int ret = 0;

	if (run->rec) {
		ret = set_mappings(run, sim_env_time(&run->env, window->t_start_ns));
		if (!ret)
			ret = record_window(run->rec, ctx, window);
	}
	if (!ret)
		ret = judge_window(run, ctx, window);
	if (ret)
		return ret;
	run->end_ns = sim_env_time(&run->env, window->t_end_ns);
	add_allowed(run, ctx, window);
	if (run->schemes)
		schemes_follow(run->schemes, ctx);
	training_tick(&run->training, ctx);
	progress_show(run->progress, run->first + run->share * (double)run->end_ns / 1000 /
							  (double)run->sim->end_us);
	return signals_end_asked() ? -EINTR : 0;
}

static void on_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	struct simulated *run = data;

	if (run->schemes && !strcmp(event->what, "tune"))
		schemes_follow(run->schemes, ctx);
	if (run->rec)
		record_event(run->rec, event);
}

static int make_context(struct simulated *run, struct damon_lib *lib, struct damon_ctx **ctx)
{
	struct damon_target *target;
	int ret = sim_register_ops(lib, &run->env);

	if (!ret)
		ret = damon_new_ctx(ctx, lib);
	if (!ret)
		ret = damon_select_ops(*ctx, DAMON_OPS_SIM);
	if (!ret)
		ret = damon_set_attrs(*ctx, &run->sim->attrs);
	if (!ret)
		ret = damon_new_target(&target, lib);
	if (ret)
		return ret;
	target->pid = 0;
	ret = damon_add_target(*ctx, target);
	if (ret) {
		damon_free_target(target);
		return ret;
	}
	(*ctx)->seed = run->sim->seed;
	(*ctx)->callbacks = (struct damon_callbacks){
		.window = on_window,
		.event = on_event,
		.data = run,
	};
	if (run->schemes)
		run->said = schemes_install(run->schemes, run->first_scheme, *ctx);
	if (run->said)
		return -ECANCELED;
	return run->rec ? schemes_describe(run->rec, *ctx) : 0;
}

static int watch(struct simulated *run, struct damon_ctx *ctx)
{
	int result = 0;

	damon_wait(ctx, run->sim->end_us, &result);
	damon_stop(&ctx, 1);
	damon_wait(ctx, UINT64_MAX, &result);
	run->said = training_end(&run->training, ctx);
	for (uint32_t i = 0; i < ctx->nr_schemes; i++) {
		run->done[i].stat = ctx->schemes[i]->stat;
		if (run->unlimited[i])
			run->done[i].allowed = 0;
	}
	return result;
}

/* The first thread of the virtual world: what main() would be in a live one. */
static void simulate(void *arg)
{
	struct simulated *run = arg;
	struct damon_lib *lib = NULL;
	struct damon_ctx *ctx = NULL;
	int ret;

	ret = damon_lib_new(&lib, run->port);
	if (!ret)
		ret = make_context(run, lib, &ctx);
	if (!ret)
		run->said = training_begin(&run->training, run->sim->opts, ctx,
					   run->sim->workload->name);
	if (!ret)
		ret = run->said ? -ECANCELED : damon_start(&ctx, 1, false);
	if (ret == -ESTALE)
		run->said = training_refused(&run->training);
	if (!ret)
		ret = watch(run, ctx);
	run->result = ret;
	damon_destroy_ctx(ctx);
	if (lib)
		damon_lib_free(lib);
}

int simulated_go(struct simulated *run, struct progress *progress)
{
	int ret;

	run->progress = progress;
	run->port = damon_port_coop_new(run->sim->seed, NULL);
	if (!run->port)
		return give_up(EXIT_FAILED, "out of memory");
	if (run->machine) {
		run->port->metric = sim_metric;
		run->port->metric_data = &run->env;
	}
	ret = damon_port_coop_run(run->port, simulate, run);
	terminal_clear_status();
	if (!ret)
		ret = run->result;
	if (run->said)
		return run->said;
	if (run->machine)
		sim_machine_run(run->machine,
				ret == -EINTR ? run->end_ns : run->sim->end_us * 1000);
	return ret;
}

void simulated_without(struct simulated *run, uint64_t end_ns)
{
	sim_machine_run(run->machine, end_ns);
	run->end_ns = end_ns;
}

struct simulated *simulated_new(struct simulation *sim, const struct params_schemes *schemes,
				bool with_machine)
{
	size_t nr = schemes ? schemes->nr : 0;
	struct simulated *run = calloc(1, sizeof(*run) + nr * sizeof(bool));

	if (!run)
		return NULL;
	run->sim = sim;
	run->schemes = schemes;
	run->share = 1;
	run->done = calloc(nr + 1, sizeof(*run->done));
	run->mappings = calloc(sim->workload->nr_regions, sizeof(*run->mappings));
	run->rows = calloc(sim->workload->nr_regions, sizeof(*run->rows));
	if (!run->done || !run->mappings || !run->rows ||
	    (with_machine && sim_machine_new(&run->machine, &sim->machine, 1, &sim->space))) {
		simulated_free(run);
		return NULL;
	}
	run->env = (struct sim_env){
		.nr_spaces = 1,
		.spaces = &sim->space,
		.machine = run->machine,
	};
	return run;
}

void simulated_free(struct simulated *run)
{
	if (!run)
		return;
	if (run->port)
		damon_port_coop_free(run->port);
	training_clear(&run->training);
	sim_machine_free(run->machine);
	free(run->rows);
	free(run->mappings);
	free(run->done);
	free(run);
}

int simulation_prepare(struct simulation *sim, const struct options *opts, const char *name)
{
	struct damon_error err = {""};
	int ret;

	sim->opts = opts;
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
	sim->end_us = sim_space_end_ns(sim->space) / 1000;
	if (opts->for_us && opts->for_us < sim->end_us)
		sim->end_us = opts->for_us;
	sim->machine = (struct sim_machine_config){
		.memory = opts->memory,
		.far_memory = opts->far_memory,
		.refault_ns = opts->refault_us * 1000,
	};
	return 0;
}

void simulation_clear(struct simulation *sim)
{
	sim_space_free(sim->space);
	sim_workload_free(sim->workload);
}
