/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The operations set "sim", called as the core calls it, on a port whose clock is set by hand.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/sim.h"

#define MS 1000000ULL

/* struct hand_port - a port without threads */
struct hand_port {
	struct damon_port port;
	uint64_t now_ns;
	int64_t allocs_left; /* fails from then on; -1: never */
	int64_t in_use;
};

static struct hand_port *to_hand(struct damon_port *port)
{
	return (struct hand_port *)port;
}

static void *hand_alloc(struct damon_port *port, size_t size)
{
	struct hand_port *hand = to_hand(port);

	if (!hand->allocs_left)
		return NULL;
	if (hand->allocs_left > 0)
		hand->allocs_left--;
	hand->in_use++;
	return calloc(1, size);
}

static void hand_free(struct damon_port *port, void *ptr)
{
	to_hand(port)->in_use -= ptr != NULL;
	free(ptr);
}

static uint64_t hand_now_ns(struct damon_port *port)
{
	return to_hand(port)->now_ns;
}

static uint64_t hand_number(struct damon_port *port)
{
	return 1;
}

static int hand_mutex_new(struct damon_port *port, struct damon_mutex **mutex)
{
	*mutex = hand_alloc(port, 1);
	return *mutex ? 0 : -ENOMEM;
}

static void hand_mutex_free(struct damon_port *port, struct damon_mutex *mutex)
{
	hand_free(port, mutex);
}

static void hand_mutex(struct damon_port *port, struct damon_mutex *mutex)
{
}

static int hand_cond_new(struct damon_port *port, struct damon_cond **cond)
{
	*cond = hand_alloc(port, 1);
	return *cond ? 0 : -ENOMEM;
}

static void hand_cond_free(struct damon_port *port, struct damon_cond *cond)
{
	hand_free(port, cond);
}

static void hand_cond_wake(struct damon_port *port, struct damon_cond *cond)
{
}

/* struct fixture - one program and a context that watches it */
struct fixture {
	struct hand_port hand;
	struct sim_workload *workload;
	struct sim_space *space;
	struct sim_space *spaces[2];
	struct sim_env env;
	struct damon_lib *lib;
	struct damon_ctx *ctx;
	struct damon_target *target;
	unsigned int nr_events;
	char event[32];
};

static void note_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	struct fixture *f = data;

	f->nr_events++;
	snprintf(f->event, sizeof(f->event), "%s", event->what);
}

/* Everything up to, not including, init(). */
static void set_up(struct fixture *f, const char *text, uint64_t rate)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct damon_error err = {""};

	memset(f, 0, sizeof(*f));
	f->hand.port = (struct damon_port){
		.alloc = hand_alloc,
		.free = hand_free,
		.now_ns = hand_now_ns,
		.seed = hand_number,
		.thread_cpu_ns = hand_number,
		.thread_self = hand_number,
		.mutex_new = hand_mutex_new,
		.mutex_free = hand_mutex_free,
		.mutex_lock = hand_mutex,
		.mutex_unlock = hand_mutex,
		.cond_new = hand_cond_new,
		.cond_free = hand_cond_free,
		.cond_wake_all = hand_cond_wake,
	};
	f->hand.allocs_left = -1;
	assert_non_null(file);
	if (sim_workload_parse(file, "test", &f->workload, &err))
		fail_msg("%s", err.text);
	fclose(file);
	assert_int_equal(sim_space_new(&f->space, f->workload, 1, rate, NULL), 0);
	f->spaces[0] = f->spaces[1] = f->space;
	f->env = (struct sim_env){.nr_spaces = 2, .spaces = f->spaces, .start_ns = 1000 * MS};
	f->hand.now_ns = 1000 * MS;
	assert_int_equal(damon_lib_new(&f->lib, &f->hand.port), 0);
	assert_int_equal(sim_register_ops(f->lib, &f->env), 0);
	assert_int_equal(damon_new_ctx(&f->ctx, f->lib), 0);
	assert_int_equal(damon_select_ops(f->ctx, DAMON_OPS_SIM), 0);
	f->ctx->callbacks.event = note_event;
	f->ctx->callbacks.data = f;
	assert_int_equal(damon_new_target(&f->target, f->lib), 0);
	assert_int_equal(damon_add_target(f->ctx, f->target), 0);
}

static void start(struct fixture *f)
{
	assert_int_equal(f->ctx->ops->init(f->ctx), 0);
	assert_int_equal(f->ctx->ops->init_target(f->ctx, f->target), 0);
}

static void stop(struct fixture *f)
{
	f->ctx->ops->cleanup_target(f->ctx, f->target);
	f->ctx->ops->cleanup(f->ctx);
}

