// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What each change of state does, on its own thread and on the kdamond. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs/change.h"

static int op_build(struct sysfs_op *op, struct sysfs_run *run, struct sysfs_dir *values,
		    bool trusted, struct damon_ctx **ctx)
{
	struct sysfs_build build = {
		.tree = op->tree,
		.values = values,
		.in_force = run->committed,
		.ops_env = run->ctx ? run->ctx->ops_env : NULL,
		.strings = &run->strings,
		.trusted = trusted,
		.err = &op->err,
	};
	int err = sysfs_build_ctx(&build);

	*ctx = build.ctx;
	return err;
}

/* The core gives a number only; the host may know more. A process that is gone is a wrong value. */
static int explain(struct sysfs_op *op, struct damon_ctx *ctx, int code)
{
	const struct sysfs_host *host = &op->tree->host;
	struct damon_error why = {""};

	if (host->start_error)
		host->start_error(host->data, ctx, &why);
	if (why.text[0])
		damon_error_set(&op->err, 0, "contexts/0: %s", why.text);
	else if (code == -ESRCH)
		damon_error_set(&op->err, 0, "contexts/0/targets: a target's process is gone");
	else if (code == -ESTALE)
		damon_error_set(
			&op->err, 0,
			"contexts/0: what was learned before doesn't fit the targets any more");
	else if (code == -EBUSY)
		damon_error_set(&op->err, 0, "a kdamond runs that tolerates no other beside it");
	return code == -ESRCH ? -EINVAL : code;
}

/* on, off */

static int note_parameters(struct damon_ctx *ctx, void *run)
{
	return sysfs_run_parameters(run);
}

static int start(struct sysfs_op *op, struct sysfs_run *run)
{
	struct damon_call_control parameters = {.fn = note_parameters, .data = run};
	const struct sysfs_host *host = &op->tree->host;
	struct damon_error why = {""};
	struct damon_ctx *ctx;
	int err;

	err = op_build(op, run, op->values, false, &ctx);
	if (err)
		return err;
	err = sysfs_run_adopt(run, ctx);
	if (!err && host->prepare) {
		err = host->prepare(host->data, op->kdamond->number, ctx, &op->choices, &why);
		run->prepared = !err;
		if (err && why.text[0])
			damon_error_set(&op->err, err, "contexts/0: %s", why.text);
	}
	if (err)
		return err;
	err = damon_start(&ctx, 1, false);
	if (err)
		return explain(op, ctx, err);
	/*
	 * What the kdamond found at its start (intervals that were learned, its number) is in force when
	 * the write returns. It may also have ended already; then nothing is left to refresh.
	 */
	damon_call(ctx, &parameters);
	damon_call(ctx, &run->refresh);
	return 0;
}

static int op_on(struct sysfs_op *op)
{
	struct sysfs_run *run = sysfs_run_new(op->kdamond), *old;
	int err = run ? start(op, run) : -ENOMEM;

	sysfs_lock(op->tree);
	old = run;
	if (!err) {
		old = op->kdamond->run;
		op->kdamond->run = run;
		run->committed = op->values;
		op->values = NULL;
	}
	sysfs_run_put(old);
	sysfs_unlock(op->tree);
	return err;
}

static int op_off(struct sysfs_op *op)
{
	return damon_stop(&op->run->ctx, 1);
}

/* Requests. */

/* False: the writer was interrupted. */
static bool begin_asking(struct sysfs_op *op)
{
	bool go;

	sysfs_lock(op->tree);
	go = op->asking = !op->withdrawn;
	sysfs_unlock(op->tree);
	return go;
}

static void end_asking(struct sysfs_op *op)
{
	sysfs_lock(op->tree);
	op->asking = false;
	op->tree->port->cond_wake_all(op->tree->port, op->tree->changed);
	sysfs_unlock(op->tree);
}

static int op_call(struct sysfs_op *op, int (*fn)(struct damon_ctx *ctx, void *data))
{
	int err;

	op->call = (struct damon_call_control){.fn = fn, .data = op};
	if (!begin_asking(op))
		return -ECANCELED;
	err = damon_call(op->run->ctx, &op->call);
	end_asking(op);
	return err;
}

/* On the kdamond: from here on the request can't be taken back. */
static void set_begun(struct sysfs_op *op)
{
	sysfs_lock(op->tree);
	op->begun = true;
	op->tree->port->cond_wake_all(op->tree->port, op->tree->changed);
	sysfs_unlock(op->tree);
}

/* commit */

/* On the kdamond. */
static int commit(struct damon_ctx *ctx, void *data)
{
	struct sysfs_op *op = data;
	int err;

	set_begun(op);
	if (op->change == SYSFS_COMMIT_GOALS) {
		/* The intervals may have been tuned since they were committed. */
		op->source->attrs = ctx->attrs;
		op->source->pause = ctx->pause;
	}
	err = damon_commit_ctx(ctx, op->source);
	if (!err)
		sysfs_run_parameters(op->run);
	return err;
}

/* The targets that a commit drops are not in force after it. */
static void drop_obsolete(struct sysfs_dir *values)
{
	struct sysfs_dir *targets = sysfs_dir_at(values, "targets");
	size_t i;

	for (i = targets->nr_numbered; i-- > 0;)
		if (sysfs_number(targets->numbered[i], "obsolete_target"))
			sysfs_dir_remove(targets, i);
}

/* *@values are taken over on success. */
static int commit_values(struct sysfs_op *op, struct sysfs_dir **values, bool trusted)
{
	struct sysfs_dir *old = NULL;
	int err;

	err = op_build(op, op->run, *values, trusted, &op->source);
	if (err)
		return err;
	err = op_call(op, commit);
	if (err && err != -ECANCELED)
		err = explain(op, op->run->ctx, err);
	damon_destroy_ctx(op->source);
	op->source = NULL;
	if (err)
		return err;
	drop_obsolete(*values);
	sysfs_lock(op->tree);
	old = op->run->committed;
	op->run->committed = *values;
	*values = NULL;
	sysfs_unlock(op->tree);
	sysfs_dir_free(old);
	return 0;
}

