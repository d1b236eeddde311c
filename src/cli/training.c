// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Saving what a monitor has learned every few seconds, and giving it to the next one.
 *
 * Whose it is: a target gets what was learned of the same process (number, start time, boot) or, where
 * that isn't among them, of one of the same name. Whether addresses still mean the same is then for
 * the layout to say, which the core compares at start.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "cli/training.h"
#include "record/training.h"
#include "system/clock.h"
#include "system/process.h"

/* A kdamond in the middle of a pass answers when it is done. */
#define PATIENCE_US 2000000

/* Real time, for simulated programs too: it is real monitors that are killed. */
static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Asked now, because later it may be gone. */
static int name_targets(struct training *training, const struct damon_ctx *ctx, const char *name)
{
	struct process_info info;

	training->who = calloc(ctx->nr_targets, sizeof(*training->who));
	if (!training->who)
		return -ENOMEM;
	training->nr = ctx->nr_targets;
	for (uint32_t i = 0; i < training->nr; i++) {
		struct damon_training_target *who = &training->who[i];

		who->pid = ctx->targets[i]->pid;
		if (!name && !process_info_read(&info, (pid_t)who->pid)) {
			who->start_time = info.start_time;
			snprintf(who->name, sizeof(who->name), "%s", info.comm);
		} else if (name) {
			snprintf(who->name, sizeof(who->name), "%s", name);
		}
	}
	return 0;
}

/* Loading. */

static bool same_process(const struct damon_training_target *a,
			 const struct damon_training_target *b)
{
	return a->pid == b->pid && a->start_time && a->start_time == b->start_time;
}

static bool same_name(const struct damon_training_target *a, const struct damon_training_target *b)
{
	return a->name[0] && !strcmp(a->name, b->name);
}

/* For each target which of the loaded ones is its, or UINT32_MAX. Returns how many have one. */
static uint32_t match(const struct training *training, const struct damon_training *loaded,
		      bool (*same)(const struct damon_training_target *,
				   const struct damon_training_target *),
		      uint32_t *which, bool *taken)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < training->nr; i++) {
		for (uint32_t j = 0; which[i] == UINT32_MAX && j < loaded->nr_targets; j++) {
			if (taken[j] || !same(&training->who[i], &loaded->targets[j]))
				continue;
			which[i] = j;
			taken[j] = true;
		}
		nr += which[i] != UINT32_MAX;
	}
	return nr;
}

static int nobody_known(const struct training *training, const struct damon_training *loaded)
{
	const struct damon_training_target *was = loaded->targets;

	if (!loaded->nr_targets)
		return give_up(EXIT_FAILED, "--load-training '%s': it is of no target at all",
			       training->load);
	if (!was->start_time)
		return give_up(EXIT_FAILED,
			       "--load-training '%s': it was learned of '%s', not of '%s'; start "
			       "without it",
			       training->load, was->name, training->who[0].name);
	return give_up(EXIT_FAILED,
		       "--load-training '%s': it was learned of process %lld (%s), not of what is "
		       "to be watched now (%s); start without it",
		       training->load, (long long)was->pid, was->name, training->who[0].name);
}

/* The loaded targets in the context's order; one that nothing is known of has no regions. */
static int arrange(struct damon_training **arranged, const struct damon_training *loaded,
		   const struct training *training, const uint32_t *which)
{
	size_t *nr = calloc(training->nr + 1, sizeof(*nr));
	struct damon_training_target *targets;
	struct damon_training *new;
	int ret;

	if (!nr)
		return -ENOMEM;
	for (uint32_t i = 0; i < training->nr; i++)
		nr[i] = which[i] == UINT32_MAX ? 0 : loaded->targets[which[i]].nr_regions;
	ret = damon_training_new(&new, loaded->lib, training->nr, nr);
	if (!ret) {
		targets = new->targets;
		*new = *loaded;
		new->targets = targets;
		new->nr_targets = training->nr;
		for (uint32_t i = 0; i < training->nr; i++)
			if (nr[i])
				memcpy(targets[i].regions, loaded->targets[which[i]].regions,
				       nr[i] * sizeof(*targets[i].regions));
		*arranged = new;
	}
	free(nr);
	return ret;
}

