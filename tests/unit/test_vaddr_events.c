// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What is told of schemes on processes that fail. Nothing is watched: the process is made up. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ops/vaddr_internal.h"
#include "test_port.h"

struct told {
	struct test_world world;
	struct vaddr_target process;
	unsigned int nr;
	char last[256];
};

static void note_event(struct damon_ctx *ctx, const struct damon_event *event, void *data)
{
	struct told *told = data;

	told->nr++;
	snprintf(told->last, sizeof(told->last), "%s: %s", event->what, event->detail);
}

static void set_up(struct told *told)
{
	memset(told, 0, sizeof(*told));
	test_world_init(&told->world);
	told->world.ctx->callbacks.event = note_event;
	told->world.ctx->callbacks.data = told;
	told->process.info = (struct process_info){.pid = 42, .comm = "made up"};
	told->world.target->ops_priv = &told->process;
}

/* Scheme @idx ends with @err; then @nr events were told of, together. */
static void expect_told(struct told *told, uint32_t idx, int err, unsigned int nr)
{
	vaddr_note_scheme(told->world.ctx, told->world.target, idx, err);
	assert_int_equal(told->nr, nr);
}

static void tear_down(struct told *told)
{
	told->world.target->ops_priv = NULL;
	test_world_free(&told->world);
}

static void what_one_scheme_does_hides_and_repeats_nothing_of_another(void **state)
{
	static struct told told;
	int i;

	set_up(&told);
	expect_told(&told, 0, -EIO, 1);
	assert_string_equal(told.last, "scheme: scheme 0 can't act on process 42 (made up): "
				       "Input/output error");
	expect_told(&told, 1, -EPERM, 2);
	assert_string_equal(told.last,
			    "scheme: scheme 1 can't act on process 42 (made up): Operation not "
			    "permitted (needs CAP_SYS_NICE and CAP_SYS_PTRACE)");
	for (i = 0; i < 3; i++) {
		expect_told(&told, 0, -EIO, 2);
		expect_told(&told, 1, -EPERM, 2);
		expect_told(&told, 2, 0, 2);
	}
	/* The same error is news of another scheme. */
	expect_told(&told, 2, -EIO, 3);
	tear_down(&told);
}

static void a_scheme_is_told_of_when_it_fails_anew_or_otherwise(void **state)
{
	static struct told told;

	set_up(&told);
	expect_told(&told, 0, 0, 0);
	expect_told(&told, 0, -EIO, 1);
	expect_told(&told, 0, -ENOMEM, 2);
	expect_told(&told, 0, 0, 2);
	expect_told(&told, 0, -ENOMEM, 3);
	/* That a process has exited is told otherwise. */
	expect_told(&told, 0, -ESRCH, 3);
	tear_down(&told);
}

/* A context may have any number of them. */
static void no_scheme_is_beyond_what_is_kept(void **state)
{
	static struct told told;
	uint32_t idx;

	set_up(&told);
	for (idx = 0; idx < VADDR_NOTED_SCHEMES; idx++)
		expect_told(&told, idx, -EIO, idx + 1);
	expect_told(&told, UINT32_MAX, -EPERM, VADDR_NOTED_SCHEMES + 1);
	tear_down(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_scheme_does_hides_and_repeats_nothing_of_another),
		cmocka_unit_test(a_scheme_is_told_of_when_it_fails_anew_or_otherwise),
		cmocka_unit_test(no_scheme_is_beyond_what_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
