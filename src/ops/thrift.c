/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Looking less often at regions that stay as they are.
 */
#include "ops/thrift.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One of several arrays of the same length; what is there already stays valid when it fails. */
static bool enlarge(void *array, size_t nr, size_t size)
{
	void **old = array, *new = realloc(*old, nr * size);

	if (new)
		*old = new;
	return new;
}

static int make_room(struct thrift *thrift, size_t nr)
{
	size_t capacity = thrift->capacity ? thrift->capacity : 1024;

	if (nr <= thrift->capacity)
		return 0;
	while (capacity < nr)
		capacity *= 2;
	if (!enlarge(&thrift->answers, capacity, sizeof(*thrift->answers)) ||
	    !enlarge(&thrift->ranges, capacity, sizeof(*thrift->ranges)) ||
	    !enlarge(&thrift->steady, capacity, sizeof(*thrift->steady)) ||
	    !enlarge(&thrift->held, capacity, sizeof(*thrift->held)) ||
	    !enlarge(&thrift->addrs, capacity, sizeof(*thrift->addrs)))
		return -ENOMEM;
	thrift->capacity = capacity;
	return 0;
}

/* The first of a window, all are looked at; then the steady ones take turns. */
static bool is_due(const struct thrift *thrift, size_t idx)
{
	return !thrift->steady[idx] || !thrift->turn || (idx + thrift->turn) % THRIFT_EVERY == 0;
}

static bool begins(const struct thrift *thrift, const struct damon_batch *batch)
{
	return !thrift->begun || thrift->nr != batch->nr ||
	       memcmp(thrift->ranges, batch->ranges, batch->nr * sizeof(*batch->ranges)) != 0;
}

int thrift_pick(struct thrift *thrift, const struct damon_batch *batch, thrift_steady *steady,
		void *data)
{
	size_t i;
	int ret = make_room(thrift, batch->nr);

	if (ret)
		return ret;
	thrift->turn++;
	if (begins(thrift, batch)) {
		memcpy(thrift->ranges, batch->ranges, batch->nr * sizeof(*batch->ranges));
		for (i = 0; i < batch->nr; i++)
			thrift->steady[i] = steady(data, i);
		thrift->nr = batch->nr;
		thrift->begun = true;
		thrift->turn = 0;
	}
	thrift->nr_due = 0;
	for (i = 0; i < batch->nr; i++) {
		if (is_due(thrift, i))
			thrift->addrs[thrift->nr_due++] = batch->sampling_addrs[i];
	}
	return 0;
}

void thrift_spread(struct thrift *thrift, const struct damon_batch *batch)
{
	size_t i, next = 0;

	for (i = 0; i < batch->nr; i++) {
		if (is_due(thrift, i))
			thrift->held[i] = thrift->answers[next++];
		batch->access[i] = thrift->held[i];
	}
}

void thrift_end_window(struct thrift *thrift)
{
	thrift->begun = false;
}

void thrift_clear(struct thrift *thrift)
{
	free(thrift->answers);
	free(thrift->ranges);
	free(thrift->steady);
	free(thrift->held);
	free(thrift->addrs);
	*thrift = (struct thrift){};
}