static int apply(const struct training *training, struct damon_ctx *ctx,
		 const struct damon_training *loaded)
{
	uint32_t *which = calloc(training->nr + 1, sizeof(*which));
	bool *taken = calloc(loaded->nr_targets + 1, sizeof(*taken));
	struct damon_training *arranged = NULL;
	char boot_id[DAMON_BOOT_ID_SIZE];
	uint32_t found = 0;
	int ret = -ENOMEM;

	if (which && taken) {
		memset(which, 0xff, (training->nr + 1) * sizeof(*which));
		process_boot_id(boot_id, sizeof(boot_id));
		/* Numbers and start times begin anew with each boot. */
		if (boot_id[0] && !strcmp(boot_id, loaded->boot_id))
			match(training, loaded, same_process, which, taken);
		found = match(training, loaded, same_name, which, taken);
		ret = found ? arrange(&arranged, loaded, training, which) : 0;
	}
	if (ret)
		ret = give_up(EXIT_FAILED, "out of memory");
	else if (!found)
		ret = nobody_known(training, loaded);
	else if (damon_training_apply(ctx, arranged))
		ret = give_up(EXIT_FAILED,
			      "--load-training '%s': the file is damaged (it holds regions or "
			      "intervals that can't be); start without it",
			      training->load);
	else
		arranged = NULL;
	if (!ret && found < training->nr)
		note("'%s' knows %u of %u targets; the others start with nothing", training->load,
		     found, training->nr);
	damon_training_free(arranged);
	free(which);
	free(taken);
	return ret;
}

static int load(struct training *training, struct damon_ctx *ctx)
{
	struct damon_training *loaded;
	struct damon_error err = {""};
	int ret;

	ret = damon_training_load(&loaded, ctx->lib, training->load, &err);
	if (ret)
		return give_up(EXIT_FAILED, "--load-training: %s", err.text);
	ret = apply(training, ctx, loaded);
	damon_training_free(loaded);
	return ret;
}

int training_begin(struct training *training, const struct options *opts, struct damon_ctx *ctx,
		   const char *name)
{
	struct damon_error err = {""};

	training->load = opts->load_training;
	training->save = opts->save_training;
	training->t_saved_ns = now_ns();
	if (!training->load && !training->save)
		return 0;
	if (name_targets(training, ctx, name))
		return give_up(EXIT_FAILED, "out of memory");
	if (training->save && training_file_check(training->save, &err))
		return give_up(EXIT_FAILED, "--save-training: %s", err.text);
	return training->load ? load(training, ctx) : 0;
}

int training_refused(const struct training *training)
{
	return give_up(
		EXIT_FAILED,
		"--load-training '%s': it was learned in another layout: less than half of it "
		"lies in the memory that is to be watched now; start without it",
		training->load ? training->load : "");
}

/* Saving. */

static int take_on_kdamond(struct damon_ctx *ctx, void *data)
{
	return damon_training_take(data, ctx);
}

static int take(struct damon_training **taken, struct damon_ctx *ctx)
{
	struct damon_call_control control = {
		.fn = take_on_kdamond, .data = taken, .timeout_us = PATIENCE_US};
	int ret = damon_training_take(taken, ctx);

	if (ret == -EBUSY)
		ret = damon_call(ctx, &control);
	return ret;
}

static int save(struct training *training, struct damon_ctx *ctx, struct damon_error *err)
{
	struct damon_training *taken;
	int ret;

	training->t_saved_ns = now_ns();
	ret = take(&taken, ctx);
	if (ret)
		return damon_error_set(err, ret, "can't save what was learned in '%s': %s",
				       training->save, strerror(-ret));
	for (uint32_t i = 0; i < taken->nr_targets && i < training->nr; i++) {
		taken->targets[i].start_time = training->who[i].start_time;
		memcpy(taken->targets[i].name, training->who[i].name,
		       sizeof(training->who[i].name));
	}
	/* Simulated programs have no start time, and know no boot. */
	if (training->nr && training->who[0].start_time)
		process_boot_id(taken->boot_id, sizeof(taken->boot_id));
	ret = damon_training_save(taken, training->save, err);
	damon_training_free(taken);
	return ret;
}

uint64_t training_due_ns(const struct training *training)
{
	uint64_t passed = now_ns() - training->t_saved_ns;

	if (!training->save)
		return UINT64_MAX;
	return passed < TRAINING_EVERY_NS ? TRAINING_EVERY_NS - passed : 0;
}

void training_tick(struct training *training, struct damon_ctx *ctx)
{
	struct damon_error err = {""};
	int ret;

	if (training_due_ns(training))
		return;
	ret = save(training, ctx, &err);
	/* Stopped, or too busy to answer: it is tried again, at the end if not before. */
	if (ret == -ECANCELED || ret == -ETIMEDOUT)
		return;
	if (ret && !training->failed)
		give_up(0, "%s; watching goes on", err.text);
	training->failed = ret != 0;
}

int training_end(struct training *training, struct damon_ctx *ctx)
{
	struct damon_error err = {""};

	if (!training->save || !save(training, ctx, &err))
		return 0;
	return give_up(EXIT_FAILED, "%s", err.text);
}

void training_clear(struct training *training)
{
	free(training->who);
	*training = (struct training){0};
}
