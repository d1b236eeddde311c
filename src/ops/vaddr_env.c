/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What all contexts that watch processes share: calibration, the processes their targets mean.
 */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/capability.h"
#include "ops/vaddr_internal.h"

/*
 * A process number and which process was meant by it, for as long as the environment is there: who it
 * was is enough to know whether the number has become another's. A descriptor would keep no number.
 */
struct meant_process {
	struct meant_process *next;
	struct process_info info;
};

struct damon_vaddr_env {
	struct page_calibration calibration;
	enum vaddr_engine engine;
	struct scan_options scan;
	struct toll toll;
	uint32_t budget_bp;
	/* As on this kernel. */
	struct damon_operations vaddr;
	struct damon_operations fvaddr;
	pthread_mutex_t lock; /* protects the rest */
	struct meant_process *meant;
	int error_code;
	struct damon_error error;
};

/* Which engine a name means; -1 for none. */
static int find_engine(const char *name)
{
	if (!strcmp(name, "auto"))
		return VADDR_AUTO;
	if (!strcmp(name, "point"))
		return VADDR_POINT;
	return strcmp(name, "scan") ? -1 : VADDR_SCAN;
}

int damon_vaddr_env_new(struct damon_vaddr_env **env, const struct damon_vaddr_options *options,
			struct damon_error *err)
{
	const char *engine = options && options->engine ? options->engine : "auto";
	struct damon_vaddr_env *new;
	int ret, kind;

	*env = NULL;
	kind = find_engine(engine);
	if (kind < 0)
		return damon_error_set(
			err, -EINVAL,
			"no access engine '%s' for processes: it is auto, point or scan", engine);
	new = calloc(1, sizeof(*new));
	if (!new)
		return damon_error_set(err, -ENOMEM, "out of memory");
	ret = page_calibrate(&new->calibration, err);
	if (ret) {
		free(new);
		return ret;
	}
	new->engine = (enum vaddr_engine)kind;
	if (options) {
		new->scan = (struct scan_options){.max_stall_us = options->max_stall_us,
						  .no_flush = options->no_flush};
		new->budget_bp = options->budget_bp;
	}
	toll_measure(&new->toll);
	new->scan.used_page_ns = new->toll.page_ns;
	new->vaddr = vaddr_operations;
	vaddr_scheme_support(&new->vaddr.actions, &new->vaddr.filters);
	new->fvaddr = fvaddr_operations;
	vaddr_scheme_support(&new->fvaddr.actions, &new->fvaddr.filters);
	pthread_mutex_init(&new->lock, NULL);
	*env = new;
	return 0;
}

void damon_vaddr_env_free(struct damon_vaddr_env *env)
{
	struct meant_process *meant;

	if (!env)
		return;
	while ((meant = env->meant)) {
		env->meant = meant->next;
		free(meant);
	}
	pthread_mutex_destroy(&env->lock);
	free(env);
}

const char *damon_vaddr_env_engine(const struct damon_vaddr_env *env)
{
	switch (env->engine) {
	case VADDR_POINT:
		return "point";
	case VADDR_SCAN:
		return "scan";
	case VADDR_AUTO:
		break;
	}
	return "auto";
}

enum vaddr_engine vaddr_env_engine_kind(struct damon_vaddr_env *env, const struct damon_ctx *ctx)
{
	enum vaddr_engine engine;

	pthread_mutex_lock(&env->lock);
	if (env->engine == VADDR_AUTO)
		env->engine = vaddr_choose(ctx, env);
	engine = env->engine;
	pthread_mutex_unlock(&env->lock);
	return engine;
}

const char *damon_vaddr_choose_engine(struct damon_vaddr_env *env, const struct damon_ctx *ctx)
{
	return vaddr_env_engine_kind(env, ctx) == VADDR_SCAN ? "scan" : "point";
}

const struct toll *vaddr_env_toll(const struct damon_vaddr_env *env)
{
	return &env->toll;
}

uint32_t vaddr_env_budget(const struct damon_vaddr_env *env)
{
	return env->budget_bp;
}

