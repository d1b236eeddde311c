// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* System metrics, read from files written here. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "system/metric.h"

static char root[] = "/tmp/udamon-metric-XXXXXX";
static struct damon_port port = {.metric_data = root};

static void put(const char *path, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(full, 0700);
		*at = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void expect(enum damon_metric metric, const char *memcg, uint64_t wanted)
{
	uint64_t value = 0;

	assert_int_equal(system_metric(&port, metric, 1, memcg, &value), 0);
	assert_int_equal(value, wanted);
}

static int error_of(enum damon_metric metric, int32_t nid, const char *memcg)
{
	uint64_t value;

	return system_metric(&port, metric, nid, memcg, &value);
}

static void the_system_is_read_from_meminfo(void **state)
{
	put("/proc/meminfo", "MemTotal:       16000 kB\nMemFree:         4000 kB\n"
			     "SwapCached:      1 kB\nActive:          3000 kB\n"
			     "Inactive:        1000 kB\nActive(anon):    7 kB\n");
	expect(DAMON_METRIC_FREE_MEM_RATE, NULL, 250);
	expect(DAMON_METRIC_ACTIVE_MEM_BP, NULL, 7500);
	expect(DAMON_METRIC_INACTIVE_MEM_BP, NULL, 2500);
	put("/proc/meminfo", "MemTotal: 16000 kB\n");
	assert_int_equal(error_of(DAMON_METRIC_FREE_MEM_RATE, 0, NULL), -EIO);
}

static void pressure_is_the_total_of_some(void **state)
{
	assert_int_equal(error_of(DAMON_METRIC_SOME_MEM_PSI_US, 0, NULL), -ENOTSUP);
	put("/proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=123456\n"
				     "full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n");
	expect(DAMON_METRIC_SOME_MEM_PSI_US, NULL, 123456);
}

static void nodes_are_read_by_themselves(void **state)
{
	put("/sys/devices/system/node/node1/meminfo",
	    "Node 1 MemTotal:       8000 kB\nNode 1 MemFree:        2000 kB\n");
	expect(DAMON_METRIC_NODE_MEM_FREE_BP, NULL, 2500);
	expect(DAMON_METRIC_NODE_MEM_USED_BP, NULL, 7500);
	assert_int_equal(error_of(DAMON_METRIC_NODE_MEM_USED_BP, 7, NULL), -ENODEV);
}

static void memory_cgroups_of_both_versions_are_read(void **state)
{
	put("/sys/fs/cgroup/two/memory.numa_stat",
	    "anon N0=9 N1=9\ninactive_anon N0=1 N1=409600\nactive_anon N0=1 N1=409600\n"
	    "inactive_file N0=1 N1=0\nactive_file N0=1 N1=0\nunevictable N0=0 N1=0\n");
	expect(DAMON_METRIC_NODE_MEMCG_USED_BP, "/two", 1000); /* 800 of 8,000 KiB */
	expect(DAMON_METRIC_NODE_MEMCG_FREE_BP, "two", 9000);
	put("/sys/fs/cgroup/memory/one/memory.numa_stat",
	    "total=1 N0=1 N1=0\nhierarchical_total=300 N0=100 N1=200\n");
	expect(DAMON_METRIC_NODE_MEMCG_USED_BP, "one", 1000); /* 200 pages */
	assert_int_equal(error_of(DAMON_METRIC_NODE_MEMCG_USED_BP, 1, "none"), -ENOENT);
	assert_int_equal(error_of(DAMON_METRIC_NODE_MEMCG_USED_BP, 1, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_system_is_read_from_meminfo),
		cmocka_unit_test(pressure_is_the_total_of_some),
		cmocka_unit_test(nodes_are_read_by_themselves),
		cmocka_unit_test(memory_cgroups_of_both_versions_are_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
