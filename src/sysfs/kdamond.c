// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Kdamonds of the tree: how many there are, what their files show, and whose turn it is to change one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs/change.h"

int sysfs_kdamond_new(struct sysfs_tree *tree, uint32_t number, struct sysfs_kdamond **kdamond)
{
	struct sysfs_kdamond *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->tree = tree;
	new->number = number;
	new->refs = 1;
	*kdamond = new;
	return 0;
}

void sysfs_kdamond_put(struct sysfs_kdamond *kdamond)
{
	if (--kdamond->refs)
		return;
	sysfs_run_put(kdamond->run);
	free(kdamond);
}

bool sysfs_kdamond_running(struct sysfs_kdamond *kdamond)
{
	return kdamond->run && damon_is_running(kdamond->run->ctx);
}

int sysfs_kdamond_print(struct sysfs_kdamond *kdamond, enum sysfs_source source,
			struct sysfs_text *text, struct sysfs_made *made)
{
	bool running = sysfs_kdamond_running(kdamond);
	struct sysfs_run *run = kdamond->run;

	switch (source) {
	case SYSFS_STATE:
		return sysfs_text_printf(text, "%s\n", running ? "on" : "off");
	case SYSFS_PID:
		return sysfs_text_printf(text, "%lld\n",
					 running ? (long long)damon_kdamond_pid(run->ctx) : -1);
	case SYSFS_ERROR:
		return sysfs_text_printf(text, "%s\n", kdamond->error.text);
	case SYSFS_IN_FORCE:
		if (running)
			made->parameters = sysfs_in_force_get(run->parameters);
		break;
	default: /* SYSFS_WINDOW, SYSFS_OVERHEAD */
		if (run)
			made->window = sysfs_window_get(run->window);
		break;
	}
	made->wanted = source;
	return 0;
}

int sysfs_made_print(const struct sysfs_made *made, struct sysfs_text *text)
{
	switch (made->wanted) {
	case SYSFS_TRIED:
		return sysfs_tried_print(made->tried, text);
	case SYSFS_IN_FORCE:
		return sysfs_in_force_print(made->parameters, text);
	case SYSFS_WINDOW:
		return sysfs_window_print(made->window, text);
	case SYSFS_OVERHEAD:
		return sysfs_window_print_cost(made->window, text);
	default:
		return 0;
	}
}

void sysfs_made_put(struct sysfs_made *made)
{
	sysfs_tried_put(made->tried);
	sysfs_window_put(made->window);
	sysfs_in_force_put(made->parameters);
}

/* Turns. */

int sysfs_wait(struct sysfs_tree *tree, uint64_t deadline_ns,
	       const struct sysfs_interrupt *interrupt)
{
	if (interrupt && interrupt->raised)
		return -EINTR;
	return tree->port->cond_wait(tree->port, tree->changed, tree->lock, deadline_ns);
}

uint64_t sysfs_busy_deadline(struct sysfs_tree *tree)
{
	return tree->port->now_ns(tree->port) + SYSFS_BUSY_US * 1000ULL;
}

int sysfs_take_turn(struct sysfs_kdamond *kdamond, const struct sysfs_interrupt *interrupt)
{
	uint64_t deadline_ns = sysfs_busy_deadline(kdamond->tree);
	int err = 0;

	while (!err && kdamond->dir && kdamond->changing)
		err = sysfs_wait(kdamond->tree, deadline_ns, interrupt);
	if (!kdamond->dir)
		return -ENOENT;
	if (kdamond->changing)
		return err == -EINTR ? -EINTR : -EBUSY;
	kdamond->changing = true;
	return 0;
}

void sysfs_end_turn(struct sysfs_kdamond *kdamond)
{
	struct sysfs_tree *tree = kdamond->tree;

	kdamond->changing = false;
	tree->port->cond_wake_all(tree->port, tree->changed);
}

/* How many there are. */

/* Directories of both parts of the tree, and the kdamonds behind them. */
struct kdamonds {
	struct sysfs_dirs dirs, ours;
};

/*
 * Tree locked: those that are in it become those of @set, which gets the old ones. From here on nobody
 * gets the turn of an old one.
 */
