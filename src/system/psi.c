/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Memory pressure of the machine (PSI).
 */
#include "system/psi.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int psi_parse(const char *text, uint64_t *stalled_us)
{
	const char *total = strncmp(text, "some ", 5) == 0 ? strstr(text, "total=") : NULL;

	return total && sscanf(total, "total=%" SCNu64, stalled_us) == 1 ? 0 : -EINVAL;
}

int psi_memory_stalled_us(uint64_t *stalled_us)
{
	int fd = open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC);
	char text[256];
	ssize_t len;

	if (fd < 0)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	len = read(fd, text, sizeof(text) - 1);
	/* With "psi=0" the file is there and refuses. */
	if (len < 0 && (errno == EOPNOTSUPP || errno == EINVAL))
		len = 0;
	close(fd);
	if (len <= 0)
		return -EOPNOTSUPP;
	text[len] = '\0';
	return psi_parse(text, stalled_us);
}