static void tear_down(struct fixture *f)
{
	damon_destroy_ctx(f->ctx);
	damon_lib_free(f->lib);
	assert_int_equal(f->hand.in_use, 0);
	sim_space_free(f->space);
	sim_workload_free(f->workload);
}

/* Check one page: prepare now, look @later_ns later. */
static uint32_t sample(struct fixture *f, uint64_t addr, uint64_t later_ns)
{
	struct damon_addr_range range = {addr & ~(SIM_PAGE_SIZE - 1), addr + SIM_PAGE_SIZE};
	uint32_t access = 77;
	struct damon_batch batch = {.nr = 1, .ranges = &range, .sampling_addrs = &addr};

	assert_int_equal(f->ctx->ops->prepare_access_checks(f->ctx, f->target, &batch), 0);
	f->hand.now_ns += later_ns;
	batch.access = &access;
	assert_int_equal(f->ctx->ops->check_accesses(f->ctx, f->target, &batch), 0);
	return access;
}

static uint64_t base_of(const struct fixture *f, size_t idx)
{
	struct sim_mapping mappings[8];

	assert_true(idx < sim_space_mappings(f->space, 0, mappings));
	return mappings[idx].ar.start;
}

/* 16 pages in turn, one each ms. */
#define IN_TURN "a, 65536, none\n\np\n1000\na, 0, 4096, 1\n"

static void sees_what_was_touched_since(void **state)
{
	struct fixture f;
	uint64_t base;

	set_up(&f, IN_TURN, 1000);
	start(&f);
	assert_int_equal(f.ctx->access_unit, 1);
	base = base_of(&f, 0);
	/* Time of the program: 0..3 ms, pages 0, 1, 2. */
	assert_int_equal(sample(&f, base + 2 * SIM_PAGE_SIZE + 5, 3 * MS), 1);
	/* 3..5 ms: pages 3, 4; page 2 was touched before. */
	assert_int_equal(sample(&f, base + 2 * SIM_PAGE_SIZE, 2 * MS), 0);
	/* 5..6 ms: page 5, not 6. */
	assert_int_equal(sample(&f, base + 6 * SIM_PAGE_SIZE - 1, 1 * MS), 1);
	assert_int_equal(sample(&f, base + 5 * SIM_PAGE_SIZE, 1 * MS), 0);
	/* 7..23 ms: all. */
	assert_int_equal(sample(&f, base, 16 * MS), 1);
	/* Nothing is mapped there. */
	assert_int_equal(sample(&f, base - 1, 16 * MS), 0);
	assert_int_equal(sample(&f, base + 65536, 16 * MS), 0);
	stop(&f);
	tear_down(&f);
}

static void checks_a_batch_like_the_truth(void **state)
{
	static const char text[] =
		"a, 4194304, none\nb, 2097152, none\n#! huge: b\nc, 999999, none\n"
		"\np\n100\na, 1, 64, 2\nb, 1, 64, 1\na, 0, 8192, 1\n\n"
		"q\n900\nb, 0, 4096, 1\nc, 1, 3000, 5\n";
	struct damon_addr_range ranges[200];
	struct damon_batch batch = {.nr = 200, .ranges = ranges};
	uint64_t addrs[200], t0, touched = 0;
	uint32_t access[200];
	unsigned int i, round;
	struct fixture f;

	set_up(&f, text, 100000);
	start(&f);
	batch.sampling_addrs = addrs;
	for (round = 0; round < 400; round++) {
		for (i = 0; i < 200; i++) {
			/* 9 MiB in order, the gaps between and what lies behind included. */
			ranges[i].start = base_of(&f, 0) + i * 48000ULL;
			ranges[i].end = ranges[i].start + 48000;
			addrs[i] = ranges[i].start + round * 7919ULL % 48000;
		}
		t0 = f.hand.now_ns - f.env.start_ns;
		assert_int_equal(f.ctx->ops->prepare_access_checks(f.ctx, f.target, &batch), 0);
		f.hand.now_ns += 1 + round * 777777ULL % (3 * MS);
		batch.access = access;
		assert_int_equal(f.ctx->ops->check_accesses(f.ctx, f.target, &batch), 0);
		for (i = 0; i < 200; i++) {
			touched += access[i];
			assert_int_equal(access[i],
					 sim_truth_touched(f.space, addrs[i], t0,
							   f.hand.now_ns - f.env.start_ns));
		}
	}
	assert_in_range(touched, 1000, 79000);
	stop(&f);
	tear_down(&f);
}

