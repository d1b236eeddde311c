/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The machine of simulated programs: what is in its memory, what comes back, what is given back. */
#include "sim_world.h"

static void pages_come_in_when_they_are_touched(void **state)
{
	struct sim_machine_stat stat;
	struct world w;

	set_up(&w, IN_TURN, 1000, NULL);
	assert_int_equal(resident_at(&w, 0), 0);
	assert_int_equal(resident_at(&w, 5), 5);
	stat = stat_at(&w, 10);
	assert_int_equal(stat.resident, 10 * PAGE);
	/* 5 pages for 5 ms and 10 pages for 5 ms: 7.5 pages. */
	assert_int_equal(stat.mean, 30720);
	stat = stat_at(&w, 300);
	assert_int_equal(stat.resident, 16 * PAGE);
	assert_int_equal(stat.peak, 16 * PAGE);
	assert_int_equal(stat.refaults, 0);
	assert_int_equal(stat.refault_ns, 0);
	/* What is past stays. */
	assert_int_equal(stat_at(&w, 10).t_ns, 300 * MS);
	tear_down(&w);
}

static void what_left_is_read_back_once(void **state)
{
	struct sim_machine_stat stat;
	struct world w;

	set_up(&w, IN_TURN, 1000, NULL);
	assert_int_equal(act(&w, 16, DAMOS_PAGEOUT, 0, 0, 8), 8);
	assert_int_equal(resident_at(&w, 16), 8);
	/* It is gone already. */
	assert_int_equal(act(&w, 16, DAMOS_PAGEOUT, 0, 0, 8), 0);
	/* 16 to 20 ms: pages 0 to 3. */
	assert_int_equal(refaults_at(&w, 20), 4);
	assert_int_equal(resident_at(&w, 20), 12);
	assert_int_equal(refaults_at(&w, 32), 8);
	stat = stat_at(&w, 48);
	assert_int_equal(stat.refaults, 8);
	assert_int_equal(stat.resident, 16 * PAGE);
	assert_int_equal(stat.refault_ns, 8 * SIM_REFAULT_NS);
	/* 0.8 of 48 ms. */
	assert_true(sim_machine_slowdown(&stat) > 0.01666 && sim_machine_slowdown(&stat) < 0.01667);
	tear_down(&w);
}

static void what_was_never_touched_cannot_leave(void **state)
{
	struct world w;

	set_up(&w, IN_TURN, 1000, NULL);
	assert_int_equal(act(&w, 5, DAMOS_PAGEOUT, 0, 0, 16), 5);
	assert_int_equal(w.applied, 5 * PAGE);
	/* Pages 5 to 15 come for the first time; 0 to 4 have to be read back. */
	assert_int_equal(refaults_at(&w, 16), 0);
	assert_int_equal(resident_at(&w, 16), 11);
	assert_int_equal(refaults_at(&w, 21), 5);
	tear_down(&w);
}

static void only_whole_pages_in_the_range_are_acted_on(void **state)
{
	struct damon_addr_range ar;
	struct world w;

	set_up(&w, "a, 65536, none\nb, 65536, none\n\np\n1000\na, 0, 4096, 1\nb, 0, 4096, 1\n",
	       2000, NULL);
	sim_machine_run(w.machine, 16 * MS);
	w.scheme.action = DAMOS_PAGEOUT;
	/* From within page 14 of a, over the gap, into page 2 of b: one page of a and two of b. */
	ar.start = base(&w, 0) + 14 * PAGE + 1;
	ar.end = base(&w, 1) + 3 * PAGE - 1;
	assert_int_equal(sim_apply(w.machine, w.machine->memories, &ar, &w.scheme, &w.applied,
				   &w.passed),
			 0);
	assert_int_equal(w.applied, 3 * PAGE);
	/* All there is, and beyond. */
	ar.start = 0;
	ar.end = UINT64_MAX;
	assert_int_equal(sim_apply(w.machine, w.machine->memories, &ar, &w.scheme, &w.applied,
				   &w.passed),
			 0);
	assert_int_equal(w.applied, 29 * PAGE);
	/* Nothing. */
	ar.start = ar.end = base(&w, 0) + PAGE;
	assert_int_equal(sim_apply(w.machine, w.machine->memories, &ar, &w.scheme, &w.applied,
				   &w.passed),
			 0);
	assert_int_equal(w.applied, 0);
	tear_down(&w);
}

