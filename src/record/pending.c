// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What waits in memory to be written with the next window. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/pending.h"

/* Only the last word about a target counts: however often it changes, one row of it waits. */
static void drop_target(struct pending *pending, int64_t id)
{
	struct pending_row *row, *before = NULL;

	for (row = pending->first; row; before = row, row = row->next) {
		if (row->kind != PENDING_TARGET || row->number[0] != id)
			continue;
		if (before)
			before->next = row->next;
		else
			pending->first = row->next;
		if (pending->last == row)
			pending->last = before;
		free(row);
		return;
	}
}

int pending_add(struct pending *pending, enum pending_kind kind, int64_t number0, int64_t number1,
		const char *text0, const char *text1, const char *text2)
{
	const char *texts[3] = {text0, text1, text2};
	size_t sizes[3], total = 0;
	struct pending_row *row;
	char *to;

	if (kind == PENDING_EVENT && pending->nr_events >= PENDING_MAX_EVENTS) {
		pending->lost_events++;
		return 0;
	}
	for (int i = 0; i < 3; i++) {
		if (!texts[i])
			texts[i] = "";
		sizes[i] = strlen(texts[i]) + 1;
		total += sizes[i];
	}
	row = malloc(sizeof(*row) + total);
	if (!row)
		return -ENOMEM;
	if (kind == PENDING_TARGET)
		drop_target(pending, number0);
	row->next = NULL;
	row->kind = kind;
	row->number[0] = number0;
	row->number[1] = number1;
	to = row->buffer;
	for (int i = 0; i < 3; i++) {
		row->text[i] = memcpy(to, texts[i], sizes[i]);
		to += sizes[i];
	}
	if (pending->last)
		pending->last->next = row;
	else
		pending->first = row;
	pending->last = row;
	if (kind == PENDING_EVENT)
		pending->nr_events++;
	return 0;
}

static bool same_mappings(const struct pending_mappings *list,
			  const struct record_mapping *mappings, size_t nr)
{
	if (list->nr != nr)
		return false;
	for (size_t i = 0; i < nr; i++) {
		const struct record_mapping *a = &list->mappings[i], *b = &mappings[i];

		if (a->start != b->start || a->end != b->end || strcmp(a->perms, b->perms) != 0 ||
		    strcmp(a->path, b->path) != 0)
			return false;
	}
	return true;
}

/* One block of memory: the array, and behind it the texts. */
static struct record_mapping *copy_mappings(const struct record_mapping *mappings, size_t nr)
{
	size_t size = nr * sizeof(*mappings);
	struct record_mapping *copy;
	char *to;

	for (size_t i = 0; i < nr; i++)
		size += strlen(mappings[i].perms) + strlen(mappings[i].path) + 2;
	copy = malloc(size ? size : 1);
	if (!copy)
		return NULL;
	to = (char *)(copy + nr);
	for (size_t i = 0; i < nr; i++) {
		copy[i] = mappings[i];
		copy[i].perms = to;
		to = stpcpy(to, mappings[i].perms) + 1;
		copy[i].path = to;
		to = stpcpy(to, mappings[i].path) + 1;
	}
	return copy;
}

static struct pending_mappings *list_of(struct pending *pending, uint32_t target)
{
	struct pending_mappings *lists;

	for (size_t i = 0; i < pending->nr_lists; i++)
		if (pending->lists[i].target == target)
			return &pending->lists[i];
	lists = realloc(pending->lists, (pending->nr_lists + 1) * sizeof(*lists));
	if (!lists)
		return NULL;
	pending->lists = lists;
	lists += pending->nr_lists++;
	*lists = (struct pending_mappings){.target = target};
	return lists;
}

int pending_set_mappings(struct pending *pending, uint32_t target,
			 const struct record_mapping *mappings, size_t nr)
{
	struct pending_mappings *list = list_of(pending, target);
	struct record_mapping *copy;

	if (!list)
		return -ENOMEM;
	if (same_mappings(list, mappings, nr))
		return 0;
	copy = copy_mappings(mappings, nr);
	if (!copy)
		return -ENOMEM;
	free(list->mappings);
	list->mappings = copy;
	list->nr = nr;
	list->changed = true;
	return 0;
}

static void free_rows(struct pending *pending)
{
	struct pending_row *row = pending->first, *next;

	for (; row; row = next) {
		next = row->next;
		free(row);
	}
	pending->first = NULL;
	pending->last = NULL;
	pending->nr_events = 0;
}

void pending_written(struct pending *pending)
{
	free_rows(pending);
	for (size_t i = 0; i < pending->nr_lists; i++)
		pending->lists[i].changed = false;
}

void pending_free(struct pending *pending)
{
	free_rows(pending);
	for (size_t i = 0; i < pending->nr_lists; i++)
		free(pending->lists[i].mappings);
	free(pending->lists);
	pending->lists = NULL;
	pending->nr_lists = 0;
}
