/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The numbers at the head of a summary: what monitoring cost, how long memory was idle.
 */
#ifndef REPORT_FACTS_H
#define REPORT_FACTS_H

#include "report/gather.h"
#include "report/text.h"

/** struct facts - what is worked out from &struct gather and the record's properties */
struct facts {
	double duration_s;
	double watched_s;
	double cpu_pct;	     /* -1: not recorded */
	double clears_per_s; /* -1: nothing was watched */
	double slowdown_pct; /* -1: no real target */
	double budget_pct;   /* -1: none, or not recorded */
	double floored_pct;  /* of the time */
	double mapped;
	double resident; /* -1: not recorded */
	double idle_ns[WSS_PERCENTILES];
	double wss[WSS_PERCENTILES];
};

/** facts_collect() - work them out; needs GATHER_LAST; 0 or -ENOMEM */
int facts_collect(struct facts *facts, const struct gather *gather, struct record_reader *record);

#endif
