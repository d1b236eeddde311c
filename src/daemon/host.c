// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What the file tree asks of the daemon. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <udamon/vaddr.h>

#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/privileges.h"
#include "system/memcg.h"
#include "system/metric.h"
#include "system/process.h"

/* The engine and budget that are tried out first, because most kdamonds will have them. */
#define USUAL_ENGINE "point"
#define USUAL_BUDGET 200

/**
 * struct engine - an access engine with a budget, for any number of kdamonds
 * @refs:	contexts that use it. One that none uses stays, because it was tried out, until another is
 *		made.
 */
struct engine {
	struct engine *next;
	unsigned int refs;
	char name[16];
	uint32_t budget_bp;
	struct damon_vaddr_env *env;
};

struct host {
	struct damon_port *port;
	struct damon_lib *lib;
	struct monitors *monitors;
	pthread_mutex_t lock; /* of the engines */
	struct engine *engines;
};

static void free_engine(struct engine *engine)
{
	damon_vaddr_env_free(engine->env);
	free(engine);
}

/* Lock held. */
static void drop_unused(struct host *host)
{
	struct engine **link = &host->engines, *engine;

	while ((engine = *link)) {
		if (engine->refs) {
			link = &engine->next;
			continue;
		}
		*link = engine->next;
		free_engine(engine);
	}
}

/* Lock held. */
static int add_engine(struct host *host, const char *name, uint32_t budget_bp,
		      struct damon_error *err)
{
	const struct damon_vaddr_options options = {.engine = name, .budget_bp = budget_bp};
	struct engine *new;
	int ret;

	drop_unused(host);
	new = calloc(1, sizeof(*new));
	if (!new)
		return damon_error_set(err, -ENOMEM, "out of memory");
	ret = damon_vaddr_env_new(&new->env, &options, err);
	if (ret) {
		free(new);
		return ret;
	}
	snprintf(new->name, sizeof(new->name), "%s", name);
	new->budget_bp = budget_bp;
	new->next = host->engines;
	host->engines = new;
	return 0;
}

/* A reference is the caller's: put_engine(). */
static int get_engine(struct host *host, const char *name, uint32_t budget_bp,
		      struct damon_vaddr_env **env, struct damon_error *err)
{
	struct engine *engine;
	int ret = 0;

	pthread_mutex_lock(&host->lock);
	engine = host->engines;
	while (engine && (strcmp(engine->name, name) || engine->budget_bp != budget_bp))
		engine = engine->next;
	if (!engine) {
		ret = add_engine(host, name, budget_bp, err);
		engine = host->engines;
	}
	if (!ret) {
		engine->refs++;
		*env = engine->env;
	}
	pthread_mutex_unlock(&host->lock);
	return ret;
}

static void put_engine(struct host *host, const struct damon_vaddr_env *env)
{
	pthread_mutex_lock(&host->lock);
	for (struct engine *engine = host->engines; engine; engine = engine->next)
		if (engine->env == env)
			engine->refs--;
	pthread_mutex_unlock(&host->lock);
}

/*
 * "auto" becomes what suits the targets of this context; an environment decides that once only, so it is one
 * of its own.
 */
static int choose_engine(const struct damon_ctx *ctx, uint32_t budget_bp, char *name, size_t size,
			 struct damon_error *err)
{
	const struct damon_vaddr_options options = {.engine = "auto", .budget_bp = budget_bp};
	struct damon_vaddr_env *env;
	int ret = damon_vaddr_env_new(&env, &options, err);

	if (ret)
		return ret;
	snprintf(name, size, "%s", damon_vaddr_choose_engine(env, ctx));
	damon_vaddr_env_free(env);
	return 0;
}

static bool watches_processes(const struct damon_ctx *ctx)
{
	return ctx->ops && (ctx->ops->id == DAMON_OPS_VADDR || ctx->ops->id == DAMON_OPS_FVADDR);
}

/* Callbacks of the tree. */

