/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What was learned outlives the context and the program: taken, saved, loaded, fitted to the layout of
 * the day; and what doesn't fit, isn't whole, or isn't ours is refused.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include <udamon/training.h>

#include "core/attrs.h"
#include "ops/sim.h"
#include "test_port.h"

static const struct damon_addr_range hundred_pages = TEST_RANGE(0, 100);

static const struct damon_region learned[] = {
	TEST_REGION(0, 10, .last_nr_accesses = 0, .age = 40),
	TEST_REGION(10, 30, .last_nr_accesses = 18, .age = 7),
	TEST_REGION(30, 100, .last_nr_accesses = 2, .age = 1),
};

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

/* A world that has learned @learned. */
static struct damon_training *taught(struct test_world *world)
{
	struct damon_training *training;

	test_put_regions(world->target, learned, TEST_COUNT(learned));
	assert_int_equal(damon_training_take(&training, world->ctx), 0);
	assert_int_equal(training->nr_targets, 1);
	assert_int_equal(training->targets[0].nr_regions, TEST_COUNT(learned));
	return training;
}

/* Applied before a start with these ranges; the start's result. */
static int start_with(struct test_world *world, struct damon_training *training,
		      const struct damon_addr_range *ranges, size_t nr)
{
	assert_int_equal(damon_training_apply(world->ctx, training), 0);
	world->script.ranges = ranges;
	world->script.nr_ranges = nr;
	return damon_monitor_start(world->ctx);
}

static void expect_region(const struct test_world *world, size_t idx, uint64_t first, uint64_t end,
			  uint32_t last, uint32_t age)
{
	struct damon_region region = test_region(world->target, idx);

	assert_int_equal(region.ar.start, first * TEST_PAGE);
	assert_int_equal(region.ar.end, end * TEST_PAGE);
	assert_int_equal(region.last_nr_accesses, last);
	assert_int_equal(region.age, age);
	assert_int_equal(region.nr_accesses, 0);
	assert_int_equal(region.nr_unknown, 0);
}

static uint32_t first_pages(struct test_script *script, uint64_t addr)
{
	return addr < 30 * TEST_PAGE;
}

static void a_context_goes_on_with_what_another_has_learned(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.min_nr_regions = 3;
	/* The largest would be cut to size at start. */
	training = taught(&world);
	training->targets[0].regions[2].ar.end = 62 * TEST_PAGE;
	damon_free_target(world.target);
	world.ctx->nr_targets = 0;
	world.target = test_world_add_target(&world);
	assert_int_equal(
		start_with(&world, training, (struct damon_addr_range[]){TEST_RANGE(0, 62)}, 1), 0);
	/* Cut at 62 / 3 pages, rounded up to whole ones. */
	assert_int_equal(damon_nr_regions(world.target), 4);
	expect_region(&world, 0, 0, 10, 0, 40);
	expect_region(&world, 1, 10, 30, 18, 7);
	expect_region(&world, 2, 30, 51, 2, 1);
	expect_region(&world, 3, 51, 62, 2, 1);
	test_world_free(&world);
}

static void in_mid_window_the_last_complete_one_counts(void **state)
{
	struct damon_training *training;
	struct test_world world;
	size_t i;

	test_world_init(&world);
	world.script.access = first_pages;
	test_world_start(&world, &hundred_pages, 1);
	for (i = 0; i < 20; i++)
		test_world_window(&world);
	test_world_sample(&world, 7);
	/* In mid-window: the last complete one. */
	assert_int_equal(damon_training_take(&training, world.ctx), 0);
	for (i = 0; i < training->targets[0].nr_regions; i++)
		assert_int_equal(training->targets[0].regions[i].nr_accesses,
				 test_region(world.target, i).last_nr_accesses);
	assert_int_equal(training->targets[0].regions[0].nr_accesses, 20);
	damon_training_free(training);
	test_world_free(&world);
}

static void at_its_end_the_window_itself_counts(void **state)
{
	struct damon_training *training;
	struct test_world world;
	size_t i;

	test_world_init(&world);
	world.script.access = first_pages;
	test_world_start(&world, &hundred_pages, 1);
	for (i = 0; i < 20; i++) {
		assert_int_equal(damon_monitor_prepare(world.ctx), 0);
		assert_int_equal(damon_monitor_check(world.ctx), 0);
	}
	damon_monitor_merge(world.ctx);
	assert_int_equal(damon_training_take(&training, world.ctx), 0);
	assert_int_equal(test_region(world.target, 0).last_nr_accesses, 0);
	assert_int_equal(training->targets[0].regions[0].nr_accesses, 20);
	damon_training_free(training);
	test_world_free(&world);
}

