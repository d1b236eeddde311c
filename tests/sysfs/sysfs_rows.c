// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * usage: sysfs_rows SPEC [MOUNT]
 *
 * Runs the specification's rows against a tree in this process, in virtual time; or, as root,
 * against the tree that a daemon serves at MOUNT, with a process of its own to watch.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rows.h"
#include "sysfs_fixture.h"

/* In this process. */

static const char *spec;
static int result;

static int direct_stat(void *data, const char *path, struct sysfs_stat *st)
{
	return sysfs_stat(data, path, st);
}

static int direct_read(void *data, const char *path, struct sysfs_text *text)
{
	return sysfs_read(data, path, text);
}

static int direct_write(void *data, const char *path, const char *buf, size_t len)
{
	return sysfs_write(data, path, buf, len, NULL);
}

static void run_direct(struct tree_world *w)
{
	struct rows_tree tree = {
		.stat = direct_stat,
		.read = direct_read,
		.write = direct_write,
		.data = w->tree,
		.pid = 42,
		.other_pid = 42,
	};

	result = rows_run(spec, &tree);
}

static int some_metric(struct damon_port *port, enum damon_metric metric, int32_t nid,
		       const char *memcg_path, uint64_t *value)
{
	*value = 500;
	return 0;
}

/* Mounted. */

static int mounted_stat(void *data, const char *path, struct sysfs_stat *st)
{
	char full[4096];
	struct stat found;

	snprintf(full, sizeof(full), "%s%s", (const char *)data, path);
	if (stat(full, &found))
		return -errno;
	*st = (struct sysfs_stat){
		.is_dir = S_ISDIR(found.st_mode),
		.mode = found.st_mode & 07777,
		.size = (uint64_t)found.st_size,
	};
	return 0;
}

static int mounted_read(void *data, const char *path, struct sysfs_text *text)
{
	char full[4096];
	ssize_t len = 0;
	int fd, err = 0;

	*text = (struct sysfs_text){.data = calloc(1, 1 << 20)};
	snprintf(full, sizeof(full), "%s%s", (const char *)data, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err = -errno;
	while (!err && (len = read(fd, text->data + text->len, (1 << 20) - 1 - text->len)) > 0)
		text->len += (size_t)len;
	if (!err && len < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err)
		sysfs_text_free(text);
	return err;
}

static int mounted_write(void *data, const char *path, const char *buf, size_t len)
{
	char full[4096];
	ssize_t written;
	int fd, err = 0;

	snprintf(full, sizeof(full), "%s%s", (const char *)data, path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	written = write(fd, buf, len);
	if (written < 0)
		err = -errno;
	else if ((size_t)written != len)
		err = -EIO;
	close(fd);
	return err;
}

/* A process to watch, which ends with this one. */
static pid_t start_process(void)
{
	pid_t child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void end_process(pid_t child)
{
	if (child <= 0)
		return;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static int run_mounted(char *mount)
{
	struct rows_tree tree = {
		.stat = mounted_stat,
		.read = mounted_read,
		.write = mounted_write,
		.data = mount,
	};

	tree.pid = start_process();
	tree.other_pid = start_process();
	result = tree.pid < 0 || tree.other_pid < 0 ? -errno : rows_run(spec, &tree);
	end_process(tree.pid);
	end_process(tree.other_pid);
	return result;
}

int main(int argc, char **argv)
{
	struct tree_world w;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: sysfs_rows SPEC [MOUNT]\n");
		return 2;
	}
	spec = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3) {
		run_mounted(argv[2]);
	} else {
		tree_world_init(&w, NULL);
		w.port.port.metric = some_metric;
		tree_world_run(&w, run_direct);
	}
	return result ? 1 : 0;
}