/* The environment was chosen after the targets were made: it, too, is to hold on to their processes. */
static int hold_targets(struct damon_ctx *ctx, struct damon_vaddr_env *env, struct damon_error *err)
{
	int ret = 0;

	for (uint32_t i = 0; i < ctx->nr_targets && !ret; i++) {
		struct damon_target *held;

		ret = damon_vaddr_target_new(&held, ctx->lib, env, (pid_t)ctx->targets[i]->pid,
					     err);
		if (!ret)
			damon_free_target(held);
	}
	return ret;
}

static int prepare_engine(struct host *host, struct damon_ctx *ctx,
			  const struct sysfs_choices *choices, struct damon_error *err)
{
	struct damon_vaddr_env *env;
	char name[16];
	int ret = 0;

	snprintf(name, sizeof(name), "%s", choices->engine);
	if (!strcmp(name, "auto"))
		ret = choose_engine(ctx, (uint32_t)choices->budget_bp, name, sizeof(name), err);
	if (!ret)
		ret = get_engine(host, name, (uint32_t)choices->budget_bp, &env, err);
	if (ret)
		return ret;
	ret = hold_targets(ctx, env, err);
	if (ret) {
		put_engine(host, env);
		return ret == -ESRCH ? -EINVAL : ret;
	}
	ctx->ops_env = env;
	/* What went wrong before is not what goes wrong now. */
	damon_vaddr_env_error(env, NULL);
	return 0;
}

static int prepare(void *data, uint32_t kdamond, struct damon_ctx *ctx,
		   const struct sysfs_choices *choices, struct damon_error *err)
{
	struct host *host = data;
	int ret = 0;

	if (watches_processes(ctx))
		ret = prepare_engine(host, ctx, choices, err);
	if (ret)
		return ret;
	ret = monitors_prepare(host->monitors, kdamond, ctx, choices, err);
	if (ret && watches_processes(ctx))
		put_engine(host, ctx->ops_env);
	return ret;
}

/* What other operations sets have is no engine's. */
static void released(void *data, void *ops_env)
{
	put_engine(data, ops_env);
}

/* Who it is is read before and after: the target is then the one that was read. */
static int new_process(struct host *host, struct damon_ctx *ctx, struct damon_target **target,
		       pid_t pid, struct damon_error *err)
{
	struct process_info before, after;
	int ret;

	ret = process_info_read(&before, pid);
	if (!ret)
		ret = damon_vaddr_target_new(target, ctx->lib, ctx->ops_env, pid, err);
	else
		damon_error_set(err, ret, "there is no process %d", (int)pid);
	if (!ret && !process_info_read(&after, pid) && after.start_time == before.start_time)
		monitors_meet(host->monitors, pid, before.start_time, before.comm);
	/* Clients of the kernel's tree know one error for whatever is wrong with a process. */
	return ret == -ESRCH ? -EINVAL : ret;
}

static int new_target(void *data, struct damon_ctx *ctx, struct damon_target **target, int64_t pid,
		      struct damon_error *err)
{
	int ret;

	if (watches_processes(ctx))
		return new_process(data, ctx, target, (pid_t)pid, err);
	ret = damon_new_target(target, ctx->lib);
	if (ret)
		return damon_error_set(err, ret, "out of memory");
	(*target)->pid = pid;
	return 0;
}

static void start_error(void *data, struct damon_ctx *ctx, struct damon_error *err)
{
	struct damon_error said;

	if (watches_processes(ctx) && damon_vaddr_env_error(ctx->ops_env, &said))
		*err = said;
}

static int check_memcg(void *data, const char *path)
{
	return memcg_inode(path) ? 0 : -ENOENT;
}