static void huge_page_is_one_page(void **state)
{
	struct fixture f;
	uint64_t base;

	set_up(&f, "a, 3000000, none\n#! huge: a\n\np\n1000\na, 0, 4096, 1\n", 1000);
	start(&f);
	base = base_of(&f, 0);
	/* The first access is to page 0 of the leaf; what follows the leaf is small pages. */
	assert_int_equal(sample(&f, base + SIM_HUGE_SIZE - 1, 1 * MS), 1);
	assert_int_equal(sample(&f, base + SIM_HUGE_SIZE, 1 * MS), 0);
	f.hand.now_ns = f.env.start_ns + 512 * MS;
	assert_int_equal(sample(&f, base + SIM_HUGE_SIZE, 1 * MS), 1);
	assert_int_equal(sample(&f, base + SIM_HUGE_SIZE, 1 * MS), 0);
	stop(&f);
	tear_down(&f);
}

static void lays_out_ranges(void **state)
{
	struct damon_region region;
	struct fixture f;

	set_up(&f,
	       "a, 40960, none\nb, 4096, none\nc, 8192, none\n#! gap: b, 8388608\n"
	       "#! gap: c, 1073741824\n\np\n1000\na, 0, 4096, 1\n",
	       1000);
	start(&f);
	/* 8 MiB are too small a gap to cut out, 1 GiB isn't. */
	assert_int_equal(damon_nr_regions(f.target), 2);
	damon_get_region(f.ctx, f.target, 0, &region);
	assert_int_equal(region.ar.start, base_of(&f, 0));
	assert_int_equal(region.ar.end, base_of(&f, 1) + 4096);
	damon_get_region(f.ctx, f.target, 1, &region);
	assert_int_equal(region.ar.start, base_of(&f, 2));
	assert_int_equal(region.ar.end, base_of(&f, 2) + 8192);
	stop(&f);
	tear_down(&f);
}

static void keeps_given_ranges(void **state)
{
	struct damon_addr_range range;
	struct fixture f;

	set_up(&f, IN_TURN, 1000);
	range.start = base_of(&f, 0) + 4096;
	range.end = range.start + 8192;
	assert_int_equal(damon_set_regions(f.target, &range, 1, 4096), 0);
	start(&f);
	assert_int_equal(damon_nr_regions(f.target), 1);
	stop(&f);
	tear_down(&f);
}

static void follows_the_layout(void **state)
{
	struct damon_region region;
	struct fixture f;

	set_up(&f,
	       "a, 81920, none\n#! size: a, q, 4097\n\np\n10\na, 1, 64, 1\n\nq\n10\na, 1, 64, 1\n",
	       1000);
	start(&f);
	f.hand.now_ns += 9 * MS;
	f.ctx->ops->update(f.ctx);
	damon_get_region(f.ctx, f.target, 0, &region);
	assert_int_equal(region.ar.end - region.ar.start, 81920);
	assert_int_equal(f.nr_events, 0);
	f.hand.now_ns += 1 * MS;
	f.ctx->ops->update(f.ctx);
	damon_get_region(f.ctx, f.target, 0, &region);
	assert_int_equal(region.ar.end - region.ar.start, 8192);
	assert_int_equal(f.nr_events, 1);
	assert_string_equal(f.event, "layout");
	stop(&f);
	tear_down(&f);
}

static void ends_with_the_workload(void **state)
{
	struct fixture f;

	set_up(&f, IN_TURN, 1000);
	start(&f);
	f.hand.now_ns += 1000 * MS - 1;
	assert_true(f.ctx->ops->target_valid(f.ctx, f.target));
	f.hand.now_ns += 1;
	assert_false(f.ctx->ops->target_valid(f.ctx, f.target));
	assert_int_equal(sample(&f, base_of(&f, 0), 50 * MS), 0);
	stop(&f);
	tear_down(&f);
}

static void pid_picks_the_program(void **state)
{
	struct fixture f;

	set_up(&f, IN_TURN, 1000);
	assert_int_equal(f.ctx->ops->init(f.ctx), 0);
	f.target->pid = 1;
	assert_int_equal(f.ctx->ops->init_target(f.ctx, f.target), 0);
	assert_ptr_equal(sim_target_space(f.ctx, f.target), f.spaces[1]);
	f.ctx->ops->cleanup_target(f.ctx, f.target);
	f.target->pid = 2;
	assert_null(sim_target_space(f.ctx, f.target));
	assert_int_equal(f.ctx->ops->init_target(f.ctx, f.target), -EINVAL);
	f.ctx->ops->cleanup(f.ctx);
	tear_down(&f);
}

static void refuses_a_scale(void **state)
{
	struct fixture f;

	set_up(&f, IN_TURN, 1000);
	f.ctx->attrs.addr_unit = 4096;
	assert_int_equal(f.ctx->ops->init(f.ctx), -EINVAL);
	f.ctx->attrs.addr_unit = 1;
	tear_down(&f);
}

