// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Parsers of the values users write on the command line. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "params/values.h"

bool is_utf8(const char *text)
{
	json_t *json = json_string(text);

	json_decref(json);
	return json;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {NULL, 0},
};

static const struct unit size_units[] = {
	{"", 1},	   {"K", 1ULL << 10}, {"M", 1ULL << 20},
	{"G", 1ULL << 30}, {"T", 1ULL << 40}, {NULL, 0},
};

/* strtoull() takes signs, spaces and wraps negatives; none of that is wanted here. */
static int take_digits(const char **text, unsigned int base, uint64_t *value)
{
	const char *digits = "0123456789abcdef";
	const char *p = *text;
	uint64_t v = 0;
	int ret = 0;

	for (; *p; p++) {
		char lower = *p >= 'A' && *p <= 'F' ? (char)(*p - 'A' + 'a') : *p;
		const char *digit = memchr(digits, lower, base);

		if (!digit)
			break;
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(digit - digits), &v))
			ret = -ERANGE;
	}
	if (p == *text)
		return -EINVAL;
	*text = p;
	*value = v;
	return ret;
}

static int parse_with_unit(const char *text, const struct unit *units, uint64_t *value)
{
	uint64_t v;
	int ret = take_digits(&text, 10, &v);

	if (ret == -EINVAL)
		return ret;
	for (; units->name; units++) {
		if (strcmp(units->name, text))
			continue;
		if (ret || __builtin_mul_overflow(v, units->factor, &v))
			return -ERANGE;
		*value = v;
		return 0;
	}
	return -EINVAL;
}

int parse_count(const char *text, uint64_t *count)
{
	static const struct unit none[] = {{"", 1}, {NULL, 0}};

	return parse_with_unit(text, none, count);
}

int parse_time(const char *text, uint64_t *us)
{
	return parse_with_unit(text, time_units, us);
}

int parse_size(const char *text, uint64_t *bytes)
{
	return parse_with_unit(text, size_units, bytes);
}

int parse_percent(const char *text, uint64_t *bp)
{
	uint64_t whole, value, fraction = 0;
	int ret = take_digits(&text, 10, &whole);

	if (ret == -EINVAL)
		return ret;
	if (*text == '.') {
		const char *start = ++text;
		int bad = take_digits(&text, 10, &fraction);

		if (bad == -EINVAL)
			return bad;
		if (bad || text - start > 2)
			ret = -ERANGE;
		else if (text - start == 1)
			fraction *= 10;
	}
	if (*text == '%')
		text++;
	if (*text)
		return -EINVAL;
	if (ret || whole > 100)
		return -ERANGE;
	value = whole * 100 + fraction;
	if (value > 10000)
		return -ERANGE;
	*bp = value;
	return 0;
}

static int take_address(const char **text, uint64_t *address)
{
	if (!strncmp(*text, "0x", 2))
		*text += 2;
	return take_digits(text, 16, address);
}

int parse_range(const char *text, struct damon_addr_range *range)
{
	struct damon_addr_range r;
	int start, end;

	start = take_address(&text, &r.start);
	if (start == -EINVAL || *text++ != '-')
		return -EINVAL;
	end = take_address(&text, &r.end);
	if (end == -EINVAL || *text)
		return -EINVAL;
	if (start || end || r.start >= r.end)
		return -ERANGE;
	*range = r;
	return 0;
}

/* The part of @text up to the next comma, or to its end, parsed by @parse. */
static int take_field(const char **text, char end, int (*parse)(const char *, uint64_t *),
		      uint64_t *value)
{
	char field[32];
	size_t len = strcspn(*text, ",");
	int ret;

	if (len >= sizeof(field) || (*text)[len] != end)
		return -EINVAL;
	memcpy(field, *text, len);
	field[len] = '\0';
	ret = parse(field, value);
	if (!ret)
		*text += len + (end ? 1 : 0);
	return ret;
}

int parse_intervals_goal(const char *text, struct damon_intervals_goal *goal)
{
	struct damon_intervals_goal g;
	int ret;

	ret = take_field(&text, ',', parse_count, &g.access_bp);
	if (!ret)
		ret = take_field(&text, ',', parse_count, &g.aggrs);
	if (!ret)
		ret = take_field(&text, ',', parse_time, &g.min_sample_us);
	if (!ret)
		ret = take_field(&text, '\0', parse_time, &g.max_sample_us);
	if (ret)
		return ret;
	if (!g.access_bp || g.access_bp > 10000 || !g.aggrs || !g.min_sample_us ||
	    g.min_sample_us > g.max_sample_us)
		return -ERANGE;
	*goal = g;
	return 0;
}
