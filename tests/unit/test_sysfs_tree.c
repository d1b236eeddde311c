// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The file tree's directories: which there are, how they come and go, what is in them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sysfs/tree.h"

#define ADMIN	"/kernel/mm/damon/admin/kdamonds"
#define CONTEXT ADMIN "/0/contexts/0"

struct world {
	struct damon_port *port;
	struct damon_lib *lib;
	struct sysfs_tree *tree;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct sysfs_host host = {0};

	world->port = damon_port_posix_new();
	assert_int_equal(damon_lib_new(&world->lib, world->port), 0);
	host.lib = world->lib;
	assert_int_equal(sysfs_tree_new(&world->tree, &host), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	sysfs_tree_free(world->tree);
	damon_lib_free(world->lib);
	damon_port_posix_free(world->port);
	free(world);
	return 0;
}

static int put(struct world *world, const char *path, const char *value)
{
	return sysfs_write(world->tree, path, value, strlen(value), NULL);
}

static void expect(struct world *world, const char *path, const char *value)
{
	struct sysfs_text text;

	assert_int_equal(sysfs_read(world->tree, path, &text), 0);
	assert_string_equal(text.data, value);
	assert_int_equal(text.len, strlen(value));
	sysfs_text_free(&text);
}

static int gone(struct world *world, const char *path)
{
	struct sysfs_stat st;

	return sysfs_stat(world->tree, path, &st);
}

static void make_context(struct world *world)
{
	assert_int_equal(put(world, ADMIN "/nr_kdamonds", "1"), 0);
	assert_int_equal(put(world, ADMIN "/0/contexts/nr_contexts", "1"), 0);
}

static void test_counts_make_directories(void **state)
{
	struct world *world = *state;

	assert_int_equal(gone(world, ADMIN "/0"), -ENOENT);
	make_context(world);
	assert_int_equal(gone(world, ADMIN "/0/state"), 0);
	assert_int_equal(gone(world, "/udamon/kdamonds/0/engine"), 0);
	assert_int_equal(gone(world, ADMIN "/1"), -ENOENT);
	assert_int_equal(gone(world, "/udamon/kdamonds/1"), -ENOENT);
	assert_int_equal(put(world, CONTEXT "/schemes/nr_schemes", "12"), 0);
	assert_int_equal(gone(world, CONTEXT "/schemes/11/action"), 0);
	assert_int_equal(gone(world, CONTEXT "/schemes/12"), -ENOENT);
	assert_int_equal(gone(world, CONTEXT "/schemes/01"), -ENOENT);
	assert_int_equal(gone(world, "/udamon/kdamonds/0/regions/11"), 0);
	assert_int_equal(put(world, ADMIN "/nr_kdamonds", "0"), 0);
	assert_int_equal(gone(world, ADMIN "/0"), -ENOENT);
	expect(world, ADMIN "/nr_kdamonds", "0\n");
}

static void test_same_count_starts_anew(void **state)
{
	struct world *world = *state;

	make_context(world);
	assert_int_equal(put(world, CONTEXT "/targets/nr_targets", "2"), 0);
	assert_int_equal(put(world, CONTEXT "/targets/1/pid_target", "42\n"), 0);
	expect(world, CONTEXT "/targets/1/pid_target", "42\n");
	assert_int_equal(put(world, CONTEXT "/targets/nr_targets", "2"), 0);
	expect(world, CONTEXT "/targets/1/pid_target", "0\n");
}

/* A client that asks for more directories than there is memory for is refused; the rest stays. */
static void test_too_many(void **state)
{
	struct world *world = *state;

	make_context(world);
	assert_int_equal(put(world, CONTEXT "/targets/nr_targets", "1"), 0);
	assert_int_equal(put(world, CONTEXT "/targets/nr_targets", "2147483647"), -ENOMEM);
	expect(world, CONTEXT "/targets/nr_targets", "1\n");
	assert_int_equal(put(world, CONTEXT "/targets/nr_targets", "60000"), 0);
	assert_int_equal(put(world, CONTEXT "/schemes/nr_schemes", "60000"), -ENOMEM);
	assert_int_equal(put(world, CONTEXT "/targets/nr_targets", "0"), 0);
	assert_int_equal(put(world, CONTEXT "/schemes/nr_schemes", "5000"), 0);
}

struct names {
	char text[512];
	unsigned int nr;
};

static int note_name(void *data, const char *name, bool is_dir)
{
	struct names *names = data;
	size_t len = strlen(names->text);

	snprintf(names->text + len, sizeof(names->text) - len, "%s%s ", name, is_dir ? "/" : "");
	names->nr++;
	return 0;
}

static void expect_names(struct world *world, const char *path, const char *expected)
{
	struct names names = {0};

	assert_int_equal(sysfs_list(world->tree, path, note_name, &names), 0);
	assert_string_equal(names.text, expected);
}

static void test_lists(void **state)
{
	struct world *world = *state;
	struct names names = {0};

	make_context(world);
	expect_names(world, "/", "kernel/ udamon/ ");
	expect_names(world, "", "kernel/ udamon/ ");
	expect_names(world, ADMIN, "nr_kdamonds 0/ ");
	expect_names(world, ADMIN "/0", "state pid refresh_ms contexts/ ");
	expect_names(world, CONTEXT,
		     "avail_operations operations addr_unit pause monitoring_attrs/ targets/ "
		     "schemes/ ");
	assert_int_equal(sysfs_list(world->tree, ADMIN "/0/state", note_name, &names), -ENOTDIR);
	assert_int_equal(sysfs_list(world->tree, ADMIN "/9", note_name, &names), -ENOENT);
}

static void test_kinds(void **state)
{
	struct world *world = *state;
	struct sysfs_text text;
	struct sysfs_stat st;

	make_context(world);
	assert_int_equal(sysfs_stat(world->tree, ADMIN, &st), 0);
	assert_true(st.is_dir);
	assert_int_equal(st.mode, 0755);
	assert_int_equal(sysfs_stat(world->tree, ADMIN "/0/pid", &st), 0);
	assert_false(st.is_dir);
	assert_int_equal(st.mode, 0400);
	assert_int_equal(st.size, 4096);
	assert_int_equal(sysfs_stat(world->tree, ADMIN "/0/state", &st), 0);
	assert_int_equal(st.mode, 0600);
	assert_int_equal(sysfs_read(world->tree, ADMIN "/0", &text), -EISDIR);
	assert_int_equal(put(world, ADMIN "/0", "1"), -EISDIR);
	assert_int_equal(put(world, ADMIN "/0/pid", "1"), -EACCES);
	assert_int_equal(sysfs_stat(world->tree, ADMIN "/0/pid/x", &st), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counts_make_directories, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_same_count_starts_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kinds, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
