// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The kdamonds that run now, and copies of what they know. */
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/log.h"
#include "daemon/monitors.h"
#include "params/kdamonds_json.h"
#include "system/process.h"

/* A kdamond in the middle of a pass answers when it is done. */
#define PATIENCE_US 1000000
/* A kdamond that was started says so as soon as its thread gets a processor. */
#define START_SECONDS 10

/**
 * struct monitor - what is known of one number of kdamonds, running or not
 * @ctx:	NULL: it doesn't run
 * @started:	it has said so since it was prepared
 * @asked:	a request to it is under way, which its end waits for
 * @paused_copy: the last copy was made in the pause that still lasts
 */
struct monitor {
	struct monitor *next;
	uint32_t kdamond;
	struct damon_ctx *ctx;
	bool started;
	bool asked;
	bool paused_copy;
	char engine[16];
	uint64_t budget_bp;
	struct knowledge *given;
};

/* A process that a target was made for. */
struct acquaintance {
	struct acquaintance *next;
	int64_t pid;
	uint64_t start_time;
	char name[64];
};

struct monitors {
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t answered;
	struct monitor *list;
	struct acquaintance *met;
	uint64_t changes;
};

void knowledge_clear(struct knowledge *knowledge)
{
	free(knowledge->in_force);
	damon_training_free(knowledge->training);
	free(knowledge->schemes);
	*knowledge = (struct knowledge){0};
}

int monitors_new(struct monitors **monitors)
{
	struct monitors *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	pthread_mutex_init(&new->lock, NULL);
	pthread_cond_init(&new->answered, NULL);
	*monitors = new;
	return 0;
}

void monitors_free(struct monitors *monitors)
{
	struct acquaintance *met;
	struct monitor *monitor;

	if (!monitors)
		return;
	while ((monitor = monitors->list)) {
		monitors->list = monitor->next;
		free(monitor);
	}
	while ((met = monitors->met)) {
		monitors->met = met->next;
		free(met);
	}
	pthread_cond_destroy(&monitors->answered);
	pthread_mutex_destroy(&monitors->lock);
	free(monitors);
}

/* Lock held. NULL: there is none, or with @make no memory for it. */
static struct monitor *find(struct monitors *monitors, uint32_t kdamond, bool make)
{
	struct monitor *monitor = monitors->list;

	while (monitor && monitor->kdamond != kdamond)
		monitor = monitor->next;
	if (!monitor && make && (monitor = calloc(1, sizeof(*monitor)))) {
		monitor->kdamond = kdamond;
		monitor->next = monitors->list;
		monitors->list = monitor;
	}
	return monitor;
}

static struct acquaintance *find_met(struct monitors *monitors, int64_t pid)
{
	struct acquaintance *met = monitors->met;

	while (met && met->pid != pid)
		met = met->next;
	return met;
}

void monitors_meet(struct monitors *monitors, int64_t pid, uint64_t start_time, const char *name)
{
	struct acquaintance *met;

	pthread_mutex_lock(&monitors->lock);
	met = find_met(monitors, pid);
	if (!met && (met = calloc(1, sizeof(*met)))) {
		met->pid = pid;
		met->next = monitors->met;
		monitors->met = met;
	}
	/* Without memory the target is saved without a start time, and so not taken up again. */
	if (met) {
		met->start_time = start_time;
		snprintf(met->name, sizeof(met->name), "%s", name);
	}
	pthread_mutex_unlock(&monitors->lock);
}

/* Targets were numbered anew: where a quota's window stood is known by the place in the list. */
static void give_schemes(struct damon_ctx *ctx, const struct knowledge *knowledge)
{
	for (size_t i = 0; i < knowledge->nr_schemes && i < ctx->nr_schemes; i++) {
		const struct scheme_knowledge *from = &knowledge->schemes[i];
		struct damos *to = ctx->schemes[i];

		to->stat = from->stat;
		to->quota.esz = from->esz;
		to->quota_state = from->quota;
		if (to->quota_state.go_on && to->quota_state.go_on_target < ctx->nr_targets)
			to->quota_state.go_on_target =
				ctx->targets[to->quota_state.go_on_target]->id;
		else
			to->quota_state.go_on = false;
	}
}

static int give(struct damon_ctx *ctx, struct knowledge *knowledge, struct damon_error *err)
{
	int ret;

	give_schemes(ctx, knowledge);
	if (!knowledge->training)
		return 0;
	ret = damon_training_apply(ctx, knowledge->training);
	if (ret)
		return damon_error_set(err, ret, "what was learned before doesn't fit: %s",
				       strerror(-ret));
	knowledge->training = NULL;
	return 0;
}

