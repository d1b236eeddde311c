// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Writes to the tree, on as many threads as are waiting at once. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sysfs/fuse_writes.h"

/* More writers than this wait for one another; readers never do. */
#define MOST_THREADS 128
#define IDLE_SECONDS 5
/* What a write needs of stack is small, and 128 of them shouldn't reserve a gigabyte. */
#define STACK_BYTES (256 * 1024)

struct write {
	struct write *next;
	struct write *prev;
	struct fuse_writes *writes;
	fuse_req_t req;
	struct sysfs_interrupt interrupt;
	size_t len;
	char *buf;
	char path[];
};

/**
 * struct fuse_writes - all of them
 * @lock:	of everything below
 * @added:	there is one to take, or it is over
 * @done:	a thread has ended
 * @waiting_first, @waiting_last: not taken yet, in order
 * @running:	taken
 * @nr_threads, @nr_idle: how many there are, and how many of them have nothing to do
 * @accepted:	fuse_writes_accepted()
 */
struct fuse_writes {
	struct sysfs_tree *tree;
	pthread_mutex_t lock;
	pthread_cond_t added;
	pthread_cond_t done;
	pthread_attr_t attr;
	struct write *waiting_first;
	struct write *waiting_last;
	struct write *running;
	size_t nr_waiting;
	size_t nr_threads;
	size_t nr_idle;
	uint64_t accepted;
	bool ended;
};

int fuse_writes_new(struct fuse_writes **writes, struct sysfs_tree *tree)
{
	struct fuse_writes *new = calloc(1, sizeof(*new));
	pthread_condattr_t monotonic;

	if (!new)
		return -ENOMEM;
	new->tree = tree;
	pthread_mutex_init(&new->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&new->added, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&new->done, NULL);
	pthread_attr_init(&new->attr);
	pthread_attr_setdetachstate(&new->attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&new->attr, STACK_BYTES);
	*writes = new;
	return 0;
}

/* By libfuse, when the writer got a signal; not after fuse_req_interrupt_func(req, NULL, NULL). */
static void interrupted(fuse_req_t req, void *data)
{
	struct write *write = data;

	sysfs_interrupt_raise(write->writes->tree, &write->interrupt);
}

static void answer(struct write *write, int ret)
{
	fuse_req_interrupt_func(write->req, NULL, NULL);
	if (ret)
		fuse_reply_err(write->req, -ret);
	else
		fuse_reply_write(write->req, write->len);
	free(write);
}

/* With the lock held, which is given up while writing. */
static void serve_one(struct fuse_writes *writes)
{
	struct write *write = writes->waiting_first;
	int ret;

	writes->waiting_first = write->next;
	if (!writes->waiting_first)
		writes->waiting_last = NULL;
	writes->nr_waiting--;
	write->prev = NULL;
	write->next = writes->running;
	if (write->next)
		write->next->prev = write;
	writes->running = write;
	pthread_mutex_unlock(&writes->lock);

	ret = sysfs_write(writes->tree, write->path, write->buf, write->len, &write->interrupt);

	pthread_mutex_lock(&writes->lock);
	if (write->next)
		write->next->prev = write->prev;
	if (write->prev)
		write->prev->next = write->next;
	else
		writes->running = write->next;
	writes->accepted += !ret;
	pthread_mutex_unlock(&writes->lock);
	/* Not under the lock: libfuse has one of its own, which it holds in interrupted(). */
	answer(write, ret);
	pthread_mutex_lock(&writes->lock);
}

/* True when there is something to serve; false when there was nothing for a while. */
static bool wait_for_one(struct fuse_writes *writes)
{
	struct timespec until;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_SECONDS;
	writes->nr_idle++;
	while (!writes->waiting_first && !writes->ended && !ret)
		ret = pthread_cond_timedwait(&writes->added, &writes->lock, &until);
	writes->nr_idle--;
	return writes->waiting_first;
}

static void *serve(void *data)
{
	struct fuse_writes *writes = data;

	pthread_mutex_lock(&writes->lock);
	while (wait_for_one(writes))
		serve_one(writes);
	writes->nr_threads--;
	pthread_cond_broadcast(&writes->done);
	pthread_mutex_unlock(&writes->lock);
	return NULL;
}

/* Queue it and see to it that somebody takes it. -errno: it isn't queued. */
static int add(struct fuse_writes *writes, struct write *write)
{
	pthread_t thread;
	int ret = 0;

	pthread_mutex_lock(&writes->lock);
	if (writes->ended) {
		ret = -ENODEV;
	} else if (writes->nr_idle <= writes->nr_waiting && writes->nr_threads < MOST_THREADS) {
		ret = -pthread_create(&thread, &writes->attr, serve, writes);
		if (!ret)
			writes->nr_threads++;
		else if (writes->nr_threads)
			ret = 0; /* one of those there are will come to it */
	}
	if (!ret) {
		write->next = NULL;
		if (writes->waiting_last)
			writes->waiting_last->next = write;
		else
			writes->waiting_first = write;
		writes->waiting_last = write;
		writes->nr_waiting++;
		pthread_cond_signal(&writes->added);
	}
	pthread_mutex_unlock(&writes->lock);
	return ret;
}

void fuse_writes_add(struct fuse_writes *writes, fuse_req_t req, const char *path, const char *buf,
		     size_t len)
{
	size_t path_size = strlen(path) + 1;
	struct write *write = calloc(1, sizeof(*write) + path_size + len);
	int ret;

	if (!write) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	write->writes = writes;
	write->req = req;
	write->len = len;
	write->buf = write->path + path_size;
	memcpy(write->path, path, path_size);
	memcpy(write->buf, buf, len);
	/* Before it is queued: from then on it is the other thread's. */
	fuse_req_interrupt_func(req, interrupted, write);
	ret = add(writes, write);
	if (ret)
		answer(write, ret);
}

uint64_t fuse_writes_accepted(struct fuse_writes *writes)
{
	uint64_t accepted;

	pthread_mutex_lock(&writes->lock);
	accepted = writes->accepted;
	pthread_mutex_unlock(&writes->lock);
	return accepted;
}

void fuse_writes_end(struct fuse_writes *writes)
{
	pthread_mutex_lock(&writes->lock);
	writes->ended = true;
	/* Raising never waits, and the tree knows nothing of this lock. */
	for (struct write *write = writes->running; write; write = write->next)
		sysfs_interrupt_raise(writes->tree, &write->interrupt);
	for (struct write *write = writes->waiting_first; write; write = write->next)
		sysfs_interrupt_raise(writes->tree, &write->interrupt);
	pthread_cond_broadcast(&writes->added);
	while (writes->nr_threads)
		pthread_cond_wait(&writes->done, &writes->lock);
	pthread_mutex_unlock(&writes->lock);
}

void fuse_writes_free(struct fuse_writes *writes)
{
	if (!writes)
		return;
	pthread_attr_destroy(&writes->attr);
	pthread_cond_destroy(&writes->added);
	pthread_cond_destroy(&writes->done);
	pthread_mutex_destroy(&writes->lock);
	free(writes);
}
