/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The file tree by which contexts are controlled: the DAMON sysfs interface, without a file system.
 *
 * Paths are those below the mount, which mirrors /sys: "/kernel/mm/damon/admin/kdamonds/0/state", and
 * beside it our own, "/udamon/kdamonds/0/error". Which files there are, and what each is for, is one table
 * (table.c), of which udamon-sysfs(5) is made.
 *
 * All functions may be called from any thread at any time, also many at once, and none
 * but sysfs_write() to a "state", "nr_kdamonds" or "commit" file ever waits for anything long.
 * They return 0 or -errno, the errno that the file is to give.
 *
 * The tree takes its locks and threads from the library object's port, so it also runs in virtual time.
 */
#ifndef UDAMON_SYSFS_TREE_H
#define UDAMON_SYSFS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <udamon/damon.h>
#include <udamon/error.h>
#include <udamon/ops.h>

struct sysfs_tree;

/** SYSFS_PATH_MAX - no path of the tree is longer, the NUL at its end included */
#define SYSFS_PATH_MAX 256

/** SYSFS_WRITE_MAX - a longer write is refused with -EINVAL */
#define SYSFS_WRITE_MAX 4095

/** enum sysfs_level - how much a line of the log matters */
enum sysfs_level { SYSFS_LOG_ERROR, SYSFS_LOG_WARNING, SYSFS_LOG_INFO, SYSFS_LOG_DEBUG };

/**
 * struct sysfs_choices - what a kdamond's own files say of how to monitor, for &sysfs_host.prepare
 * @engine:	"auto", "point" or "scan"
 * @budget_bp:	share of one processor that monitoring may take, bp; 0: no limit
 */
struct sysfs_choices {
	const char *engine;
	uint64_t budget_bp;
};

/**
 * struct sysfs_host - what the tree needs from the program that serves it; each callback may be NULL
 *
 * @lib:	the library object, with its operations sets registered. Borrowed.
 * @prepare:	a context was built and is about to be started: choose &damon_ctx.ops_env by @choices, and
 *		let it go on with what an earlier one has learned (damon_training_apply(), its
 *		schemes' statistics), if that is wanted. Its &damon_ctx.callbacks belong to the tree.
 *		-errno, with @err, refuses the start.
 * @new_target:	a target of @ctx for process @pid; without it a plain damon_new_target() with that pid.
 *		For a commit &damon_ctx.ops_env is already that of the running context.
 *		-errno, with @err, refuses the start or commit.
 * @start_error: after damon_start() or a commit failed: why, in words; @err stays as it is when nothing
 *		is known
 * @check_memcg: whether the memory cgroup @path (relative to the hierarchy's root) is there:
 *		0 or -ENOENT
 * @log:	a line for the log; @kdamond is -1 where it concerns no single one
 * @started, @window, @event, @stopped: as &struct damon_callbacks, of every context there is; on the
 *		kdamond. @window may return non-zero to end it.
 * @released:	a context for which @prepare gave 0 is gone: its &damon_ctx.ops_env isn't used by it
 *		any more. On any thread.
 * @data:	passed back to each
 */
struct sysfs_host {
	struct damon_lib *lib;
	int (*prepare)(void *data, uint32_t kdamond, struct damon_ctx *ctx,
		       const struct sysfs_choices *choices, struct damon_error *err);
	int (*new_target)(void *data, struct damon_ctx *ctx, struct damon_target **target,
			  int64_t pid, struct damon_error *err);
	void (*start_error)(void *data, struct damon_ctx *ctx, struct damon_error *err);
	int (*check_memcg)(void *data, const char *path);
	void (*log)(void *data, enum sysfs_level level, int64_t kdamond, const char *text);
	void (*started)(void *data, uint32_t kdamond, struct damon_ctx *ctx);
	int (*window)(void *data, uint32_t kdamond, struct damon_ctx *ctx,
		      const struct damon_window *window);
	void (*event)(void *data, uint32_t kdamond, struct damon_ctx *ctx,
		      const struct damon_event *event);
	void (*stopped)(void *data, uint32_t kdamond, struct damon_ctx *ctx, int result);
	void (*released)(void *data, void *ops_env);
	void *data;
};

/** sysfs_tree_new() - a tree without kdamonds; @host is copied. 0 or -ENOMEM, or the port's error */
int sysfs_tree_new(struct sysfs_tree **tree, const struct sysfs_host *host);

/**
 * sysfs_tree_free() - stop all kdamonds and free the tree; NULL is allowed
 *
 * After the last other call has returned. Before the library object's end.
 */
void sysfs_tree_free(struct sysfs_tree *tree);

/**
 * struct sysfs_stat - what there is of a name
 * @is_dir:	a directory, else a file
 * @mode:	permission bits: 0755, 0600 or 0400
 * @size:	4096 for files, as in sysfs; not how much can be read
 */
struct sysfs_stat {
	bool is_dir;
	uint32_t mode;
	uint64_t size;
};

/** sysfs_stat() - 0 or -ENOENT */
int sysfs_stat(struct sysfs_tree *tree, const char *path, struct sysfs_stat *st);

/**
 * sysfs_list() - call @fn for each name in a directory, "." and ".." not included
 * @fn:		non-zero ends it. It may call the tree.
 * Return: 0; -ENOENT; -ENOTDIR; -ENOMEM; what @fn returned.
 */
int sysfs_list(struct sysfs_tree *tree, const char *path,
	       int (*fn)(void *data, const char *name, bool is_dir), void *data);

/** struct sysfs_text - what was read: @data has @len bytes and a NUL; from malloc() */
struct sysfs_text {
	char *data;
	size_t len;
};

/** sysfs_text_free() - also clears it */
void sysfs_text_free(struct sysfs_text *text);

/** sysfs_read() - the whole content of a file; 0, -ENOENT, -EISDIR, -ENOMEM */
int sysfs_read(struct sysfs_tree *tree, const char *path, struct sysfs_text *text);

/**
 * struct sysfs_interrupt - how one thread ends another's waiting sysfs_write(); all zero at first
 *
 * The caller of sysfs_write() owns it; nobody may raise it after that has returned and it is gone.
 */
struct sysfs_interrupt {
	/* private: */
	bool raised;
};

/**
 * sysfs_interrupt_raise() - make the sysfs_write() that has @interrupt return -EINTR; never waits
 *
 * What it had asked for is withdrawn, unless it had begun: a start or stop then goes on without it.
 */
void sysfs_interrupt_raise(struct sysfs_tree *tree, struct sysfs_interrupt *interrupt);

/**
 * sysfs_write() - write a file as a whole
 * @buf, @len:	what is written; one newline at the end is allowed
 * @interrupt:	NULL where it can't be interrupted
 *
 * A write to a "state" file returns when what it asks for is in force. Return: 0; -ENOENT;
 * -EISDIR; -EACCES (a read-only file); -EINVAL, -ERANGE (no such value); -EBUSY (after 5 s of waiting for
 * another state change of that kdamond, or as udamon-sysfs(5) says); -EINTR; -ENOMEM; what the
 * change of state gave, with the reason in the file "error".
 */
int sysfs_write(struct sysfs_tree *tree, const char *path, const char *buf, size_t len,
		struct sysfs_interrupt *interrupt);

#endif
