// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The values in JSON files of parameters: numbers with and without units, as people and damo write them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "params/json_read.h"

/* Numbers are held in billionths, so that decimals of any unit are exact enough. */
#define BILLION 1000000000ULL

typedef unsigned __int128 billionths;

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit no_units[] = {{NULL, 0}};

static const struct unit size_units[] = {
	{"B", 1},
	{"K", 1ULL << 10},
	{"KB", 1ULL << 10},
	{"KiB", 1ULL << 10},
	{"M", 1ULL << 20},
	{"MB", 1ULL << 20},
	{"MiB", 1ULL << 20},
	{"G", 1ULL << 30},
	{"GB", 1ULL << 30},
	{"GiB", 1ULL << 30},
	{"T", 1ULL << 40},
	{"TB", 1ULL << 40},
	{"TiB", 1ULL << 40},
	{"P", 1ULL << 50},
	{"PB", 1ULL << 50},
	{"PiB", 1ULL << 50},
	{"E", 1ULL << 60},
	{"EB", 1ULL << 60},
	{"EiB", 1ULL << 60},
	{NULL, 0},
};

/* In nanoseconds. */
static const struct unit time_units[] = {
	{"ns", 1},	     {"us", 1000},	    {"ms", 1000000},	    {"s", BILLION},
	{"m", 60 * BILLION}, {"h", 3600 * BILLION}, {"d", 86400 * BILLION}, {NULL, 0},
};

static const struct unit access_units[] = {{"%", 100}, {"samples", 1}, {NULL, 0}};

/* Digits with commas between them, then decimals. Nine of these count. */
static int take_decimal(const char **text, billionths *number)
{
	const char *p = *text;
	uint64_t whole = 0, fraction = 0, place = BILLION;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; (*p >= '0' && *p <= '9') || (*p == ',' && p[1] >= '0' && p[1] <= '9'); p++)
		if (*p != ',' && (__builtin_mul_overflow(whole, 10, &whole) ||
				  __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole)))
			return -ERANGE;
	if (*p == '.') {
		if (p[1] < '0' || p[1] > '9')
			return -EINVAL;
		for (p++; *p >= '0' && *p <= '9'; p++) {
			place /= 10;
			fraction += place * (uint64_t)(*p - '0');
		}
	}
	*number = (billionths)whole * BILLION + fraction;
	*text = p;
	return 0;
}

/* The unit at the start of @text; NULL when there is none. */
static const struct unit *take_unit(const char **text, const struct unit *units)
{
	size_t len;

	while (**text == ' ')
		(*text)++;
	len = strcspn(*text, " ");
	for (; units->name; units++) {
		if (strlen(units->name) == len && !strncmp(*text, units->name, len)) {
			*text += len;
			return units;
		}
	}
	return NULL;
}

/* @number of a unit of @factor, in units of @per, to the nearest. */
static int scale(billionths number, uint64_t factor, uint64_t per, uint64_t *value)
{
	billionths divisor = (billionths)BILLION * per, product;

	if (__builtin_mul_overflow(number, (billionths)factor, &product) ||
	    __builtin_add_overflow(product, divisor / 2, &product) ||
	    product / divisor > UINT64_MAX)
		return -ERANGE;
	*value = (uint64_t)(product / divisor);
	return 0;
}

/*
 * damo's largest number, which stands for no limit. It is also written with commas, in percent, and in
 * smaller units, as one that is a thousand or a million times larger.
 */
static bool is_no_limit(const char *text)
{
	static const char largest[] = "18446744073709551615";
	size_t nr = 0;

	for (; (*text >= '0' && *text <= '9') || *text == ','; text++) {
		if (*text == ',')
			continue;
		if (*text != (nr < sizeof(largest) - 1 ? largest[nr] : '0'))
			return false;
		nr++;
	}
	return nr >= sizeof(largest) - 1;
}

/*
 * A number, or several with their units one after the other ("1 m 30 s"), in units of @per. A plain
 * number has the factor @plain.
 */
