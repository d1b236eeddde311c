// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Reading the state file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/state_internal.h"
#include "record/database.h"
#include "record/training.h"

void saved_clear(struct saved *saved)
{
	for (size_t i = 0; i < saved->nr_staged; i++) {
		free(saved->staged[i].path);
		free(saved->staged[i].value);
	}
	for (size_t i = 0; i < saved->nr_running; i++)
		knowledge_clear(&saved->running[i]);
	free(saved->staged);
	free(saved->running);
	*saved = (struct saved){.nr_staged = 0};
}

/* Room for one more at the end of a list that grows in powers of two; NULL without memory. */
static void *grow(void *list, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return list;
	return reallocarray(list, nr ? 2 * nr : 1, size);
}

int saved_add(struct saved *saved, const char *path, const char *value)
{
	struct staged *list = grow(saved->staged, saved->nr_staged, sizeof(*list));
	struct staged *added;

	if (!list)
		return -ENOMEM;
	saved->staged = list;
	added = &list[saved->nr_staged];
	added->path = strdup(path);
	added->value = strdup(value);
	if (!added->path || !added->value) {
		free(added->path);
		free(added->value);
		return -ENOMEM;
	}
	saved->nr_staged++;
	return 0;
}

static void pass(bool reading, uint64_t **number, void *value, size_t size)
{
	uint64_t wide = 0;

	/* Little or big, the first bytes of a wider number aren't a narrower one: by size. */
	if (reading) {
		wide = *(*number)++;
		if (size == 8)
			memcpy(value, &wide, 8);
		else if (size == 4)
			memcpy(value, &(uint32_t){(uint32_t)wide}, 4);
		else
			*(bool *)value = wide != 0;
		return;
	}
	if (size == 8)
		memcpy(&wide, value, 8);
	else if (size == 4)
		wide = *(uint32_t *)value;
	else
		wide = *(bool *)value;
	*(*number)++ = wide;
}

/* In the order of the columns. */
static void pass_scheme(bool reading, struct scheme_knowledge *scheme, uint64_t *numbers)
{
	struct damos_quota_state *quota = &scheme->quota;
	struct damos_stat *stat = &scheme->stat;
	struct {
		void *value;
		size_t size;
	} columns[SCHEME_NUMBERS] = {
		{&stat->nr_tried, 8},
		{&stat->sz_tried, 8},
		{&stat->nr_applied, 8},
		{&stat->sz_applied, 8},
		{&stat->sz_ops_filter_passed, 8},
		{&stat->qt_exceeds, 8},
		{&stat->nr_snapshots, 8},
		{&scheme->esz, 8},
		{&quota->begun, 1},
		{&quota->window_ns, 8},
		{&quota->charged_sz, 8},
		{&quota->spent_sz, 8},
		{&quota->spent_ns, 8},
		{&quota->esz_bp, 8},
		{&quota->timed_sz, 8},
		{&quota->timed_ns, 8},
		{&quota->go_on, 1},
		{&quota->go_on_target, 4},
		{&quota->go_on_addr, 8},
	};

	for (size_t i = 0; i < SCHEME_NUMBERS; i++)
		pass(reading, &numbers, columns[i].value, columns[i].size);
}

void state_scheme_to_numbers(struct scheme_knowledge *scheme, uint64_t *numbers)
{
	pass_scheme(false, scheme, numbers);
}

void state_scheme_from_numbers(struct scheme_knowledge *scheme, const uint64_t *numbers)
{
	pass_scheme(true, scheme, (uint64_t *)numbers);
}