static void say(void *data, enum sysfs_level level, int64_t kdamond, const char *text)
{
	static const enum log_level levels[] = {
		[SYSFS_LOG_ERROR] = LOG_LEVEL_ERROR,
		[SYSFS_LOG_WARNING] = LOG_LEVEL_WARNING,
		[SYSFS_LOG_INFO] = LOG_LEVEL_INFO,
		[SYSFS_LOG_DEBUG] = LOG_LEVEL_DEBUG,
	};

	if (kdamond < 0)
		log_say(levels[level], "%s", text);
	else
		log_say(levels[level], "kdamond %lld: %s", (long long)kdamond, text);
}

static void started(void *data, uint32_t kdamond, struct damon_ctx *ctx)
{
	struct host *host = data;

	monitors_started(host->monitors, kdamond, ctx);
	log_say(LOG_LEVEL_NOTICE, "kdamond %u: on, %u targets, %u schemes", kdamond,
		ctx->nr_targets, ctx->nr_schemes);
}

static void event(void *data, uint32_t kdamond, struct damon_ctx *ctx,
		  const struct damon_event *event)
{
	struct host *host = data;

	monitors_event(host->monitors, kdamond);
	log_say(strcmp(event->what, "gone") ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE,
		"kdamond %u: %s%s%s", kdamond, event->what, *event->detail ? ": " : "",
		event->detail);
}

static void stopped(void *data, uint32_t kdamond, struct damon_ctx *ctx, int result)
{
	struct host *host = data;
	struct damon_error err = {""};

	monitors_stopped(host->monitors, kdamond);
	if (!result) {
		log_say(LOG_LEVEL_NOTICE, "kdamond %u: off", kdamond);
		return;
	}
	start_error(data, ctx, &err);
	log_say(LOG_LEVEL_ERROR, "kdamond %u: ended: %s", kdamond,
		err.text[0] ? err.text : strerror(-result));
}

struct sysfs_host host_callbacks(struct host *host)
{
	return (struct sysfs_host){
		.lib = host->lib,
		.prepare = prepare,
		.new_target = new_target,
		.start_error = start_error,
		.check_memcg = check_memcg,
		.log = say,
		.started = started,
		.event = event,
		.stopped = stopped,
		.released = released,
		.data = host,
	};
}

/* The beginning and the end. */

static int register_processes(struct host *host)
{
	struct damon_error err = {""};
	struct damon_vaddr_env *env;
	char missing[512];
	int ret;

	/* For good: contexts have it before they are prepared. */
	ret = get_engine(host, USUAL_ENGINE, USUAL_BUDGET, &env, &err);
	if (!ret)
		return damon_vaddr_register(host->lib, env);
	if (ret == -ENOMEM)
		return ret;
	privileges_missing(missing, sizeof(missing));
	log_say(LOG_LEVEL_ERROR,
		"processes can't be watched here: %s%s%s; 'udamon doctor' says more", err.text,
		missing[0] ? "; missing: " : "", missing);
	return 0;
}

int host_new(struct host **host)
{
	struct host *new = calloc(1, sizeof(*new));
	int ret = -ENOMEM;

	if (!new)
		return ret;
	pthread_mutex_init(&new->lock, NULL);
	new->port = damon_port_posix_new();
	if (new->port) {
		new->port->metric = system_metric;
		ret = damon_lib_new(&new->lib, new->port);
	}
	if (!ret)
		ret = monitors_new(&new->monitors);
	if (!ret)
		ret = register_processes(new);
	if (ret) {
		host_free(new);
		return ret;
	}
	*host = new;
	return 0;
}

void host_free(struct host *host)
{
	struct engine *engine;

	if (!host)
		return;
	monitors_free(host->monitors);
	damon_lib_free(host->lib);
	while ((engine = host->engines)) {
		host->engines = engine->next;
		free_engine(engine);
	}
	if (host->port)
		damon_port_posix_free(host->port);
	pthread_mutex_destroy(&host->lock);
	free(host);
}

struct damon_lib *host_lib(struct host *host)
{
	return host->lib;
}

struct monitors *host_monitors(struct host *host)
{
	return host->monitors;
}
