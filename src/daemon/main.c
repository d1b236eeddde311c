// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The daemon: sets up what it consists of, waits for signals, and takes it down again. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/privileges.h"
#include "sysfs/fuse.h"

#define EXIT_CANNOT 77

struct udamond {
	struct daemon_options options;
	struct host *host;
	struct sysfs_tree *tree;
	struct sysfs_fuse *fuse;
	int signals_fd;
	int ended_fd; /* readable when the mount is gone */
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/*
 * A file opened later must not get the number of a standard stream that the caller closed: what is
 * said would go into it.
 */
static void open_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd ? O_WRONLY : O_RDONLY);
}

/* All other threads inherit the mask, so these arrive here only. */
static int take_signals(struct udamond *udamond)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	udamond->signals_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return udamond->signals_fd < 0 ? -errno : 0;
}

static void mount_ended(void *data)
{
	const struct udamond *udamond = data;
	uint64_t one = 1;

	(void)!write(udamond->ended_fd, &one, sizeof(one));
}

/* The mount answers when a file in it can be seen. */
static int ask_mount(const struct udamond *udamond)
{
	char path[4200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/kernel/mm/damon/admin/kdamonds/nr_kdamonds",
		 sysfs_fuse_path(udamond->fuse));
	return stat(path, &st) ? -errno : 0;
}

static int fail(const char *what, int code)
{
	log_say(LOG_LEVEL_ERROR, "%s: %s", what, strerror(-code));
	return EXIT_FAILURE;
}

static int fail_mount(int code, const struct damon_error *err)
{
	log_say(LOG_LEVEL_ERROR, "%s", err->text);
	return code == -EPERM || code == -EACCES || code == -ENODEV || code == -ENOENT
		       ? EXIT_CANNOT
		       : EXIT_FAILURE;
}

static int set_up(struct udamond *udamond)
{
	struct sysfs_fuse_options where = {
		.mount = udamond->options.mount,
		.owner = udamond->options.owner,
		.ended = mount_ended,
		.data = udamond,
	};
	struct sysfs_host callbacks;
	struct damon_error err = {""};
	int ret;

	ret = take_signals(udamond);
	if (ret)
		return fail("cannot wait for signals", ret);
	udamond->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (udamond->ended_fd < 0)
		return fail("cannot wait for events", -errno);
	if (privileges_drop(&err)) {
		log_say(LOG_LEVEL_ERROR, "%s", err.text);
		return EXIT_FAILURE;
	}
	ret = host_new(&udamond->host);
	if (ret)
		return fail("cannot begin", ret);
	callbacks = host_callbacks(udamond->host);
	ret = sysfs_tree_new(&udamond->tree, &callbacks);
	if (ret)
		return fail("cannot make the file tree", ret);
	ret = sysfs_fuse_new(&udamond->fuse, udamond->tree, &where, &err);
	if (!ret)
		ret = sysfs_fuse_mount(udamond->fuse, &err);
	if (ret)
		return fail_mount(ret, &err);
	ret = ask_mount(udamond);
	if (ret)
		return fail("the mounted tree doesn't answer", ret);
	return 0;
}

static void take_down(struct udamond *udamond)
{
	sysfs_fuse_free(udamond->fuse);
	sysfs_tree_free(udamond->tree);
	host_free(udamond->host);
	if (udamond->ended_fd >= 0)
		close(udamond->ended_fd);
	if (udamond->signals_fd >= 0)
		close(udamond->signals_fd);
}

/* Returns whether to go on. */
static bool take_signal(struct udamond *udamond)
{
	struct signalfd_siginfo info;

	if (read(udamond->signals_fd, &info, sizeof(info)) != sizeof(info))
		return true;
	log_say(LOG_LEVEL_INFO, "ending, on %s", strsignal((int)info.ssi_signo));
	return false;
}

static int run(struct udamond *udamond)
{
	struct pollfd fds[2] = {
		{.fd = udamond->signals_fd, .events = POLLIN},
		{.fd = udamond->ended_fd, .events = POLLIN},
	};
	uint64_t alive_us = notify_alive_us(), alive_due_us = now_us() + alive_us;

	for (;;) {
		uint64_t now = now_us();
		int timeout = -1;

		if (alive_us && now >= alive_due_us) {
			/* A tree that doesn't answer keeps this thread, and the watchdog ends it. */
			if (!ask_mount(udamond))
				notify_alive();
			alive_due_us = now + alive_us;
		}
		if (alive_us)
			timeout = (int)((alive_due_us - now) / 1000 + 1);
		if (poll(fds, 2, timeout) < 0 && errno != EINTR)
			return fail("cannot wait for events", -errno);
		if (fds[1].revents) {
			log_say(LOG_LEVEL_ERROR,
				"'%s' was unmounted; without its tree the daemon ends",
				sysfs_fuse_path(udamond->fuse));
			return EXIT_FAILURE;
		}
		if (fds[0].revents && !take_signal(udamond))
			return 0;
	}
}

int main(int argc, char **argv)
{
	struct udamond udamond = {.signals_fd = -1, .ended_fd = -1};
	char status[4200];
	int ret;

	open_standard_streams();
	ret = daemon_options_parse(&udamond.options, argc, argv);
	if (ret)
		return ret;
	if (udamond.options.help) {
		daemon_options_help();
		return 0;
	}
	if (udamond.options.version) {
		printf("udamond %s\n", UDAMON_VERSION);
		return 0;
	}
	umask(077);
	log_begin(udamond.options.journal, udamond.options.verbose);
	ret = set_up(&udamond);
	if (!ret) {
		snprintf(status, sizeof(status), "serving '%s'", sysfs_fuse_path(udamond.fuse));
		log_say(LOG_LEVEL_NOTICE, "%s", status);
		notify_ready(status);
		ret = run(&udamond);
		notify_stopping();
	}
	take_down(&udamond);
	return ret;
}
