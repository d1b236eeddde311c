// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Files of what was learned: kept whole, refused when damaged or foreign, and what they are good for: a
 * monitor that is started again finds the hot part at once.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "ops/sim.h"
#include "test_training.h"

/* A folder for one test. */
struct folder {
	char path[64];
	char file[80];
};

static void folder_make(struct folder *folder)
{
	snprintf(folder->path, sizeof(folder->path), "/tmp/udamon-training.XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->file, sizeof(folder->file), "%s/training", folder->path);
}

/* Says so if there is anything else left in it. */
static void folder_remove(const struct folder *folder)
{
	unlink(folder->file);
	assert_int_equal(rmdir(folder->path), 0);
}

/* Files. */

static void save(struct damon_training *training, const struct folder *folder)
{
	struct damon_error err = {""};

	if (damon_training_save(training, folder->file, &err))
		fail_msg("%s", err.text);
}

static void expect_same_target(const struct damon_training_target *a,
			       const struct damon_training_target *b)
{
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->start_time, b->start_time);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->nr_regions, b->nr_regions);
	/* No holes in the struct. */
	assert_memory_equal(a->regions, b->regions, a->nr_regions * sizeof(*a->regions));
}

static void a_file_keeps_everything(void **state)
{
	struct damon_training *training, *loaded;
	struct damon_error err = {""};
	const size_t nr[] = {3, 0, 1};
	struct test_world world;
	struct folder folder;
	struct stat st;
	uint32_t i;

	folder_make(&folder);
	test_world_init(&world);
	assert_int_equal(damon_training_new(&training, world.lib, 3, nr), 0);
	training->ops_id = DAMON_OPS_VADDR;
	training->access_unit = 64;
	damon_default_attrs(&training->attrs);
	training->attrs.intervals_goal = (struct damon_intervals_goal){
		.access_bp = 400, .aggrs = 3, .min_sample_us = 5000, .max_sample_us = 1000000};
	training->attrs.sample_interval = UINT64_MAX - 2;
	training->nr_probes = 2;
	training->probe_weights[1] = 77;
	training->last_nr_regions = 4;
	training->split_offset = 1ULL << 40;
	for (i = 0; i < 3; i++)
		training->targets[0].regions[i] = (struct damon_training_region){
			.ar = {UINT64_MAX - 300 + 10 * i, UINT64_MAX - 295 + 10 * i},
			.nr_accesses = UINT32_MAX - i,
			.nr_unknown = i,
			.age = 1U << 31,
			.probe_sum = 9,
		};
	snprintf(training->boot_id, sizeof(training->boot_id),
		 "01234567-89ab-cdef-0123-456789abcdef");
	training->targets[0].pid = 4242;
	training->targets[0].start_time = 1ULL << 50;
	snprintf(training->targets[0].name, 64, "a name of UTF-8: \xc3\xa4");
	training->targets[1].pid = -1;
	training->targets[2].regions[0].ar.end = 1;
	save(training, &folder);
	assert_int_equal(damon_training_load(&loaded, world.lib, folder.file, &err), 0);
	assert_int_equal(loaded->ops_id, training->ops_id);
	assert_int_equal(loaded->access_unit, training->access_unit);
	assert_memory_equal(&loaded->attrs, &training->attrs, sizeof(loaded->attrs));
	assert_int_equal(loaded->nr_probes, 2);
	assert_memory_equal(loaded->probe_weights, training->probe_weights,
			    sizeof(loaded->probe_weights));
	assert_string_equal(loaded->boot_id, training->boot_id);
	assert_int_equal(loaded->last_nr_regions, 4);
	assert_int_equal(loaded->split_offset, 1ULL << 40);
	assert_int_equal(loaded->nr_targets, 3);
	for (i = 0; i < 3; i++)
		expect_same_target(&loaded->targets[i], &training->targets[i]);
	assert_int_equal(stat(folder.file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* An older one gives way. */
	training->split_offset = 3;
	save(training, &folder);
	damon_training_free(loaded);
	assert_int_equal(damon_training_load(&loaded, world.lib, folder.file, &err), 0);
	assert_int_equal(loaded->split_offset, 3);
	damon_training_free(loaded);
	damon_training_free(training);
	test_world_free(&world);
	folder_remove(&folder);
}

static void write_file(const struct folder *folder, const unsigned char *data, size_t size)
{
	FILE *file = fopen(folder->file, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static size_t read_file(const struct folder *folder, unsigned char *data, size_t size)
{
	FILE *file = fopen(folder->file, "r");
	size_t got;

	assert_non_null(file);
	got = fread(data, 1, size, file);
	assert_in_range(got, 100, size - 1);
	assert_int_equal(fclose(file), 0);
	return got;
}

/* @code, and a line that names the file and holds @text. */
static void expect_refused(struct test_world *world, const struct folder *folder, int code,
			   const char *text)
{
	struct damon_training *loaded = NULL;
	struct damon_error err = {""};
	int got = damon_training_load(&loaded, world->lib, folder->file, &err);

	if (got != code || loaded || !strstr(err.text, folder->file) || !strstr(err.text, text) ||
	    strchr(err.text, '\n'))
		fail_msg("expected %d and '%s', got %d and '%s'", code, text, got, err.text);
}

/* A saved training in @data; returns its size. */
static size_t saved(struct test_world *world, struct folder *folder, unsigned char *data,
		    size_t size)
{
	struct damon_training *training;

	folder_make(folder);
	test_world_init(world);
	training = taught(world);
	save(training, folder);
	damon_training_free(training);
	return read_file(folder, data, size);
}

static void a_file_with_any_bit_changed_is_refused(void **state)
{
	unsigned char data[4096];
	struct test_world world;
	struct folder folder;
	size_t size, i;
	int bit;

	size = saved(&world, &folder, data, sizeof(data));
	for (i = 0; i < size; i++) {
		for (bit = 0; bit < 8; bit += 1 + (i > 40)) {
			data[i] ^= (unsigned char)(1 << bit);
			write_file(&folder, data, size);
			expect_refused(&world, &folder, i < 8 ? -EINVAL : -EBADMSG,
				       i < 8 ? "not a saved training" : "damaged");
			data[i] ^= (unsigned char)(1 << bit);
		}
	}
	test_world_free(&world);
	folder_remove(&folder);
}

static void a_file_cut_short_or_extended_is_refused(void **state)
{
	unsigned char data[4096];
	struct test_world world;
	struct folder folder;
	size_t size, i;

	size = saved(&world, &folder, data, sizeof(data));
	for (i = 1; i < size; i++) {
		write_file(&folder, data, i);
		expect_refused(&world, &folder, -EBADMSG, "damaged");
	}
	data[size] = 0;
	write_file(&folder, data, size + 1);
	expect_refused(&world, &folder, -EBADMSG, "damaged");
	test_world_free(&world);
	folder_remove(&folder);
}

static void something_else_is_no_training(void **state)
{
	static const char *const texts[] = {"", "SQLite format 3", "hello\n", "udamtrX"};
	struct test_world world;
	struct folder folder;
	size_t i;

	folder_make(&folder);
	test_world_init(&world);
	expect_refused(&world, &folder, -ENOENT, "No such file");
	for (i = 0; i < TEST_COUNT(texts); i++) {
		write_file(&folder, (const unsigned char *)texts[i], strlen(texts[i]));
		expect_refused(&world, &folder, -EINVAL, "not a saved training");
	}
	unlink(folder.file);
	assert_int_equal(mkdir(folder.file, 0700), 0);
	expect_refused(&world, &folder, -EINVAL, "not a saved training");
	rmdir(folder.file);
	test_world_free(&world);
	folder_remove(&folder);
}

/* Puts the right checksum on what was changed. */
static void seal(unsigned char *data, size_t size)
{
	uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), data + 12, (unsigned int)(size - 12));
	int i;

	for (i = 0; i < 4; i++)
		data[8 + i] = (unsigned char)(crc >> (8 * i));
}

/* Version 1 had no boot: what is known of its processes may be of another one. */
static void an_older_version_is_of_an_unknown_boot(void **state)
{
	struct damon_training *loaded, *expected;
	struct damon_error err = {""};
	unsigned char data[4096];
	struct test_world world;
	struct folder folder;
	size_t size;

	size = saved(&world, &folder, data, sizeof(data));
	assert_int_equal(damon_training_load(&expected, world.lib, folder.file, &err), 0);
	memmove(data + 40, data + 40 + DAMON_BOOT_ID_SIZE, size - 40 - DAMON_BOOT_ID_SIZE);
	size -= DAMON_BOOT_ID_SIZE;
	data[12] = 1;
	data[16] = (unsigned char)size;
	data[17] = (unsigned char)(size >> 8);
	seal(data, size);
	write_file(&folder, data, size);
	if (damon_training_load(&loaded, world.lib, folder.file, &err))
		fail_msg("%s", err.text);
	assert_string_equal(loaded->boot_id, "");
	assert_memory_equal(&loaded->attrs, &expected->attrs, sizeof(loaded->attrs));
	assert_int_equal(loaded->nr_targets, expected->nr_targets);
	expect_same_target(&loaded->targets[0], &expected->targets[0]);
	damon_training_free(loaded);
	damon_training_free(expected);
	test_world_free(&world);
	folder_remove(&folder);
}

static void a_newer_version_is_refused(void **state)
{
	unsigned char data[4096];
	struct test_world world;
	struct folder folder;
	size_t size;

	size = saved(&world, &folder, data, sizeof(data));
	data[12] = 3;
	seal(data, size);
	write_file(&folder, data, size);
	expect_refused(&world, &folder, -ENOTSUP, "version 3");
	test_world_free(&world);
	folder_remove(&folder);
}

/* With a checksum that says it is right: numbers that promise more than there is. */
static void numbers_that_lie_are_refused(void **state)
{
	unsigned char data[4096], good[4096];
	struct test_world world;
	struct folder folder;
	size_t size, i;

	size = saved(&world, &folder, good, sizeof(good));
	/* The name of the operations set; how many targets; how many regions. */
	for (i = 0; i < 3; i++) {
		const size_t at[] = {24, 24 + 56 + 24 + 14 * 8, 24 + 56 + 24 + 15 * 8 + 80};

		memcpy(data, good, size);
		memset(data + at[i], 0xff, 8);
		seal(data, size);
		write_file(&folder, data, size);
		expect_refused(&world, &folder, -EBADMSG, "contradict");
	}
	test_world_free(&world);
	folder_remove(&folder);
}

static void loading_without_memory(void **state)
{
	unsigned char data[4096];
	struct test_world world;
	struct folder folder;

	saved(&world, &folder, data, sizeof(data));
	test_port_fail_at(&world.port, 1);
	expect_refused(&world, &folder, -ENOMEM, "memory");
	test_world_free(&world);
	folder_remove(&folder);
}

static void a_foreign_file_is_not_replaced(void **state)
{
	struct damon_training *training;
	struct damon_error err = {""};
	unsigned char data[4096];
	struct test_world world;
	struct folder folder;

	folder_make(&folder);
	test_world_init(&world);
	training = taught(&world);
	memset(data, 'x', 200);
	write_file(&folder, data, 200);
	assert_int_equal(damon_training_save(training, folder.file, &err), -EEXIST);
	assert_non_null(strstr(err.text, folder.file));
	assert_int_equal(read_file(&folder, data, sizeof(data)), 200);
	/* No folder: nothing there, and nothing left behind. */
	unlink(folder.file);
	strcat(folder.file, "/x");
	assert_int_equal(damon_training_save(training, folder.file, &err), -ENOENT);
	damon_training_free(training);
	test_world_free(&world);
	folder_remove(&folder);
}

/* What it is good for: the monitor of a program that goes on is started again. */

#define HOT_BP	    5000
#define NR_WINDOWS  60
#define GOOD_RECALL 0.95

/* struct monitored - one life of the monitor */
struct monitored {
	struct damon_port *port;
	struct sim_env *env;
	uint64_t seed;
	const char *load; /* NULL: starts with nothing */
	const char *save; /* NULL: keeps nothing */
	unsigned int windows;
	unsigned int found_in; /* the first window with %GOOD_RECALL; 0: none */
	double first_recall;
	int err;
};

static int see_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct monitored *run = data;
	struct sim_score score = {0};
	struct damon_training *training;
	int err;

	run->windows++;
	err = sim_score_target(&score, ctx, ctx->targets[0], window, HOT_BP);
	if (run->windows == 1)
		run->first_recall = sim_score_recall(&score);
	if (!run->found_in && sim_score_recall(&score) >= GOOD_RECALL)
		run->found_in = run->windows;
	if (err || run->windows < NR_WINDOWS)
		return err;
	if (run->save) {
		err = damon_training_take(&training, ctx);
		if (err)
			return err;
		err = damon_training_save(training, run->save, NULL);
		damon_training_free(training);
	}
	return err ? err : -ECANCELED;
}

static void monitor(struct monitored *run)
{
	struct damon_training *training = NULL;
	struct damon_ctx *ctx = NULL;
	struct damon_target *target;
	struct damon_lib *lib;

	assert_int_equal(damon_lib_new(&lib, run->port), 0);
	assert_int_equal(sim_register_ops(lib, run->env), 0);
	assert_int_equal(damon_new_ctx(&ctx, lib), 0);
	assert_int_equal(damon_select_ops(ctx, DAMON_OPS_SIM), 0);
	assert_int_equal(damon_new_target(&target, lib), 0);
	assert_int_equal(damon_add_target(ctx, target), 0);
	if (run->load) {
		assert_int_equal(damon_training_load(&training, lib, run->load, NULL), 0);
		assert_int_equal(damon_training_apply(ctx, training), 0);
	}
	ctx->seed = run->seed;
	ctx->callbacks.window = see_window;
	ctx->callbacks.data = run;
	assert_int_equal(damon_start(&ctx, 1, false), 0);
	damon_wait(ctx, UINT64_MAX, &run->err);
	damon_destroy_ctx(ctx);
	damon_lib_free(lib);
}

static void three_lives(void *arg)
{
	struct monitored *lives = arg;

	monitor(&lives[0]);
	monitor(&lives[1]);
	monitor(&lives[2]);
}

static void a_restarted_monitor_finds_the_hot_part_in_its_first_window(void **state)
{
	struct sim_workload *workload;
	struct sim_space *space;
	struct sim_env env = {.nr_spaces = 1, .spaces = &space};
	unsigned int with = 0, without = 0;
	struct folder folder;
	uint64_t seed;

	folder_make(&folder);
	assert_int_equal(sim_workload_builtin("hotcold", &workload, NULL), 0);
	for (seed = 1; seed <= 8; seed++) {
		struct damon_port *port = damon_port_coop_new(seed, NULL);
		struct monitored lives[] = {
			{.seed = seed, .save = folder.file},
			{.seed = seed + 100, .load = folder.file},
			{.seed = seed + 200},
		};
		int i;

		assert_non_null(port);
		assert_int_equal(sim_space_new(&space, workload, seed, 0, NULL), 0);
		for (i = 0; i < 3; i++) {
			lives[i].port = port;
			lives[i].env = &env;
		}
		assert_int_equal(damon_port_coop_run(port, three_lives, lives), 0);
		damon_port_coop_free(port);
		sim_space_free(space);
		for (i = 0; i < 3; i++)
			assert_int_equal(lives[i].err, -ECANCELED);
		print_message("# seed %" PRIu64 ": windows until recall is 95 %%: %u with training "
			      "(%.3f in the first), %u without (%.3f)\n",
			      seed, lives[1].found_in, lives[1].first_recall, lives[2].found_in,
			      lives[2].first_recall);
		assert_int_equal(lives[1].found_in, 1);
		assert_in_range(lives[2].found_in, 2, NR_WINDOWS);
		with += lives[1].found_in;
		without += lives[2].found_in;
	}
	print_message("# mean: %.1f with, %.1f without\n", with / 8.0, without / 8.0);
	sim_workload_free(workload);
	folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_keeps_everything),
		cmocka_unit_test(a_file_with_any_bit_changed_is_refused),
		cmocka_unit_test(a_file_cut_short_or_extended_is_refused),
		cmocka_unit_test(something_else_is_no_training),
		cmocka_unit_test(an_older_version_is_of_an_unknown_boot),
		cmocka_unit_test(a_newer_version_is_refused),
		cmocka_unit_test(numbers_that_lie_are_refused),
		cmocka_unit_test(loading_without_memory),
		cmocka_unit_test(a_foreign_file_is_not_replaced),
		cmocka_unit_test(a_restarted_monitor_finds_the_hot_part_in_its_first_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
