// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A client of the DAMON file tree: reading and writing its files. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/signals.h"
#include "cli/tree_client.h"

#define DEFAULT_MOUNT "/run/udamon/sys"
#define KERNEL_ROOT   "/sys"
#define KDAMONDS      "kernel/mm/damon/admin/kdamonds"
#define OWN	      "udamon/kdamonds"
#define LARGEST_OWN   ((size_t)256 << 20) /* a file of udamon's own that is larger isn't one */

static int no_daemon(const char *root, int err)
{
	if (err == ENOTCONN || err == EIO)
		return give_up(EXIT_FAILED,
			       "'%s': the udamond that served it is gone; start it again with: "
			       "systemctl start udamond",
			       root);
	return give_up(
		EXIT_FAILED,
		"'%s': no udamond serves it; start one (systemctl start udamond) or name its "
		"folder with --mount",
		root);
}

static int cannot_open(const struct tree *tree, int err)
{
	if (err == EACCES || err == EPERM)
		return give_up(EXIT_CANNOT, "'%s': %s; only root may control monitoring",
			       tree->root, strerror(err));
	if (tree->kernel && err == ENOENT)
		return give_up(EXIT_CANNOT,
			       "'%s/" KDAMONDS "': this kernel has no DAMON file tree; leave "
			       "out --engine kernel to use udamond's",
			       tree->root);
	if (tree->kernel)
		return give_up(EXIT_FAILED, "'%s/" KDAMONDS "': %s", tree->root, strerror(err));
	return no_daemon(tree->root, err);
}

