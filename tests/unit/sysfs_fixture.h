/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What the tests of the file tree share: a tree in virtual time, on scripted operations sets that
 * are called vaddr and paddr, and short ways to write and read its files.
 */
#ifndef UDAMON_TESTS_SYSFS_FIXTURE_H
#define UDAMON_TESTS_SYSFS_FIXTURE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <udamon/ops.h>

#include "sysfs/tree.h"
#include "test_port.h"

#define ADMIN	"/kernel/mm/damon/admin/kdamonds"
#define KDAMOND ADMIN "/0"
#define CONTEXT KDAMOND "/contexts/0"
#define SCHEME	CONTEXT "/schemes/0"
#define OURS	"/udamon/kdamonds/0"

struct tree_world {
	struct test_port port;
	struct test_script script;
	struct damon_operations vaddr, paddr;
	struct damon_lib *lib;
	struct sysfs_tree *tree;
	struct sysfs_host host;
	void (*main)(struct tree_world *w);
	struct damon_ctx *ctx; /* that was started last */
	int new_target_error;
	unsigned int nr_new_targets, nr_windows;
	char engine[16];
};

static int note_prepare(void *data, uint32_t kdamond, struct damon_ctx *ctx,
			const struct sysfs_choices *choices, struct damon_error *err)
{
	struct tree_world *w = data;

	(void)kdamond;
	(void)err;
	snprintf(w->engine, sizeof(w->engine), "%s", choices->engine);
	w->ctx = ctx;
	ctx->seed = 1;
	return 0;
}

static int make_target(void *data, struct damon_ctx *ctx, struct damon_target **target, int64_t pid,
		       struct damon_error *err)
{
	struct tree_world *w = data;
	int ret;

	w->nr_new_targets++;
	if (w->new_target_error)
		return damon_error_set(err, w->new_target_error, "there is no process %d",
				       (int)pid);
	ret = damon_new_target(target, ctx->lib);
	if (!ret)
		(*target)->pid = pid;
	return ret;
}

static int check_memcg(void *data, const char *path)
{
	(void)data;
	return strncmp(path, "/no/", 4) ? 0 : -ENOENT;
}

static int count_window(void *data, uint32_t kdamond, struct damon_ctx *ctx,
			const struct damon_window *window)
{
	(void)kdamond;
	(void)ctx;
	(void)window;
	((struct tree_world *)data)->nr_windows++;
	return 0;
}

static void tree_world_init(struct tree_world *w, const struct damon_coop_chooser *chooser)
{
	static const struct damon_addr_range pages = TEST_RANGE(0, 1000);

	memset(w, 0, sizeof(*w));
	test_port_init(&w->port);
	if (chooser) {
		damon_port_coop_free(w->port.below);
		w->port.below = damon_port_coop_new(7, chooser);
		assert_non_null(w->port.below);
	}
	w->script.ranges = &pages;
	w->script.nr_ranges = 1;
	w->vaddr = test_ops;
	w->vaddr.id = DAMON_OPS_VADDR;
	w->vaddr.name = "vaddr";
	w->paddr = test_ops_no_probe;
	assert_int_equal(damon_lib_new(&w->lib, &w->port.port), 0);
	assert_int_equal(damon_register_ops(w->lib, &w->vaddr, &w->script), 0);
	assert_int_equal(damon_register_ops(w->lib, &w->paddr, &w->script), 0);
	w->host = (struct sysfs_host){
		.lib = w->lib,
		.prepare = note_prepare,
		.new_target = make_target,
		.check_memcg = check_memcg,
		.window = count_window,
		.data = w,
	};
}

static void tree_world_main(void *arg)
{
	struct tree_world *w = arg;

	assert_int_equal(sysfs_tree_new(&w->tree, &w->host), 0);
	w->main(w);
	sysfs_tree_free(w->tree);
	damon_lib_free(w->lib);
}

/* @main on a thread of the port; everything must have been given back at its end. */
static void tree_world_run(struct tree_world *w, void (*main)(struct tree_world *w))
{
	w->main = main;
	assert_int_equal(damon_port_coop_run(w->port.below, tree_world_main, w), 0);
	test_port_free(&w->port);
}

/* Goes on with the same thread three times of four, so that some get far before others. */
static unsigned int choose_at_random(void *data, const unsigned int *runnable, unsigned int nr,
				     unsigned int current, const struct damon_coop_point *point)
{
	unsigned int *random = data, i;

	(void)point;
	for (i = 0; rand_r(random) % 4 && i < nr; i++)
		if (runnable[i] == current)
			return i;
	return (unsigned int)rand_r(random) % nr;
}

#define NR_SCHEDULES 50

/* Under the fixed rule, and then with threads taking turns at random. */
static inline void run_in_world(void (*main)(struct tree_world *w))
{
	struct damon_coop_chooser chooser = {.choose = choose_at_random};
	unsigned int seed, random;
	struct tree_world w;

	for (seed = 0; seed <= NR_SCHEDULES; seed++) {
		random = seed;
		chooser.data = &random;
		tree_world_init(&w, seed ? &chooser : NULL);
		tree_world_run(&w, main);
	}
}

static int put(struct tree_world *w, const char *path, const char *value)
{
	return sysfs_write(w->tree, path, value, strlen(value), NULL);
}

static void must_put(struct tree_world *w, const char *path, const char *value)
{
	int err = put(w, path, value);

	if (err)
		fail_msg("writing '%s' to %s: %s", value, path, strerror(-err));
}

/* The content without its last newline, in a place that the next call overwrites. */
static const char *get(struct tree_world *w, const char *path)
{
	static char content[65536];
	struct sysfs_text text;
	int err = sysfs_read(w->tree, path, &text);

	if (err)
		fail_msg("reading %s: %s", path, strerror(-err));
	snprintf(content, sizeof(content), "%s", text.data);
	if (text.len && text.len < sizeof(content) && content[text.len - 1] == '\n')
		content[text.len - 1] = '\0';
	sysfs_text_free(&text);
	return content;
}

static inline uint64_t get_number(struct tree_world *w, const char *path)
{
	return strtoull(get(w, path), NULL, 10);
}

static inline void sleep_ms(struct tree_world *w, uint64_t ms)
{
	test_sleep_us(&w->port.port, ms * 1000);
}

/* One kdamond, one context, one target, @nr_schemes that count all regions; off. */
static inline void make_context(struct tree_world *w, unsigned int nr_schemes)
{
	static const char *const all[] = {"sz", "nr_accesses", "age"};
	char path[SYSFS_PATH_MAX], number[16];
	unsigned int i, j;

	must_put(w, ADMIN "/nr_kdamonds", "1");
	must_put(w, KDAMOND "/contexts/nr_contexts", "1");
	must_put(w, CONTEXT "/targets/nr_targets", "1");
	must_put(w, CONTEXT "/targets/0/pid_target", "42");
	snprintf(number, sizeof(number), "%u", nr_schemes);
	must_put(w, CONTEXT "/schemes/nr_schemes", number);
	for (i = 0; i < nr_schemes; i++) {
		for (j = 0; j < 3; j++) {
			snprintf(path, sizeof(path), CONTEXT "/schemes/%u/access_pattern/%s/max", i,
				 all[j]);
			must_put(w, path, "18446744073709551615");
		}
	}
}

#endif
