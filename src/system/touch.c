/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Making pages of another process count as used, for the kernel's reclaim.
 */
#include "system/touch.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "system/process.h"

/* Reads all once: the call ends at the first page it can't read, so it goes on behind that one. */
static int read_all(pid_t pid, int pidfd, struct iovec *pages, size_t nr, unsigned char *times)
{
	char bytes[TOUCH_MAX];
	size_t first = 0;

	while (first < nr) {
		struct iovec local = {bytes, nr - first};
		ssize_t done;

		/* The call takes a number, not a descriptor, so it is looked at just before whose it is. */
		if (process_state(pidfd) != PROCESS_ALIVE)
			return -ESRCH;
		done = process_vm_readv(pid, &local, 1, pages + first, nr - first, 0);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno != EFAULT && errno != ENOMEM)
			return -errno;
		if (done < 0)
			done = 0;
		memset(bytes, 0, sizeof(bytes));
		while (done--)
			times[first++]++;
		first++;
	}
	return 0;
}

ssize_t touch_pages(pid_t pid, int pidfd, const uint64_t *addrs, size_t nr)
{
	unsigned char times[TOUCH_MAX] = {};
	struct iovec pages[TOUCH_MAX];
	ssize_t nr_read = 0;
	size_t i;
	int ret;

	if (nr > TOUCH_MAX)
		return -EINVAL;
	for (i = 0; i < nr; i++)
		pages[i] = (struct iovec){(void *)(uintptr_t)addrs[i], 1};
	ret = read_all(pid, pidfd, pages, nr, times);
	if (!ret)
		ret = read_all(pid, pidfd, pages, nr, times);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++)
		nr_read += times[i] == 2;
	return nr_read;
}
