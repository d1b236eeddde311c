/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The physical address map.
 */
#include "access/iomem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t iomem_ram_end(void)
{
	FILE *file = fopen("/proc/iomem", "re");
	uint64_t first, last, end = 0;
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, ": System RAM") ||
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &first, &last) != 2)
			continue;
		if (last && last + 1 > end)
			end = last + 1;
	}
	fclose(file);
	return end;
}
