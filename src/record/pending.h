/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What waits in memory to be written with the next window: small rows, and each target's mappings.
 *
 * Nothing is forgotten when a transaction fails: it waits on, for the next one.
 */
#ifndef UDAMON_RECORD_PENDING_H
#define UDAMON_RECORD_PENDING_H

#include "record/record.h"

/* Events that may wait, for when the disk is full for long; beyond it they are counted and lost. */
#define PENDING_MAX_EVENTS 10000

enum pending_kind {
	PENDING_META,
	PENDING_TARGET,
	PENDING_EVENT,
};

/**
 * struct pending_row - one row of meta, target or event
 * @number:	target: id, pid; event: t_ns, target
 * @text:	meta: key, value; target: comm, cmdline, kind; event: what, detail
 */
struct pending_row {
	struct pending_row *next;
	enum pending_kind kind;
	int64_t number[2];
	const char *text[3];
	char buffer[];
};

/**
 * struct pending_mappings - the mappings of one target
 * @changed:	they differ from the list in the record
 */
struct pending_mappings {
	uint32_t target;
	bool changed;
	size_t nr;
	struct record_mapping *mappings;
};

struct pending {
	struct pending_row *first;
	struct pending_row *last;
	size_t nr_events;
	uint64_t lost_events;
	size_t nr_lists;
	struct pending_mappings *lists;
};

/** pending_add() - queue a row; its texts are copied, NULL counts as ""; 0 or -ENOMEM */
int pending_add(struct pending *pending, enum pending_kind kind, int64_t number0, int64_t number1,
		const char *text0, const char *text1, const char *text2);

/** pending_set_mappings() - remember a target's mappings; 0 or -ENOMEM (the old ones stay) */
int pending_set_mappings(struct pending *pending, uint32_t target,
			 const struct record_mapping *mappings, size_t nr);

/** pending_written() - all of it is in the record now */
void pending_written(struct pending *pending);

/** pending_free() - drop all */
void pending_free(struct pending *pending);

#endif
