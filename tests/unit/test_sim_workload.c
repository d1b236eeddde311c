/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Workload files: what is accepted, and that each mistake is named with file, line, field and value.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/sim.h"

static int parse(const char *text, struct sim_workload **workload, struct damon_error *err)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int ret;

	assert_non_null(file);
	ret = sim_workload_parse(file, "w.cfg", workload, err);
	fclose(file);
	return ret;
}

static struct sim_workload *parse_good(const char *text)
{
	struct sim_workload *workload = NULL;
	struct damon_error err = {""};

	if (parse(text, &workload, &err))
		fail_msg("refused: %s", err.text);
	return workload;
}

static void reads_a_file(void **state)
{
	struct sim_workload *w = parse_good("# a comment\n"
					    "a, 1000000, none\n"
					    "  big one ,\t200, data.bin  \n"
					    "short, 300\n"
					    "\n\n"
					    "# phases\n"
					    "first phase\n"
					    "1500\n"
					    "# within\n"
					    "a, 1, 64, 80, wo\n"
					    "big one, 0, 4096, 20, ro\n"
					    "\n"
					    "second\n"
					    "20\n"
					    "short, 0, 8, 1, rw\n"
					    "a, 0, 8, 3");

	assert_string_equal(w->name, "w.cfg");
	assert_int_equal(w->nr_regions, 3);
	assert_string_equal(w->regions[0].name, "a");
	assert_int_equal(w->regions[0].size, 1000000);
	assert_null(w->regions[0].fill);
	assert_int_equal(w->regions[0].file_bytes, 0);
	assert_string_equal(w->regions[1].name, "big one");
	assert_string_equal(w->regions[1].fill, "data.bin");
	assert_int_equal(w->regions[1].file_bytes, 200);
	assert_int_equal(w->regions[2].size, 300);
	assert_null(w->regions[2].fill);
	assert_int_equal(w->nr_phases, 2);
	assert_string_equal(w->phases[0].name, "first phase");
	assert_int_equal(w->phases[0].duration_ms, 1500);
	assert_int_equal(w->phases[0].nr_patterns, 2);
	assert_true(w->phases[0].patterns[0].random);
	assert_int_equal(w->phases[0].patterns[0].stride, 64);
	assert_int_equal(w->phases[0].patterns[0].weight, 80);
	assert_int_equal(w->phases[0].patterns[1].region, 1);
	assert_false(w->phases[0].patterns[1].random);
	assert_int_equal(w->phases[0].patterns[1].mode, SIM_READ_ONLY);
	assert_int_equal(w->phases[1].patterns[0].mode, SIM_READ_WRITE);
	assert_int_equal(w->phases[1].patterns[1].mode, SIM_WRITE_ONLY);
	assert_int_equal(w->phases[1].patterns[1].weight, 3);
	assert_int_equal(sim_workload_duration_ms(w), 1520);
	assert_int_equal(w->threads, 1);
	sim_workload_free(w);
}

static void reads_windows_line_ends(void **state)
{
	struct sim_workload *w = parse_good("a, 100, none\r\n\r\np\r\n10\r\na, 1, 64, 1\r\n");

	assert_string_equal(w->phases[0].name, "p");
	assert_int_equal(w->phases[0].nr_patterns, 1);
	sim_workload_free(w);
}

#define WITH_KEYS                                                                                  \
	"#! huge: a\n#! file: a, 4096\n#! memcg: b, /web/front\n#! gap: b, 1048576\n"              \
	"#! size: b, q, 50\n#! threads: 4\n"                                                       \
	"a, 8388608, none\nb, 100, none\n\np\n10\na, 1, 64, 1\n\nq\n10\nb, 0, 8, 1\n\nr\n10\n"     \
	"b, 0, 8, 1\n"

static void reads_own_keys(void **state)
{
	struct sim_workload *w = parse_good(WITH_KEYS);

	assert_true(w->regions[0].huge);
	assert_false(w->regions[1].huge);
	assert_int_equal(w->regions[0].file_bytes, 4096);
	assert_null(w->regions[0].memcg);
	assert_string_equal(w->regions[1].memcg, "/web/front");
	assert_int_equal(w->regions[0].gap, SIM_PAGE_SIZE);
	assert_int_equal(w->regions[1].gap, 1048576);
	assert_int_equal(w->phases[0].sizes[1], 100);
	assert_int_equal(w->phases[1].sizes[1], 50);
	assert_int_equal(w->phases[2].sizes[1], 50);
	assert_int_equal(w->phases[2].sizes[0], 8388608);
	assert_int_equal(w->threads, 4);
	sim_workload_free(w);
}