static void counts_cost(void **state)
{
	struct damon_cost cost = {.clears = 5};
	struct fixture f;

	set_up(&f, IN_TURN, 1000);
	start(&f);
	sample(&f, base_of(&f, 0), MS);
	sample(&f, base_of(&f, 0), MS);
	f.ctx->ops->cost(f.ctx, &cost);
	assert_int_equal(cost.clears, 7);
	stop(&f);
	tear_down(&f);
}

/* Hits of a probe on: anonymous page of a, file page of b's head, anonymous of its tail, no page. */
static void check_probe(const struct damon_probe *probe, const char *expected)
{
	static const char text[] =
		"a, 8192, none\nb, 16384, none\nc, 4096, data\n#! file: b, 8192\n"
		"#! memcg: b, /web\n\np\n1000\na, 0, 4096, 1\n";
	struct damon_addr_range ranges[4];
	uint8_t hit[4] = {7, 7, 7, 7};
	struct damon_batch batch = {.nr = 4, .ranges = ranges};
	uint64_t addrs[4];
	struct fixture f;
	unsigned int i;

	set_up(&f, text, 1000);
	start(&f);
	addrs[0] = base_of(&f, 0);
	addrs[1] = base_of(&f, 1) + 8191;
	addrs[2] = base_of(&f, 1) + 8192;
	addrs[3] = base_of(&f, 1) + 16384;
	for (i = 0; i < 4; i++)
		ranges[i] = (struct damon_addr_range){addrs[i], addrs[i] + 1};
	batch.sampling_addrs = addrs;
	assert_int_equal(f.ctx->ops->check_probe(f.ctx, f.target, probe, &batch, hit), 0);
	for (i = 0; i < 4; i++) {
		if (hit[i] != expected[i] - '0')
			fail_msg("sample %u: got %u, expected %c", i, hit[i], expected[i]);
	}
	stop(&f);
	tear_down(&f);
}

static void probes_pages(void **state)
{
	struct damon_filter anon = {DAMON_FILTER_ANON, true, true, NULL};
	struct damon_filter not_anon = {DAMON_FILTER_ANON, false, true, NULL};
	struct damon_filter reject_anon = {DAMON_FILTER_ANON, true, false, NULL};
	struct damon_filter web = {DAMON_FILTER_MEMCG, true, true, "/web"};
	struct damon_filter root = {DAMON_FILTER_MEMCG, true, true, "/"};

	/* No filter: every page passes, but there must be one. */
	check_probe(&(struct damon_probe){.nr_filters = 0}, "1110");
	check_probe(&(struct damon_probe){.nr_filters = 1, .filters = {anon}}, "1010");
	check_probe(&(struct damon_probe){.nr_filters = 1, .filters = {not_anon}}, "0100");
	check_probe(&(struct damon_probe){.nr_filters = 1, .filters = {reject_anon}}, "0100");
	check_probe(&(struct damon_probe){.nr_filters = 1, .filters = {web}}, "0110");
	check_probe(&(struct damon_probe){.nr_filters = 1, .filters = {root}}, "1000");
	/* The first that matches decides. */
	check_probe(&(struct damon_probe){.nr_filters = 2, .filters = {reject_anon, web}}, "0100");
	check_probe(&(struct damon_probe){.nr_filters = 2, .filters = {web, reject_anon}}, "0110");
}

/* Each allocation of init() and init_target() fails once; tear_down() finds what stays behind. */
static void survives_lack_of_memory(void **state)
{
	int err = -ENOMEM, init_err;
	struct fixture f;
	int64_t fail_at;

	for (fail_at = 0; err; fail_at++) {
		set_up(&f, IN_TURN, 1000);
		f.hand.allocs_left = fail_at;
		err = init_err = f.ctx->ops->init(f.ctx);
		if (!init_err)
			err = f.ctx->ops->init_target(f.ctx, f.target);
		f.hand.allocs_left = -1;
		if (err)
			assert_int_equal(err, -ENOMEM);
		else
			f.ctx->ops->cleanup_target(f.ctx, f.target);
		if (!init_err)
			f.ctx->ops->cleanup(f.ctx);
		tear_down(&f);
		assert_true(fail_at < 30);
	}
	/* One of init(), four of init_target(), and the core's for the regions. */
	assert_true(fail_at > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_what_was_touched_since),
		cmocka_unit_test(checks_a_batch_like_the_truth),
		cmocka_unit_test(huge_page_is_one_page),
		cmocka_unit_test(lays_out_ranges),
		cmocka_unit_test(keeps_given_ranges),
		cmocka_unit_test(follows_the_layout),
		cmocka_unit_test(ends_with_the_workload),
		cmocka_unit_test(pid_picks_the_program),
		cmocka_unit_test(refuses_a_scale),
		cmocka_unit_test(counts_cost),
		cmocka_unit_test(probes_pages),
		cmocka_unit_test(survives_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
