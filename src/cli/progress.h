/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A progress line for what takes longer than two seconds. */
#ifndef UDAMON_CLI_PROGRESS_H
#define UDAMON_CLI_PROGRESS_H

#include <stdint.h>

#include "cli/options.h"

/** struct progress - of one job; private */
struct progress {
	const char *what;
	bool quiet;
	uint64_t t_start_ns;
	uint64_t t_shown_ns;
};

/** progress_start() - the job named @what begins now */
void progress_start(struct progress *progress, const struct options *opts, const char *what);

/** progress_show() - @done of it, 0..1, is done; shows that now and then, once two seconds have passed */
void progress_show(struct progress *progress, double done);

#endif