static const struct bad {
	const char *text;
	const char *message;
} bad[] = {
	{"", "w.cfg: has no region"},
	{"# nothing\n\n\n", "w.cfg: has no region"},
	{"a, 1, none\n", "w.cfg: has no phase"},
	{"a\n", "w.cfg:1: the region has 1 field, needs 'name, bytes, fill file or none'"},
	{"a, 1, none, x\n",
	 "w.cfg:1: the region has 4 fields, needs 'name, bytes, fill file or none'"},
	{", 1, none\n", "w.cfg:1: name '': is empty"},
	{"a, 1, \n", "w.cfg:1: fill file '': is empty, write 'none'"},
	{"a, 1, none\na, 2, none\n", "w.cfg:2: name 'a': is already taken"},
	{"a, 12x, none\n", "w.cfg:1: size '12x': needs a whole number from 1 to 70368744177664"},
	{"a, -1, none\n", "w.cfg:1: size '-1': needs a whole number from 1 to 70368744177664"},
	{"a, 0, none\n", "w.cfg:1: size '0': needs a whole number from 1 to 70368744177664"},
	{"a, 99999999999999999999999, none\n",
	 "w.cfg:1: size '99999999999999999999999': needs a whole number from 1 to "
	 "70368744177664"},
	{"a, 1, none\n\np\n", "w.cfg:3: phase 'p' has no duration"},
	{"a, 1, none\n\np\n\n", "w.cfg:3: phase 'p' has no duration"},
	{"a, 1, none\n\np\nlong\n",
	 "w.cfg:4: duration 'long': needs a whole number from 1 to 274877906944"},
	{"a, 1, none\n\np\n0\n",
	 "w.cfg:4: duration '0': needs a whole number from 1 to 274877906944"},
	{"a, 1, none\n\np\n274877906944\na, 0, 1, 1\n\nq\n1\n",
	 "w.cfg:8: duration '1': makes all phases together last longer than can be simulated"},
	{"a, 1, none\n\np\n10\n", "w.cfg:3: phase 'p' has no access pattern"},
	{"a, 1, none\n\np\n10\n\nq\n10\na, 0, 1, 1\n", "w.cfg:3: phase 'p' has no access pattern"},
	{"a, 1, none\n\np\n10\na, 0, 1\n",
	 "w.cfg:5: the pattern has 3 fields, needs 'region, random, stride, weight[, mode]'"},
	{"a, 1, none\n\np\n10\na, 0, 1, 1, wo, 7\n",
	 "w.cfg:5: the pattern has 6 fields, needs 'region, random, stride, weight[, mode]'"},
	{"a, 1, none\n\np\n10\nb, 0, 1, 1\n",
	 "w.cfg:5: region 'b': no region of that name in the first paragraph"},
	{"a, 1, none\n\np\n10\na, 2, 1, 1\n",
	 "w.cfg:5: random '2': needs a whole number from 0 to 1"},
	{"a, 1, none\n\np\n10\na, 0, 0, 1\n",
	 "w.cfg:5: stride '0': needs a whole number from 1 to 70368744177664"},
	{"a, 1, none\n\np\n10\na, 0, 1, 0\n",
	 "w.cfg:5: weight '0': needs a whole number from 1 to 2147483648"},
	{"a, 1, none\n\np\n10\na, 0, 1, 1, w\n", "w.cfg:5: mode 'w': needs ro, wo or rw"},
	{"#! shape: a\na, 1, none\n\np\n10\na, 0, 1, 1\n",
	 "w.cfg:1: key 'shape': needs huge, file, memcg, gap, size or threads"},
	{"#! huge\na, 1, none\n\np\n10\na, 0, 1, 1\n",
	 "w.cfg:1: the key's line has 0 fields, needs 'huge: region'"},
	{"a, 1, none\n\np\n10\na, 0, 1, 1\n#! huge: b\n",
	 "w.cfg:6: region 'b': no region of that name in the first paragraph"},
	{"#! file: a, 2\na, 1, none\n\np\n10\na, 0, 1, 1\n",
	 "w.cfg:1: bytes '2': needs a whole number from 0 to 1"},
	{"#! memcg: a, web\na, 1, none\n\np\n10\na, 0, 1, 1\n",
	 "w.cfg:1: memcg 'web': needs a path from the hierarchy's root, such as '/a/b'"},
	{"#! gap: a, 1\na, 1, none\n\np\n10\na, 0, 1, 1\n",
	 "w.cfg:1: bytes '1': needs a whole number from 4096 to 70368744177664"},
	{"#! size: a, q, 1\na, 1, none\n\np\n10\na, 0, 1, 1\n",
	 "w.cfg:1: phase 'q': no phase of that name"},
	{"#! size: a, p, 1\na, 1, none\n\np\n10\na, 0, 1, 1\n\np\n10\na, 0, 1, 1\n",
	 "w.cfg:1: phase 'p': more than one phase has that name"},
	{"#! size: a, p, 2\na, 1, none\n\np\n10\na, 0, 1, 1\n",
	 "w.cfg:1: bytes '2': needs a whole number from 0 to 1"},
	{"#! size: a, p, 0\na, 1, none\n\np\n10\na, 0, 1, 1\n",
	 "w.cfg: phase 'p' touches region 'a', which a 'size' key makes 0 bytes large in it"},
	{"#! threads: many\na, 1, none\n\np\n10\na, 0, 1, 1\n",
	 "w.cfg:1: threads 'many': needs a whole number from 1 to 1024"},
};

