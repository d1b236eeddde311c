/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What udamon verify found out while it watched, and how it is told. */
#ifndef UDAMON_CLI_VERIFYING_H
#define UDAMON_CLI_VERIFYING_H

#include "cli/options.h"
#include "ops/accuracy.h"
#include "ops/vaddr_both.h"
#include "system/maps.h"

/* Windows in which the regions still find their places; they are watched, but not judged. */
#define VERIFY_EARLY_WINDOWS 5

#define VERIFY_WORST 10

/**
 * struct verified - all that is told
 * @pid, @comm:	of the process
 * @sample_us, @samples: of a window
 * @windows:	watched, with those that are not judged
 * @ns:		that the judged windows took
 * @cost:	of these
 * @unflushed:	none of it was flushed
 * @worst:	of the last judged window
 * @maps:	the mappings then
 */
struct verified {
	pid_t pid;
	char comm[64];
	uint64_t sample_us;
	uint32_t samples;
	uint64_t windows;
	uint64_t ns;
	struct accuracy accuracy;
	struct vaddr_both_cost cost;
	const char *flush;
	size_t nr_worst;
	struct accuracy_region worst[VERIFY_WORST];
	struct mapping_list maps;
};

/** verified_print() - as text or as JSON; 0 or an exit code after the error was printed */
int verified_print(const struct verified *verified, const struct options *opts);

#endif
