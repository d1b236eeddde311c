/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Kdamonds of the tree: their number, what is running, and changes of their state. */
#ifndef UDAMON_SYSFS_KDAMOND_H
#define UDAMON_SYSFS_KDAMOND_H

#include "sysfs/internal.h"

/** enum sysfs_change - what can be written to "state", in the order of sysfs_state_keywords */
enum sysfs_change {
	SYSFS_ON,
	SYSFS_OFF,
	SYSFS_COMMIT,
	SYSFS_COMMIT_GOALS,
	SYSFS_UPDATE_STATS,
	SYSFS_UPDATE_QUOTAS,
	SYSFS_UPDATE_INTERVALS,
	SYSFS_UPDATE_TRIED_BYTES,
	SYSFS_UPDATE_TRIED_REGIONS,
	SYSFS_CLEAR_TRIED_REGIONS,
};

/**
 * struct sysfs_made - content that is printed after the tree's lock was dropped
 * @wanted:	which; SYSFS_STORED: none
 */
struct sysfs_window;
struct sysfs_in_force;

struct sysfs_made {
	enum sysfs_source wanted;
	struct sysfs_tried *tried;
	struct sysfs_window *window;
	struct sysfs_in_force *parameters;
};

int sysfs_made_print(const struct sysfs_made *made, struct sysfs_text *text);
void sysfs_made_put(struct sysfs_made *made);

/* Tree locked: one with one reference, the directories'; and the end of a reference. */
int sysfs_kdamond_new(struct sysfs_tree *tree, uint32_t number, struct sysfs_kdamond **kdamond);
void sysfs_kdamond_put(struct sysfs_kdamond *kdamond);
bool sysfs_kdamond_running(struct sysfs_kdamond *kdamond);

/* Tree locked: wait for a wake-up; 0, -ETIMEDOUT, or -EINTR when @interrupt (or NULL) was raised. */
int sysfs_wait(struct sysfs_tree *tree, uint64_t deadline_ns,
	       const struct sysfs_interrupt *interrupt);
uint64_t sysfs_busy_deadline(struct sysfs_tree *tree);

/* Tree locked: the turn to change @kdamond's state; 0, -EBUSY, -EINTR, -ENOENT (it is gone). */
int sysfs_take_turn(struct sysfs_kdamond *kdamond, const struct sysfs_interrupt *interrupt);
void sysfs_end_turn(struct sysfs_kdamond *kdamond);

/* A write to "nr_kdamonds". */
int sysfs_set_kdamonds(struct sysfs_tree *tree, size_t nr, const struct sysfs_interrupt *interrupt);

/* What a file of a kdamond shows; tree locked. */
int sysfs_kdamond_print(struct sysfs_kdamond *kdamond, enum sysfs_source source,
			struct sysfs_text *text, struct sysfs_made *made);

/* A write to "state". Takes over a reference to @kdamond. */
int sysfs_change_state(struct sysfs_kdamond *kdamond, enum sysfs_change change,
		       struct sysfs_interrupt *interrupt);

/* Stop all, when the tree is freed. */
void sysfs_kdamonds_end(struct sysfs_tree *tree);

#endif
