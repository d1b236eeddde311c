/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Schemes as people and files write them, before any context has them.
 *
 * Read by scheme_text.h (--scheme) and scheme_json.h; written as JSON there and as words here.
 */
#ifndef UDAMON_PARAMS_SCHEME_H
#define UDAMON_PARAMS_SCHEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <udamon/damon.h>
#include <udamon/error.h>

/** struct params_strings - owner of the paths that schemes and probes borrow; zeroed is empty */
struct params_strings {
	size_t nr;
	char **list;
};

/** params_strings_add() - keep a copy of @text; NULL without memory */
const char *params_strings_add(struct params_strings *strings, const char *text, size_t len);

/** params_strings_free() - after the last context that borrows one */
void params_strings_free(struct params_strings *strings);

/**
 * struct params_scheme - a scheme's parameters, and what its pattern was written as
 * @values:	a template: its parameters are meaningful, its private part isn't. The pattern
 *		holds what @attrs at the time of reading made of the following.
 * @access_is_share: the access range was given as a share of samples,
 * @min_access_bp, @max_access_bp: this one, basis points
 * @age_is_time: the age was given as a time,
 * @min_age_us, @max_age_us: this one; UINT64_MAX is no limit
 */
struct params_scheme {
	struct damos values;
	bool access_is_share;
	uint64_t min_access_bp;
	uint64_t max_access_bp;
	bool age_is_time;
	uint64_t min_age_us;
	uint64_t max_age_us;
};

/** struct params_schemes - schemes in order, with the strings they borrow; zeroed is empty */
struct params_schemes {
	size_t nr;
	struct params_scheme *list;
	struct params_strings strings;
};

/** params_schemes_free() - after the last context that has them */
void params_schemes_free(struct params_schemes *schemes);

/** params_schemes_add() - room for one more at the end, set by params_scheme_init(); NULL: no memory */
struct params_scheme *params_schemes_add(struct params_schemes *schemes);

/** params_schemes_move() - append those of @from, which is empty afterwards; -ENOMEM: nothing changed */
int params_schemes_move(struct params_schemes *schemes, struct params_schemes *from);

/** params_scheme_init() - counts every region once a window: what damon_new_scheme() makes */
void params_scheme_init(struct params_scheme *scheme);

/**
 * params_scheme_convert() - what @scheme's shares and times are in samples and aggregation intervals
 * @attrs:	the intervals
 * @pattern:	its access and age bounds are written, where they were given as shares or times
 *
 * A region matches when its access rate and age really lie in the range: lower bounds are rounded
 * up, upper ones down. To be called again whenever the intervals changed (automatic tuning), on
 * the kdamond for &damos.pattern of a running context: without it, "5s" would come to mean
 * another time. Where rounding leaves nothing between the bounds (an age of exactly 150 ms in
 * windows of 100 ms), the lower one is both. Return: whether something changed.
 */
bool params_scheme_convert(const struct params_scheme *scheme, const struct damon_attrs *attrs,
			   struct damos_access_pattern *pattern);

/**
 * params_scheme_check() - what no operations set would take: empty ranges, contradictory watermarks, ...
 * Return: 0, or -EINVAL with a text that names the parameter and its values.
 */
int params_scheme_check(const struct damos *scheme, struct damon_error *err);

/**
 * params_scheme_install() - give @ctx, which isn't running, a copy of @scheme
 *
 * Its strings must outlive the context. Return: 0; else what damon_add_scheme() returns, with a
 * text that says which part was refused.
 */
int params_scheme_install(struct damon_ctx *ctx, const struct params_scheme *scheme,
			  struct damon_error *err);

/** params_scheme_supported() - whether @ops has the action and all the filters of @scheme */
bool params_scheme_supported(const struct damon_operations *ops, const struct damos *scheme);

/**
 * params_scheme_refused() - say why damon_add_scheme(), damon_start() or a commit refused @scheme
 * @ops:	the context's; may be NULL
 * @code:	what was returned; returned again
 */
int params_scheme_refused(const struct damon_operations *ops, const struct damos *scheme, int code,
			  struct damon_error *err);

/**
 * params_scheme_words() - what a scheme does, for people: one sentence without its full stop
 * @attrs:	to tell access rates in percent and ages in seconds
 * @size:	PARAMS_WORDS_MAX always suffices, but for long paths, which are cut
 */
#define PARAMS_WORDS_MAX 2048
char *params_scheme_words(const struct damos *scheme, const struct damon_attrs *attrs, char *words,
			  size_t size);

#endif
