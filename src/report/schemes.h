/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the schemes of a record did: totals, and their course over time.
 */
#ifndef REPORT_SCHEMES_H
#define REPORT_SCHEMES_H

#include "record/record.h"
#include "report/report.h"
#include "report/text.h"

/**
 * struct scheme_course - one scheme
 * @total:	what it did in the time that is looked at
 * @words, @json: what it is; NULL when the record doesn't say. The reader's.
 * @min_esz, @max_esz: its effective quota while it had one; 0: never
 * @seen:	it was in a window already
 * @tried, @applied: bytes in each of &schemes.columns equal spans of time
 */
struct scheme_course {
	struct record_scheme_stat total;
	const char *words;
	const char *json;
	uint64_t min_esz;
	uint64_t max_esz;
	bool seen;
	double *tried;
	double *applied;
};

/**
 * struct schemes - all of them
 * @t_start_ns, @t_end_ns: the time that is looked at, from the record's first window on
 */
struct schemes {
	size_t nr;
	struct scheme_course *list;
	size_t columns;
	double t_start_ns;
	double t_end_ns;
};

/** schemes_gather() - read them; schemes_clear() afterwards in any case. 0 or -errno with a text. */
int schemes_gather(struct schemes *schemes, struct record_reader *record,
		   const struct report_options *options, size_t columns, struct damon_error *error);
void schemes_clear(struct schemes *schemes);

/** schemes_any() - whether the last window has schemes; 1, 0 or -errno */
int schemes_any(struct record_reader *record, struct damon_error *error);

/** schemes_brief() - each in words, with its totals, as part of another report */
void schemes_brief(FILE *out, const struct schemes *schemes, const struct text_plan *plan);

/** schemes_totals_json() - an array of their words and totals; NULL: no memory */
json_t *schemes_totals_json(const struct schemes *schemes);

#endif