static void it_is_cut_to_the_present_layout(void **state)
{
	const struct damon_addr_range present[] = {TEST_RANGE(5, 28), TEST_RANGE(40, 100),
						   TEST_RANGE(200, 300)};
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	training = taught(&world);
	world.target->regions->now.nr = 0;
	assert_int_equal(start_with(&world, training, present, TEST_COUNT(present)), 0);
	expect_region(&world, 0, 5, 10, 0, 40);
	expect_region(&world, 1, 10, 28, 18, 7);
	expect_region(&world, 2, 40, 59, 2, 1); /* cut to a tenth of the 183 pages, rounded up */
	assert_int_equal(damon_region_table_bytes(world.target->regions), 183 * TEST_PAGE);
	/* Unknown until now. */
	assert_int_equal(test_region(world.target, damon_nr_regions(world.target) - 1).age, 0);
	test_world_free(&world);
}

static void another_layout_is_refused(void **state)
{
	const struct damon_addr_range half = TEST_RANGE(50, 400), less = TEST_RANGE(51, 400);
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	training = taught(&world);
	world.target->regions->now.nr = 0;
	assert_int_equal(start_with(&world, training, &less, 1), -ESTALE);
	assert_int_equal(world.script.nr_cleanup_target, 1);
	assert_int_equal(world.script.nr_cleanup, 1);
	test_expect_ranges(world.target, &less, 1);
	/* It is still there for the next start, with half of it in the layout. */
	world.target->regions->now.nr = 0;
	world.script.ranges = &half;
	assert_int_equal(damon_monitor_start(world.ctx), 0);
	assert_int_equal(test_region(world.target, 0).age, 1);
	test_world_free(&world);
}

static void what_was_learned_of_something_else_is_refused(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	training = taught(&world);
	training->ops_id = DAMON_OPS_PADDR;
	assert_int_equal(start_with(&world, training, &hundred_pages, 1), -ESTALE);
	training->ops_id = DAMON_OPS_SIM;
	training->attrs.addr_unit = 2;
	assert_int_equal(damon_monitor_start(world.ctx), -ESTALE);
	training->attrs.addr_unit = 1;
	training->nr_probes = 1;
	training->probe_weights[0] = 5;
	assert_int_equal(damon_monitor_start(world.ctx), -ESTALE);
	training->nr_probes = 0;
	world.ctx->attrs.min_region_sz = 2 * TEST_PAGE;
	assert_int_equal(damon_monitor_start(world.ctx), -EINVAL);
	world.ctx->attrs.min_region_sz = TEST_PAGE;
	test_world_add_target(&world);
	assert_int_equal(damon_monitor_start(world.ctx), -ESTALE);
	/* Let go of it, and nothing stands in the way. */
	assert_int_equal(damon_training_apply(world.ctx, NULL), 0);
	assert_int_equal(damon_monitor_start(world.ctx), 0);
	test_world_free(&world);
}

static void regions_that_cannot_be_are_refused(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	training = taught(&world);
	training->targets[0].regions[1].ar.start -= 1;
	assert_int_equal(damon_training_apply(world.ctx, training), -EINVAL);
	training->targets[0].regions[1].ar.start = training->targets[0].regions[1].ar.end;
	assert_int_equal(damon_training_apply(world.ctx, training), -EINVAL);
	training->targets[0].regions[1].ar.start = 10 * TEST_PAGE;
	training->attrs.min_nr_regions = 1;
	assert_int_equal(damon_training_apply(world.ctx, training), -EINVAL);
	training->attrs.min_nr_regions = 3;
	training->access_unit = 0;
	assert_int_equal(damon_training_apply(world.ctx, training), -EINVAL);
	training->access_unit = 1;
	assert_int_equal(damon_training_apply(world.ctx, training), 0);
	assert_int_equal(damon_forget(world.ctx), 0);
	test_world_free(&world);
}

static void counts_are_in_terms_of_the_context(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	training = taught(&world);
	/* Half the samples in a window twice as long, and an engine that knows shares. */
	world.ctx->attrs.sample_interval = 20000;
	world.ctx->attrs.aggr_interval = 200000;
	world.script.access_unit = 8;
	assert_int_equal(start_with(&world, training, &hundred_pages, 1), 0);
	assert_int_equal(world.ctx->attrs.sample_interval, 20000);
	expect_region(&world, 0, 0, 10, 0, 20);
	expect_region(&world, 1, 10, 20, 18 * 8 / 2, 3);
	test_world_free(&world);
}

static const struct damon_intervals_goal goal = {
	.access_bp = 400, .aggrs = 3, .min_sample_us = 5000, .max_sample_us = 1000000};

static void tuned_intervals_are_kept(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.intervals_goal = goal;
	training = taught(&world);
	training->attrs.sample_interval = 40000;
	training->attrs.aggr_interval = 800000;
	assert_int_equal(start_with(&world, training, &hundred_pages, 1), 0);
	assert_int_equal(world.ctx->attrs.sample_interval, 40000);
	assert_int_equal(world.ctx->attrs.aggr_interval, 800000);
	expect_region(&world, 1, 10, 20, 18, 7);
	test_world_free(&world);
}

