/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The computed truth of simulated programs against the same programs played access by access.
 *
 * A phase with one pattern in turn has no chance in it: computed and played must agree on every
 * page. Everything else is compared within statistical bounds. Over N independent trials of
 * a chance q, the number of hits has the standard deviation sqrt(N q (1-q)); a
 * mean is held to 5 of those, and played pages, which compete for the same
 * accesses, vary less than independent ones, so the bound holds for them too. The seeds are
 * fixed: a test that passes once passes always.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/sim.h"

#define NR_SEEDS  64
#define SIGMAS	  5
#define US	  1000ULL
#define MS	  1000000ULL
#define MAX_PAGES 4096

static struct sim_workload *parse(const char *text)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct sim_workload *workload = NULL;
	struct damon_error err = {""};

	assert_non_null(file);
	if (sim_workload_parse(file, "test", &workload, &err))
		fail_msg("%s", err.text);
	fclose(file);
	return workload;
}

static struct sim_space *lay_out(const struct sim_workload *workload, uint64_t seed, uint64_t rate)
{
	struct sim_space *space;

	assert_int_equal(sim_space_new(&space, workload, seed, rate, NULL), 0);
	return space;
}

static struct damon_addr_range range_of(const struct sim_space *space, size_t idx)
{
	struct sim_mapping mappings[8];

	assert_true(idx < sim_space_mappings(space, 0, mappings));
	return mappings[idx].ar;
}

/* One pattern in turn: pages [0, nr) of the only region agree over many intervals. */
static void check_in_turn(const char *text, uint64_t rate)
{
	static const uint64_t lengths_us[] = {1, 7, 100, 999, 1000, 2500, 10000, 1, 333, 40000};
	struct sim_workload *workload = parse(text);
	struct sim_space *space = lay_out(workload, 1, rate);
	struct damon_addr_range ar = range_of(space, 0);
	uint64_t addr, t0 = 0, t1, touched = 0;
	struct sim_player *player;
	bool computed;
	unsigned int i;

	assert_int_equal(sim_player_new(&player, space, 2), 0);
	for (i = 0; i < 60; i++, t0 = t1) {
		t1 = t0 + lengths_us[i % 10] * US;
		sim_player_clear(player);
		sim_player_run(player, t1);
		for (addr = ar.start; addr < ar.end; addr += SIM_PAGE_SIZE) {
			computed = sim_truth_touched(space, addr + 123, t0, t1);
			touched += computed;
			if (computed != sim_player_touched(player, addr + 123))
				fail_msg("page %llu in [%llu, %llu) us: computed %d, played %d",
					 (unsigned long long)((addr - ar.start) / SIM_PAGE_SIZE),
					 (unsigned long long)(t0 / US),
					 (unsigned long long)(t1 / US), computed, !computed);
		}
	}
	assert_true(touched > 0);
	sim_player_free(player);
	sim_space_free(space);
	sim_workload_free(workload);
}

static void in_turn_by_page(void **state)
{
	check_in_turn("a, 4194304, none\n\np\n1000\na, 0, 4096, 1\n", 1000000);
}

static void in_turn_by_line(void **state)
{
	check_in_turn("a, 1048576, none\n\np\n1000\na, 0, 64, 7\n", 1000000);
}

static void in_turn_uneven_stride(void **state)
{
	check_in_turn("a, 1000000, none\n\np\n1000\na, 0, 3000, 1\n", 1000000);
}

static void in_turn_stride_above_page(void **state)
{
	check_in_turn("a, 10000000, none\n\np\n1000\na, 0, 10000, 1\n", 100000);
}

static void in_turn_sparse(void **state)
{
	check_in_turn("a, 16777216, none\n\np\n1000\na, 0, 65536, 1\n", 30000);
}

static void in_turn_stride_above_size(void **state)
{
	check_in_turn("a, 16384, none\n\np\n1000\na, 0, 65536, 1\n", 1000);
}

static void in_turn_huge_pages(void **state)
{
	check_in_turn("#! huge: a\na, 9000000, none\n\np\n1000\na, 0, 3000, 1\n", 300000);
}