/* Goes through the rows of a query; SQLITE_OK at their end, or what went wrong. */
static int each(struct state *state, const char *sql, uint32_t number,
		int (*fn)(sqlite3_stmt *row, void *data), void *data)
{
	sqlite3_stmt *query = NULL;
	int rc;

	errno = 0;
	rc = sqlite3_prepare_v2(state->db, sql, -1, &query, NULL);
	if (rc == SQLITE_OK && sqlite3_bind_parameter_count(query))
		sqlite3_bind_int64(query, 1, number);
	while (rc == SQLITE_OK && (rc = sqlite3_step(query)) == SQLITE_ROW)
		rc = fn(query, data);
	sqlite3_finalize(query);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static const char *text_of(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text ? text : "";
}

static int load_config(sqlite3_stmt *row, void *data)
{
	struct saved *saved = data;

	snprintf(saved->config, sizeof(saved->config), "%s", text_of(row, 0));
	return SQLITE_OK;
}

static int load_staged(sqlite3_stmt *row, void *data)
{
	return saved_add(data, text_of(row, 0), text_of(row, 1)) ? SQLITE_NOMEM : SQLITE_OK;
}

struct loading {
	struct state *state;
	struct damon_lib *lib;
	struct saved *saved;
};

static int load_scheme(sqlite3_stmt *row, void *data)
{
	struct knowledge *knowledge = data;
	struct scheme_knowledge *list =
		grow(knowledge->schemes, knowledge->nr_schemes, sizeof(*list));
	uint64_t numbers[SCHEME_NUMBERS];

	if (!list)
		return SQLITE_NOMEM;
	knowledge->schemes = list;
	for (int i = 0; i < SCHEME_NUMBERS; i++)
		numbers[i] = (uint64_t)sqlite3_column_int64(row, i);
	list[knowledge->nr_schemes] = (struct scheme_knowledge){.esz = 0};
	state_scheme_from_numbers(&list[knowledge->nr_schemes++], numbers);
	return SQLITE_OK;
}

static void load_training(struct loading *loading, struct knowledge *knowledge, const void *data,
			  size_t size)
{
	struct damon_error err;

	if (!data || !training_decode(&knowledge->training, loading->lib, data, size,
				      loading->state->path, &err))
		return;
	knowledge->training = NULL;
	log_say(LOG_LEVEL_ERROR, "kdamond %u: %s", knowledge->kdamond, err.text);
}

static int load_kdamond(sqlite3_stmt *row, void *data)
{
	struct loading *loading = data;
	struct saved *saved = loading->saved;
	struct knowledge *list = grow(saved->running, saved->nr_running, sizeof(*list));
	int64_t number = sqlite3_column_int64(row, 0);
	struct knowledge *knowledge;

	if (!list)
		return SQLITE_NOMEM;
	saved->running = list;
	if (number < 0 || number > UINT32_MAX)
		return SQLITE_CORRUPT;
	knowledge = &list[saved->nr_running];
	*knowledge = (struct knowledge){
		.kdamond = (uint32_t)number,
		.budget_bp = (uint64_t)sqlite3_column_int64(row, 2),
		.in_force = strdup(text_of(row, 3)),
	};
	saved->nr_running++;
	if (!knowledge->in_force)
		return SQLITE_NOMEM;
	snprintf(knowledge->engine, sizeof(knowledge->engine), "%s", text_of(row, 1));
	load_training(loading, knowledge, sqlite3_column_blob(row, 4),
		      (size_t)sqlite3_column_bytes(row, 4));
	return each(
		loading->state,
		"SELECT nr_tried, sz_tried, nr_applied, sz_applied, sz_ops_filter_passed,"
		" qt_exceeds, nr_snapshots, esz, begun, window_ns, charged_sz, spent_sz,"
		" spent_ns, esz_bp, timed_sz, timed_ns, go_on, go_on_target, go_on_addr FROM scheme WHERE kdamond = ?"
		" ORDER BY place",
		knowledge->kdamond, load_scheme, knowledge);
}

int state_load(struct state *state, struct damon_lib *lib, struct saved *saved,
	       struct damon_error *err)
{
	struct loading loading = {.state = state, .lib = lib, .saved = saved};
	int rc;

	rc = each(state, "SELECT value FROM meta WHERE key = 'config'", 0, load_config, saved);
	if (rc == SQLITE_OK)
		rc = each(state, "SELECT path, value FROM staged ORDER BY seq", 0, load_staged,
			  saved);
	if (rc == SQLITE_OK)
		rc = each(state,
			  "SELECT number, engine, budget_bp, in_force, training FROM kdamond"
			  " ORDER BY number",
			  0, load_kdamond, &loading);
	if (rc == SQLITE_OK)
		return 0;
	saved_clear(saved);
	return record_database_fail(err, state->db, rc, "cannot read the state file", state->path);
}
