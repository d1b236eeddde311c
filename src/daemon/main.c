// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The daemon: sets up what it consists of, waits for signals, and takes it down again. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/privileges.h"
#include "daemon/restore.h"
#include "daemon/saver.h"
#include "daemon/state.h"
#include "sysfs/fuse.h"
#include "system/clock.h"

#define EXIT_CANNOT 77

struct udamond {
	struct daemon_options options;
	struct host *host;
	struct sysfs_tree *tree;
	struct sysfs_fuse *fuse;
	struct state *state; /* NULL: there is no place for one */
	struct saver saver;
	int signals_fd;
	int ended_fd; /* readable when the mount is gone */
};

static uint64_t now_us(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000;
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

/*
 * Loading a BPF program takes 11 MiB for a moment. glibc, which learns from such sizes, would keep them, for each
 * thread that ever did it; with fixed thresholds they go back to the system.
 */
static void bound_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	mallopt(M_TRIM_THRESHOLD, 128 << 10);
	mallopt(M_ARENA_MAX, 2);
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
	sigaddset(&set, SIGHUP);
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

/* What an earlier one was doing. Returns 0 or an exit status; *@running: how many kdamonds run. */
static int take_up_state(struct udamond *udamond, size_t *running)
{
	struct damon_error err = {""};
	struct saved saved;
	int ret;

	ret = state_open(&udamond->state, udamond->options.state, host_lib(udamond->host), &saved,
			 &err);
	/* Another daemon's, or somebody else's file: either is a mistake in how this one was started. */
	if (ret == -EBUSY || ret == -EEXIST) {
		log_say(LOG_LEVEL_ERROR, "%s", err.text);
		return EXIT_FAILURE;
	}
	if (ret)
		log_say(LOG_LEVEL_ERROR, "%s; nothing will survive this daemon", err.text);
	memcpy(udamond->saver.config, saved.config, sizeof(saved.config));
	*running = restore(udamond->tree, host_monitors(udamond->host), &saved);
	if (*running)
		log_say(LOG_LEVEL_NOTICE, "%zu kdamonds of before go on", *running);
	saved_clear(&saved);
	return 0;
}

/*
 * Puts the configuration in force, unless it is the one that was: what was changed since through the tree
 * then stays. 0 or -errno, after it was said.
 */
static int configure(struct udamond *udamond, bool anyway)
{
	struct saver *saver = &udamond->saver;
	struct damon_error err = {""};
	struct config config;
	int ret;

	ret = config_load(&config, udamond->options.config, host_lib(udamond->host), &err);
	if (ret == -ENOENT && !udamond->options.config_named) {
		log_say(LOG_LEVEL_INFO, "there is no configuration '%s'", udamond->options.config);
		ret = 0;
	} else if (!ret && (anyway || strcmp(config.checksum, saver->config))) {
		ret = config_apply(&config, udamond->tree, &err);
		if (!ret) {
			memcpy(saver->config, config.checksum, sizeof(saver->config));
			saver->begun = false;
			log_say(LOG_LEVEL_NOTICE, "the configuration '%s' is in force",
				udamond->options.config);
		}
	}
	config_clear(&config);
	if (ret)
		log_say(LOG_LEVEL_ERROR, "%s", err.text);
	return ret;
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
	size_t running = 0;
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
	if (ret)
		return fail_mount(ret, &err);
	/* Before anybody can see the tree: when it is there, it is whole. */
	ret = take_up_state(udamond, &running);
	if (ret)
		return ret;
	udamond->saver.state = udamond->state;
	udamond->saver.tree = udamond->tree;
	udamond->saver.monitors = host_monitors(udamond->host);
	if (configure(udamond, false) && !running)
		return EXIT_FAILURE;
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
	state_close(udamond->state);
	host_free(udamond->host);
	if (udamond->ended_fd >= 0)
		close(udamond->ended_fd);
	if (udamond->signals_fd >= 0)
		close(udamond->signals_fd);
}

static void save(struct udamond *udamond, bool all)
{
	if (udamond->state)
		saver_save(&udamond->saver, sysfs_fuse_writes(udamond->fuse), all);
}

static void say_ready(const struct udamond *udamond)
{
	char status[4200];

	snprintf(status, sizeof(status), "serving '%s'", sysfs_fuse_path(udamond->fuse));
	notify_ready(status);
}

/* Returns whether to go on. */
static bool take_signal(struct udamond *udamond)
{
	struct signalfd_siginfo info;

	if (read(udamond->signals_fd, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo != SIGHUP) {
		log_say(LOG_LEVEL_INFO, "ending, on %s", strsignal((int)info.ssi_signo));
		return false;
	}
	notify_reloading();
	if (configure(udamond, true))
		log_say(LOG_LEVEL_ERROR,
			"the configuration was not taken over as a whole; what was "
			"refused leaves in force what was");
	save(udamond, false);
	say_ready(udamond);
	return true;
}

/* What has to be done at times: returns in how many milliseconds again. */
static int do_regular_work(struct udamond *udamond, uint64_t *alive_due_us, uint64_t *save_due_us)
{
	uint64_t alive_us = notify_alive_us(), due_us, now;

	if (now_us() >= *save_due_us) {
		*save_due_us = now_us() + SAVER_EVERY_US;
		save(udamond, false);
	}
	if (alive_us && now_us() >= *alive_due_us) {
		*alive_due_us = now_us() + alive_us;
		/* A tree that doesn't answer keeps this thread, and the watchdog ends it. */
		if (!ask_mount(udamond))
			notify_alive();
	}
	due_us = alive_us && *alive_due_us < *save_due_us ? *alive_due_us : *save_due_us;
	now = now_us();
	return due_us > now ? (int)((due_us - now) / 1000 + 1) : 0;
}

static int run(struct udamond *udamond)
{
	struct pollfd fds[2] = {
		{.fd = udamond->signals_fd, .events = POLLIN},
		{.fd = udamond->ended_fd, .events = POLLIN},
	};
	uint64_t alive_due_us = 0, save_due_us = 0;

	for (;;) {
		int timeout = do_regular_work(udamond, &alive_due_us, &save_due_us);

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
	bound_memory();
	log_begin(udamond.options.journal, udamond.options.verbose);
	ret = set_up(&udamond);
	if (!ret) {
		log_say(LOG_LEVEL_NOTICE, "serving '%s'", sysfs_fuse_path(udamond.fuse));
		say_ready(&udamond);
		ret = run(&udamond);
		notify_stopping();
		/* While they still run, so that the next one takes them up. */
		save(&udamond, true);
	}
	take_down(&udamond);
	return ret;
}
