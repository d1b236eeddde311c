// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Taking up what an earlier daemon was doing.
 *
 * Order: the number of kdamonds; for each that ran its parameters in force, then "on"; at last the
 * values that were staged, which may be others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/restore.h"
#include "sysfs/stage.h"
#include "system/process.h"

#define NR_KDAMONDS SYSFS_KDAMONDS "/nr_kdamonds"

/* Collecting. */

struct collecting {
	struct sysfs_tree *tree;
	struct saved *saved;
	const char *dir;
	bool dirs; /* files first: the nr_* among them make the directories */
	int ret;
};

/* Files that do something when they are written. */
static bool is_command(const char *name)
{
	return !strcmp(name, "state") || !strcmp(name, "enabled") || !strcmp(name, "commit_inputs");
}

static int collect_dir(struct sysfs_tree *tree, struct saved *saved, const char *dir);

static int collect_file(struct collecting *collecting, const char *path)
{
	struct sysfs_text text = {NULL, 0};
	struct sysfs_stat st;
	int ret = 0;

	/* What has vanished meanwhile isn't staged any more. */
	if (sysfs_stat(collecting->tree, path, &st) || !(st.mode & 0200))
		return 0;
	if (!sysfs_read(collecting->tree, path, &text)) {
		text.data[strcspn(text.data, "\n")] = '\0';
		ret = saved_add(collecting->saved, path, text.data);
	}
	sysfs_text_free(&text);
	return ret;
}

static int collect(void *data, const char *name, bool is_dir)
{
	struct collecting *collecting = data;
	char path[SYSFS_PATH_MAX];

	if (is_dir != collecting->dirs || (!is_dir && is_command(name)) ||
	    snprintf(path, sizeof(path), "%s/%s", collecting->dir, name) >= (int)sizeof(path))
		return 0;
	return is_dir ? collect_dir(collecting->tree, collecting->saved, path)
		      : collect_file(collecting, path);
}

static int collect_dir(struct sysfs_tree *tree, struct saved *saved, const char *dir)
{
	struct collecting collecting = {.tree = tree, .saved = saved, .dir = dir};
	int ret;

	/* Results, not parameters, and by the thousand. */
	if (strstr(dir, "/tried_regions"))
		return 0;
	ret = sysfs_list(tree, *dir ? dir : "/", collect, &collecting);
	collecting.dirs = true;
	if (!ret)
		ret = sysfs_list(tree, *dir ? dir : "/", collect, &collecting);
	return ret == -ENOMEM ? ret : 0;
}

int restore_collect(struct sysfs_tree *tree, struct saved *saved)
{
	return collect_dir(tree, saved, "");
}

/* Taking up. */

static const char *staged_value(const struct saved *saved, const char *path)
{
	for (size_t i = 0; i < saved->nr_staged; i++)
		if (!strcmp(saved->staged[i].path, path))
			return saved->staged[i].value;
	return NULL;
}

static void remove_target(struct knowledge *knowledge, struct params_ctx *ctx, size_t place)
{
	struct damon_training *training = knowledge->training;

	free(ctx->targets[place].regions);
	memmove(&ctx->targets[place], &ctx->targets[place + 1],
		(ctx->nr_targets - place - 1) * sizeof(*ctx->targets));
	ctx->nr_targets--;
	if (!training || place >= training->nr_targets)
		return;
	memmove(&training->targets[place], &training->targets[place + 1],
		(training->nr_targets - place - 1) * sizeof(*training->targets));
	training->nr_targets--;
}

/* Numbers of processes and their start times begin anew with each boot. */
static bool is_of_this_boot(const struct knowledge *knowledge)
{
	char boot_id[DAMON_BOOT_ID_SIZE];

	process_boot_id(boot_id, sizeof(boot_id));
	return knowledge->training && boot_id[0] && !strcmp(knowledge->training->boot_id, boot_id);
}

/* Whether the target's process is still the one that was watched. */
static bool is_there(const struct knowledge *knowledge, const struct params_ctx *ctx, size_t place)
{
	const struct damon_training *training = knowledge->training;
	struct process_info info;

	return is_of_this_boot(knowledge) && place < training->nr_targets &&
	       training->targets[place].start_time &&
	       training->targets[place].pid == ctx->targets[place].pid &&
	       !process_info_read(&info, (pid_t)ctx->targets[place].pid) &&
	       info.start_time == training->targets[place].start_time;
}

static void tell_dropped(const struct knowledge *knowledge, const struct params_ctx *ctx,
			 size_t place)
{
	const struct damon_training *training = knowledge->training;
	bool known = training && place < training->nr_targets;

	log_say(LOG_LEVEL_WARNING, "kdamond %u: process %lld%s%s%s, a target, %s; it is dropped",
		knowledge->kdamond, (long long)ctx->targets[place].pid, known ? " (" : "",
		known ? training->targets[place].name : "", known ? ")" : "",
		!known || is_of_this_boot(knowledge) ? "has ended"
		: training->boot_id[0] ? "was watched before the machine was booted anew"
				       : "was saved without saying in which boot");
}

