/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The values users write: times, sizes, counts, shares, addresses. All exact:
 * what can't be represented is refused, never rounded.
 *
 * Every parser takes the whole text. Return: 0; -EINVAL (not such a value); -ERANGE (one, but too
 * large, too small, or not exact). Nothing is stored on errors.
 */
#ifndef UDAMON_PARAMS_VALUES_H
#define UDAMON_PARAMS_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include <udamon/damon.h>

/** is_utf8() - whether a name can be kept: files of parameters are JSON, which is UTF-8 */
bool is_utf8(const char *text);

/** parse_count() - decimal digits only */
int parse_count(const char *text, uint64_t *count);

/** parse_time() - a whole number and its unit (us, ms, s, m), in microseconds */
int parse_time(const char *text, uint64_t *us);

/** parse_size() - bytes, or a whole number and K, M, G, T (powers of 1,024) */
int parse_size(const char *text, uint64_t *bytes);

/** parse_percent() - 0..100 with up to two decimals, a % may follow; in basis points */
int parse_percent(const char *text, uint64_t *bp);

/** parse_range() - START-END, both hexadecimal as /proc/PID/maps writes them, a 0x may precede */
int parse_range(const char *text, struct damon_addr_range *range);

/** parse_intervals_goal() - BP,AGGRS,MIN,MAX: two counts and two times */
int parse_intervals_goal(const char *text, struct damon_intervals_goal *goal);

#endif
