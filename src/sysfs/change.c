// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Changes of a kdamond's state: what a write to "state" does, and who waits for what.
 *
 * Every change that has to wait for a kdamond is done by a thread of its own; the thread that wrote
 * waits for that one, and can be interrupted at any time: a request that the kdamond hasn't
 * begun to serve is withdrawn, a start or stop goes on without its writer. So a
 * kdamond that is stuck holds nobody but those who insist on changing it.
 *
 * Changes of what is in force (on, off, commits) take turns, one at a time for each kdamond, and whoever
 * doesn't get its turn in 5 s is refused with -EBUSY. What only looks (update_*) needs no turn: any
 * number of them run at once, beside a change too. They hold a reference to the run, so the
 * context they ask stays there until they have returned; when it is stopped under them they get
 * -ECANCELED.
 *
 * The values that a start or commit uses are copied when it gets its turn, in one step.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs/change.h"

/* How often a withdrawal is tried again while the request is on its way to the kdamond, us. */
#define WITHDRAW_US 10000

static bool takes_turn(enum sysfs_change change)
{
	return change <= SYSFS_COMMIT_GOALS;
}

static bool is_walk(enum sysfs_change change)
{
	return change == SYSFS_UPDATE_TRIED_BYTES || change == SYSFS_UPDATE_TRIED_REGIONS;
}

/* Life. */

static void op_free(struct sysfs_op *op)
{
	size_t i;

	for (i = 0; i < op->nr_tried; i++)
		sysfs_tried_put(op->tried[i]);
	free(op->tried);
	sysfs_dir_free(op->values);
	free(op);
}

/* Its thread has nothing left to do but to return. Without the lock. */
static void op_join(struct sysfs_op *op)
{
	op->tree->port->thread_join(op->tree->port, op->thread);
	op_free(op);
}

void sysfs_join_abandoned(struct sysfs_tree *tree, bool all)
{
	struct sysfs_op **link, *op;

	sysfs_lock(tree);
	for (link = &tree->abandoned; (op = *link);) {
		if (!op->done && !all) {
			link = &op->next;
			continue;
		}
		while (!op->done)
			sysfs_wait(tree, DAMON_NO_DEADLINE, NULL);
		*link = op->next;
		sysfs_unlock(tree);
		op_join(op);
		sysfs_lock(tree);
		link = &tree->abandoned;
	}
	sysfs_unlock(tree);
}

/* The reason why, for the file "error" and the log; tree locked. */
static void note_refusal(struct sysfs_kdamond *kdamond, enum sysfs_change change, int code,
			 const struct damon_error *why)
{
	const char *text = why->text;

	if (!*text)
		text = code == -EBUSY	    ? "another change of this kdamond is under way"
		       : code == -ECANCELED ? "the kdamond is not running, or stopped meanwhile"
		       : code == -EINTR	    ? "interrupted"
					    : strerror(-code);
	damon_error_set(&kdamond->error, 0, "%s: %s", sysfs_state_keywords[change], text);
}

/* On the thread of the change. */

static void op_main(void *arg)
{
	struct sysfs_op *op = arg;
	struct sysfs_tree *tree = op->tree;
	struct sysfs_kdamond *kdamond = op->kdamond;
	const struct sysfs_host *host = &tree->host;
	uint32_t number = kdamond->number;
	char line[700];
	int result;

	result = sysfs_op_run(op);
	if (host->log && (result || takes_turn(op->change))) {
		snprintf(line, sizeof(line), "%s: %s%s%s", sysfs_state_keywords[op->change],
			 result ? strerror(-result) : "done", op->err.text[0] ? ": " : "",
			 op->err.text);
		host->log(host->data, result ? SYSFS_LOG_WARNING : SYSFS_LOG_INFO, number, line);
	}
	sysfs_lock(tree);
	while (op->withdrawing)
		sysfs_wait(tree, DAMON_NO_DEADLINE, NULL);
	if (result)
		note_refusal(kdamond, op->change,
			     op->withdrawn && result == -ECANCELED ? -EINTR : result, &op->err);
	if (takes_turn(op->change))
		sysfs_end_turn(kdamond);
	sysfs_run_put(op->run);
	sysfs_kdamond_put(kdamond);
	op->result = result;
	op->done = true;
	tree->port->cond_wake_all(tree->port, tree->changed);
	sysfs_unlock(tree);
	/* @op may be gone; the tree isn't before this thread was joined. */
	sysfs_bury_runs(tree);
}

/* On the thread of the writer. Tree locked. */

/*
 * Takes back what the change asks of the kdamond, unless that has begun. Drops the lock meanwhile;
 * op_main() lets nothing of @op go as long as somebody is in here.
 */
static void withdraw(struct sysfs_op *op)
{
	struct sysfs_tree *tree = op->tree;
	struct damon_port *port = tree->port;

	op->withdrawn = op->withdrawing = true;
	while (op->asking && !op->begun) {
		sysfs_unlock(tree);
		if (is_walk(op->change))
			damos_walk_cancel(op->run->ctx, &op->walk);
		else
			damon_call_cancel(op->run->ctx, &op->call);
		sysfs_lock(tree);
		/* It may not have been in the kdamond's list yet. */
		if (op->asking)
			port->cond_wait(port, tree->changed, tree->lock,
					port->now_ns(port) + WITHDRAW_US * 1000ULL);
	}
	op->withdrawing = false;
	port->cond_wake_all(port, tree->changed);
}

