// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Writing results. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/output.h"
#include "record/replacement.h"

static int cannot_write(void)
{
	if (errno == EPIPE)
		return 128 + SIGPIPE;
	return give_up(EXIT_FAILED, "cannot write to standard output: %s", strerror(errno));
}

int output_text(const char *text, size_t size)
{
	int ret = output_flush();

	if (ret)
		return ret;
	ret = file_write_all(STDOUT_FILENO, text, size);
	if (!ret)
		return 0;
	errno = -ret;
	return cannot_write();
}

int output_flush(void)
{
	if (!fflush(stdout))
		return 0;
	return cannot_write();
}

/* Into a new file beside @path, which then takes its place. */
static int write_and_rename(const char *path, const char *text, size_t size)
{
	struct replacement replacement;
	int ret = replacement_begin(&replacement, path);

	if (ret)
		return ret;
	ret = file_write_all(replacement.fd, text, size);
	if (!ret)
		return replacement_commit(&replacement, 0);
	replacement_drop(&replacement);
	return ret;
}

/* Signals wait until it is done, so that none leaves the new file behind. */
static int replace_file(const char *path, const char *text, size_t size)
{
	sigset_t ending, before;
	int ret;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigprocmask(SIG_BLOCK, &ending, &before);
	ret = write_and_rename(path, text, size);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

/* Devices and pipes (/dev/stdout) are written to, not replaced. */
static int write_special(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = file_write_all(fd, text, size);
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

static int file_failed(const char *path, int err)
{
	return give_up(EXIT_FAILED, "cannot write '%s': %s%s", path, strerror(err),
		       err == ENOENT   ? "; create the directory or choose another"
		       : err == ENOSPC ? "; free some space or choose another place"
				       : "");
}

/* Whether it is empty or begins like @text. */
static bool begins_like(const char *path, const char *text)
{
	char begin[128];
	size_t size = strlen(text);
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return false;
	if (size > sizeof(begin))
		size = sizeof(begin);
	got = read(fd, begin, size);
	close(fd);
	return !got || (got == (ssize_t)size && !memcmp(begin, text, size));
}

/* An exit code where @path is a file of another kind than what begins with @head. */
static int check_kind(const char *path, const char *head)
{
	struct stat st;

	if (stat(path, &st) || !S_ISREG(st.st_mode) || begins_like(path, head))
		return 0;
	return give_up(
		EXIT_FAILED,
		"'%s' is a file that udamon didn't write and is not replaced; choose another name",
		path);
}

int output_check(const char *path, const char *head)
{
	char folder[PATH_MAX];
	struct stat st;
	int ret = check_kind(path, head);

	if (ret)
		return ret;
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return access(path, W_OK) ? file_failed(path, errno) : 0;
	if (snprintf(folder, sizeof(folder), "%s", path) >= (int)sizeof(folder))
		return file_failed(path, ENAMETOOLONG);
	return access(dirname(folder), W_OK | X_OK) ? file_failed(path, errno) : 0;
}

int output_file(const char *path, const char *head, const char *text, size_t size)
{
	struct stat st;
	int ret = check_kind(path, head);

	if (ret)
		return ret;
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		ret = write_special(path, text, size);
	else
		ret = replace_file(path, text, size);
	return ret ? file_failed(path, -ret) : 0;
}