static void in_turn_over_phases(void **state)
{
	check_in_turn("a, 1048576, none\n\np\n3\na, 0, 4096, 1\n\nq\n20\na, 0, 8192, 1\n\n"
		      "r\n500\na, 0, 64, 1\n",
		      1000000);
}

static void in_turn_in_a_part(void **state)
{
	check_in_turn("a, 1048576, none\n#! size: a, q, 500000\n\np\n30\na, 0, 4096, 1\n\n"
		      "q\n970\na, 0, 4096, 1\n",
		      1000000);
}

/* Hits of each page of region 0 in [@t0, @t1) over all seeds, computed and played. */
struct counts {
	size_t nr_pages;
	uint32_t computed[MAX_PAGES];
	uint32_t played[MAX_PAGES];
};

static void count(const struct sim_workload *workload, uint64_t rate, size_t region, uint64_t t0,
		  uint64_t t1, struct counts *counts)
{
	struct damon_addr_range ar;
	struct sim_player *player;
	struct sim_space *space;
	uint64_t seed, addr;
	size_t i;

	memset(counts, 0, sizeof(*counts));
	for (seed = 0; seed < NR_SEEDS; seed++) {
		space = lay_out(workload, seed, rate);
		ar = range_of(space, region);
		counts->nr_pages = (ar.end - ar.start) / SIM_PAGE_SIZE;
		assert_true(counts->nr_pages <= MAX_PAGES);
		assert_int_equal(sim_player_new(&player, space, seed + 1000), 0);
		sim_player_run(player, t0);
		sim_player_clear(player);
		sim_player_run(player, t1);
		for (i = 0; i < counts->nr_pages; i++) {
			addr = ar.start + i * SIM_PAGE_SIZE;
			counts->computed[i] += sim_truth_touched(space, addr, t0, t1);
			counts->played[i] += sim_player_touched(player, addr);
		}
		sim_player_free(player);
		sim_space_free(space);
	}
}

/* The part of a page's @nr_seeds hits that chance @q explains, squared: mean 1 where it is right. */
static double deviation(uint32_t hits, double q)
{
	double expected = NR_SEEDS * q;

	return (hits - expected) * (hits - expected) / (expected * (1 - q));
}

/*
 * Page by page. With chance q right, the sum of the deviations over n pages is nearly
 * chi-squared with n degrees of freedom (mean n, deviation sqrt(2n)); a kurtosis term of
 * 1 / (NR_SEEDS q (1-q)) per page is added since the hits are binomial, not normal.
 */
static void check_pages(const char *who, const uint32_t *hits, const double *q, size_t nr)
{
	double mean = 0, expected = 0, variance = 0, sum = 0, sum_variance = 0;
	size_t i, counted = 0;

	for (i = 0; i < nr; i++) {
		mean += hits[i];
		expected += NR_SEEDS * q[i];
		variance += NR_SEEDS * q[i] * (1 - q[i]);
		if (q[i] < 1e-9 || q[i] > 1 - 1e-9) {
			assert_int_equal(hits[i], q[i] < 0.5 ? 0 : NR_SEEDS);
			continue;
		}
		sum += deviation(hits[i], q[i]);
		sum_variance += 2 + 1 / (NR_SEEDS * q[i] * (1 - q[i]));
		counted++;
	}
	if (fabs(mean - expected) > SIGMAS * sqrt(variance))
		fail_msg("%s: %.0f touched pages, expected %.1f +- %.1f", who, mean, expected,
			 SIGMAS * sqrt(variance));
	if (fabs(sum - (double)counted) > SIGMAS * sqrt(sum_variance))
		fail_msg("%s: pages deviate by %.1f, expected %zu +- %.1f", who, sum, counted,
			 SIGMAS * sqrt(sum_variance));
}

/* What is random, in region 0: one pattern of slots @stride apart, of which @n in the interval. */
struct random_case {
	const char *text;
	uint64_t rate;
	uint64_t t0_us;
	uint64_t t1_us;
	uint64_t size;
	uint64_t stride;
	uint64_t leaf;
	double accesses;
};

