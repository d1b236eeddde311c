// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A scheme in words: what it does, to which memory, how much of it, and when. */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "params/names.h"
#include "params/scheme.h"

struct words {
	char *text;
	size_t size;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct words *words, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (words->used >= words->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(words->text + words->used, words->size - words->used, fmt, ap);
	va_end(ap);
	words->used += n > 0 ? (size_t)n : 0;
}

/* Exact where few digits suffice, else to three of them. */
static void put_scaled(struct words *words, double value, const char *unit)
{
	if (value < 10)
		put(words, "%.3g %s", value, unit);
	else
		put(words, value < 1000 ? "%.4g %s" : "%.0f %s", value, unit);
}

static void put_size(struct words *words, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1024;
	put_scaled(words, value, units[unit]);
}

static void put_time(struct words *words, uint64_t us)
{
	if (us < 1000)
		put(words, "%" PRIu64 " us", us);
	else if (us < 1000000)
		put_scaled(words, (double)us / 1e3, "ms");
	else if (us < 120 * 1000000ULL)
		put_scaled(words, (double)us / 1e6, "s");
	else if (us < 2 * 3600 * 1000000ULL)
		put_scaled(words, (double)us / 60e6, "min");
	else
		put_scaled(words, (double)us / 3600e6, "h");
}

/* "so much", "at least", "at most", "from .. to": nothing when everything lies in it. */
static void put_bounds(struct words *words, uint64_t min, uint64_t max, uint64_t limit,
		       void (*put_value)(struct words *, uint64_t), const char *least,
		       const char *most)
{
	if (min == max) {
		put_value(words, min);
	} else if (max >= limit) {
		put(words, "%s ", least);
		put_value(words, min);
	} else if (!min) {
		put(words, "%s ", most);
		put_value(words, max);
	} else {
		put_value(words, min);
		put(words, " to ");
		put_value(words, max);
	}
}

static void put_action(struct words *words, const struct damos *scheme)
{
	static const char *const actions[] = {
		[DAMOS_STAT] = "count",
		[DAMOS_PAGEOUT] = "page out",
		[DAMOS_COLD] = "mark as cold",
		[DAMOS_WILLNEED] = "bring into memory",
		[DAMOS_HUGEPAGE] = "allow huge pages for",
		[DAMOS_NOHUGEPAGE] = "forbid huge pages for",
		[DAMOS_COLLAPSE] = "collapse into huge pages",
		[DAMOS_LRU_PRIO] = "mark as just used",
		[DAMOS_LRU_DEPRIO] = "mark as long unused",
		[DAMOS_MIGRATE_HOT] = "migrate, the hottest first,",
		[DAMOS_MIGRATE_COLD] = "migrate, the coldest first,",
	};
	uint32_t i;

	put(words, "%s", actions[scheme->action]);
	if (scheme->action != DAMOS_MIGRATE_HOT && scheme->action != DAMOS_MIGRATE_COLD)
		return;
	if (!scheme->nr_dests)
		put(words, " to node %" PRId32, scheme->target_nid);
	for (i = 0; i < scheme->nr_dests; i++)
		put(words, "%s node %" PRId32 " (weight %" PRIu32 ")", i ? "," : " to",
		    scheme->dests[i].nid, scheme->dests[i].weight);
}

static void put_share(struct words *words, uint32_t nr_accesses, uint64_t nr_samples)
{
	double percent = 100.0 * nr_accesses / (double)nr_samples;

	put(words, "%.3g", percent < 100 ? percent : 100.0);
}

static void put_access(struct words *words, const struct damos_access_pattern *pattern,
		       const struct damon_attrs *attrs)
{
	uint32_t min = pattern->min_nr_accesses, max = pattern->max_nr_accesses;
	uint64_t nr_samples = damon_nr_samples_per_aggr(attrs);

	if (!max) {
		put(words, " not accessed");
	} else if (min || max < nr_samples) {
		put(words, " accessed in ");
		if (min && max >= nr_samples)
			put(words, "at least ");
		else if (!min)
			put(words, "at most ");
		if (min)
			put_share(words, min, nr_samples);
		if (min && max < nr_samples && max != min)
			put(words, " to ");
		if (max < nr_samples && max != min)
			put_share(words, max, nr_samples);
		put(words, " %% of the samples");
	}
}

static uint64_t age_us(uint32_t intervals, const struct damon_attrs *attrs)
{
	uint64_t us;

	if (__builtin_mul_overflow(attrs->aggr_interval, (uint64_t)intervals, &us))
		return UINT64_MAX;
	return us;
}

static void put_pattern(struct words *words, const struct damos_access_pattern *pattern,
			const struct damon_attrs *attrs)
{
	bool any_sz = !pattern->min_sz_region && pattern->max_sz_region == UINT64_MAX;
	bool any_age = !pattern->min_age_region && pattern->max_age_region == UINT32_MAX;
	bool any_access = !pattern->min_nr_accesses &&
			  pattern->max_nr_accesses >= damon_nr_samples_per_aggr(attrs);

	put(words, any_sz && any_age && any_access ? " all memory" : " memory");
	put_access(words, pattern, attrs);
	if (!any_age) {
		put(words, any_access ? " unchanged for " : " for ");
		put_bounds(words, age_us(pattern->min_age_region, attrs),
			   pattern->max_age_region == UINT32_MAX
				   ? UINT64_MAX
				   : age_us(pattern->max_age_region, attrs),
			   UINT64_MAX, put_time, "at least", "at most");
	}
	if (!any_sz) {
		put(words, " in regions of ");
		put_bounds(words, pattern->min_sz_region, pattern->max_sz_region, UINT64_MAX,
			   put_size, "at least", "at most");
	}
}

static void put_goal(struct words *words, const struct damos_quota_goal *goal)
{
	put(words, "%s = ", params_name(PARAMS_GOAL_METRIC, goal->metric));
	if (goal->metric == DAMOS_GOAL_SOME_MEM_PSI_US)
		put_time(words, goal->target_value);
	else if (goal->metric == DAMOS_GOAL_USER_INPUT)
		put(words, "%" PRIu64, goal->target_value);
	else
		put(words, "%.4g %%", (double)goal->target_value / 100);
	if ((goal->metric >= DAMOS_GOAL_NODE_MEM_USED_BP &&
	     goal->metric <= DAMOS_GOAL_NODE_MEMCG_FREE_BP) ||
	    goal->metric == DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP)
		put(words, " on node %" PRId32, goal->nid);
	if (goal->memcg_path)
		put(words, " of cgroup %s", goal->memcg_path);
}

static void put_quota(struct words *words, const struct damos *scheme)
{
	const struct damos_quota *quota = &scheme->quota;
	bool cold = scheme->action == DAMOS_PAGEOUT || scheme->action == DAMOS_LRU_DEPRIO;
	bool hot = scheme->action == DAMOS_LRU_PRIO;
	uint32_t i;

	if (!quota->sz && !quota->ms && !quota->nr_goals)
		return;
	if (quota->sz || quota->ms) {
		put(words, ", at most ");
		if (quota->sz)
			put_size(words, quota->sz);
		if (quota->sz && quota->ms)
			put(words, " and ");
		if (quota->ms)
			put(words, "%" PRIu64 " ms of processor time", quota->ms);
	}
	for (i = 0; i < quota->nr_goals; i++) {
		put(words, i ? " and " : ", tuned towards ");
		put_goal(words, &quota->goals[i]);
	}
	if (quota->nr_goals && quota->tuner == DAMOS_TUNER_TEMPORAL)
		put(words, " (all or nothing)");
	if (quota->reset_interval_ms && quota->reset_interval_ms < UINT64_MAX / 1000) {
		put(words, " every ");
		put_time(words, quota->reset_interval_ms * 1000);
	} else if (!quota->reset_interval_ms) {
		put(words, " each time");
	}
	if ((cold || hot) && (quota->weight_age || quota->weight_nr_accesses))
		put(words, ", the %s first", cold ? "coldest" : "hottest");
	if (quota->fail_charge_denom)
		put(words, ", failures charged %" PRIu32 "/%" PRIu32, quota->fail_charge_num,
		    quota->fail_charge_denom);
}

static void put_filter(struct words *words, const struct damos_filter *filter)
{
	put(words, ", %s %s%s", filter->allow ? "allowing" : "leaving out",
	    filter->matching ? "" : "all but ", params_name(PARAMS_FILTER_TYPE, filter->type));
	switch (filter->type) {
	case DAMOS_FILTER_MEMCG:
		put(words, " %s", filter->memcg_path ? filter->memcg_path : "");
		break;
	case DAMOS_FILTER_HUGEPAGE_SIZE:
		put(words, " ");
		put_size(words, filter->sz_min);
		put(words, " to ");
		put_size(words, filter->sz_max);
		break;
	case DAMOS_FILTER_ADDR:
		put(words, " 0x%" PRIx64 "-0x%" PRIx64, filter->addr_start, filter->addr_end);
		break;
	case DAMOS_FILTER_TARGET:
		put(words, " %" PRIu32, filter->target_idx);
		break;
	default:
		break;
	}
}

/* A text that was cut may end within a character, which would make it unfit for JSON. */
static void drop_half_character(char *text)
{
	size_t end = strlen(text);

	while (end && ((unsigned char)text[end - 1] & 0xc0) == 0x80)
		end--;
	if (end && (unsigned char)text[end - 1] >= 0xc0)
		end--;
	text[end] = '\0';
}

char *params_scheme_words(const struct damos *scheme, const struct damon_attrs *attrs, char *text,
			  size_t size)
{
	struct words words = {.text = text, .size = size};
	const struct damos_watermarks *wmarks = &scheme->wmarks;
	uint32_t i;

	text[0] = '\0';
	put_action(&words, scheme);
	put_pattern(&words, &scheme->pattern, attrs);
	put_quota(&words, scheme);
	for (i = 0; i < scheme->nr_filters; i++)
		put_filter(&words, &scheme->filters[i]);
	if (scheme->apply_interval_us) {
		put(&words, ", looked for every ");
		put_time(&words, scheme->apply_interval_us);
	}
	if (wmarks->metric == DAMOS_WMARK_FREE_MEM_RATE)
		put(&words,
		    ", from less than %.3g %% of the system's memory free until more than %.3g %%, "
		    "never below %.3g %%",
		    (double)wmarks->mid / 10, (double)wmarks->high / 10, (double)wmarks->low / 10);
	if (scheme->max_nr_snapshots)
		put(&words, ", %" PRIu64 " times", scheme->max_nr_snapshots);
	if (words.used >= size)
		drop_half_character(text);
	/* Paths may have any. */
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return text;
}