/* Random page-outs at random times; what comes back is counted against what a player touches. */
static void check_against_player(const char *text, uint64_t rate, uint64_t end_ms)
{
	uint64_t t_ns = 0, random = 1, refaults = 0, nr_in = 0, first, nr, page, i, total = 0;
	struct sim_player *player;
	struct damon_addr_range ar;
	const struct sim_area *area;
	uint8_t *in[4], *out[4];
	struct world w;
	size_t a;

	set_up(&w, text, rate, NULL);
	assert_int_equal(sim_player_new(&player, w.space, 1), 0);
	for (a = 0; a < w.space->nr_areas; a++) {
		area = &w.space->areas[a];
		in[a] = calloc((area->ar.end - area->ar.start) / PAGE, 1);
		out[a] = calloc((area->ar.end - area->ar.start) / PAGE, 1);
		assert_non_null(in[a]);
		assert_non_null(out[a]);
		total += (area->ar.end - area->ar.start) / PAGE;
	}
	w.scheme.action = DAMOS_PAGEOUT;
	while (t_ns < end_ms * MS) {
		random = sim_mix(random + 1);
		t_ns += random % (40 * MS);
		sim_player_run(player, t_ns);
		for (a = 0; a < w.space->nr_areas; a++) {
			area = &w.space->areas[a];
			for (page = 0; page * PAGE < area->ar.end - area->ar.start; page++) {
				if (!sim_player_touched(player, area->ar.start + page * PAGE) ||
				    in[a][page])
					continue;
				in[a][page] = 1;
				nr_in++;
				refaults += out[a][page];
				out[a][page] = 0;
			}
		}
		sim_player_clear(player);
		if (random & 1 << 20) {
			/* Somebody looks in between. */
			sim_machine_run(w.machine, t_ns - t_ns % MS);
		}
		sim_machine_run(w.machine, t_ns);
		assert_int_equal(w.machine->sums.refaults, refaults);
		assert_int_equal(w.machine->nr_in[0], nr_in);
		a = random / 64 % w.space->nr_areas;
		area = &w.space->areas[a];
		nr = (area->ar.end - area->ar.start) / PAGE;
		first = random / 1024 % nr;
		nr = random / 65536 % (nr - first) + 1;
		ar.start = area->ar.start + first * PAGE;
		ar.end = ar.start + nr * PAGE;
		assert_int_equal(sim_apply(w.machine, w.machine->memories, &ar, &w.scheme,
					   &w.applied, &w.passed),
				 0);
		for (i = 0; i < nr; i++) {
			nr_in -= in[a][first + i];
			w.applied -= in[a][first + i] * PAGE;
			if (in[a][first + i])
				out[a][first + i] = 1;
			in[a][first + i] = 0;
		}
		assert_int_equal(w.applied, 0);
	}
	assert_true(refaults > total);
	print_message("# %llu refaults of %llu pages\n", (unsigned long long)refaults,
		      (unsigned long long)total);
	for (a = 0; a < w.space->nr_areas; a++) {
		free(in[a]);
		free(out[a]);
	}
	sim_player_free(player);
	tear_down(&w);
}

static void refaults_are_those_of_played_accesses(void **state)
{
	check_against_player("a, 4000000, none\n\np\n5000\na, 0, 4096, 1\n", 50000, 5000);
	check_against_player("a, 4000000, none\n\np\n5000\na, 0, 100, 1\n", 1000000, 5000);
	check_against_player("a, 4000000, none\n\np\n5000\na, 0, 12288, 1\n", 20000, 5000);
}

