// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The live port: POSIX threads, the monotonic clock, and the C library's memory. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <udamon/port.h>

#include "port/probes.h"

#define NSEC_PER_SEC 1000000000ULL

struct damon_thread {
	pthread_t handle;
	char name[16];
	void (*fn)(void *arg);
	void *arg;
};

struct damon_mutex {
	pthread_mutex_t mutex;
};

struct damon_cond {
	pthread_cond_t cond;
};

static void *posix_alloc(struct damon_port *port, size_t size)
{
	return calloc(1, size ? size : 1);
}

static void posix_free(struct damon_port *port, void *ptr)
{
	free(ptr);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static uint64_t posix_now_ns(struct damon_port *port)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t posix_seed(struct damon_port *port)
{
	uint64_t seed = 0;

	/* Early in boot the pool may be empty; the clock is then as good as it gets. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed) || !seed)
		seed = clock_ns(CLOCK_REALTIME) ^ (uint64_t)getpid() << 32;
	return seed ? seed : 1;
}

static uint64_t posix_thread_cpu_ns(struct damon_port *port)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static uint64_t posix_thread_self(struct damon_port *port)
{
	/* The kernel's number, so that people find the thread with ps and top. */
	static _Thread_local uint64_t self;

	if (!self)
		self = (uint64_t)gettid();
	return self;
}

static void *thread_main(void *arg)
{
	struct damon_thread *thread = arg;

	pthread_setname_np(pthread_self(), thread->name);
	thread->fn(thread->arg);
	return NULL;
}

static int posix_thread_start(struct damon_port *port, struct damon_thread **thread,
			      const char *name, void (*fn)(void *arg), void *arg)
{
	struct damon_thread *new = calloc(1, sizeof(*new));
	sigset_t all, old;
	int err;

	if (!new)
		return -ENOMEM;
	strncpy(new->name, name, sizeof(new->name) - 1);
	new->fn = fn;
	new->arg = arg;
	/* Signals are the program's business: none is to land on a thread of the library. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&new->handle, NULL, thread_main, new);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		free(new);
		return -err;
	}
	*thread = new;
	return 0;
}

static void posix_thread_join(struct damon_port *port, struct damon_thread *thread)
{
	pthread_join(thread->handle, NULL);
	free(thread);
}

static int posix_mutex_new(struct damon_port *port, struct damon_mutex **mutex)
{
	struct damon_mutex *new = malloc(sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	err = pthread_mutex_init(&new->mutex, NULL);
	if (err) {
		free(new);
		return -err;
	}
	*mutex = new;
	return 0;
}

static void posix_mutex_free(struct damon_port *port, struct damon_mutex *mutex)
{
	if (!mutex)
		return;
	pthread_mutex_destroy(&mutex->mutex);
	free(mutex);
}

static void posix_mutex_lock(struct damon_port *port, struct damon_mutex *mutex)
{
	pthread_mutex_lock(&mutex->mutex);
}

static void posix_mutex_unlock(struct damon_port *port, struct damon_mutex *mutex)
{
	pthread_mutex_unlock(&mutex->mutex);
}

static int posix_cond_new(struct damon_port *port, struct damon_cond **cond)
{
	struct damon_cond *new = malloc(sizeof(*new));
	pthread_condattr_t attr;
	int err;

	if (!new)
		return -ENOMEM;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	err = pthread_cond_init(&new->cond, &attr);
	pthread_condattr_destroy(&attr);
	if (err) {
		free(new);
		return -err;
	}
	*cond = new;
	return 0;
}

static void posix_cond_free(struct damon_port *port, struct damon_cond *cond)
{
	if (!cond)
		return;
	pthread_cond_destroy(&cond->cond);
	free(cond);
}

static int posix_cond_wait(struct damon_port *port, struct damon_cond *cond,
			   struct damon_mutex *mutex, uint64_t deadline_ns)
{
	struct timespec ts;

	if (deadline_ns == DAMON_NO_DEADLINE) {
		pthread_cond_wait(&cond->cond, &mutex->mutex);
		return 0;
	}
	ts.tv_sec = (time_t)(deadline_ns / NSEC_PER_SEC);
	ts.tv_nsec = (long)(deadline_ns % NSEC_PER_SEC);
	return pthread_cond_timedwait(&cond->cond, &mutex->mutex, &ts) == ETIMEDOUT ? -ETIMEDOUT
										    : 0;
}

static void posix_cond_wake_all(struct damon_port *port, struct damon_cond *cond)
{
	pthread_cond_broadcast(&cond->cond);
}

static const struct damon_port posix_port = {
	.alloc = posix_alloc,
	.free = posix_free,
	.now_ns = posix_now_ns,
	.seed = posix_seed,
	.thread_cpu_ns = posix_thread_cpu_ns,
	.thread_self = posix_thread_self,
	.thread_start = posix_thread_start,
	.thread_join = posix_thread_join,
	.mutex_new = posix_mutex_new,
	.mutex_free = posix_mutex_free,
	.mutex_lock = posix_mutex_lock,
	.mutex_unlock = posix_mutex_unlock,
	.cond_new = posix_cond_new,
	.cond_free = posix_cond_free,
	.cond_wait = posix_cond_wait,
	.cond_wake_all = posix_cond_wake_all,
	.tracing = probes_tracing,
	.trace = probes_trace,
};

struct damon_port *damon_port_posix_new(void)
{
	struct damon_port *port = malloc(sizeof(*port));

	if (port)
		*port = posix_port;
	return port;
}

void damon_port_posix_free(struct damon_port *port)
{
	free(port);
}