/* The chance of each page by the definition, slot by slot. */
static void expect(const struct random_case *c, double *q, size_t nr)
{
	uint64_t slot, slots = (c->size + c->stride - 1) / c->stride;
	uint64_t in_leaf[MAX_PAGES] = {0}, leaf, huge_end;
	size_t i;

	huge_end = c->leaf == SIM_PAGE_SIZE ? 0 : c->size / c->leaf * c->leaf;
	for (slot = 0; slot < slots; slot++) {
		leaf = slot * c->stride < huge_end ? c->leaf : SIM_PAGE_SIZE;
		in_leaf[slot * c->stride / leaf * leaf / SIM_PAGE_SIZE]++;
	}
	for (i = 0; i < nr; i++) {
		leaf = i * SIM_PAGE_SIZE < huge_end ? c->leaf : SIM_PAGE_SIZE;
		q[i] = 1 -
		       pow(1 - (double)in_leaf[i * SIM_PAGE_SIZE / leaf * leaf / SIM_PAGE_SIZE] /
					   (double)slots,
			   c->accesses);
	}
}

static void check_random(const struct random_case *c)
{
	struct sim_workload *workload = parse(c->text);
	struct counts *counts = malloc(sizeof(*counts));
	double q[MAX_PAGES];
	size_t i, j;

	assert_non_null(counts);
	count(workload, c->rate, 0, c->t0_us * US, c->t1_us * US, counts);
	expect(c, q, counts->nr_pages);
	if (c->leaf > SIM_PAGE_SIZE) {
		/* The pages of a huge leaf are touched together: look at one of each. */
		for (i = j = 0; i < counts->nr_pages; i++) {
			if (i * SIM_PAGE_SIZE < c->size / c->leaf * c->leaf &&
			    i * SIM_PAGE_SIZE % c->leaf)
				continue;
			counts->computed[j] = counts->computed[i];
			counts->played[j] = counts->played[i];
			q[j++] = q[i];
		}
		counts->nr_pages = j;
	}
	check_pages("computed", counts->computed, q, counts->nr_pages);
	/* Of the played ones only the mean: pages of one run depend on each other a little. */
	check_pages("played", counts->played, q, counts->nr_pages);
	free(counts);
	sim_workload_free(workload);
}

#define RANDOM_TEST(name, ...)                                                                     \
	static void name(void **state)                                                             \
	{                                                                                          \
		check_random(&(struct random_case){__VA_ARGS__});                                  \
	}

/* 1,000 accesses on 1,024 pages: q = 0.62. */
RANDOM_TEST(random_by_line, "a, 4194304, none\n\np\n1000\na, 1, 64, 1\n", 1000000, 5000, 6000,
	    4194304, 64, 4096, 1000)
/* An interval far below a block: 20 accesses on 1,024 pages. */
RANDOM_TEST(random_short, "a, 4194304, none\n\np\n1000\na, 1, 4096, 1\n", 1000000, 5013, 5033,
	    4194304, 4096, 4096, 20)
/* An interval that starts and ends amid blocks: 3,000 accesses, q = 0.95. */
RANDOM_TEST(random_long, "a, 4194304, none\n\np\n1000\na, 1, 4096, 1\n", 1000000, 777, 3777,
	    4194304, 4096, 4096, 3000)
/* Two pages: blocks of one access. */
RANDOM_TEST(random_two_pages, "a, 8192, none\n\np\n1000\na, 1, 64, 1\n", 1000, 20000, 22000, 8192,
	    64, 4096, 2)
/* Three pages, p = 1/3: blocks of four accesses, which hold several hits. */
RANDOM_TEST(random_three_pages, "a, 12288, none\n\np\n1000\na, 1, 64, 1\n", 1000, 20000, 23000,
	    12288, 64, 4096, 3)
RANDOM_TEST(random_five_pages, "a, 20480, none\n\np\n1000\na, 1, 64, 1\n", 1000, 20000, 23000,
	    20480, 64, 4096, 3)
/* Pages hold 1 or 2 addresses. */
RANDOM_TEST(random_uneven_stride, "a, 2000000, none\n\np\n1000\na, 1, 3000, 1\n", 1000000, 5000,
	    5400, 2000000, 3000, 4096, 400)
/* Most pages hold none. */
RANDOM_TEST(random_stride_above_page, "a, 8000000, none\n\np\n1000\na, 1, 10000, 1\n", 1000000,
	    5000, 5500, 8000000, 10000, 4096, 500)
