// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A context that was started through the tree: its callbacks, and what of it is copied to files.
 *
 * The copies are made by the kdamond and exchanged under the tree's lock, so that readers never
 * have to ask the kdamond.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs/kdamond.h"
#include "sysfs/run.h"

/* Callbacks, on the kdamond. */

static int run_started(struct damon_ctx *ctx, void *data)
{
	struct sysfs_run *run = data;
	const struct sysfs_host *host = &run->tree->host;

	if (host->started)
		host->started(host->data, run->kdamond->number, ctx);
	return 0;
}

static int run_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct sysfs_run *run = data;
	const struct sysfs_host *host = &run->tree->host;
	struct sysfs_window *new, *old;

	new = sysfs_window_take(ctx, window, ++run->nr_windows);
	if (new) {
		sysfs_lock(run->tree);
		old = run->window;
		run->window = new;
		sysfs_unlock(run->tree);
		sysfs_window_put(old);
	}
	/* Tuned since? */
	if (run->shown_sample_us != ctx->attrs.sample_interval ||
	    run->shown_aggr_us != ctx->attrs.aggr_interval)
		sysfs_run_parameters(run);
	return host->window ? host->window(host->data, run->kdamond->number, ctx, window) : 0;
}

static void run_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	struct sysfs_run *run = data;
	const struct sysfs_host *host = &run->tree->host;

	if (host->event)
		host->event(host->data, run->kdamond->number, ctx, event);
}

static void run_stopped(struct damon_ctx *ctx, int result, void *data)
{
	struct sysfs_run *run = data;
	const struct sysfs_host *host = &run->tree->host;

	if (host->stopped)
		host->stopped(host->data, run->kdamond->number, ctx, result);
}

/* Life. */

struct sysfs_run *sysfs_run_new(struct sysfs_kdamond *kdamond)
{
	struct sysfs_run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->refs = 1;
	run->tree = kdamond->tree;
	run->kdamond = kdamond;
	return run;
}

void sysfs_run_put(struct sysfs_run *run)
{
	if (!run || --run->refs)
		return;
	run->next_dead = run->tree->dead;
	run->tree->dead = run;
}

static void run_free(struct sysfs_run *run)
{
	const struct sysfs_host *host = &run->tree->host;
	void *ops_env = run->ctx ? run->ctx->ops_env : NULL;

	damon_destroy_ctx(run->ctx);
	if (run->prepared && host->released)
		host->released(host->data, ops_env);
	params_strings_free(&run->strings);
	sysfs_dir_free(run->committed);
	sysfs_window_put(run->window);
	sysfs_in_force_put(run->parameters);
	free(run);
}

void sysfs_bury_runs(struct sysfs_tree *tree)
{
	struct sysfs_run *dead, *next;

	sysfs_lock(tree);
	dead = tree->dead;
	tree->dead = NULL;
	sysfs_unlock(tree);
	for (; dead; dead = next) {
		next = dead->next_dead;
		run_free(dead);
	}
}

int sysfs_run_adopt(struct sysfs_run *run, struct damon_ctx *ctx)
{
	run->ctx = ctx;
	ctx->callbacks = (struct damon_callbacks){
		.started = run_started,
		.window = run_window,
		.event = run_event,
		.stopped = run_stopped,
		.data = run,
	};
	run->refresh = (struct damon_call_control){
		.fn = sysfs_run_refresh,
		.data = run,
		.repeat = true,
	};
	return sysfs_run_parameters(run);
}

/* Statistics. Tree locked: the context's directory, as its files stand now; NULL: removed. */
static struct sysfs_dir *context_dir(const struct sysfs_run *run)
{
	return run->kdamond->dir ? sysfs_dir_at(run->kdamond->dir, "contexts/0") : NULL;
}

static struct sysfs_dir *scheme_dir(const struct sysfs_run *run, uint32_t idx)
{
	struct sysfs_dir *context = context_dir(run), *schemes;

	schemes = context ? sysfs_dir_at(context, "schemes") : NULL;
	return schemes && idx < schemes->nr_numbered ? schemes->numbered[idx] : NULL;
}

static void show_stat(struct sysfs_dir *scheme, const struct damos_stat *stat)
{
	struct sysfs_dir *dir = sysfs_dir_at(scheme, "stats");

	sysfs_set_number(dir, "nr_tried", stat->nr_tried);
	sysfs_set_number(dir, "sz_tried", stat->sz_tried);
	sysfs_set_number(dir, "nr_applied", stat->nr_applied);
	sysfs_set_number(dir, "sz_applied", stat->sz_applied);
	sysfs_set_number(dir, "sz_ops_filter_passed", stat->sz_ops_filter_passed);
	sysfs_set_number(dir, "qt_exceeds", stat->qt_exceeds);
	sysfs_set_number(dir, "nr_snapshots", stat->nr_snapshots);
}

void sysfs_run_show_stats(struct sysfs_run *run)
{
	struct sysfs_dir *dir;
	uint32_t i;

	sysfs_lock(run->tree);
	for (i = 0; i < run->ctx->nr_schemes && (dir = scheme_dir(run, i)); i++)
		show_stat(dir, &run->ctx->schemes[i]->stat);
	sysfs_unlock(run->tree);
}

void sysfs_run_show_quotas(struct sysfs_run *run)
{
	struct sysfs_dir *dir;
	uint32_t i;

	sysfs_lock(run->tree);
	for (i = 0; i < run->ctx->nr_schemes && (dir = scheme_dir(run, i)); i++)
		sysfs_set_number(dir, "quotas/effective_bytes", run->ctx->schemes[i]->quota.esz);
	sysfs_unlock(run->tree);
}

void sysfs_run_show_intervals(struct sysfs_run *run)
{
	const struct damon_attrs *attrs = &run->ctx->attrs;
	struct sysfs_dir *dir;

	sysfs_lock(run->tree);
	dir = context_dir(run);
	if (dir) {
		sysfs_set_number(dir, "monitoring_attrs/intervals/sample_us",
				 attrs->sample_interval);
		sysfs_set_number(dir, "monitoring_attrs/intervals/aggr_us", attrs->aggr_interval);
	}
	sysfs_unlock(run->tree);
}

int sysfs_run_refresh(struct damon_ctx *ctx, void *data)
{
	struct sysfs_run *run = data;
	struct damon_port *port = run->tree->port;
	uint64_t ms = 0, now_ns = port->now_ns(port);

	sysfs_lock(run->tree);
	if (run->kdamond->dir)
		ms = sysfs_number(run->kdamond->dir, "refresh_ms");
	sysfs_unlock(run->tree);
	if (!ms || now_ns - run->refreshed_ns < ms * 1000000)
		return 0;
	run->refreshed_ns = now_ns;
	sysfs_run_show_stats(run);
	sysfs_run_show_quotas(run);
	if (ctx->attrs.intervals_goal.aggrs)
		sysfs_run_show_intervals(run);
	return 0;
}
