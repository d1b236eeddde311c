/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Giving the kernel advice on ranges of another process: a vector of them at a time.
 *
 * The kernel takes a vector of ranges, stops at the first one it refuses, and
 * tells how many bytes it did before. So the range after those bytes is the bad one;
 * asked for alone it gives the reason.
 */
#include "access/clear.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* newer than the C library's header */
#endif

/* Most ranges the kernel takes in one call (UIO_MAXIOV). */
#define MAX_RANGES_PER_CALL 1024

/*
 * The kernel does somewhat less than 2 GiB in one call and leaves the rest, so a range of more would
 * never be done as a whole. Nor may all of a call together be more: where it stops in the middle of a
 * huge page, it has split that one before.
 */
#define MAX_RANGE_BYTES (1ULL << 30)
#define MAX_CALL_BYTES	(2 * MAX_RANGE_BYTES - 1)

/*
 * A call that is interrupted, or finds something locked for the moment, is repeated so often; less often
 * where each try is a lot of work.
 */
#define MAX_TRIES	   100
#define MAX_COLLAPSE_TRIES 3

struct clear_list {
	size_t nr;
	size_t capacity;
	struct iovec *ranges;
	size_t *tags;
	clear_callback *busy;
};

struct clear_list *clear_list_new(void)
{
	return calloc(1, sizeof(struct clear_list));
}

void clear_list_free(struct clear_list *list)
{
	if (!list)
		return;
	free(list->ranges);
	free(list->tags);
	free(list);
}

void clear_list_reset(struct clear_list *list)
{
	list->nr = 0;
}

static int grow(struct clear_list *list)
{
	size_t capacity = list->capacity ? 2 * list->capacity : MAX_RANGES_PER_CALL;
	struct iovec *ranges;
	size_t *tags;

	ranges = realloc(list->ranges, capacity * sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	list->ranges = ranges;
	tags = realloc(list->tags, capacity * sizeof(*tags));
	if (!tags)
		return -ENOMEM;
	list->tags = tags;
	list->capacity = capacity;
	return 0;
}

int clear_list_add(struct clear_list *list, uint64_t start, uint64_t end, size_t tag)
{
	uint64_t part;

	for (; start < end; start += part) {
		/* It may be cut only where no huge page is. */
		part = MAX_RANGE_BYTES - start % MAX_RANGE_BYTES;
		if (part > end - start)
			part = end - start;
		if (list->nr == list->capacity && grow(list))
			return -ENOMEM;
		list->ranges[list->nr].iov_base = (void *)(uintptr_t)start;
		list->ranges[list->nr].iov_len = part;
		list->tags[list->nr++] = tag;
	}
	return 0;
}

void clear_list_on_busy(struct clear_list *list, clear_callback *busy)
{
	list->busy = busy;
}

static void tell(const struct clear_list *list, size_t idx, clear_callback *callback, void *data)
{
	uint64_t start = (uintptr_t)list->ranges[idx].iov_base;

	if (callback)
		callback(data, start, start + list->ranges[idx].iov_len, list->tags[idx]);
}

/* How many ranges from @first on one call does. */
static size_t nr_fitting(const struct clear_list *list, size_t first)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = first; i < list->nr && i - first < MAX_RANGES_PER_CALL; i++) {
		bytes += list->ranges[i].iov_len;
		if (bytes > MAX_CALL_BYTES)
			break;
	}
	return i - first;
}

/* One call from range @first on: bytes done, or -errno for that range. */
static ssize_t call(struct clear_list *list, int pidfd, int advice, size_t first,
		    struct clear_result *result)
{
	unsigned int tries = 0, max = advice == MADV_COLLAPSE ? MAX_COLLAPSE_TRIES : MAX_TRIES;
	size_t nr = nr_fitting(list, first);
	ssize_t ret;

	/* What didn't pass before won't soon; the interval goes on meanwhile. */
	if (result->nr_busy)
		max = 1;
	do {
		result->nr_calls++;
		ret = syscall(SYS_process_madvise, pidfd, &list->ranges[first], nr, advice, 0);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN) && ++tries < max);
	return ret < 0 ? -errno : ret;
}

/* The kernel was too often interrupted, or lacked something for the moment. */
static bool is_busy(ssize_t err)
{
	return err == -EAGAIN || err == -EINTR;
}

/* Whether no other range would fare better. */
static bool is_hopeless(int advice, ssize_t err)
{
	if (advice == MADV_COLD)
		return err != -EINVAL && err != -ENOMEM && !is_busy(err);
	return err == -ESRCH || err == -EPERM || err == -EACCES || err == -ENOSYS;
}

int clear_list_advise(struct clear_list *list, int pidfd, int advice, clear_callback *refused,
		      clear_callback *accepted, void *data, struct clear_result *result)
{
	size_t first = 0;
	ssize_t done;

	*result = (struct clear_result){};
	while (first < list->nr) {
		done = call(list, pidfd, advice, first, result);
		if (done < 0 && is_hopeless(advice, done))
			return (int)done;
		if (is_busy(done) && advice == MADV_COLD) {
			result->nr_busy++;
			tell(list, first, list->busy, data);
		} else if (done < 0 && done != -ENOMEM) {
			tell(list, first, refused, data);
		}
		/* A refused range, one that isn't mapped any more, or (0) nothing that could be said. */
		if (done <= 0) {
			first++;
			continue;
		}
		while (first < list->nr && (size_t)done >= list->ranges[first].iov_len) {
			done -= (ssize_t)list->ranges[first].iov_len;
			tell(list, first++, accepted, data);
			result->nr_cleared++;
			if (!done)
				break;
		}
	}
	return 0;
}

int clear_list_run(struct clear_list *list, int pidfd, clear_callback *refused,
		   clear_callback *accepted, void *data, struct clear_result *result)
{
	return clear_list_advise(list, pidfd, MADV_COLD, refused, accepted, data, result);
}