/* The last page is mostly not there. */
RANDOM_TEST(random_last_page, "a, 40000, none\n\np\n1000\na, 1, 64, 1\n", 1000, 100000, 109000,
	    40000, 64, 4096, 9)
/* Three huge leaves and small ones behind. */
RANDOM_TEST(random_huge_pages, "#! huge: a\na, 7340032, none\n\np\n1000\na, 1, 64, 1\n", 100000,
	    5000, 5030, 7340032, 64, 2097152, 3)
/* Over the end of a phase into the next. */
RANDOM_TEST(random_over_phases, "a, 4194304, none\n\np\n10\na, 1, 64, 1\n\nq\n990\na, 1, 4096, 1\n",
	    1000000, 9500, 10500, 4194304, 64, 4096, 1000)

/* What a "size" key leaves of the region; the rest is never touched. */
RANDOM_TEST(random_in_a_part,
	    "a, 4194304, none\n#! size: a, q, 2097152\n\np\n10\na, 1, 64, 1\n\n"
	    "q\n990\na, 1, 64, 1\n",
	    1000000, 15000, 15500, 2097152, 64, 4096, 500)

/*
 * Three pages, p = 1/3, two accesses amid a block of four, in which a page often has several hits:
 * those must be different accesses. 3 pages of 20,000 seeds; pages of one seed are drawn apart.
 */
static void several_hits_in_a_block(void **state)
{
	struct sim_workload *workload = parse("a, 12288, none\n\np\n1000\na, 1, 64, 1\n");
	double q = 1 - 4.0 / 9, n = 0, hits = 0;
	struct damon_addr_range ar;
	struct sim_space *space;
	uint64_t seed, addr;

	for (seed = 0; seed < 20000; seed++) {
		space = lay_out(workload, seed, 1000);
		ar = range_of(space, 0);
		for (addr = ar.start; addr < ar.end; addr += SIM_PAGE_SIZE) {
			hits += sim_truth_touched(space, addr, 41 * MS, 43 * MS);
			n++;
		}
		sim_space_free(space);
	}
	if (fabs(hits - n * q) > SIGMAS * sqrt(n * q * (1 - q)))
		fail_msg("%.0f of %.0f touched, expected %.0f +- %.0f", hits, n, n * q,
			 SIGMAS * sqrt(n * q * (1 - q)));
	sim_workload_free(workload);
}

/*
 * Patterns that share a phase. A page's chance with n accesses of which a share w goes to a random
 * pattern of chance p is 1 - (1 - p w)^n played and 1 - (1 - p)^(n w) computed; for p = 1/1024
 * and n = 2,000 they differ by under 1e-4 of q.
 */
static void random_beside_in_turn(void **state)
{
	struct sim_workload *workload =
		parse("a, 4194304, none\nb, 4194304, none\n\np\n1000\na, 1, 64, 3\nb, 0, 64, 1\n");
	struct counts *counts = malloc(sizeof(*counts));
	double q[MAX_PAGES], expected, sigma, computed = 0, played = 0;
	size_t i;

	assert_non_null(counts);
	count(workload, 1000000, 0, 5000 * US, 7000 * US, counts);
	for (i = 0; i < counts->nr_pages; i++)
		q[i] = 1 - pow(1 - 1.0 / 1024, 1500);
	check_pages("computed", counts->computed, q, counts->nr_pages);
	check_pages("played", counts->played, q, counts->nr_pages);
	/*
	 * In turn beside it: 10,000 of 40,000 accesses, 64 to the page, are 156.25 pages; their
	 * number varies by sqrt(40,000 * 3/4 * 1/4) / 64 = 1.4 pages from seed to seed when
	 * played, and a stretch meets one page more than it fills, less 1/64 of one.
	 */
	count(workload, 1000000, 1, 5000 * US, 45000 * US, counts);
	for (i = 0; i < counts->nr_pages; i++) {
		computed += (double)counts->computed[i] / NR_SEEDS;
		played += (double)counts->played[i] / NR_SEEDS;
	}
	expected = 10000.0 / 64 + 1 - 1.0 / 64;
	sigma = sqrt(40000 * 0.75 * 0.25) / 64 / sqrt(NR_SEEDS);
	if (fabs(computed - expected) > 1)
		fail_msg("computed %.2f pages, expected %.2f +- 1", computed, expected);
	if (fabs(played - expected) > SIGMAS * sigma + 0.5)
		fail_msg("played %.2f pages, expected %.2f +- %.2f", played, expected,
			 SIGMAS * sigma + 0.5);
	free(counts);
	sim_workload_free(workload);
}