/* The shape of zigzag and moving-window, in turn: one after the other, up and down again. */
static void refaults_of_a_wandering_program_are_those_of_played_accesses(void **state)
{
	check_against_player("a, 300000, none\nb, 1000000, none\nc, 777777, none\nd, 65537, none\n"
			     "\np0\n700\na, 0, 4096, 1\n"
			     "\np1\n700\nb, 0, 4096, 1\n"
			     "\np2\n700\nc, 0, 4096, 1\n"
			     "\np3\n700\nd, 0, 4096, 1\n"
			     "\np4\n700\nc, 0, 64, 1\n"
			     "\np5\n700\nb, 0, 8192, 1\n"
			     "\np6\n700\na, 0, 4000, 1\n",
			     20000, 4900);
}

/* At random, each page is asked by itself whether it was touched, in many short intervals. */
static void refaults_at_random_are_those_of_the_truth(void **state)
{
	static const char text[] =
		"a, 2000000, none\nb, 4194304, none\n\np\n1000\na, 1, 64, 3\nb, 1, 6000, 1\n\n"
		"q\n1000\nb, 0, 4096, 1\na, 1, 64, 1\n";
	uint64_t t, page, addr, refaults = 0, nr_in = 0, nr_pages = 489 + 1024;
	uint8_t *in = calloc(nr_pages, 1), *out = calloc(nr_pages, 1);
	struct world w;

	assert_non_null(in);
	assert_non_null(out);
	set_up(&w, text, 20000, NULL);
	for (t = 1; t <= 2000; t++) {
		for (page = 0; page < nr_pages; page++) {
			addr = page < 489 ? base(&w, 0) + page * PAGE
					  : base(&w, 1) + (page - 489) * PAGE;
			if (in[page] || !sim_truth_touched(w.space, addr, (t - 1) * MS, t * MS))
				continue;
			in[page] = 1;
			nr_in++;
			refaults += out[page];
		}
		if (t % 37)
			continue;
		assert_int_equal(resident_at(&w, t), nr_in);
		assert_int_equal(refaults_at(&w, t), refaults);
		act(&w, t, DAMOS_PAGEOUT, 0, 100, 200);
		act(&w, t, DAMOS_PAGEOUT, 1, t % 512, 512);
		for (page = 0; page < nr_pages; page++) {
			if ((page < 100 || page >= 300) &&
			    (page < 489 + t % 512 || page >= 489 + t % 512 + 512))
				continue;
			nr_in -= in[page];
			out[page] |= in[page];
			in[page] = 0;
		}
	}
	print_message("# %llu refaults\n", (unsigned long long)refaults);
	assert_true(refaults > 1000);
	free(in);
	free(out);
	tear_down(&w);
}

static void what_is_unmapped_is_gone(void **state)
{
	struct sim_machine_stat stat;
	struct world w;

	set_up(&w,
	       "a, 65536, none\n#! size: a, q, 12289\n#! size: a, r, 65536\n\np\n50\na, 0, 4096, 1\n"
	       "\nq\n50\na, 0, 4096, 1\n\nr\n50\na, 0, 4096, 1\n",
	       1000, NULL);
	assert_int_equal(act(&w, 49, DAMOS_PAGEOUT, 0, 2, 2), 2);
	assert_int_equal(resident_at(&w, 49), 14);
	/* At 50 ms four pages are left, of which one is out; pages come in from the start again. */
	assert_int_equal(resident_at(&w, 50), 2 + 0);
	assert_int_equal(resident_at(&w, 53), 3);
	stat = stat_at(&w, 54);
	assert_int_equal(stat.resident, 4 * PAGE);
	assert_int_equal(stat.refaults, 2);
	/* Mapped again: new pages, nothing to read back. */
	stat = stat_at(&w, 150);
	assert_int_equal(stat.resident, 16 * PAGE);
	assert_int_equal(stat.refaults, 2);
	tear_down(&w);
}

/* Reclaim. */

