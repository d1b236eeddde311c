// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Saving what has changed: one transaction, or none where nothing has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/restore.h"
#include "daemon/saver.h"

#define MOST_KDAMONDS 4096

/* What is about to be written; collected first, so that the transaction is short. */
struct batch {
	bool staged_too;
	struct saved staged;
	uint32_t *running;
	size_t nr_running;
	struct knowledge *taken;
	size_t nr_taken;
};

static int collect(struct saver *saver, bool staged_too, bool anew, struct batch *batch)
{
	int ret = 0;

	batch->staged_too = staged_too;
	batch->nr_running = monitors_running(saver->monitors, NULL, 0);
	if (batch->nr_running > MOST_KDAMONDS)
		batch->nr_running = MOST_KDAMONDS;
	batch->running = calloc(batch->nr_running + 1, sizeof(*batch->running));
	batch->taken = calloc(batch->nr_running + 1, sizeof(*batch->taken));
	if (!batch->running || !batch->taken)
		return -ENOMEM;
	/* Some may have ended between the two calls. */
	ret = (int)monitors_running(saver->monitors, batch->running, batch->nr_running);
	if ((size_t)ret < batch->nr_running)
		batch->nr_running = (size_t)ret;
	for (size_t i = 0; i < batch->nr_running; i++)
		if (monitors_take(saver->monitors, batch->running[i], anew,
				  &batch->taken[batch->nr_taken]) == MONITORS_TAKEN)
			batch->nr_taken++;
	return staged_too ? restore_collect(saver->tree, &batch->staged) : 0;
}

static void batch_clear(struct batch *batch)
{
	saved_clear(&batch->staged);
	for (size_t i = 0; i < batch->nr_taken; i++)
		knowledge_clear(&batch->taken[i]);
	free(batch->taken);
	free(batch->running);
}

static int write_batch(struct saver *saver, const struct batch *batch, bool running_too,
		       struct damon_error *err)
{
	state_begin(saver->state);
	state_put_config(saver->state, saver->config);
	if (batch->staged_too)
		state_put_staged(saver->state, &batch->staged);
	if (running_too)
		state_keep_running(saver->state, batch->running, batch->nr_running);
	for (size_t i = 0; i < batch->nr_taken; i++)
		state_put_running(saver->state, &batch->taken[i]);
	return state_end(saver->state, err);
}

void saver_save(struct saver *saver, uint64_t writes, bool all)
{
	uint64_t changes = monitors_changes(saver->monitors);
	bool first = all || !saver->begun || saver->failed;
	bool staged_too = first || writes != saver->writes;
	bool running_too = first || changes != saver->changes;
	struct damon_error err = {""};
	struct batch batch = {.nr_taken = 0};
	int ret;

	ret = collect(saver, staged_too, first, &batch);
	if (ret)
		damon_error_set(&err, ret, "cannot save the state: %s", strerror(-ret));
	else if (staged_too || running_too || batch.nr_taken)
		ret = write_batch(saver, &batch, running_too, &err);
	batch_clear(&batch);
	if (ret && !saver->failed)
		log_say(LOG_LEVEL_ERROR,
			"%s; monitoring goes on, and it is tried again, but what is learned "
			"meanwhile would not survive",
			err.text);
	else if (!ret && saver->failed)
		log_say(LOG_LEVEL_NOTICE, "the state is saved again");
	saver->failed = ret != 0;
	if (ret)
		return;
	saver->begun = true;
	saver->writes = writes;
	saver->changes = changes;
}
