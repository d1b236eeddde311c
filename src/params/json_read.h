/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Reading parameters from JSON: tables of keys, values as people and damo write them, and errors
 * that name the place.
 */
#ifndef UDAMON_PARAMS_JSON_READ_H
#define UDAMON_PARAMS_JSON_READ_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "params/names.h"
#include "params/scheme.h"

/**
 * struct json_reader - where reading is
 * @err:	for the first error
 * @path:	of the value that is looked at, "kdamonds[0].contexts[0].ops"
 * @attrs:	intervals that shares and times of patterns are converted by
 * @strings:	gets the paths
 * @damo_units:	plain numbers of the pattern being read are percent and microseconds, as damo
 *		has them, not samples and aggregation intervals
 */
struct json_reader {
	struct damon_error *err;
	char path[256];
	const struct damon_attrs *attrs;
	struct params_strings *strings;
	bool damo_units;
};

/**
 * struct json_key - a key of an object, and how its value is read
 * @take:	reads it into @to + @offset; NULL for a key that carries no parameter
 */
struct json_key {
	const char *name;
	int (*take)(struct json_reader *r, const json_t *value, void *to);
	size_t offset;
};

/** json_take_object() - read the keys of @keys (up to one without a name), in the table's order; null
 * counts as not given, other keys are errors */
int json_take_object(struct json_reader *r, const json_t *value, const struct json_key *keys,
		     void *to);

/** json_take_list() - call @take for each value of a list */
int json_take_list(struct json_reader *r, const json_t *value,
		   int (*take)(struct json_reader *r, const json_t *value, void *to), void *to);

/** json_refuse() - -EINVAL: the place, the value, and what is expected there */
int json_refuse(const struct json_reader *r, const json_t *value, const char *expected);
int json_no_memory(const struct json_reader *r);

/** json_take_keyword() - a keyword of @kind, into the enum @to, which is as large as an int */
int json_take_keyword(struct json_reader *r, const json_t *value, enum params_keyword kind,
		      void *to);

/*
 * Values. Numbers may be JSON numbers or texts, with commas between digits and decimals; "min" and
 * "max" are 0 and the largest. Units may follow where there are any; without one, a number
 * counts in the key's own unit. The result is rounded to the nearest.
 */
int json_take_u64(struct json_reader *r, const json_t *value, void *to);
int json_take_u32(struct json_reader *r, const json_t *value, void *to);
int json_take_s32(struct json_reader *r, const json_t *value, void *to);
int json_take_bool(struct json_reader *r, const json_t *value, void *to);
int json_take_bytes(struct json_reader *r, const json_t *value, void *to);
int json_take_us(struct json_reader *r, const json_t *value, void *to);
int json_take_ms(struct json_reader *r, const json_t *value, void *to);
/** per mille, to uint64_t or uint32_t, and basis points; "0.1 %" */
int json_take_permil(struct json_reader *r, const json_t *value, void *to);
int json_take_permil_u32(struct json_reader *r, const json_t *value, void *to);
int json_take_bp(struct json_reader *r, const json_t *value, void *to);
/** a text that is kept, to const char *; an empty one is NULL */
int json_take_path(struct json_reader *r, const json_t *value, void *to);

/** struct json_bound - a bound of a pattern's range, and in what it was given */
struct json_bound {
	uint64_t value;
	enum { BOUND_ANY, BOUND_COUNT, BOUND_MEASURE } kind;
};

/** "5 %", "3 samples", to struct json_bound: basis points or samples */
int json_take_access_bound(struct json_reader *r, const json_t *value, void *to);
/** "5 s", "50 aggr_intervals", to struct json_bound: microseconds or intervals */
int json_take_age_bound(struct json_reader *r, const json_t *value, void *to);

/** json_load_parameters() - the JSON of a file; -errno, or -EINVAL with the line of the mistake */
int json_load_parameters(const char *path, json_t **json, struct damon_error *err);

/** json_number() - a number that reads back; "max" for UINT64_MAX. NULL without memory */
json_t *json_number(uint64_t value);

#endif