static void memory_is_given_back_when_it_is_full(void **state)
{
	const struct sim_machine_config config = {.memory = 12 * PAGE};
	struct sim_machine_stat stat;
	struct world w;

	/* One pass over all pages in 16 ms, then 4 pages in turn. */
	set_up(&w,
	       "a, 65536, none\n\np\n16\na, 0, 4096, 1\n\nq\n1000\na, 0, 4096, 1\n"
	       "#! size: a, q, 65536\n",
	       1000, &config);
	/* Before the step's end there may be more than there is room for. */
	assert_int_equal(resident_at(&w, 99), 16);
	stat = stat_at(&w, 100);
	assert_int_equal(stat.resident, 12 * PAGE);
	assert_int_equal(stat.reclaimed, 4);
	assert_int_equal(stat.refaults, 0);
	/* All of it is touched in the next step, so what left comes back. */
	stat = stat_at(&w, 200);
	assert_int_equal(stat.reclaimed, 8);
	assert_int_equal(stat.refaults, 4);
	assert_int_equal(stat.peak, 12 * PAGE);
	tear_down(&w);
}

/* Which of the 16 pages are in memory, as a row of digits. */
static void expect_in(const struct world *w, const char *expected)
{
	char got[17] = {0};
	unsigned int i;

	for (i = 0; i < 16; i++)
		got[i] = sim_bit(w->machine->memories->areas->in, i) ? '1' : '0';
	assert_string_equal(got, expected);
}

static void cold_pages_leave_first_and_active_ones_last(void **state)
{
	const struct sim_machine_config config = {.memory = 12 * PAGE};
	struct world w;

	/* All pages once, and nothing after 16 ms. */
	set_up(&w,
	       "a, 65536, none\nb, 4096, none\n\np\n16\na, 0, 4096, 1\n\nq\n9984\nb, 0, 64, 1\n",
	       1000, &config);
	act(&w, 17, DAMOS_LRU_PRIO, 0, 0, 6);
	act(&w, 17, DAMOS_COLD, 0, 12, 2);
	act(&w, 17, DAMOS_LRU_DEPRIO, 0, 9, 1);
	/*
	 * With b 17 pages, 5 too many. Cold: 9, 12, 13 go. Inactive: a look finds the Accessed bits
	 * of all others set, so they become active. Active: 0 to 5 weren't looked at before, so they
	 * get another chance; 6 and 7, untouched since that look, go.
	 */
	stat_at(&w, 100);
	expect_in(&w, "1111110010110011");
	tear_down(&w);
}

static void what_was_touched_gets_a_second_chance(void **state)
{
	const struct sim_machine_config config = {.memory = 15 * PAGE};
	struct world w;

	/* 16 pages of a once; then only its last 4, and 1 page of b. */
	set_up(&w,
	       "a, 49152, none\nc, 16384, none\nb, 4096, none\n\np\n16\na, 0, 4096, 12\nc, 0, 4096, 4\n"
	       "\nq\n9984\nc, 0, 4096, 4\nb, 0, 64, 1\n",
	       1000, &config);
	/* 17 pages; all were touched since the start, so the clock takes the first two of a. */
	assert_int_equal(resident_at(&w, 100), 15);
	assert_int_equal(w.machine->memories->areas[0].nr_in, 10);
	/* Nothing more is needed: what is in use stays, and nothing comes back. */
	assert_int_equal(refaults_at(&w, 1000), 0);
	/* Make a's pages wanted no more than c's: c's are found touched, a's are not. */
	w.machine->config.memory = 6 * PAGE;
	assert_int_equal(resident_at(&w, 1100), 6);
	assert_int_equal(w.machine->memories->areas[0].nr_in, 1);
	assert_int_equal(w.machine->memories->areas[1].nr_in, 4);
	assert_int_equal(refaults_at(&w, 5000), 0);
	tear_down(&w);
}

