/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Processes: who they are, whether they are still the same, holding on to one by its pidfd.
 */
#include "system/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Flag of a kernel thread in field 9 of /proc/PID/stat; part of the kernel's interface by use. */
#define KERNEL_THREAD_FLAG 0x00200000u

static int read_file(const char *path, char *text, size_t size)
{
	int ret = 0, fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t len;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (used < size - 1) {
		len = read(fd, text + used, size - 1 - used);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			ret = -errno;
		if (len <= 0)
			break;
		used += (size_t)len;
	}
	close(fd);
	text[used] = '\0';
	return ret ? ret : (int)used;
}

void process_boot_id(char *id, size_t size)
{
	if (read_file("/proc/sys/kernel/random/boot_id", id, size) < 0)
		id[0] = '\0';
	id[strcspn(id, "\n")] = '\0';
}

int process_info_parse(struct process_info *info, const char *text)
{
	/* The name may hold spaces and brackets: it ends at the last ')'. */
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	unsigned int flags;
	size_t len;

	*info = (struct process_info){};
	if (!open || !close || close < open || sscanf(text, "%d", &info->pid) != 1)
		return -EINVAL;
	len = (size_t)(close - open - 1);
	if (len >= sizeof(info->comm))
		len = sizeof(info->comm) - 1;
	memcpy(info->comm, open + 1, len);
	/* Fields 3, 9, 20 and 22. */
	if (sscanf(close + 1,
		   " %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %u %*d "
		   "%" SCNu64,
		   &info->state, &flags, &info->nr_threads, &info->start_time) != 4)
		return -EINVAL;
	info->kernel_thread = flags & KERNEL_THREAD_FLAG;
	return 0;
}

int process_info_read(struct process_info *info, pid_t pid)
{
	char path[64], text[1024];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	ret = read_file(path, text, sizeof(text));
	if (ret < 0)
		return ret;
	return process_info_parse(info, text) ? -EIO : 0;
}

/* Number of the process that thread @tid belongs to; 0 when unknown. */
static pid_t thread_group(pid_t tid)
{
	char path[64], text[4096], *line;
	int tgid;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	if (read_file(path, text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "\nTgid:");
	if (!line || sscanf(line, "\nTgid: %d", &tgid) != 1)
		return 0;
	return tgid;
}

static int open_error(pid_t pid, int code, struct damon_error *err)
{
	pid_t group = thread_group(pid);

	/* A thread's number: EINVAL before 6.18, ENOENT since. */
	if ((code == -EINVAL || code == -ENOENT) && group && group != pid)
		return damon_error_set(err, -EINVAL,
				       "%d is a thread of process %d: give the process", (int)pid,
				       (int)group);
	if (code == -ESRCH || code == -ENOENT || code == -EINVAL)
		return damon_error_set(err, -ESRCH, "there is no process %d", (int)pid);
	return damon_error_set(err, code, "can't open process %d: %s", (int)pid, strerror(-code));
}

int process_open(pid_t pid, int *pidfd, struct process_info *info, struct damon_error *err)
{
	struct process_info found;
	int fd, ret;

	*pidfd = -1;
	if (pid <= 0)
		return damon_error_set(err, -ESRCH, "there is no process %d", (int)pid);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return open_error(pid, -errno, err);
	/* While the descriptor's process isn't reaped, its number is nobody else's. */
	ret = process_info_read(&found, pid);
	if (!ret && process_state(fd) == PROCESS_GONE)
		ret = -ESRCH;
	if (ret) {
		close(fd);
		return open_error(pid, ret, err);
	}
	if (found.kernel_thread) {
		close(fd);
		return damon_error_set(
			err, -EINVAL,
			"process %d (%s) is a kernel thread: it has no memory of its own", (int)pid,
			found.comm);
	}
	*pidfd = fd;
	if (info)
		*info = found;
	return 0;
}

enum process_state process_state(int pidfd)
{
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

	if (poll(&poll_fd, 1, 0) <= 0 || !(poll_fd.revents & (POLLIN | POLLHUP)))
		return PROCESS_ALIVE;
	if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) && errno == ESRCH)
		return PROCESS_GONE;
	return PROCESS_EXITED;
}

uint64_t process_resident_pages(pid_t pid)
{
	unsigned long long size, resident = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident;
}

int process_cmdline(pid_t pid, char *text, size_t size)
{
	char path[64];
	int i, len;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	len = read_file(path, text, size);
	if (len < 0)
		return len;
	while (len && !text[len - 1])
		len--;
	for (i = 0; i < len; i++) {
		if (!text[i])
			text[i] = ' ';
	}
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

/* Add the children of one thread; -errno when the kernel doesn't tell. */
static int add_children(pid_t pid, const char *thread, pid_t *children, size_t max, size_t *nr)
{
	char path[320], text[8192], *at = text, *end;
	long child;
	int len;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", (int)pid, thread);
	len = read_file(path, text, sizeof(text));
	if (len < 0)
		return len;
	for (child = strtol(at, &end, 10); end != at && *nr < max; child = strtol(at, &end, 10)) {
		/* A number cut off at the buffer's end isn't one. */
		if (!*end)
			break;
		children[(*nr)++] = (pid_t)child;
		at = end;
	}
	return 0;
}

int process_children(pid_t pid, pid_t *children, size_t max, size_t *first_thread)
{
	size_t thread = 0, nr = 0;
	struct dirent *entry;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (thread >= *first_thread && thread < *first_thread + PROCESS_CHILDREN_THREADS) {
			/* A thread may have ended meanwhile; the process's first one tells about the kernel. */
			ret = add_children(pid, entry->d_name, children, max, &nr);
			if (ret == -ESRCH && thread)
				ret = 0;
		}
		thread++;
	}
	closedir(dir);
	*first_thread += PROCESS_CHILDREN_THREADS;
	if (*first_thread >= thread)
		*first_thread = 0;
	if (ret)
		return ret == -ESRCH ? -EOPNOTSUPP : ret;
	qsort(children, nr, sizeof(*children), compare_pids);
	return (int)nr;
}