/* Two patterns on one region: touched is touched by either. */
static void patterns_of_one_region(void **state)
{
	struct sim_workload *workload =
		parse("a, 4194304, none\n\np\n1000\na, 1, 64, 1\na, 1, 8192, 1\n");
	struct counts *counts = malloc(sizeof(*counts));
	double q[MAX_PAGES], even, all;
	size_t i;

	assert_non_null(counts);
	/* 500 accesses each; every other page is met by both. */
	count(workload, 1000000, 0, 5000 * US, 6000 * US, counts);
	all = pow(1 - 1.0 / 1024, 500);
	even = pow(1 - 1.0 / 512, 500);
	for (i = 0; i < counts->nr_pages; i++)
		q[i] = 1 - (i % 2 ? all : all * even);
	check_pages("computed", counts->computed, q, counts->nr_pages);
	check_pages("played", counts->played, q, counts->nr_pages);
	free(counts);
	sim_workload_free(workload);
}

/* What is true in one or the other of two intervals is true in both together, and the reverse. */
static void intervals_add_up(void **state)
{
	static const char *const names[] = {"hotcold", "zipf", "sparse", "moving-window", "stairs"};
	uint64_t seed, t, cut, end, addr, touched = 0, nr = 0;
	struct sim_workload *workload;
	struct damon_addr_range ar;
	struct sim_mapping mappings[64];
	struct sim_space *space;
	bool whole, parts;
	unsigned int i, j;

	for (i = 0; i < 5; i++) {
		assert_int_equal(sim_workload_builtin(names[i], &workload, NULL), 0);
		space = lay_out(workload, i, 0);
		j = (unsigned int)sim_space_mappings(space, 0, mappings);
		ar.start = mappings[0].ar.start;
		ar.end = mappings[j - 1].ar.end;
		srandom(i);
		for (seed = 0; seed < 4000; seed++) {
			t = (uint64_t)random() % (30000 * MS);
			end = t + 1 + (uint64_t)random() % (1ULL << (10 + seed % 22));
			addr = ar.start + ((uint64_t)random() << 12) % (ar.end - ar.start);
			whole = sim_truth_touched(space, addr, t, end);
			parts = false;
			for (; t < end; t = cut) {
				cut = t + 1 + (uint64_t)random() % (end - t);
				parts |= sim_truth_touched(space, addr, t, cut);
			}
			assert_int_equal(whole, parts);
			touched += whole;
			nr++;
		}
		sim_space_free(space);
		sim_workload_free(workload);
	}
	/* Both answers were met often. */
	assert_true(touched > nr / 20 && touched < nr - nr / 20);
}

/*
 * Chance has no memory: of the pages touched in an interval, the same share is touched in the next
 * as of the others. 2,048 pages over 64 seeds at q = 0.39: the two shares have standard
 * deviations of about sqrt(q(1-q) / 51,000) and sqrt(q(1-q) / 80,000).
 */
static void neighbours_are_independent(void **state)
{
	struct sim_workload *workload = parse("a, 8388608, none\n\np\n1000\na, 1, 64, 1\n");
	double share[2], n[2] = {0, 0}, hits[2] = {0, 0}, q, sigma;
	struct damon_addr_range ar;
	struct sim_space *space;
	uint64_t seed, addr;
	bool before;

	for (seed = 0; seed < NR_SEEDS; seed++) {
		space = lay_out(workload, seed, 1000000);
		ar = range_of(space, 0);
		for (addr = ar.start; addr < ar.end; addr += SIM_PAGE_SIZE) {
			before = sim_truth_touched(space, addr, 10 * MS, 11 * MS);
			n[before]++;
			hits[before] += sim_truth_touched(space, addr, 11 * MS, 12 * MS);
		}
		sim_space_free(space);
	}
	q = 1 - pow(1 - 1.0 / 2048, 1000);
	share[0] = hits[0] / n[0];
	share[1] = hits[1] / n[1];
	sigma = sqrt(q * (1 - q) * (1 / n[0] + 1 / n[1]));
	if (fabs(share[0] - share[1]) > SIGMAS * sigma)
		fail_msg("touched after untouched %.4f, after touched %.4f, bound %.4f", share[0],
			 share[1], SIGMAS * sigma);
	sim_workload_free(workload);
}

