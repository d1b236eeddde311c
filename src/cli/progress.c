// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A progress line for what takes longer than two seconds. */

#include "cli/progress.h"
#include "cli/terminal.h"
#include "system/clock.h"

#define PATIENCE_NS 2000000000ULL
#define REFRESH_NS  200000000ULL

void progress_start(struct progress *progress, const struct options *opts, const char *what)
{
	*progress = (struct progress){
		.what = what,
		.quiet = opts->quiet,
		.t_start_ns = clock_ns(CLOCK_MONOTONIC),
	};
}

void progress_show(struct progress *progress, double done)
{
	uint64_t now;

	if (progress->quiet)
		return;
	now = clock_ns(CLOCK_MONOTONIC);
	if (now - progress->t_start_ns < PATIENCE_NS || now - progress->t_shown_ns < REFRESH_NS)
		return;
	progress->t_shown_ns = now;
	terminal_status("%s: %.0f %%", progress->what, done * 100);
}