/* Goals of the schemes that @values and @with both have become those of @with, which gets the others. */
static void exchange_goals(struct sysfs_dir *values, struct sysfs_dir *with)
{
	struct sysfs_dir *to = sysfs_dir_at(values, "schemes");
	struct sysfs_dir *from = sysfs_dir_at(with, "schemes");
	struct sysfs_dir *to_goals, *from_goals;
	struct sysfs_dirs dirs;
	size_t i;

	for (i = 0; i < to->nr_numbered && i < from->nr_numbered; i++) {
		to_goals = sysfs_dir_at(to->numbered[i], "quotas/goals");
		from_goals = sysfs_dir_at(from->numbered[i], "quotas/goals");
		dirs = (struct sysfs_dirs){to_goals->numbered, to_goals->nr_numbered};
		to_goals->numbered = NULL;
		to_goals->nr_numbered = 0;
		sysfs_dirs_swap(from_goals, &dirs);
		sysfs_dirs_swap(to_goals, &dirs);
	}
}

static int op_commit_goals(struct sysfs_op *op)
{
	struct sysfs_dir *values;
	/* Only who has the turn changes what is committed. */
	int err = sysfs_dir_copy(&values, op->run->committed);

	if (err)
		return err;
	exchange_goals(values, op->values);
	err = commit_values(op, &values, true);
	sysfs_dir_free(values);
	return err;
}

/* update */

static int show_stats(struct damon_ctx *ctx, void *data)
{
	sysfs_run_show_stats(((struct sysfs_op *)data)->run);
	return 0;
}

static int show_quotas(struct damon_ctx *ctx, void *data)
{
	sysfs_run_show_quotas(((struct sysfs_op *)data)->run);
	return 0;
}

static int show_intervals(struct damon_ctx *ctx, void *data)
{
	sysfs_run_show_intervals(((struct sysfs_op *)data)->run);
	return 0;
}

/* Walks. */

static struct sysfs_tried *tried_of(struct sysfs_op *op, const struct damon_ctx *ctx,
				    const struct damos *scheme)
{
	struct sysfs_tried **tried;
	uint32_t idx;

	for (idx = 0; idx < ctx->nr_schemes && ctx->schemes[idx] != scheme;)
		idx++;
	if (op->nr_tried < ctx->nr_schemes) {
		tried = reallocarray(op->tried, ctx->nr_schemes, sizeof(struct sysfs_tried *));
		if (!tried)
			return NULL;
		op->tried = tried;
		while (op->nr_tried < ctx->nr_schemes)
			op->tried[op->nr_tried++] = NULL;
	}
	if (!op->tried[idx])
		op->tried[idx] = sysfs_tried_new(ctx->nr_probes);
	return op->tried[idx];
}

/* On the kdamond. */
static void note_tried(struct damon_ctx *ctx, struct damon_target *target,
		       const struct damon_region *region, struct damos *scheme,
		       uint64_t sz_filter_passed, void *data)
{
	struct sysfs_op *op = data;
	struct sysfs_tried *tried = tried_of(op, ctx, scheme);
	struct sysfs_tried_region entry = {
		.ar = region->ar,
		.sz_filter_passed = sz_filter_passed,
		.nr_accesses = damon_moving_sum(ctx, region),
		.age = region->age,
	};

	if (!tried) {
		op->walk_error = -ENOMEM;
		return;
	}
	memcpy(entry.probe_hits, region->probe_hits, sizeof(entry.probe_hits));
	tried->total_bytes += region->ar.end - region->ar.start;
	if (op->change == SYSFS_UPDATE_TRIED_REGIONS && sysfs_tried_add(tried, &entry))
		op->walk_error = -ENOMEM;
}

static void show_tried(struct sysfs_op *op)
{
	struct sysfs_dir *schemes = NULL, *context = NULL;
	struct sysfs_tried *old;
	size_t i;

	sysfs_lock(op->tree);
	if (op->kdamond->dir)
		context = sysfs_dir_at(op->kdamond->dir, "contexts/0");
	if (context)
		schemes = sysfs_dir_at(context, "schemes");
	for (i = 0; schemes && i < op->nr_tried && i < schemes->nr_numbered; i++) {
		old = schemes->numbered[i]->tried;
		schemes->numbered[i]->tried = op->tried[i];
		op->tried[i] = old; /* freed with @op */
	}
	sysfs_unlock(op->tree);
}

static int op_walk(struct sysfs_op *op)
{
	int err;

	op->walk = (struct damos_walk_control){.walk_fn = note_tried, .data = op};
	if (!begin_asking(op))
		return -ECANCELED;
	err = damos_walk(op->run->ctx, &op->walk);
	end_asking(op);
	if (!err)
		err = op->walk_error;
	if (!err)
		show_tried(op);
	return err;
}

int sysfs_op_run(struct sysfs_op *op)
{
	switch (op->change) {
	case SYSFS_ON:
		return op_on(op);
	case SYSFS_OFF:
		return op_off(op);
	case SYSFS_COMMIT:
		return commit_values(op, &op->values, false);
	case SYSFS_COMMIT_GOALS:
		return op_commit_goals(op);
	case SYSFS_UPDATE_STATS:
		return op_call(op, show_stats);
	case SYSFS_UPDATE_QUOTAS:
		return op_call(op, show_quotas);
	case SYSFS_UPDATE_INTERVALS:
		return op_call(op, show_intervals);
	default:
		return op_walk(op);
	}
}