/* The same from the other side: neighbouring pages, and seeds, know nothing of each other. */
static void pages_are_independent(void **state)
{
	struct sim_workload *workload = parse("a, 8388608, none\n\np\n1000\na, 1, 64, 1\n");
	double q = 1 - pow(1 - 1.0 / 2048, 1000), nr = 0, both = 0, same = 0, sigma;
	struct sim_space *space, *other;
	struct damon_addr_range ar;
	uint64_t seed, addr;
	bool touched;

	for (seed = 0; seed < NR_SEEDS; seed++) {
		space = lay_out(workload, 2 * seed, 1000000);
		other = lay_out(workload, 2 * seed + 1, 1000000);
		ar = range_of(space, 0);
		for (addr = ar.start; addr + SIM_PAGE_SIZE < ar.end; addr += SIM_PAGE_SIZE) {
			touched = sim_truth_touched(space, addr, 10 * MS, 11 * MS);
			both += touched &&
				sim_truth_touched(space, addr + SIM_PAGE_SIZE, 10 * MS, 11 * MS);
			same += touched && sim_truth_touched(other, addr, 10 * MS, 11 * MS);
			nr++;
		}
		sim_space_free(space);
		sim_space_free(other);
	}
	/* Pairs that share a page are counted as if they didn't: at most twice the variance. */
	sigma = sqrt(2 * q * q * (1 - q * q) / nr) * 1.5;
	if (fabs(both / nr - q * q) > SIGMAS * sigma)
		fail_msg("neighbours both touched: %.4f, expected %.4f", both / nr, q * q);
	if (fabs(same / nr - q * q) > SIGMAS * sigma)
		fail_msg("touched with either seed: %.4f, expected %.4f", same / nr, q * q);
	sim_workload_free(workload);
}

static void same_seed_same_answer(void **state)
{
	struct sim_workload *workload = parse("a, 8388608, none\n\np\n1000\na, 1, 64, 1\n");
	struct sim_space *first = lay_out(workload, 7, 0), *second = lay_out(workload, 7, 0);
	struct damon_addr_range ar = range_of(first, 0);
	uint64_t addr;

	for (addr = ar.start; addr < ar.end; addr += SIM_PAGE_SIZE)
		assert_int_equal(sim_truth_touched(first, addr, 5 * US, 55 * US),
				 sim_truth_touched(second, addr, 5 * US, 55 * US));
	sim_space_free(first);
	sim_space_free(second);
	sim_workload_free(workload);
}

static int gather(const struct damon_addr_range *run, void *data)
{
	struct damon_addr_range *runs = data;

	while (runs->end)
		runs++;
	*runs = *run;
	return 0;
}

/* 16 pages in turn, 1 an ms: from 14 ms on, 5 of them are 14, 15, 0, 1, 2. */
static void runs_and_working_set(void **state)
{
	struct sim_workload *workload =
		parse("a, 65536, none\nb, 8192, none\n\np\n1000\na, 0, 4096, 1\n");
	struct sim_space *space = lay_out(workload, 0, 1000);
	struct damon_addr_range ar = range_of(space, 0), runs[8] = {{0}};
	uint64_t bytes;

	assert_int_equal(sim_truth_runs(space, 14 * MS, 19 * MS, gather, runs), 0);
	assert_int_equal(runs[0].start, ar.start);
	assert_int_equal(runs[0].end, ar.start + 3 * SIM_PAGE_SIZE);
	assert_int_equal(runs[1].start, ar.start + 14 * SIM_PAGE_SIZE);
	assert_int_equal(runs[1].end, ar.end);
	assert_int_equal(runs[2].end, 0);
	assert_int_equal(sim_truth_wss(space, 14 * MS, 19 * MS, &bytes), 0);
	assert_int_equal(bytes, 5 * SIM_PAGE_SIZE);
	assert_int_equal(sim_truth_wss(space, 0, 1000 * MS, &bytes), 0);
	assert_int_equal(bytes, 16 * SIM_PAGE_SIZE);
	/* After the end nothing is touched. */
	assert_int_equal(sim_truth_wss(space, 1000 * MS, 2000 * MS, &bytes), 0);
	assert_int_equal(bytes, 0);
	sim_space_free(space);
	sim_workload_free(workload);
}