static void kdamonds_swap(struct sysfs_tree *tree, struct kdamonds *set)
{
	size_t i;

	sysfs_dirs_swap(tree->kdamonds, &set->dirs);
	sysfs_dirs_swap(tree->ours, &set->ours);
	for (i = 0; i < set->dirs.nr; i++) {
		struct sysfs_kdamond *kdamond = set->dirs.dirs[i]->kdamond;

		kdamond->dir = kdamond->ours = NULL;
	}
}

/* Those that aren't in the tree, or not any more. */
static void kdamonds_free(struct sysfs_tree *tree, struct kdamonds *set)
{
	size_t i;

	sysfs_lock(tree);
	for (i = 0; i < set->dirs.nr; i++)
		if (set->dirs.dirs[i]->kdamond)
			sysfs_kdamond_put(set->dirs.dirs[i]->kdamond);
	sysfs_unlock(tree);
	sysfs_bury_runs(tree);
	sysfs_release_dirs(tree, &set->dirs);
	sysfs_release_dirs(tree, &set->ours);
}

/* Room is reserved as the directories are made, so that what there is can always be released. */
static int kdamonds_new(struct sysfs_tree *tree, size_t nr, struct kdamonds *set)
{
	struct sysfs_kdamond *kdamond;
	size_t i;
	int err;

	*set = (struct kdamonds){0};
	err = sysfs_make_dirs(tree, tree->kdamonds->node->numbered, nr, &set->dirs);
	if (!err)
		err = sysfs_make_dirs(tree, tree->ours->node->numbered, nr, &set->ours);
	for (i = 0; !err && i < nr; i++) {
		err = sysfs_kdamond_new(tree, (uint32_t)i, &kdamond);
		if (err)
			break;
		kdamond->dir = set->dirs.dirs[i];
		kdamond->ours = set->ours.dirs[i];
		kdamond->dir->kdamond = kdamond->ours->kdamond = kdamond;
	}
	if (err)
		kdamonds_free(tree, set);
	return err;
}

/* Tree locked. Whether somebody changes a kdamond's state. */
static bool any_changing(const struct sysfs_tree *tree)
{
	size_t i;

	for (i = 0; i < tree->kdamonds->nr_numbered; i++)
		if (tree->kdamonds->numbered[i]->kdamond->changing)
			return true;
	return false;
}

static bool any_running(const struct sysfs_tree *tree)
{
	size_t i;

	for (i = 0; i < tree->kdamonds->nr_numbered; i++)
		if (sysfs_kdamond_running(tree->kdamonds->numbered[i]->kdamond))
			return true;
	return false;
}

int sysfs_set_kdamonds(struct sysfs_tree *tree, size_t nr, const struct sysfs_interrupt *interrupt)
{
	uint64_t deadline_ns = sysfs_busy_deadline(tree);
	struct kdamonds set;
	int err;

	err = kdamonds_new(tree, nr, &set);
	if (err)
		return err;
	sysfs_lock(tree);
	while (!err && any_changing(tree))
		err = sysfs_wait(tree, deadline_ns, interrupt);
	if (any_changing(tree))
		err = err == -EINTR ? -EINTR : -EBUSY;
	else
		err = any_running(tree) ? -EBUSY : 0;
	if (!err)
		kdamonds_swap(tree, &set);
	sysfs_unlock(tree);
	kdamonds_free(tree, &set);
	return err;
}

static void stop(struct sysfs_kdamond *kdamond)
{
	struct sysfs_run *run;

	/* A start that was abandoned may exchange it meanwhile. */
	sysfs_lock(kdamond->tree);
	run = kdamond->run;
	if (run)
		run->refs++;
	sysfs_unlock(kdamond->tree);
	if (!run)
		return;
	damon_stop(&run->ctx, 1);
	sysfs_lock(kdamond->tree);
	sysfs_run_put(run);
	sysfs_unlock(kdamond->tree);
}

static void stop_all(struct sysfs_tree *tree)
{
	size_t i;

	/* Nobody is left who could change how many there are. */
	for (i = 0; i < tree->kdamonds->nr_numbered; i++)
		stop(tree->kdamonds->numbered[i]->kdamond);
}

void sysfs_kdamonds_end(struct sysfs_tree *tree)
{
	struct kdamonds none = {0};

	/* What waits for a kdamond ends with it; what was about to start one has by then. */
	stop_all(tree);
	sysfs_join_abandoned(tree, true);
	stop_all(tree);
	sysfs_lock(tree);
	kdamonds_swap(tree, &none);
	sysfs_unlock(tree);
	kdamonds_free(tree, &none);
}