static void programs_share_a_machine(void **state)
{
	const struct sim_machine_config config = {.memory = 20 * PAGE};
	struct sim_machine *machine;
	struct sim_machine_stat stat;
	struct sim_space *spaces[2];
	struct world a, b;

	/* One uses 16 pages all the time; the other 16 once, and then one of them. */
	set_up(&a, IN_TURN, 1000, NULL);
	set_up(&b,
	       "a, 61440, none\nb, 4096, none\n\np\n16\na, 0, 4096, 15\nb, 0, 64, 1\n"
	       "\nq\n9984\nb, 0, 64, 1\n",
	       1000, NULL);
	spaces[0] = a.space;
	spaces[1] = b.space;
	assert_int_equal(sim_machine_new(&machine, &config, 2, spaces), 0);
	assert_ptr_equal(sim_memory_of(machine, b.space), &machine->memories[1]);
	assert_null(sim_memory_of(machine, (struct sim_space *)&config));
	sim_machine_run(machine, 99 * MS);
	sim_machine_stat(machine, &stat);
	assert_int_equal(stat.resident, 32 * PAGE);
	/* Twelve are too many: the first look gives all a chance, the second takes the first twelve. */
	sim_machine_run(machine, 100 * MS);
	sim_machine_stat(machine, &stat);
	assert_int_equal(stat.reclaimed, 12);
	assert_int_equal(machine->memories[0].areas[0].nr_in, 4);
	/* They come back, and now it is the other's idle pages that go: 15 of them, of which 12 have to. */
	sim_machine_run(machine, 1000 * MS);
	sim_machine_stat(machine, &stat);
	assert_int_equal(stat.refaults, 12);
	assert_int_equal(stat.reclaimed, 24);
	assert_int_equal(machine->memories[0].areas[0].nr_in, 16);
	assert_int_equal(machine->memories[1].areas[0].nr_in, 3);
	sim_machine_free(machine);
	tear_down(&a);
	tear_down(&b);
}

/* Metrics. */

struct port {
	struct damon_port port;
	uint64_t now_ns;
};

static uint64_t port_now_ns(struct damon_port *port)
{
	return ((struct port *)port)->now_ns;
}

static uint64_t metric(struct port *port, enum damon_metric which, int32_t nid, const char *memcg)
{
	uint64_t value = 0;

	assert_int_equal(sim_metric(&port->port, which, nid, memcg, &value), 0);
	return value;
}

static void metrics_are_those_of_the_machine(void **state)
{
	const struct sim_machine_config config = {.memory = 40 * PAGE, .far_memory = 10 * PAGE};
	struct sim_env env = {.start_ns = 5 * MS};
	struct port port = {.port = {.now_ns = port_now_ns, .metric_data = &env},
			    .now_ns = 21 * MS};
	uint64_t value;
	struct world w;

	set_up(&w,
	       "a, 65536, none\nb, 16384, none\n#! memcg: b, /web/x\n\np\n16\na, 0, 4096, 1\n"
	       "\nq\n10000\nb, 0, 4096, 1\n",
	       1000, &config);
	assert_int_equal(sim_metric(&port.port, DAMON_METRIC_FREE_MEM_RATE, -1, NULL, &value),
			 -EOPNOTSUPP);
	env.machine = w.machine;
	/* The port's clock is 5 ms ahead: 16 pages of 50. */
	assert_int_equal(metric(&port, DAMON_METRIC_FREE_MEM_RATE, -1, NULL), 680);
	assert_int_equal(metric(&port, DAMON_METRIC_NODE_MEM_USED_BP, 0, NULL), 4000);
	assert_int_equal(metric(&port, DAMON_METRIC_NODE_MEM_FREE_BP, 1, NULL), 10000);
	port.now_ns = 25 * MS;
	/* 4 pages of b. */
	assert_int_equal(metric(&port, DAMON_METRIC_NODE_MEMCG_USED_BP, 0, "/web"), 1000);
	assert_int_equal(metric(&port, DAMON_METRIC_NODE_MEMCG_FREE_BP, 0, "web/x"), 9000);
	assert_int_equal(metric(&port, DAMON_METRIC_NODE_MEMCG_USED_BP, 0, "/we"), 0);
	assert_int_equal(metric(&port, DAMON_METRIC_NODE_MEMCG_USED_BP, 0, "/"), 5000);
	assert_int_equal(metric(&port, DAMON_METRIC_ACTIVE_MEM_BP, -1, NULL), 0);
	act(&w, 20, DAMOS_LRU_PRIO, 0, 0, 5);
	assert_int_equal(metric(&port, DAMON_METRIC_ACTIVE_MEM_BP, -1, NULL), 2500);
	assert_int_equal(metric(&port, DAMON_METRIC_INACTIVE_MEM_BP, -1, NULL), 7500);
	assert_int_equal(sim_metric(&port.port, DAMON_METRIC_NODE_MEM_USED_BP, 2, NULL, &value),
			 -ENODEV);
	assert_int_equal(metric(&port, DAMON_METRIC_SOME_MEM_PSI_US, -1, NULL), 0);
	act(&w, 20, DAMOS_PAGEOUT, 1, 0, 4);
	port.now_ns = 27 * MS;
	/* Two refaults of 100 us. */
	assert_int_equal(metric(&port, DAMON_METRIC_SOME_MEM_PSI_US, -1, NULL), 200);
	tear_down(&w);
}