/*
 * Pages 0..15 in turn, 1 an ms; a window of 16 ms in 4 samples: each page is touched in one. Page
 * 0..3 of b always. Found: the first half of a with 1 access, b and the gap before it with 4.
 */
static void score(void **state)
{
	struct sim_workload *workload = parse("a, 65536, none\nb, 16384, none\n#! gap: b, 8192\n\n"
					      "p\n1000\na, 0, 4096, 1\nb, 1, 64, 1000000\n");
	struct sim_space *space = lay_out(workload, 0, 1000001000);
	struct damon_addr_range a = range_of(space, 0), b = range_of(space, 1);
	struct sim_found found[] = {
		{{a.start, a.start + 8 * SIM_PAGE_SIZE}, 1},
		{{a.start + 8 * SIM_PAGE_SIZE, a.end}, 0},
		{{a.end, b.end}, 4},
	};
	struct sim_span span = {.t0_ns = 0, .t1_ns = 16 * MS, .nr_samples = 4, .hot_bp = 5000};
	struct sim_score sum = {0};

	assert_int_equal(sim_score_add(&sum, space, &span, found, 3), 0);
	assert_int_equal(sum.true_wss, 20 * SIM_PAGE_SIZE);
	assert_int_equal(sum.found_wss, 14 * SIM_PAGE_SIZE);
	assert_int_equal(sum.both_wss, 12 * SIM_PAGE_SIZE);
	assert_int_equal(sum.true_hot, 4 * SIM_PAGE_SIZE);
	assert_int_equal(sum.found_hot, 6 * SIM_PAGE_SIZE);
	assert_int_equal(sum.both_hot, 4 * SIM_PAGE_SIZE);
	assert_true(fabs(sim_score_wss_error(&sum) - 0.3) < 1e-9);
	assert_true(fabs(sim_score_precision(&sum) - 4.0 / 6) < 1e-9);
	assert_true(fabs(sim_score_recall(&sum) - 1) < 1e-9);
	sim_space_free(space);
	sim_workload_free(workload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_turn_by_page),
		cmocka_unit_test(in_turn_by_line),
		cmocka_unit_test(in_turn_uneven_stride),
		cmocka_unit_test(in_turn_stride_above_page),
		cmocka_unit_test(in_turn_sparse),
		cmocka_unit_test(in_turn_stride_above_size),
		cmocka_unit_test(in_turn_huge_pages),
		cmocka_unit_test(in_turn_over_phases),
		cmocka_unit_test(in_turn_in_a_part),
		cmocka_unit_test(random_by_line),
		cmocka_unit_test(random_short),
		cmocka_unit_test(random_long),
		cmocka_unit_test(random_two_pages),
		cmocka_unit_test(random_three_pages),
		cmocka_unit_test(random_five_pages),
		cmocka_unit_test(random_uneven_stride),
		cmocka_unit_test(random_stride_above_page),
		cmocka_unit_test(random_last_page),
		cmocka_unit_test(random_huge_pages),
		cmocka_unit_test(random_over_phases),
		cmocka_unit_test(random_in_a_part),
		cmocka_unit_test(several_hits_in_a_block),
		cmocka_unit_test(random_beside_in_turn),
		cmocka_unit_test(patterns_of_one_region),
		cmocka_unit_test(intervals_add_up),
		cmocka_unit_test(neighbours_are_independent),
		cmocka_unit_test(pages_are_independent),
		cmocka_unit_test(same_seed_same_answer),
		cmocka_unit_test(runs_and_working_set),
		cmocka_unit_test(score),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