/* Drops the lock. @op is freed, or left to sysfs_join_abandoned(). */
static int wait_for(struct sysfs_op *op, const struct sysfs_interrupt *interrupt)
{
	struct sysfs_tree *tree = op->tree;
	bool interrupted = false;
	int result;

	while (!op->done && !interrupted)
		interrupted = sysfs_wait(tree, DAMON_NO_DEADLINE, interrupt) == -EINTR;
	if (!op->done && op->change != SYSFS_ON && op->change != SYSFS_OFF) {
		withdraw(op);
		while (!op->done && !op->begun)
			sysfs_wait(tree, DAMON_NO_DEADLINE, NULL);
	}
	if (!op->done) {
		op->next = tree->abandoned;
		tree->abandoned = op;
		sysfs_unlock(tree);
		return -EINTR;
	}
	sysfs_unlock(tree);
	result = op->withdrawn && op->result == -ECANCELED ? -EINTR : op->result;
	op_join(op);
	return result;
}

/* What can be said at once: 0, or why it is refused. */
static int check_change(struct sysfs_kdamond *kdamond, enum sysfs_change change,
			struct damon_error *why)
{
	bool has_context;

	if (!kdamond->dir)
		return -ENOENT;
	has_context = sysfs_dir_at(kdamond->dir, "contexts/0") != NULL;
	if (change != SYSFS_OFF && !has_context)
		return damon_error_set(why, -EINVAL,
				       "contexts/nr_contexts: '0': there is no context");
	if (change == SYSFS_CLEAR_TRIED_REGIONS)
		return 0;
	if (change == SYSFS_ON) {
		if (sysfs_kdamond_running(kdamond))
			return damon_error_set(why, -EBUSY, "it is on already");
		return 0;
	}
	if (!kdamond->run)
		return damon_error_set(why, -EINVAL, "it has never been on");
	if (change != SYSFS_OFF && !sysfs_kdamond_running(kdamond))
		return damon_error_set(why, -ECANCELED, "it is off");
	return 0;
}

static void clear_tried(struct sysfs_kdamond *kdamond)
{
	struct sysfs_dir *schemes = sysfs_dir_at(kdamond->dir, "contexts/0/schemes");
	size_t i;

	for (i = 0; i < schemes->nr_numbered; i++) {
		sysfs_tried_put(schemes->numbered[i]->tried);
		schemes->numbered[i]->tried = NULL;
	}
}

/* Everything that the thread of the change needs; it isn't started yet. */
static int op_new(struct sysfs_kdamond *kdamond, enum sysfs_change change, struct sysfs_op **op)
{
	struct sysfs_op *new = calloc(1, sizeof(*new));
	int err = 0;

	if (!new)
		return -ENOMEM;
	new->tree = kdamond->tree;
	new->kdamond = kdamond;
	new->change = change;
	new->choices.engine = sysfs_keyword(kdamond->ours, "engine");
	new->choices.budget_bp = sysfs_number(kdamond->ours, "budget");
	if (takes_turn(change) && change != SYSFS_OFF)
		err = sysfs_dir_copy(&new->values, sysfs_dir_at(kdamond->dir, "contexts/0"));
	if (err) {
		op_free(new);
		return err;
	}
	if (change != SYSFS_ON)
		new->run = kdamond->run;
	if (new->run)
		new->run->refs++;
	*op = new;
	return 0;
}

/* Has the lock, and the turn if the change takes one; both are gone afterwards. */
static int start_op(struct sysfs_kdamond *kdamond, enum sysfs_change change,
		    const struct sysfs_interrupt *interrupt)
{
	struct sysfs_tree *tree = kdamond->tree;
	struct sysfs_op *op;
	int err;

	err = op_new(kdamond, change, &op);
	if (!err) {
		kdamond->refs++;
		err = tree->port->thread_start(tree->port, &op->thread, "sysfs-change", op_main,
					       op);
		if (!err)
			return wait_for(op, interrupt);
		sysfs_kdamond_put(kdamond);
		sysfs_run_put(op->run);
		op_free(op);
	}
	if (takes_turn(change))
		sysfs_end_turn(kdamond);
	sysfs_unlock(tree);
	return err;
}

int sysfs_change_state(struct sysfs_kdamond *kdamond, enum sysfs_change change,
		       struct sysfs_interrupt *interrupt)
{
	struct sysfs_tree *tree = kdamond->tree;
	struct damon_error why = {""};
	bool turn = false;
	int err = 0;

	sysfs_join_abandoned(tree, false);
	sysfs_lock(tree);
	if (takes_turn(change))
		err = sysfs_take_turn(kdamond, interrupt);
	if (!err) {
		turn = takes_turn(change);
		err = check_change(kdamond, change, &why);
	}
	if (!err && (is_walk(change) || change == SYSFS_CLEAR_TRIED_REGIONS))
		clear_tried(kdamond);
	if (err || change == SYSFS_CLEAR_TRIED_REGIONS) {
		if (err)
			note_refusal(kdamond, change, err, &why);
		if (turn)
			sysfs_end_turn(kdamond);
		sysfs_unlock(tree);
	} else {
		err = start_op(kdamond, change, interrupt);
	}
	sysfs_lock(tree);
	sysfs_kdamond_put(kdamond);
	sysfs_unlock(tree);
	sysfs_bury_runs(tree);
	return err;
}