int monitors_prepare(struct monitors *monitors, uint32_t kdamond, struct damon_ctx *ctx,
		     const struct sysfs_choices *choices, struct damon_error *err)
{
	struct knowledge *given = NULL;
	struct monitor *monitor;

	pthread_mutex_lock(&monitors->lock);
	monitor = find(monitors, kdamond, true);
	if (monitor) {
		snprintf(monitor->engine, sizeof(monitor->engine), "%s", choices->engine);
		monitor->budget_bp = choices->budget_bp;
		monitor->started = false;
		given = monitor->given;
	}
	pthread_mutex_unlock(&monitors->lock);
	if (!monitor)
		return damon_error_set(err, -ENOMEM, "out of memory");
	return given ? give(ctx, given, err) : 0;
}

void monitors_started(struct monitors *monitors, uint32_t kdamond, struct damon_ctx *ctx)
{
	struct monitor *monitor;

	pthread_mutex_lock(&monitors->lock);
	monitor = find(monitors, kdamond, false);
	if (monitor) {
		monitor->ctx = ctx;
		monitor->started = true;
		monitor->paused_copy = false;
	}
	monitors->changes++;
	pthread_cond_broadcast(&monitors->answered);
	pthread_mutex_unlock(&monitors->lock);
}

void monitors_event(struct monitors *monitors, uint32_t kdamond)
{
	struct monitor *monitor;

	pthread_mutex_lock(&monitors->lock);
	monitor = find(monitors, kdamond, false);
	if (monitor)
		monitor->paused_copy = false;
	pthread_mutex_unlock(&monitors->lock);
}

/* On the kdamond, which takes no request any more: one that is under way has been cancelled. */
void monitors_stopped(struct monitors *monitors, uint32_t kdamond)
{
	struct monitor *monitor;

	pthread_mutex_lock(&monitors->lock);
	monitor = find(monitors, kdamond, false);
	if (monitor) {
		monitor->ctx = NULL;
		while (monitor->asked)
			pthread_cond_wait(&monitors->answered, &monitors->lock);
	}
	monitors->changes++;
	pthread_mutex_unlock(&monitors->lock);
}

static void set_given(struct monitors *monitors, uint32_t kdamond, struct knowledge *knowledge)
{
	struct monitor *monitor;

	pthread_mutex_lock(&monitors->lock);
	monitor = find(monitors, kdamond, knowledge);
	/* Without memory it starts with nothing; the next thing to fail is the start itself. */
	if (monitor)
		monitor->given = knowledge;
	pthread_mutex_unlock(&monitors->lock);
}

void monitors_give(struct monitors *monitors, struct knowledge *knowledge)
{
	set_given(monitors, knowledge->kdamond, knowledge);
}

void monitors_take_back(struct monitors *monitors, struct knowledge *knowledge)
{
	set_given(monitors, knowledge->kdamond, NULL);
}

void monitors_await(struct monitors *monitors, uint32_t kdamond)
{
	const struct monitor *monitor;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += START_SECONDS;
	pthread_mutex_lock(&monitors->lock);
	monitor = find(monitors, kdamond, false);
	while (monitor && !monitor->started)
		if (pthread_cond_timedwait(&monitors->answered, &monitors->lock, &until))
			break;
	pthread_mutex_unlock(&monitors->lock);
}

size_t monitors_running(struct monitors *monitors, uint32_t *numbers, size_t max)
{
	size_t nr = 0;

	pthread_mutex_lock(&monitors->lock);
	for (const struct monitor *monitor = monitors->list; monitor; monitor = monitor->next) {
		if (!monitor->ctx)
			continue;
		if (nr < max)
			numbers[nr] = monitor->kdamond;
		nr++;
	}
	pthread_mutex_unlock(&monitors->lock);
	return nr;
}

uint64_t monitors_changes(struct monitors *monitors)
{
	uint64_t changes;

	pthread_mutex_lock(&monitors->lock);
	changes = monitors->changes;
	pthread_mutex_unlock(&monitors->lock);
	return changes;
}

/* Taking copies: on the kdamond, and so with what belongs together. */

struct taking {
	struct monitors *monitors;
	struct monitor *monitor;
	bool anew;
	bool unchanged;
	struct knowledge *knowledge;
};

