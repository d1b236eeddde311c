// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Starting a command so that nothing it does is missed.
 *
 * The child waits on a pipe until the parent has seized it by ptrace; it then executes the
 * program, and the kernel stops it before the first instruction. At that point the process has the
 * program's own address space, so the first layout that is read is already the right one.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/message.h"
#include "cli/signals.h"

#define STOPPED_BY_EXEC(status)                                                                    \
	(WIFSTOPPED(status) && ((status) >> 8) == (SIGTRAP | (PTRACE_EVENT_EXEC << 8)))

/* What the child tells the parent when it can't execute. */
struct failure {
	int code;
	bool user;
};

static int become(const struct passwd *user)
{
	if (initgroups(user->pw_name, user->pw_gid) || setgid(user->pw_gid) || setuid(user->pw_uid))
		return -errno;
	return 0;
}

__attribute__((noreturn)) static void run_child(char **argv, const struct passwd *user,
						bool own_group, int go_fd, int failure_fd)
{
	struct failure failure = {0};
	char go;

	if (own_group)
		setpgid(0, 0);
	/* The parent died or gave up: nothing was started. */
	if (read(go_fd, &go, 1) != 1)
		_exit(127);
	if (user && become(user)) {
		failure.user = true;
	} else {
		signals_restore();
		execvp(argv[0], argv);
	}
	failure.code = errno;
	(void)!write(failure_fd, &failure, sizeof(failure));
	_exit(127);
}

static int explain(const struct failure *failure, char **argv, const char *user)
{
	if (failure->user)
		return give_up(EXIT_FAILED, "cannot become user '%s': %s", user,
			       strerror(failure->code));
	if (failure->code == ENOENT)
		return give_up(127, "cannot run '%s': %s; check the name, or give its path",
			       argv[0], strerror(ENOENT));
	return give_up(126, "cannot run '%s': %s", argv[0], strerror(failure->code));
}

/* Let the child go on to execute, and wait until it has, or has failed to. */
static int wait_for_exec(struct child *child, char **argv, const char *user, int go_fd,
			 int failure_fd)
{
	struct failure failure;
	int status;

	if (ptrace(PTRACE_SEIZE, child->pid, 0, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL))
		return give_up(EXIT_CANNOT,
			       "cannot hold '%s' until it is watched: %s; ptrace must be permitted",
			       argv[0], strerror(errno));
	child->held = true;
	if (write(go_fd, "", 1) != 1)
		return give_up(EXIT_FAILED, "cannot start '%s': %s", argv[0], strerror(errno));
	for (;;) {
		if (waitpid(child->pid, &status, __WALL) < 0) {
			if (errno == EINTR)
				continue;
			return give_up(EXIT_FAILED, "cannot start '%s': %s", argv[0],
				       strerror(errno));
		}
		if (STOPPED_BY_EXEC(status))
			return 0;
		if (!WIFSTOPPED(status)) {
			child->ended = true;
			child->status = status;
			child->held = false;
			if (read(failure_fd, &failure, sizeof(failure)) == sizeof(failure))
				return explain(&failure, argv, user);
			return give_up(child_exit_code(child), "'%s' ended before it ran", argv[0]);
		}
		/* A signal on its way to the child; group stops are left for later. */
		ptrace(PTRACE_CONT, child->pid, 0, status >> 16 ? 0 : WSTOPSIG(status));
	}
}

int child_start(struct child *child, char **argv, const char *user, bool own_group)
{
	const struct passwd *entry = NULL;
	int go[2] = {-1, -1}, failed[2] = {-1, -1};
	int ret;

	*child = (struct child){.pidfd = -1, .own_group = own_group};
	if (user) {
		entry = getpwnam(user);
		if (!entry)
			return give_up(EXIT_USAGE, "--user '%s': expected the name of a user",
				       user);
	}
	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC)) {
		ret = give_up(EXIT_FAILED, "cannot start '%s': %s", argv[0], strerror(errno));
		goto out;
	}
	child->pid = fork();
	if (child->pid < 0) {
		child->pid = 0;
		ret = give_up(EXIT_FAILED, "cannot start '%s': %s", argv[0], strerror(errno));
		goto out;
	}
	if (!child->pid) {
		close(go[1]);
		run_child(argv, entry, own_group, go[0], failed[1]);
	}
	close(failed[1]);
	failed[1] = -1;
	ret = wait_for_exec(child, argv, user, go[1], failed[0]);
	if (ret)
		goto out;
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd < 0)
		ret = give_up(EXIT_CANNOT, "cannot hold on to process '%d': %s", (int)child->pid,
			      strerror(errno));
out:
	for (int i = 0; i < 2; i++) {
		if (go[i] >= 0)
			close(go[i]);
		if (failed[i] >= 0)
			close(failed[i]);
	}
	if (ret && child->pid && !child->ended) {
		kill(child->pid, SIGKILL);
		waitpid(child->pid, &child->status, __WALL);
		child->ended = true;
	}
	return ret;
}

int child_release(struct child *child)
{
	if (!child->held)
		return 0;
	child->held = false;
	return ptrace(PTRACE_DETACH, child->pid, 0, 0) ? -errno : 0;
}

bool child_reap(struct child *child)
{
	int status;

	if (!child->pid || child->ended)
		return true;
	if (waitpid(child->pid, &status, WNOHANG) != child->pid ||
	    (!WIFEXITED(status) && !WIFSIGNALED(status)))
		return false;
	child->status = status;
	child->ended = true;
	return true;
}

void child_signal(const struct child *child, int signo)
{
	if (!child->ended)
		kill(child->own_group ? -child->pid : child->pid, signo);
}

void child_kill(struct child *child)
{
	int status;

	if (!child->held || child->ended)
		return;
	kill(child->pid, SIGKILL);
	/* Seized processes report their last stop first. */
	while (waitpid(child->pid, &status, __WALL) == child->pid && WIFSTOPPED(status))
		;
	child->status = status;
	child->ended = true;
	child->held = false;
}

int child_exit_code(const struct child *child)
{
	return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status)
					  : WEXITSTATUS(child->status);
}

void child_clear(struct child *child)
{
	if (child->pidfd >= 0)
		close(child->pidfd);
	child->pidfd = -1;
}