const struct scan_options *vaddr_env_scan_options(const struct damon_vaddr_env *env)
{
	return &env->scan;
}

const struct page_calibration *vaddr_env_calibration(const struct damon_vaddr_env *env)
{
	return &env->calibration;
}

int vaddr_env_fail(struct damon_vaddr_env *env, int code, const struct damon_error *err)
{
	pthread_mutex_lock(&env->lock);
	env->error_code = code;
	env->error = *err;
	pthread_mutex_unlock(&env->lock);
	return code;
}

int damon_vaddr_env_error(struct damon_vaddr_env *env, struct damon_error *err)
{
	int code;

	pthread_mutex_lock(&env->lock);
	code = env->error_code;
	if (err)
		*err = env->error;
	env->error_code = 0;
	env->error.text[0] = '\0';
	pthread_mutex_unlock(&env->lock);
	return code;
}

int damon_vaddr_register(struct damon_lib *lib, struct damon_vaddr_env *env)
{
	int ret = damon_register_ops(lib, &env->vaddr, env);

	return ret ? ret : damon_register_ops(lib, &env->fvaddr, env);
}

static struct meant_process *find_meant(struct damon_vaddr_env *env, pid_t pid)
{
	struct meant_process *meant;

	for (meant = env->meant; meant; meant = meant->next) {
		if (meant->info.pid == pid)
			return meant;
	}
	return NULL;
}

/* The number now means this process. */
static int set_meant(struct damon_vaddr_env *env, const struct process_info *info)
{
	struct meant_process *meant;

	pthread_mutex_lock(&env->lock);
	meant = find_meant(env, info->pid);
	if (!meant && (meant = calloc(1, sizeof(*meant)))) {
		meant->next = env->meant;
		env->meant = meant;
	}
	if (meant)
		meant->info = *info;
	pthread_mutex_unlock(&env->lock);
	return meant ? 0 : -ENOMEM;
}

int damon_vaddr_target_new(struct damon_target **target, struct damon_lib *lib,
			   struct damon_vaddr_env *env, pid_t pid, struct damon_error *err)
{
	struct process_info info;
	int pidfd, ret;

	*target = NULL;
	ret = process_open(pid, &pidfd, &info, err);
	if (ret)
		return ret;
	/* Better told now than by the start. Of a zombie some kernels open the file, which is empty. */
	ret = process_state(pidfd) == PROCESS_ALIVE ? pagemap_open(pid) : -ESRCH;
	if (ret == -ESRCH || ret == -ENOENT) {
		close(pidfd);
		return damon_error_set(err, -ESRCH, "process %d (%s) has exited", (int)pid,
				       info.comm);
	}
	if (ret < 0) {
		close(pidfd);
		return damon_error_set(err, ret,
				       "may not look at the memory of process %d (%s): %s (%s)",
				       (int)pid, info.comm, strerror(-ret),
				       capability_have(CAP_SYS_PTRACE)
					       ? "it is protected even from CAP_SYS_PTRACE"
					       : "needs CAP_SYS_PTRACE; run as root");
	}
	close(ret);
	close(pidfd);
	ret = set_meant(env, &info);
	if (!ret)
		ret = damon_new_target(target, lib);
	if (ret)
		return damon_error_set(err, ret, "out of memory");
	(*target)->pid = pid;
	return 0;
}

int vaddr_env_open(struct damon_vaddr_env *env, pid_t pid, int *pidfd, struct process_info *info,
		   struct damon_error *err)
{
	struct meant_process *meant;
	uint64_t start_time = 0;
	int ret;

	pthread_mutex_lock(&env->lock);
	meant = find_meant(env, pid);
	if (meant)
		start_time = meant->info.start_time;
	pthread_mutex_unlock(&env->lock);
	ret = process_open(pid, pidfd, info, err);
	if (ret)
		return ret;
	if (!start_time || start_time == info->start_time)
		return 0;
	close(*pidfd);
	*pidfd = -1;
	return damon_error_set(
		err, -ESRCH, "process %d has ended, and its number now belongs to another one (%s)",
		(int)pid, info->comm);
}