static int parse_text(const char *text, const struct unit *units, uint64_t plain, uint64_t per,
		      uint64_t *value)
{
	uint64_t sum = 0, part;
	billionths number;
	bool first = true;

	if (!strcmp(text, "min") || !strcmp(text, "max") || is_no_limit(text)) {
		*value = text[1] == 'i' ? 0 : UINT64_MAX;
		return 0;
	}
	do {
		const struct unit *unit;
		int ret = take_decimal(&text, &number);

		if (ret)
			return ret;
		if (!*text && first)
			return scale(number, plain, per, value);
		unit = take_unit(&text, units);
		if (!unit)
			return -EINVAL;
		ret = scale(number, unit->factor, per, &part);
		if (ret || __builtin_add_overflow(sum, part, &sum))
			return -ERANGE;
		first = false;
		while (*text == ' ')
			text++;
	} while (*text);
	*value = sum;
	return 0;
}

/* The text of a number or a text; NULL when the value is neither or a negative number. */
static const char *number_text(const json_t *value, char *room, size_t size)
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		snprintf(room, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(room, size, "%.9f", json_real_value(value));
	else
		return NULL;
	return room;
}

static int take(struct json_reader *r, const json_t *value, const struct unit *units,
		uint64_t plain, uint64_t per, uint64_t limit, const char *expected,
		uint64_t *number)
{
	char room[400];
	const char *text = number_text(value, room, sizeof(room));
	uint64_t parsed;

	if (!text || parse_text(text, units, plain, per, &parsed))
		return json_refuse(r, value, expected);
	if (parsed == UINT64_MAX)
		parsed = limit;
	if (parsed > limit)
		return json_refuse(r, value, expected);
	*number = parsed;
	return 0;
}

int json_take_u64(struct json_reader *r, const json_t *value, void *to)
{
	return take(r, value, no_units, 1, 1, UINT64_MAX, "a number from 0", to);
}

int json_take_u32(struct json_reader *r, const json_t *value, void *to)
{
	uint64_t number;
	int ret = take(r, value, no_units, 1, 1, UINT32_MAX, "a number from 0 to 4294967295",
		       &number);

	if (!ret)
		*(uint32_t *)to = (uint32_t)number;
	return ret;
}

int json_take_s32(struct json_reader *r, const json_t *value, void *to)
{
	char room[400];
	const char *text = number_text(value, room, sizeof(room));
	uint64_t number;

	if (text && !strcmp(text, "-1")) {
		*(int32_t *)to = -1;
		return 0;
	}
	if (!text || parse_text(text, no_units, 1, 1, &number) || number > INT32_MAX)
		return json_refuse(r, value, "a number from -1 to 2147483647");
	*(int32_t *)to = (int32_t)number;
	return 0;
}

int json_take_bool(struct json_reader *r, const json_t *value, void *to)
{
	static const char *const words[] = {"n", "no", "false", "y", "yes", "true"};
	const char *text = json_string_value(value);
	size_t i;

	if (json_is_boolean(value)) {
		*(bool *)to = json_is_true(value);
		return 0;
	}
	for (i = 0; text && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(words[i], text))
			continue;
		*(bool *)to = i >= 3;
		return 0;
	}
	return json_refuse(r, value, "true or false");
}

int json_take_bytes(struct json_reader *r, const json_t *value, void *to)
{
	return take(r, value, size_units, 1, 1, UINT64_MAX, "a size such as 4096 or '4 KiB'", to);
}

int json_take_us(struct json_reader *r, const json_t *value, void *to)
{
	return take(r, value, time_units, 1000, 1000, UINT64_MAX,
		    "a time such as 5000 (microseconds) or '5 ms'", to);
}

int json_take_ms(struct json_reader *r, const json_t *value, void *to)
{
	return take(r, value, time_units, 1000000, 1000000, UINT64_MAX,
		    "a time such as 1000 (milliseconds) or '1 s'", to);
}

int json_take_permil(struct json_reader *r, const json_t *value, void *to)
{
	static const struct unit units[] = {{"%", 10}, {NULL, 0}};

	return take(r, value, units, 1, 1, UINT64_MAX, "a share such as 500 (per mille) or '50 %'",
		    to);
}