static int take_parameters(struct knowledge *knowledge, struct damon_ctx *ctx)
{
	struct params_ctx params = {0};
	struct params_kdamond kdamond = {
		.on = true, .pid = -1, .nr_contexts = 1, .contexts = &params};
	const struct params_kdamonds all = {.nr = 1, .list = &kdamond};
	json_t *json = NULL;

	if (!params_ctx_take(&params, ctx))
		json = params_kdamonds_to_json(&all);
	if (json)
		knowledge->in_force = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	params_ctx_free(&params);
	return knowledge->in_force ? 0 : -ENOMEM;
}

static uint32_t place_of_target(const struct damon_ctx *ctx, uint32_t id)
{
	uint32_t place = 0;

	while (place < ctx->nr_targets && ctx->targets[place]->id != id)
		place++;
	return place;
}

static int take_schemes(struct knowledge *knowledge, const struct damon_ctx *ctx)
{
	knowledge->schemes = calloc(ctx->nr_schemes + 1, sizeof(*knowledge->schemes));
	if (!knowledge->schemes)
		return -ENOMEM;
	knowledge->nr_schemes = ctx->nr_schemes;
	for (uint32_t i = 0; i < ctx->nr_schemes; i++) {
		struct scheme_knowledge *to = &knowledge->schemes[i];

		to->stat = ctx->schemes[i]->stat;
		to->esz = ctx->schemes[i]->quota.esz;
		to->quota = ctx->schemes[i]->quota_state;
		if (to->quota.go_on)
			to->quota.go_on_target = place_of_target(ctx, to->quota.go_on_target);
	}
	return 0;
}

static int take_training(struct taking *taking, struct damon_ctx *ctx)
{
	struct damon_training *training;
	int ret = damon_training_take(&training, ctx);

	if (ret)
		return ret;
	taking->knowledge->training = training;
	process_boot_id(training->boot_id, sizeof(training->boot_id));
	pthread_mutex_lock(&taking->monitors->lock);
	for (uint32_t i = 0; i < training->nr_targets; i++) {
		struct damon_training_target *target = &training->targets[i];
		const struct acquaintance *met = find_met(taking->monitors, target->pid);

		if (met) {
			target->start_time = met->start_time;
			memcpy(target->name, met->name, sizeof(target->name));
		}
	}
	pthread_mutex_unlock(&taking->monitors->lock);
	return 0;
}

static int take_on_kdamond(struct damon_ctx *ctx, void *data)
{
	struct taking *taking = data;
	bool before;
	int ret;

	pthread_mutex_lock(&taking->monitors->lock);
	before = taking->monitor->paused_copy;
	pthread_mutex_unlock(&taking->monitors->lock);
	if (ctx->pause && before && !taking->anew) {
		taking->unchanged = true;
		return 0;
	}
	ret = take_parameters(taking->knowledge, ctx);
	if (!ret)
		ret = take_schemes(taking->knowledge, ctx);
	if (!ret)
		ret = take_training(taking, ctx);
	if (ret)
		return ret;
	pthread_mutex_lock(&taking->monitors->lock);
	taking->monitor->paused_copy = ctx->pause;
	pthread_mutex_unlock(&taking->monitors->lock);
	return 0;
}

enum monitors_taken monitors_take(struct monitors *monitors, uint32_t kdamond, bool anew,
				  struct knowledge *knowledge)
{
	struct taking taking = {.monitors = monitors, .anew = anew, .knowledge = knowledge};
	struct damon_call_control control = {
		.fn = take_on_kdamond, .data = &taking, .timeout_us = PATIENCE_US};
	struct damon_ctx *ctx;
	int ret;

	*knowledge = (struct knowledge){.kdamond = kdamond};
	pthread_mutex_lock(&monitors->lock);
	taking.monitor = find(monitors, kdamond, false);
	ctx = taking.monitor ? taking.monitor->ctx : NULL;
	if (ctx) {
		taking.monitor->asked = true;
		knowledge->budget_bp = taking.monitor->budget_bp;
		memcpy(knowledge->engine, taking.monitor->engine, sizeof(knowledge->engine));
	}
	pthread_mutex_unlock(&monitors->lock);
	if (!ctx)
		return MONITORS_NONE;

	ret = damon_call(ctx, &control);

	pthread_mutex_lock(&monitors->lock);
	taking.monitor->asked = false;
	pthread_cond_broadcast(&monitors->answered);
	pthread_mutex_unlock(&monitors->lock);
	if (!ret)
		return taking.unchanged ? MONITORS_UNCHANGED : MONITORS_TAKEN;
	knowledge_clear(knowledge);
	return ret == -ECANCELED ? MONITORS_NONE : MONITORS_BUSY;
}