/* Leaves out targets that are gone; false when that leaves nothing to watch. */
static bool drop_gone(struct knowledge *knowledge, struct params_ctx *ctx)
{
	bool processes = ctx->ops == DAMON_OPS_VADDR || ctx->ops == DAMON_OPS_FVADDR;
	size_t before = ctx->nr_targets;

	for (size_t i = 0; processes && i < ctx->nr_targets;) {
		if (is_there(knowledge, ctx, i)) {
			i++;
			continue;
		}
		tell_dropped(knowledge, ctx, i);
		remove_target(knowledge, ctx, i);
	}
	if (ctx->nr_targets == before)
		return true;
	/* Places in the list of targets mean others now. */
	for (size_t i = 0; i < knowledge->nr_schemes; i++)
		knowledge->schemes[i].quota.go_on = false;
	return ctx->nr_targets;
}

/* What was chosen for it, as far as there are such files. */
static void choose(struct sysfs_tree *tree, const struct knowledge *knowledge)
{
	struct damon_error err = {""};
	char path[SYSFS_PATH_MAX], value[24];
	int ret;

	snprintf(path, sizeof(path), "/udamon/kdamonds/%u/engine", knowledge->kdamond);
	ret = sysfs_put(tree, path, knowledge->engine, &err);
	snprintf(path, sizeof(path), "/udamon/kdamonds/%u/budget", knowledge->kdamond);
	snprintf(value, sizeof(value), "%llu", (unsigned long long)knowledge->budget_bp);
	if (!ret)
		ret = sysfs_put(tree, path, value, &err);
	if (ret)
		log_say(LOG_LEVEL_WARNING, "kdamond %u: %s", knowledge->kdamond, err.text);
}

static int start(struct sysfs_tree *tree, struct monitors *monitors, struct knowledge *knowledge,
		 const struct params_kdamond *params, struct damon_error *err)
{
	int ret = sysfs_stage(tree, knowledge->kdamond, params, err);

	if (ret)
		return ret;
	choose(tree, knowledge);
	monitors_give(monitors, knowledge);
	ret = sysfs_change(tree, knowledge->kdamond, "on", err);
	if (ret && params->nr_contexts && params->contexts[0].nr_targets) {
		/* Such as: the program maps other memory by now. */
		log_say(LOG_LEVEL_WARNING, "kdamond %u: %s; it starts with nothing learned",
			knowledge->kdamond, err->text);
		damon_training_free(knowledge->training);
		knowledge->training = NULL;
		ret = sysfs_change(tree, knowledge->kdamond, "on", err);
	}
	monitors_take_back(monitors, knowledge);
	if (!ret)
		monitors_await(monitors, knowledge->kdamond);
	return ret;
}

static int take_up(struct sysfs_tree *tree, struct monitors *monitors, struct knowledge *knowledge,
		   struct damon_error *err)
{
	struct params_kdamonds kdamonds = {0};
	json_t *json = json_loads(knowledge->in_force, 0, NULL);
	int ret = -EINVAL;

	if (!json)
		damon_error_set(err, ret, "its saved parameters are no JSON");
	else
		ret = params_kdamonds_from_json(json, &kdamonds, err);
	if (!ret && (kdamonds.nr != 1 || kdamonds.list[0].nr_contexts != 1))
		ret = damon_error_set(err, -EINVAL, "its saved parameters aren't of one context");
	if (!ret && !drop_gone(knowledge, &kdamonds.list[0].contexts[0]))
		ret = damon_error_set(err, -ESRCH, "none of its targets is left; it stays off");
	if (!ret)
		ret = start(tree, monitors, knowledge, &kdamonds.list[0], err);
	params_kdamonds_free(&kdamonds);
	json_decref(json);
	return ret;
}

size_t restore(struct sysfs_tree *tree, struct monitors *monitors, struct saved *saved)
{
	const char *nr_kdamonds = staged_value(saved, NR_KDAMONDS);
	struct damon_error err = {""};
	size_t nr_running = 0;

	if (nr_kdamonds && sysfs_put(tree, NR_KDAMONDS, nr_kdamonds, &err))
		log_say(LOG_LEVEL_ERROR, "the saved state can't be taken up: %s", err.text);
	for (size_t i = 0; i < saved->nr_running; i++) {
		if (take_up(tree, monitors, &saved->running[i], &err))
			log_say(LOG_LEVEL_ERROR, "kdamond %u: %s", saved->running[i].kdamond,
				err.text);
		else
			nr_running++;
	}
	for (size_t i = 0; i < saved->nr_staged; i++) {
		const struct staged *staged = &saved->staged[i];

		if (strcmp(staged->path, NR_KDAMONDS) &&
		    sysfs_put(tree, staged->path, staged->value, &err))
			log_say(LOG_LEVEL_WARNING, "what was staged can't be staged again: %s",
				err.text);
	}
	return nr_running;
}
