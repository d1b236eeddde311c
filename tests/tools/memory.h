/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* How much memory this machine can spare: asked before a target takes much. */
#ifndef UDAMON_TESTS_MEMORY_H
#define UDAMON_TESTS_MEMORY_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

/* By the kernel's estimate; 0 where it can't be read. */
static inline uint64_t available_mib(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			break;
	}
	if (file)
		fclose(file);
	return kib / 1024;
}

#endif