static void names_each_mistake(void **state)
{
	struct sim_workload *workload = NULL;
	struct damon_error err;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.text[0] = '\0';
		if (bad[i].text[0]) {
			ret = parse(bad[i].text, &workload, &err);
		} else {
			FILE *file = fopen("/dev/null", "r");

			assert_non_null(file);
			ret = sim_workload_parse(file, "w.cfg", &workload, &err);
			fclose(file);
		}
		if (ret != -EINVAL)
			fail_msg("\"%s\": got %d, expected %d", bad[i].text, ret, -EINVAL);
		assert_null(workload);
		assert_string_equal(err.text, bad[i].message);
	}
}

static void refuses_binary(void **state)
{
	static const char text[] = "a, 1,\0none\n";
	struct sim_workload *workload = NULL;
	struct damon_error err = {""};
	FILE *file = fmemopen((void *)(uintptr_t)text, sizeof(text), "r");

	assert_non_null(file);
	assert_int_equal(sim_workload_parse(file, "w.cfg", &workload, &err), -EINVAL);
	assert_string_equal(err.text, "w.cfg:1: holds a zero byte, so it is no workload file");
	fclose(file);
}

static void names_a_missing_file(void **state)
{
	struct sim_workload *workload = NULL;
	struct damon_error err = {""};

	assert_int_equal(sim_workload_get("/nowhere/w.cfg", &workload, &err), -ENOENT);
	assert_string_equal(err.text, "workload '/nowhere/w.cfg': No such file or directory");
	assert_int_equal(sim_workload_load("/", &workload, &err), -EISDIR);
	assert_string_equal(err.text, "/: can't be read: Is a directory");
}

static char *print(const struct sim_workload *workload)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	assert_int_equal(sim_workload_print(workload, file), 0);
	fclose(file);
	return text;
}

/* What is printed is read as the same, and printed the same again. */
static void check_round_trip(struct sim_workload *workload)
{
	char *first = print(workload), *second;
	struct sim_workload *again = parse_good(first);

	assert_int_equal(again->nr_regions, workload->nr_regions);
	assert_int_equal(again->nr_phases, workload->nr_phases);
	second = print(again);
	assert_string_equal(first, second);
	free(first);
	free(second);
	sim_workload_free(again);
}

static void prints_what_it_read(void **state)
{
	struct sim_workload *w = parse_good(WITH_KEYS);
	char *text = print(w);

	assert_string_equal(text, "# regions: name, bytes, file to fill it from\n"
				  "#! threads: 4\n"
				  "a, 8388608, none\n"
				  "#! huge: a\n"
				  "#! file: a, 4096\n"
				  "b, 100, none\n"
				  "#! memcg: b, /web/front\n"
				  "#! gap: b, 1048576\n"
				  "\n# phases: name; milliseconds; then region, random, stride, "
				  "weight, mode\n"
				  "p\n10\na, 1, 64, 1, wo\n"
				  "\nq\n10\n#! size: b, q, 50\nb, 0, 8, 1, wo\n"
				  "\nr\n10\nb, 0, 8, 1, wo\n");
	free(text);
	check_round_trip(w);
	sim_workload_free(w);
}

