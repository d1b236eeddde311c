/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the kernel tells about single pages.
 */
#include "access/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PAGE_BYTES 4096

static int read_entries(int fd, uint64_t index, uint64_t *entries, size_t nr)
{
	size_t want = nr * sizeof(*entries), done = 0;
	ssize_t len;

	while (done < want) {
		len = pread(fd, (char *)entries + done, want - done,
			    (off_t)(index * sizeof(*entries) + done));
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		if (len == 0)
			return -EIO;
		done += (size_t)len;
	}
	return 0;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int pagemap_open(pid_t pid)
{
	char path[64];

	if (!pid)
		return open_file("/proc/self/pagemap");
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	return open_file(path);
}

int pagemap_read(int fd, uint64_t addr, uint64_t *entries, size_t nr)
{
	return read_entries(fd, addr / PAGE_BYTES, entries, nr);
}

int frame_files_open(struct frame_files *files)
{
	files->count_fd = files->cgroup_fd = -1;
	files->flags_fd = open_file("/proc/kpageflags");
	if (files->flags_fd < 0)
		return files->flags_fd;
	files->count_fd = open_file("/proc/kpagecount");
	if (files->count_fd < 0) {
		close(files->flags_fd);
		files->flags_fd = -1;
		return files->count_fd;
	}
	/* Only on kernels with memory cgroups. */
	files->cgroup_fd = open_file("/proc/kpagecgroup");
	return 0;
}

void frame_files_close(struct frame_files *files)
{
	if (files->flags_fd >= 0)
		close(files->flags_fd);
	if (files->count_fd >= 0)
		close(files->count_fd);
	if (files->cgroup_fd >= 0)
		close(files->cgroup_fd);
	files->flags_fd = files->count_fd = files->cgroup_fd = -1;
}

int frame_flags(const struct frame_files *files, uint64_t frame, uint64_t *flags, size_t nr)
{
	return read_entries(files->flags_fd, frame, flags, nr);
}

int frame_mapcounts(const struct frame_files *files, uint64_t frame, uint64_t *counts, size_t nr)
{
	return read_entries(files->count_fd, frame, counts, nr);
}

int frame_cgroup(const struct frame_files *files, uint64_t frame, uint64_t *inode)
{
	if (files->cgroup_fd < 0)
		return -EOPNOTSUPP;
	return read_entries(files->cgroup_fd, frame, inode, 1);
}