int json_take_permil_u32(struct json_reader *r, const json_t *value, void *to)
{
	uint64_t number;
	int ret = json_take_permil(r, value, &number);

	if (!ret && number > UINT32_MAX)
		ret = json_refuse(r, value, "a share such as 500 (per mille) or '50 %'");
	if (!ret)
		*(uint32_t *)to = (uint32_t)number;
	return ret;
}

int json_take_bp(struct json_reader *r, const json_t *value, void *to)
{
	static const struct unit units[] = {{"%", 100}, {NULL, 0}};

	return take(r, value, units, 1, 1, UINT64_MAX,
		    "a share such as 400 (basis points) or '4 %'", to);
}

int json_take_path(struct json_reader *r, const json_t *value, void *to)
{
	const char *text = json_string_value(value), *copy = NULL;

	if (!text)
		return json_refuse(r, value, "a text");
	if (*text) {
		copy = params_strings_add(r->strings, text, strlen(text));
		if (!copy)
			return json_no_memory(r);
	}
	*(const char **)to = copy;
	return 0;
}

/* "min" and "max" go with any unit. */
static bool take_open_bound(const json_t *value, struct json_bound *bound)
{
	const char *text = json_string_value(value);

	if (!text || (strcmp(text, "min") && strcmp(text, "max") && !is_no_limit(text)))
		return false;
	bound->value = text[1] == 'i' ? 0 : UINT64_MAX;
	bound->kind = BOUND_ANY;
	return true;
}

int json_take_access_bound(struct json_reader *r, const json_t *value, void *to)
{
	const char *expected = r->damo_units
				       ? "a share such as '20 %' or a number such as '3 samples'"
				       : "a number of samples, or a share such as '20 %'";
	char room[400];
	const char *text = number_text(value, room, sizeof(room));
	struct json_bound *bound = to;
	size_t len;
	int ret;

	if (take_open_bound(value, bound))
		return 0;
	if (!text)
		return json_refuse(r, value, expected);
	len = strlen(text);
	bound->kind = BOUND_COUNT;
	if ((len && text[len - 1] == '%') || (r->damo_units && !strstr(text, "samples")))
		bound->kind = BOUND_MEASURE;
	ret = parse_text(text, access_units, r->damo_units ? 100 : 1, 1, &bound->value);
	if (ret || (bound->kind == BOUND_MEASURE && bound->value > 10000))
		return json_refuse(r, value, expected);
	return 0;
}

int json_take_age_bound(struct json_reader *r, const json_t *value, void *to)
{
	static const struct unit intervals[] = {{"aggr_intervals", 1}, {NULL, 0}};
	const char *expected = r->damo_units
				       ? "a time such as '5 s' or a number such as "
					 "'50 aggr_intervals'"
				       : "a number of aggregation intervals, or a time such as "
					 "'5 s'";
	char room[400];
	const char *text = number_text(value, room, sizeof(room));
	struct json_bound *bound = to;
	int ret;

	if (take_open_bound(value, bound))
		return 0;
	if (!text)
		return json_refuse(r, value, expected);
	bound->kind = BOUND_COUNT;
	if (strstr(text, "aggr_intervals") || (!r->damo_units && !strpbrk(text, "nsmhd"))) {
		ret = parse_text(text, intervals, 1, 1, &bound->value);
	} else {
		bound->kind = BOUND_MEASURE;
		ret = parse_text(text, time_units, 1000, 1000, &bound->value);
	}
	return ret ? json_refuse(r, value, expected) : 0;
}

int json_take_keyword(struct json_reader *r, const json_t *value, enum params_keyword kind,
		      void *to)
{
	const char *text = json_string_value(value);
	int found = text ? params_value(kind, text) : -EINVAL;
	char names[300], expected[320];

	if (found >= 0) {
		memcpy(to, &found, sizeof(found));
		return 0;
	}
	snprintf(expected, sizeof(expected), "one of %s", params_names(kind, names, sizeof(names)));
	return json_refuse(r, value, expected);
}

json_t *json_number(uint64_t value)
{
	char text[24];

	if (value == UINT64_MAX)
		return json_string("max");
	if (value <= INT64_MAX)
		return json_integer((json_int_t)value);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}