static void built_in_ones(void **state)
{
	static const struct {
		const char *name;
		uint64_t mib;
		uint64_t ms;
	} expected[] = {
		{"hotcold", 400, 60000},       {"stairs", 236, 51000}, {"zigzag", 236, 56000},
		{"moving-window", 320, 33000}, {"zipf", 512, 60000},   {"sparse", 400, 60000},
	};
	struct sim_workload *workload;
	size_t i, j, nr;
	uint64_t size;

	sim_builtins(&nr);
	assert_int_equal(nr, 6);
	for (i = 0; i < nr; i++) {
		assert_string_equal(sim_builtins(&nr)[i].name, expected[i].name);
		assert_int_equal(sim_workload_get(expected[i].name, &workload, NULL), 0);
		for (j = 0, size = 0; j < workload->nr_regions; j++)
			size += workload->regions[j].size;
		assert_int_equal(size, expected[i].mib << 20);
		assert_int_equal(sim_workload_duration_ms(workload), expected[i].ms);
		check_round_trip(workload);
		sim_workload_free(workload);
	}
}

static void says_when_it_cannot_print(void **state)
{
	struct sim_workload *workload;
	FILE *full = fopen("/dev/full", "w");

	if (!full) {
		print_message("no /dev/full here\n");
		skip();
	}
	assert_int_equal(sim_workload_builtin("zipf", &workload, NULL), 0);
	assert_int_equal(sim_workload_print(workload, full), -ENOSPC);
	fclose(full);
	sim_workload_free(workload);
}

static void no_such_built_in(void **state)
{
	struct sim_workload *workload = NULL;
	struct damon_error err = {""};

	assert_int_equal(sim_workload_builtin("hot", &workload, &err), -ENOENT);
	assert_string_equal(err.text, "no built-in workload 'hot'");
	assert_null(workload);
}

static void lays_out_with_gaps(void **state)
{
	struct sim_workload *w = parse_good(WITH_KEYS);
	struct sim_mapping mappings[2];
	struct sim_space *space;

	assert_int_equal(sim_space_new(&space, w, 1, 0, NULL), 0);
	assert_int_equal(sim_space_mappings(space, 0, mappings), 2);
	assert_int_equal(mappings[0].ar.start % SIM_HUGE_SIZE, 0);
	assert_int_equal(mappings[0].ar.end - mappings[0].ar.start, 8388608);
	assert_ptr_equal(mappings[0].region, &w->regions[0]);
	assert_int_equal(mappings[1].ar.start - mappings[0].ar.end, 1048576);
	assert_int_equal(mappings[1].ar.end - mappings[1].ar.start, SIM_PAGE_SIZE);
	assert_int_equal(sim_space_end_ns(space), 30000000);
	sim_space_free(space);
	sim_workload_free(w);
}

static void maps_what_the_phase_has(void **state)
{
	struct sim_workload *w = parse_good(
		"a, 81920, none\nb, 4096, none\n#! size: a, q, 5000\n#! size: a, r, 0\n\n"
		"p\n10\na, 1, 64, 1\n\nq\n10\na, 1, 64, 1\n\nr\n10\nb, 1, 64, 1\n");
	struct sim_mapping mappings[2];
	struct sim_space *space;

	assert_int_equal(sim_space_new(&space, w, 1, 0, NULL), 0);
	assert_int_equal(sim_space_mappings(space, 9999999, mappings), 2);
	assert_int_equal(mappings[0].ar.end - mappings[0].ar.start, 81920);
	assert_int_equal(sim_space_mappings(space, 10000000, mappings), 2);
	assert_int_equal(mappings[0].ar.end - mappings[0].ar.start, 8192);
	assert_int_equal(sim_space_mappings(space, 20000000, mappings), 1);
	assert_ptr_equal(mappings[0].region, &w->regions[1]);
	assert_int_equal(sim_space_mappings(space, 90000000, mappings), 1);
	sim_space_free(space);
	sim_workload_free(w);
}

static void refuses_what_cannot_be_laid_out(void **state)
{
	struct sim_workload *w = parse_good("a, 4096, none\n\np\n10\na, 1, 64, 1\n");
	struct damon_error err = {""};
	struct sim_space *space = NULL;

	assert_int_equal(sim_space_new(&space, w, 1, 10000000001ULL, &err), -EINVAL);
	assert_string_equal(err.text, "rate 10000000001: at most 10000000000 accesses per second "
				      "are simulated");
	assert_null(space);
	sim_workload_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_file),
		cmocka_unit_test(reads_windows_line_ends),
		cmocka_unit_test(reads_own_keys),
		cmocka_unit_test(names_each_mistake),
		cmocka_unit_test(refuses_binary),
		cmocka_unit_test(names_a_missing_file),
		cmocka_unit_test(prints_what_it_read),
		cmocka_unit_test(built_in_ones),
		cmocka_unit_test(says_when_it_cannot_print),
		cmocka_unit_test(no_such_built_in),
		cmocka_unit_test(lays_out_with_gaps),
		cmocka_unit_test(maps_what_the_phase_has),
		cmocka_unit_test(refuses_what_cannot_be_laid_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