static void tuned_intervals_obey_the_present_goal(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.intervals_goal = goal;
	world.ctx->attrs.intervals_goal.max_sample_us = 10000;
	training = taught(&world);
	training->attrs.intervals_goal = goal;
	training->attrs.sample_interval = 40000;
	training->attrs.aggr_interval = 800000;
	assert_int_equal(start_with(&world, training, &hundred_pages, 1), 0);
	assert_int_equal(world.ctx->attrs.sample_interval, 10000);
	assert_int_equal(world.ctx->attrs.aggr_interval, 200000);
	expect_region(&world, 1, 10, 20, 18, 28);
	test_world_free(&world);
}

/* Allocations. */

static void taking_with_any_allocation_refused(void **state)
{
	struct damon_training *training;
	struct test_world world;
	unsigned int nr;

	test_world_init(&world);
	test_put_regions(world.target, learned, TEST_COUNT(learned));
	for (nr = 1; nr <= 2; nr++) {
		training = NULL;
		test_port_fail_at(&world.port, nr);
		assert_int_equal(damon_training_take(&training, world.ctx), -ENOMEM);
		assert_null(training);
	}
	test_port_fail_at(&world.port, 3);
	assert_int_equal(damon_training_take(&training, world.ctx), 0);
	damon_training_free(training);
	test_world_free(&world);
}

static void starting_with_any_allocation_refused(void **state)
{
	struct damon_training *training;
	struct test_world world;
	unsigned int nr = 0;
	int err;

	test_world_init(&world);
	world.ctx->attrs.intervals_goal = goal;
	training = taught(&world);
	training->attrs.sample_interval = 40000;
	training->attrs.aggr_interval = 800000;
	/* The first start makes the room that any start does. */
	test_world_start(&world, &hundred_pages, 1);
	damon_monitor_stop(world.ctx);
	assert_int_equal(damon_forget(world.ctx), 0);
	assert_int_equal(damon_training_apply(world.ctx, training), 0);
	do {
		test_port_fail_at(&world.port, ++nr);
		err = damon_monitor_start(world.ctx);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		test_expect_ranges(world.target, &hundred_pages, 1);
		assert_int_equal(test_region(world.target, 0).age, 0);
		assert_int_equal(world.ctx->attrs.sample_interval, 5000);
	} while (nr < 100);
	assert_int_equal(err, 0);
	/* Two lists; a target with its table and two times nine columns, once to fill and once for room. */
	assert_in_range(nr, 2 + 2 + 9 + 1, 40);
	expect_region(&world, 0, 0, 10, 0, 40);
	test_world_free(&world);
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
	training->attrs.intervals_goal = goal;
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

static void a_newer_version_is_refused(void **state)
{
	unsigned char data[4096];
	struct test_world world;
	struct folder folder;
	size_t size;

	size = saved(&world, &folder, data, sizeof(data));
	data[12] = 2;
	seal(data, size);
	write_file(&folder, data, size);
	expect_refused(&world, &folder, -ENOTSUP, "version 2");
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
		const size_t at[] = {24, 24 + 16 + 24 + 14 * 8, 24 + 16 + 24 + 15 * 8 + 80};

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
		cmocka_unit_test(a_context_goes_on_with_what_another_has_learned),
		cmocka_unit_test(in_mid_window_the_last_complete_one_counts),
		cmocka_unit_test(at_its_end_the_window_itself_counts),
		cmocka_unit_test(it_is_cut_to_the_present_layout),
		cmocka_unit_test(another_layout_is_refused),
		cmocka_unit_test(what_was_learned_of_something_else_is_refused),
		cmocka_unit_test(regions_that_cannot_be_are_refused),
		cmocka_unit_test(counts_are_in_terms_of_the_context),
		cmocka_unit_test(tuned_intervals_are_kept),
		cmocka_unit_test(tuned_intervals_obey_the_present_goal),
		cmocka_unit_test(taking_with_any_allocation_refused),
		cmocka_unit_test(starting_with_any_allocation_refused),
		cmocka_unit_test(a_file_keeps_everything),
		cmocka_unit_test(a_file_with_any_bit_changed_is_refused),
		cmocka_unit_test(a_file_cut_short_or_extended_is_refused),
		cmocka_unit_test(something_else_is_no_training),
		cmocka_unit_test(a_newer_version_is_refused),
		cmocka_unit_test(numbers_that_lie_are_refused),
		cmocka_unit_test(loading_without_memory),
		cmocka_unit_test(a_foreign_file_is_not_replaced),
		cmocka_unit_test(a_restarted_monitor_finds_the_hot_part_in_its_first_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
