// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Signals, queued and read by the main loop. */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/signals.h"

static const int queued[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGWINCH, SIGTSTP};
static sigset_t mask_before;
static struct sigaction pipe_before, file_size_before;
static int queue_fd = -1;

void signals_ignore_failures(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, &pipe_before);
	sigaction(SIGXFSZ, &ignore, &file_size_before);
}

int signals_start(bool job_control)
{
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(queued) / sizeof(queued[0]); i++)
		if (job_control || queued[i] != SIGTSTP)
			sigaddset(&mask, queued[i]);
	/* Taking the terminal back from the background must not stop us. */
	if (job_control)
		sigaddset(&mask, SIGTTOU);
	queue_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (queue_fd < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &mask, &mask_before);
	return 0;
}

int signals_fd(void)
{
	return queue_fd;
}

int signals_next(bool *from_terminal)
{
	struct signalfd_siginfo info;

	if (read(queue_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	*from_terminal = info.ssi_code == SI_KERNEL;
	return (int)info.ssi_signo;
}

static volatile sig_atomic_t end_noted;

static void note_end(int signo)
{
	end_noted = signo;
}

void signals_note_end(void)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = note_end}; /* without SA_RESTART */
	struct sigaction before;

	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (!sigaction(ending[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(ending[i], &action, NULL);
}

int signals_noted(void)
{
	return end_noted;
}

bool signals_end_asked(void)
{
	sigset_t pending;

	if (end_noted)
		return true;
	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
		sigismember(&pending, SIGHUP) == 1);
}

void signals_restore(void)
{
	sigaction(SIGPIPE, &pipe_before, NULL);
	sigaction(SIGXFSZ, &file_size_before, NULL);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}
