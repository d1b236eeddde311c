// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Files that are there completely or not at all: what is in the place at each step, and what is left. */
#include <dirent.h>

#include "record/replacement.h"
#include "record_common.h"

static void put(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}

static void assert_content(const char *path, const char *expected)
{
	size_t size;
	char *text = slurp(path, &size);

	assert_int_equal(size, strlen(expected));
	assert_memory_equal(text, expected, size);
	free(text);
}

static void assert_nr_files(unsigned int expected)
{
	DIR *dir = opendir(directory);
	unsigned int nr = 0;
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		nr += entry->d_name[0] != '.';
	closedir(dir);
	assert_int_equal(nr, expected);
}

/* Begun, and written to. */
static void begin(struct replacement *replacement, const char *path)
{
	assert_int_equal(replacement_begin(replacement, path), 0);
	assert_int_equal(file_write_all(replacement->fd, "new", 3), 0);
}

static void the_old_file_stays_until_the_new_one_is_there(void **state)
{
	struct replacement replacement;

	put(*state, "old");
	begin(&replacement, *state);
	assert_content(*state, "old");
	assert_int_equal(replacement_commit(&replacement, 0), 0);
	assert_content(*state, "new");
	assert_mode_0600("a.db");
	assert_nr_files(1);
}

static void what_is_dropped_leaves_nothing(void **state)
{
	struct replacement replacement;

	put(*state, "old");
	begin(&replacement, *state);
	replacement_drop(&replacement);
	assert_content(*state, "old");
	assert_nr_files(1);
}

static void a_new_file_replaces_nothing(void **state)
{
	struct replacement replacement;

	begin(&replacement, *state);
	put(*state, "meanwhile");
	assert_int_equal(replacement_commit(&replacement, REPLACEMENT_NEW), -EEXIST);
	assert_content(*state, "meanwhile");
	assert_nr_files(1);
}

static void a_place_that_became_a_folder_is_left(void **state)
{
	struct replacement replacement;

	begin(&replacement, *state);
	assert_int_equal(mkdir(*state, 0700), 0);
	assert_int_equal(replacement_commit(&replacement, REPLACEMENT_UNSYNCED), -EISDIR);
	assert_nr_files(1);
}

static void a_symbolic_link_stays_one(void **state)
{
	char *link = in_directory("link");
	struct replacement replacement;
	struct stat st;

	put(*state, "old");
	assert_int_equal(symlink("a.db", link), 0);
	begin(&replacement, link);
	assert_int_equal(replacement_commit(&replacement, 0), 0);
	assert_content(*state, "new");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_nr_files(2);
	free(link);
}

static void places_that_cannot_be_are_refused(void **state)
{
	char *link = in_directory("link"), *inside = in_directory("nosuch/file");
	struct replacement replacement;

	assert_int_equal(symlink("nosuch", link), 0);
	assert_int_equal(replacement_begin(&replacement, ""), -ENOENT);
	assert_int_equal(replacement_begin(&replacement, link), -ENOENT);
	assert_int_equal(replacement_begin(&replacement, inside), -ENOENT);
	assert_nr_files(1);
	free(link);
	free(inside);
}

static void writing_tells_why_it_failed(void **state)
{
	assert_int_equal(file_write_all(-1, "x", 1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_old_file_stays_until_the_new_one_is_there),
		TEST(what_is_dropped_leaves_nothing),
		TEST(a_new_file_replaces_nothing),
		TEST(a_place_that_became_a_folder_is_left),
		TEST(a_symbolic_link_stays_one),
		TEST(places_that_cannot_be_are_refused),
		TEST(writing_tells_why_it_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
