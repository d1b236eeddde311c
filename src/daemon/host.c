// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What the file tree asks of the daemon. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <udamon/vaddr.h>

#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/privileges.h"
#include "system/metric.h"

/* Access engines by the names that the file "engine" takes; each is tried out when it is first asked for. */
static const char *const engine_names[] = {"auto", "point", "scan"};

#define NR_ENGINES (sizeof(engine_names) / sizeof(engine_names[0]))

struct host {
	struct damon_port *port;
	struct damon_lib *lib;
	pthread_mutex_t lock; /* of the engines */
	struct damon_vaddr_env *engines[NR_ENGINES];
};

static int find_engine(struct host *host, const char *name, struct damon_vaddr_env **engine,
		       struct damon_error *err)
{
	struct damon_vaddr_options options = {.engine = name};
	size_t i = 0;
	int ret = 0;

	while (i < NR_ENGINES && strcmp(engine_names[i], name))
		i++;
	if (i == NR_ENGINES)
		return damon_error_set(err, -EINVAL, "no access engine '%s'", name);
	pthread_mutex_lock(&host->lock);
	if (!host->engines[i])
		ret = damon_vaddr_env_new(&host->engines[i], &options, err);
	*engine = host->engines[i];
	pthread_mutex_unlock(&host->lock);
	return ret;
}

static bool watches_processes(const struct damon_ctx *ctx)
{
	return ctx->ops && (ctx->ops->id == DAMON_OPS_VADDR || ctx->ops->id == DAMON_OPS_FVADDR);
}

/* Callbacks of the tree. */

static int prepare(void *data, uint32_t kdamond, struct damon_ctx *ctx,
		   const struct sysfs_choices *choices, struct damon_error *err)
{
	struct host *host = data;
	struct damon_vaddr_env *engine;
	int ret;

	if (watches_processes(ctx)) {
		ret = find_engine(host, choices->engine, &engine, err);
		if (ret)
			return ret;
		ctx->ops_env = engine;
		/* What went wrong before is not what goes wrong now. */
		damon_vaddr_env_error(engine, NULL);
	}
	return 0;
}

static int new_target(void *data, struct damon_ctx *ctx, struct damon_target **target, int64_t pid,
		      struct damon_error *err)
{
	int ret;

	if (watches_processes(ctx)) {
		ret = damon_vaddr_target_new(target, ctx->lib, ctx->ops_env, (pid_t)pid, err);
		/* Clients of the kernel's tree know one error for whatever is wrong with a process. */
		return ret == -ESRCH ? -EINVAL : ret;
	}
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

/* Both versions of memory cgroups. */
static int check_memcg(void *data, const char *path)
{
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/memory"};
	char folder[4200];
	struct stat st;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		snprintf(folder, sizeof(folder), "%s/%s", roots[i], path);
		if (!stat(folder, &st) && S_ISDIR(st.st_mode))
			return 0;
	}
	return -ENOENT;
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
	log_say(LOG_LEVEL_NOTICE, "kdamond %u: on, %u targets, %u schemes", kdamond,
		ctx->nr_targets, ctx->nr_schemes);
}

static void event(void *data, uint32_t kdamond, struct damon_ctx *ctx,
		  const struct damon_event *event)
{
	log_say(strcmp(event->what, "gone") ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE,
		"kdamond %u: %s%s%s", kdamond, event->what, *event->detail ? ": " : "",
		event->detail);
}

static void stopped(void *data, uint32_t kdamond, struct damon_ctx *ctx, int result)
{
	struct damon_error err = {""};

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
		.data = host,
	};
}

/* The beginning and the end. */

static int register_processes(struct host *host)
{
	struct damon_error err = {""};
	struct damon_vaddr_env *engine;
	char missing[512];
	int ret;

	ret = find_engine(host, "auto", &engine, &err);
	if (!ret)
		return damon_vaddr_register(host->lib, engine);
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
	if (!host)
		return;
	damon_lib_free(host->lib);
	for (size_t i = 0; i < NR_ENGINES; i++)
		damon_vaddr_env_free(host->engines[i]);
	if (host->port)
		damon_port_posix_free(host->port);
	pthread_mutex_destroy(&host->lock);
	free(host);
}

struct damon_lib *host_lib(struct host *host)
{
	return host->lib;
}