int tree_open(struct tree *tree, const struct options *opts)
{
	*tree = (struct tree){.root_fd = -1, .dir_fd = -1, .own_fd = -1, .lock_fd = -1};
	tree->kernel = !strcmp(opts->engine, "kernel");
	tree->root = opts->mount ? opts->mount : tree->kernel ? KERNEL_ROOT : DEFAULT_MOUNT;
	tree->root_fd = open(tree->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree->root_fd < 0)
		return cannot_open(tree, errno);
	/* First what only a udamond has: without it, this could be a kernel's, which nobody asked for. */
	if (!tree->kernel) {
		tree->own_fd = openat(tree->root_fd, OWN, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (tree->own_fd < 0)
			return cannot_open(tree, errno);
	}
	tree->dir_fd = openat(tree->root_fd, KDAMONDS, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return tree->dir_fd < 0 ? cannot_open(tree, errno) : 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void tree_close(struct tree *tree)
{
	close_one(&tree->lock_fd);
	close_one(&tree->own_fd);
	close_one(&tree->dir_fd);
	close_one(&tree->root_fd);
}

int tree_lock(struct tree *tree)
{
	tree->lock_fd = openat(tree->dir_fd, "nr_kdamonds", O_RDONLY | O_CLOEXEC);
	if (tree->lock_fd < 0)
		return tree_failed(tree, "nr_kdamonds", NULL, -errno);
	while (flock(tree->lock_fd, LOCK_EX)) {
		if (errno != EINTR)
			return give_up(EXIT_FAILED,
				       "'%s/" KDAMONDS "/nr_kdamonds': cannot lock: %s", tree->root,
				       strerror(errno));
		if (signals_end_asked())
			return give_up(EXIT_FAILED, "interrupted; nothing was changed");
	}
	return 0;
}

const char *tree_path(char path[TREE_PATH_SIZE], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, TREE_PATH_SIZE, fmt, ap);
	va_end(ap);
	return path;
}

/* Read until the end or until @size is full; the number of bytes, or -errno. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR && !signals_end_asked())
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int get(int dir_fd, const char *path, char value[TREE_VALUE_SIZE])
{
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read_all(fd, value, TREE_VALUE_SIZE);
	close(fd);
	if (len < 0)
		return (int)len;
	if (len == TREE_VALUE_SIZE && value[--len] != '\n')
		return -EFBIG;
	value[len] = '\0';
	if (len && value[len - 1] == '\n')
		value[len - 1] = '\0';
	return 0;
}

int tree_get(const struct tree *tree, const char *path, char value[TREE_VALUE_SIZE])
{
	return get(tree->dir_fd, path, value);
}

int tree_get_number(const struct tree *tree, const char *path, int64_t *number)
{
	char value[TREE_VALUE_SIZE], *end;
	int ret = tree_get(tree, path, value);

	if (ret)
		return ret;
	errno = 0;
	*number = strtoll(value, &end, 10);
	if (errno == ERANGE && *value != '-')
		*number = INT64_MAX;
	return end == value || *end ? -EPROTO : 0;
}

/* One write() call, as sysfs takes a value: whole. */
static int put(int dir_fd, const char *path, const char *value)
{
	size_t len = strlen(value);
	int fd = openat(dir_fd, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t n;
	int ret = 0;

	if (fd < 0)
		return -errno;
	do {
		n = write(fd, value, len);
	} while (n < 0 && errno == EINTR && !signals_end_asked());
	if (n < 0)
		ret = -errno;
	else if ((size_t)n != len)
		ret = -EIO;
	close(fd);
	return ret;
}

int tree_put(const struct tree *tree, const char *path, const char *value)
{
	return put(tree->dir_fd, path, value);
}

int tree_put_own(const struct tree *tree, const char *path, const char *value)
{
	return tree->own_fd < 0 ? -ENOENT : put(tree->own_fd, path, value);
}

int tree_get_own(const struct tree *tree, const char *path, char **text)
{
	size_t size = 0, capacity = 1 << 16;
	ssize_t n;
	int fd, ret = -ENOMEM;

	*text = NULL;
	if (tree->own_fd < 0)
		return -ENOENT;
	fd = openat(tree->own_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (;;) {
		char *larger = realloc(*text, capacity + 1);

		if (!larger)
			goto out;
		*text = larger;
		n = read_all(fd, *text + size, capacity - size);
		if (n < 0) {
			ret = (int)n;
			goto out;
		}
		size += (size_t)n;
		if (size < capacity)
			break;
		capacity *= 2;
		if (capacity > LARGEST_OWN) {
			ret = -EFBIG;
			goto out;
		}
	}
	(*text)[size] = '\0';
	ret = 0;
out:
	if (ret) {
		free(*text);
		*text = NULL;
	}
	close(fd);
	return ret;
}

bool tree_has(const struct tree *tree, const char *path)
{
	return !faccessat(tree->dir_fd, path, F_OK, 0);
}

/* What an error of the tree means; the words of strerror() say little of it. */
static const char *meaning(const struct tree *tree, bool writing, int err)
{
	switch (err) {
	case ENOENT:
		if (tree->kernel)
			return "there is no such file: this kernel's DAMON doesn't have it, or it was "
			       "removed meanwhile";
		return "there is no such file; was it removed meanwhile?";
	case EINVAL:
		return writing ? "refused as not valid" : "not valid";
	case EBUSY:
		return writing ? "refused, busy: another client is changing it, or it runs"
			       : "busy";
	case ENOMEM:
		return tree->kernel && writing ? "refused: no memory, or a scheme that isn't valid "
						 "(kernels say the same of both)"
					       : "out of memory";
	case EOPNOTSUPP:
		return "not supported by its operations set";
	case ECANCELED:
		return "cancelled: it isn't running, is paused, or stopped meanwhile";
	case EACCES:
	case EPERM:
		return "not permitted; only root may control monitoring";
	case ENOTCONN:
		return "the udamond that served it is gone";
	case EINTR:
		return "interrupted";
	case EPROTO:
		return "holds no number";
	default:
		return strerror(err);
	}
}

static int failed(const struct tree *tree, const char *folder, const char *path, const char *value,
		  int err)
{
	int code = err == -EACCES || err == -EPERM ? EXIT_CANNOT : EXIT_FAILED;

	if (!value)
		return give_up(code, "cannot read '%s/%s/%s': %s", tree->root, folder, path,
			       meaning(tree, false, -err));
	return give_up(code, "cannot write '%s' to '%s/%s/%s': %s", value, tree->root, folder, path,
		       meaning(tree, true, -err));
}

int tree_failed(const struct tree *tree, const char *path, const char *value, int err)
{
	return failed(tree, KDAMONDS, path, value, err);
}

int tree_failed_own(const struct tree *tree, const char *path, const char *value, int err)
{
	return failed(tree, OWN, path, value, err);
}

void tree_reason(const struct tree *tree, unsigned int kdamond, char reason[TREE_VALUE_SIZE])
{
	char path[TREE_PATH_SIZE];

	*reason = '\0';
	if (tree->own_fd >= 0 && get(tree->own_fd, tree_path(path, "%u/error", kdamond), reason))
		*reason = '\0';
}

int tree_state(const struct tree *tree, unsigned int kdamond, const char *word)
{
	char path[TREE_PATH_SIZE], reason[TREE_VALUE_SIZE] = "";
	int ret = tree_put(tree, tree_path(path, "%u/state", kdamond), word);

	if (!ret)
		return 0;
	if (ret != -EINTR)
		tree_reason(tree, kdamond, reason);
	if (ret == -EINTR || !*reason)
		return tree_failed(tree, path, word, ret);
	return give_up(EXIT_FAILED, "cannot write '%s' to '%s/" KDAMONDS "/%s': %s", word,
		       tree->root, path, reason);
}
