// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The file of a record: where it may be made, and what is left after a kill, damage, a full disk. */
#include "record_common.h"

/* A child writes windows and is killed after it has reported the last one. */
static void run_killed_writer(const char *path, uint64_t windows, size_t regions)
{
	int reports[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(reports), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct record *rec = NULL;

		if (record_create(&rec, path, &live, NULL) != 0)
			_exit(1);
		for (uint64_t i = 0;; i++) {
			if (add_window(rec, i, regions) != 0)
				_exit(1);
			if (i + 1 == windows && write(reports[1], "x", 1) != 1)
				_exit(1);
		}
	}
	close(reports[1]);
	assert_int_equal(read(reports[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(reports[0]);
}

static void test_killed_writer_leaves_all_windows(void **state)
{
	/* 10 stay in the log; 300 of 1,000 regions are more than one log, so the kill also
	 * comes while the log is moved and begun anew */
	const struct {
		uint64_t windows;
		size_t regions;
	} runs[] = {{1, 1}, {10, 100}, {300, 1000}};

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		char name[16], *path;

		snprintf(name, sizeof(name), "%zu.db", i);
		path = in_directory(name);
		run_killed_writer(path, runs[i].windows, runs[i].regions);
		assert_true(nr_snapshots(path) >= runs[i].windows);
		assert_query(path, "PRAGMA integrity_check", "ok");
		assert_query(path,
			     "SELECT count(DISTINCT n) FROM (SELECT count(*) AS n FROM region"
			     " GROUP BY snapshot)",
			     "1");
		assert_query(path, "SELECT max(id) - count(*) FROM snapshot", "0");
		free(path);
	}
}

/* After a kill the log is still there; the next record must not swallow it. */
static void test_killed_record_is_replaced(void **state)
{
	struct record *rec;

	run_killed_writer(*state, 20, 10);
	assert_true(exists("a.db-wal"));
	rec = create(*state, &live);
	add_window(rec, 0, 1);
	close_well(rec);
	assert_int_equal(nr_snapshots(*state), 1);
	assert_query(*state, "PRAGMA integrity_check", "ok");
}

static void test_orphaned_log_is_not_swallowed(void **state)
{
	run_killed_writer(*state, 20, 10);
	assert_int_equal(unlink(*state), 0);
	assert_true(exists("a.db-wal"));
	close_well(create(*state, &live));
	assert_int_equal(nr_snapshots(*state), 0);
}

/* @path is refused with @code, and what is there stays as it is. */
static void assert_refused(const char *path, int code, const char *part_of_text)
{
	struct damon_error err = {""};
	struct record *rec = NULL;
	int rc = record_create(&rec, path, &live, &err);

	assert_int_equal(rc, code);
	assert_null(rec);
	if (!strstr(err.text, part_of_text) || !strstr(err.text, path) || strchr(err.text, '\n'))
		fail_msg("expected one line with '%s' and '%s', got: %s", part_of_text, path,
			 err.text);
}

static int nr_files(void)
{
	char command[sizeof(directory) + 32];
	int nr = -1;
	FILE *out;

	snprintf(command, sizeof(command), "ls -A '%s' | wc -l", directory);
	out = popen(command, "r");
	assert_non_null(out);
	assert_int_equal(fscanf(out, "%d", &nr), 1);
	pclose(out);
	return nr;
}

static void test_foreign_files_are_left_alone(void **state)
{
	char *database = in_directory("other.db"), *text;
	sqlite3 *db = NULL;
	size_t size;

	write_file(*state, "important", 9);
	assert_refused(*state, -EEXIST, "not a record");
	text = slurp(*state, &size);
	assert_memory_equal(text, "important", 9);
	free(text);
	assert_int_equal(sqlite3_open(database, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_refused(database, -EEXIST, "a database");
	assert_query(database, "SELECT count(*) FROM t", "0");
	assert_int_equal(nr_files(), 2);
	free(database);
}

static void test_bad_places_are_refused(void **state)
{
	char *missing = in_directory("missing/a.db"), *link = in_directory("link");
	char *fifo = in_directory("fifo"), *wal = in_directory("b.db-wal");
	char *main_file = in_directory("b.db");

	assert_refused(missing, -ENOENT, "doesn't exist");
	assert_refused(directory, -EISDIR, "directory");
	assert_int_equal(symlink("nowhere", link), 0);
	assert_refused(link, -ENOENT, "leads nowhere");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_refused(fifo, -EEXIST, "not a record");
	write_file(wal, "important", 9);
	assert_refused(main_file, -EEXIST, "needs the name");
	assert_refused("", -EINVAL, "empty");
	assert_int_equal(nr_files(), 3);
	free(missing);
	free(link);
	free(fifo);
	free(wal);
	free(main_file);
}

static void test_symbolic_link_is_followed(void **state)
{
	char *link = in_directory("link");
	struct stat st;

	write_file(*state, "", 0); /* an empty file may be replaced */
	assert_int_equal(symlink("a.db", link), 0);
	close_well(create(link, &live));
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(nr_snapshots(*state), 0);
	assert_mode_0600("a.db");
	free(link);
}

static void test_record_in_use_is_refused(void **state)
{
	struct record *rec = create(*state, &live);

	add_window(rec, 0, 1);
	assert_refused(*state, -EBUSY, "another program has it open");
	add_window(rec, 1, 1);
	close_well(rec);
	assert_int_equal(nr_snapshots(*state), 2);
	close_well(create(*state, &live));
	assert_int_equal(nr_snapshots(*state), 0);
}

static void test_discard_leaves_nothing(void **state)
{
	struct record *rec = create(*state, &live);

	add_window(rec, 0, 1);
	record_discard(rec);
	assert_int_equal(nr_files(), 0);
}

static void assert_unreadable(const char *path, int code, const char *part_of_text)
{
	struct record_reader *reader = NULL;
	struct damon_error err = {""};
	int rc = record_reader_open(&reader, path, &err);

	assert_int_equal(rc, code);
	if (!strstr(err.text, part_of_text) || !strstr(err.text, path) || strchr(err.text, '\n'))
		fail_msg("expected one line with '%s' and '%s', got: %s", part_of_text, path,
			 err.text);
}

static void test_what_is_no_record_is_told(void **state)
{
	sqlite3 *db = NULL;

	assert_unreadable(*state, -ENOENT, "No such file");
	assert_unreadable(directory, -EBADMSG, "not a record");
	write_file(*state, "", 0);
	assert_unreadable(*state, -EBADMSG, "empty");
	write_file(*state, "a text", 6);
	assert_unreadable(*state, -EBADMSG, "not a record");
	unlink(*state);
	sqlite3_open(*state, &db);
	sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL);
	assert_unreadable(*state, -EBADMSG, "not a record");
	sqlite3_exec(db, "PRAGMA application_id=1969515886", NULL, NULL, NULL);
	assert_unreadable(*state, -EBADMSG, "damaged");
	sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL);
	assert_unreadable(*state, -ENOTSUP, "newer");
	sqlite3_close(db);
}

/* Read all there is; the first error, or 0. */
static int read_all(const char *path, struct damon_error *err)
{
	const struct record_region *regions;
	struct record_reader *reader = NULL;
	struct record_snapshot snapshot;
	size_t nr;
	int rc = record_reader_open(&reader, path, err);

	if (rc)
		return rc;
	while ((rc = record_reader_next(reader, &snapshot, err)) == 1) {
		rc = record_reader_regions(reader, snapshot.id, &regions, &nr, err);
		if (rc)
			break;
	}
	record_reader_close(reader);
	return rc;
}

static void write_record(const char *path, uint64_t windows)
{
	struct record *rec = create(path, &virtual);

	for (uint64_t i = 0; i < windows; i++)
		assert_int_equal(add_window(rec, i, 50), 0);
	close_well(rec);
}

static void test_truncated_record_is_told(void **state)
{
	struct damon_error err = {""};
	struct stat st;

	write_record(*state, 50);
	assert_int_equal(stat(*state, &st), 0);
	for (off_t size = st.st_size - 1; size > 100; size -= size / 10 + 1) {
		assert_int_equal(truncate(*state, size), 0);
		err.text[0] = '\0';
		assert_int_equal(read_all(*state, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "damaged"));
	}
}

/* Page after page is overwritten: an error or not, but never a crash or an endless loop. */
static void test_damaged_pages_do_no_harm(void **state)
{
	size_t size, damaged = 0;
	struct damon_error err;
	char *good, *bad;

	write_record(*state, 50);
	good = slurp(*state, &size);
	bad = malloc(size);
	for (size_t page = 0; page < size; page += 4096) {
		int rc;

		memcpy(bad, good, size);
		memset(bad + page + (page ? 0 : 100), 0xa5, page ? 4096 : 3996);
		write_file(*state, bad, size);
		err.text[0] = '\0';
		rc = read_all(*state, &err);
		if (rc) {
			damaged++;
			assert_int_equal(rc, -EBADMSG);
			assert_true(err.text[0]);
		}
	}
	assert_true(damaged > size / 4096 / 2);
	free(good);
	free(bad);
}

struct failure {
	int calls;
	int code;
};

static void note_failure(void *data, int code, const char *text)
{
	struct failure *failure = data;

	failure->calls++;
	failure->code = code;
}

/*
 * Fill what @rec can write to until a window fails, lose two more, then let @make_room run and
 * write three more.
 */
static void lose_windows(const char *path, struct failure *failure, int code,
			 void (*make_room)(void *data), void *data)
{
	struct record_options options = live;
	struct damon_error err = {""};
	struct record_snapshot snapshot;
	struct record_reader *reader;
	uint64_t lost = 0, i = 0, good;
	struct record *rec;

	options.failed = note_failure;
	options.data = failure;
	rec = create(path, &options);
	while (i < 100000 && add_window(rec, i, 200) == 0)
		i++;
	good = i;
	assert_int_equal(add_window(rec, ++i, 200), code);
	record_event(rec, &(struct damon_event){1, -1, "pause", "not to be forgotten"});
	assert_int_equal(add_window(rec, ++i, 200), code);
	assert_int_equal(record_nr_lost(rec), 3);
	make_room(data);
	for (int more = 0; more < 3; more++)
		assert_int_equal(add_window(rec, ++i, 200), 0);
	assert_int_equal(record_close(rec, &err), code);
	assert_non_null(strstr(err.text, "3 windows are missing"));
	assert_int_equal(failure->calls, 1);
	assert_int_equal(failure->code, code);
	reader = open_well(path);
	while (record_reader_next(reader, &snapshot, NULL) == 1)
		lost += snapshot.lost;
	assert_int_equal(lost, 3);
	assert_int_equal(snapshot.id, good + 3);
	assert_string_equal(record_reader_meta(reader, "lost"), "3");
	record_reader_close(reader);
	assert_query(path, "SELECT count(*) FROM event", "1");
	assert_query(path, "PRAGMA integrity_check", "ok");
}

static void lift_limit(void *data)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

static void test_file_size_limit_is_survived(void **state)
{
	struct failure failure = {0};
	struct rlimit before, limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 1 << 20;
	setrlimit(RLIMIT_FSIZE, &limit);
	lose_windows(*state, &failure, -EFBIG, lift_limit, NULL);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_DFL);
}

static void remove_ballast(void *data)
{
	assert_int_equal(unlink(data), 0);
}

/* A small file system of its own, seen by this process only. */
static void mount_small(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("small", directory, "tmpfs", 0, "size=2m,mode=0700") != 0) {
		print_message("# mounting a small file system: %s\n", strerror(errno));
		skip();
	}
}

static void test_full_disk_is_survived(void **state)
{
	char *ballast = in_directory("ballast"), *full = in_directory("full.db");
	struct failure failure = {0};
	static const char block[1 << 19];
	struct damon_error err = {""};
	struct record *rec = NULL;
	int fd;

	mount_small();
	write_file(ballast, block, sizeof(block));
	lose_windows(*state, &failure, -ENOSPC, remove_ballast, ballast);
	fd = open(ballast, O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	assert_int_equal(record_create(&rec, full, &live, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "No space left"));
	assert_false(exists("full.db"));
	assert_int_equal(nr_files(), 2);
	free(ballast);
	free(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_killed_writer_leaves_all_windows),
		TEST(test_killed_record_is_replaced),
		TEST(test_orphaned_log_is_not_swallowed),
		TEST(test_foreign_files_are_left_alone),
		TEST(test_bad_places_are_refused),
		TEST(test_symbolic_link_is_followed),
		TEST(test_record_in_use_is_refused),
		TEST(test_discard_leaves_nothing),
		TEST(test_what_is_no_record_is_told),
		TEST(test_truncated_record_is_told),
		TEST(test_damaged_pages_do_no_harm),
		TEST(test_file_size_limit_is_survived),
		TEST(test_full_disk_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
