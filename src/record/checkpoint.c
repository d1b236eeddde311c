// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Moving the write-ahead log into the record, on a thread of its own. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "record/checkpoint.h"
#include "record/database.h"

struct checkpointer {
	sqlite3 *db;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool wanted;
	bool stop;
};

static void *checkpoint_thread(void *arg)
{
	struct checkpointer *checkpointer = arg;

	pthread_mutex_lock(&checkpointer->mutex);
	while (!checkpointer->stop) {
		if (!checkpointer->wanted) {
			pthread_cond_wait(&checkpointer->cond, &checkpointer->mutex);
			continue;
		}
		checkpointer->wanted = false;
		pthread_mutex_unlock(&checkpointer->mutex);
		/*
		 * A passive one holds up neither writer nor readers. Should it fail (a full disk,
		 * say) the log just grows on, and the next wake-up tries again.
		 */
		sqlite3_wal_checkpoint_v2(checkpointer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
					  NULL);
		pthread_mutex_lock(&checkpointer->mutex);
	}
	pthread_mutex_unlock(&checkpointer->mutex);
	return NULL;
}

/* Signals are for the program's own threads. */
static int start_thread(struct checkpointer *checkpointer)
{
	sigset_t all, before;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&checkpointer->thread, NULL, checkpoint_thread, checkpointer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!code)
		pthread_setname_np(checkpointer->thread, "record");
	return code;
}

int checkpointer_start(struct checkpointer **checkpointer, const char *path,
		       struct damon_error *err)
{
	struct checkpointer *made = calloc(1, sizeof(*made));
	int rc;

	if (!made)
		return record_fail(err, -ENOMEM, "can't write to", path);
	pthread_mutex_init(&made->mutex, NULL);
	pthread_cond_init(&made->cond, NULL);
	rc = sqlite3_open_v2(path, &made->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (!rc)
		rc = sqlite3_exec(made->db, "PRAGMA synchronous=NORMAL; PRAGMA user_version", NULL,
				  NULL, NULL);
	if (rc) {
		rc = record_database_fail(err, made->db, rc, "can't write to", path);
		goto fail;
	}
	rc = start_thread(made);
	if (rc) {
		rc = record_fail(err, -rc, "can't start the thread that writes to", path);
		goto fail;
	}
	*checkpointer = made;
	return 0;
fail:
	sqlite3_close(made->db);
	pthread_cond_destroy(&made->cond);
	pthread_mutex_destroy(&made->mutex);
	free(made);
	return rc;
}

void checkpointer_wake(struct checkpointer *checkpointer)
{
	pthread_mutex_lock(&checkpointer->mutex);
	checkpointer->wanted = true;
	pthread_cond_signal(&checkpointer->cond);
	pthread_mutex_unlock(&checkpointer->mutex);
}

void checkpointer_stop(struct checkpointer *checkpointer)
{
	if (!checkpointer)
		return;
	pthread_mutex_lock(&checkpointer->mutex);
	checkpointer->stop = true;
	pthread_cond_signal(&checkpointer->cond);
	pthread_mutex_unlock(&checkpointer->mutex);
	pthread_join(checkpointer->thread, NULL);
	sqlite3_close(checkpointer->db);
	pthread_cond_destroy(&checkpointer->cond);
	pthread_mutex_destroy(&checkpointer->mutex);
	free(checkpointer);
}