static void pressure_is_not_more_than_all_the_time(void **state)
{
	const struct sim_machine_config config = {.refault_ns = 7 * MS};
	struct sim_env env = {0};
	struct port port = {.port = {.now_ns = port_now_ns, .metric_data = &env}};
	struct world w;

	set_up(&w, IN_TURN, 1000, &config);
	env.machine = w.machine;
	act(&w, 16, DAMOS_PAGEOUT, 0, 0, 16);
	port.now_ns = 20 * MS;
	assert_int_equal(metric(&port, DAMON_METRIC_SOME_MEM_PSI_US, -1, NULL), 4000);
	assert_int_equal(stat_at(&w, 20).refault_ns, 28 * MS);
	tear_down(&w);
}

static void sizes_are_kept_evenly_spaced(void **state)
{
	const struct sim_size *sizes;
	struct world w;
	size_t nr, i;

	set_up(&w, "a, 65536, none\n\np\n100000\na, 0, 4096, 1\n", 100, NULL);
	stat_at(&w, 250);
	sizes = sim_machine_sizes(w.machine, &nr);
	assert_int_equal(nr, 2);
	assert_int_equal(sizes[0].t_ns, 100 * MS);
	assert_int_equal(sizes[0].resident, 10 * PAGE);
	assert_int_equal(sizes[1].resident, 16 * PAGE);
	stat_at(&w, 100000);
	sizes = sim_machine_sizes(w.machine, &nr);
	/* 1,000 steps, of which each fourth is kept. */
	assert_int_equal(nr, 250);
	for (i = 0; i < nr; i++)
		assert_int_equal(sizes[i].t_ns, (i + 1) * 400 * MS);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_come_in_when_they_are_touched),
		cmocka_unit_test(what_left_is_read_back_once),
		cmocka_unit_test(what_was_never_touched_cannot_leave),
		cmocka_unit_test(only_whole_pages_in_the_range_are_acted_on),
		cmocka_unit_test(refaults_are_those_of_played_accesses),
		cmocka_unit_test(refaults_of_a_wandering_program_are_those_of_played_accesses),
		cmocka_unit_test(refaults_at_random_are_those_of_the_truth),
		cmocka_unit_test(what_is_unmapped_is_gone),
		cmocka_unit_test(memory_is_given_back_when_it_is_full),
		cmocka_unit_test(cold_pages_leave_first_and_active_ones_last),
		cmocka_unit_test(what_was_touched_gets_a_second_chance),
		cmocka_unit_test(programs_share_a_machine),
		cmocka_unit_test(metrics_are_those_of_the_machine),
		cmocka_unit_test(pressure_is_not_more_than_all_the_time),
		cmocka_unit_test(sizes_are_kept_evenly_spaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
