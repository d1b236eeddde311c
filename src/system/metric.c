// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* System metrics: /proc/meminfo, memory pressure, nodes, memory cgroups of both versions. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/metric.h"
#include "system/psi.h"

#define BASIS_POINTS 10000

/* Reads @root + @path whole into @text. */
static int read_text(const char *root, const char *path, char *text, size_t size)
{
	char full[PATH_MAX];
	size_t used;
	int err = 0;
	FILE *file;

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	file = fopen(full, "re");
	if (!file)
		return -errno;
	errno = 0;
	used = fread(text, 1, size - 1, file);
	if (ferror(file))
		err = errno ? -errno : -EIO;
	else if (used == size - 1)
		err = -EFBIG;
	text[used] = '\0';
	fclose(file);
	return err;
}

/* The number behind @key where that begins a line or follows "Node N ". */
static int number_of(const char *text, const char *key, uint64_t *value)
{
	const char *at = text;
	size_t length = strlen(key);

	while ((at = strstr(at, key))) {
		if ((at == text || at[-1] == '\n' || at[-1] == ' ') &&
		    sscanf(at + length, "%" SCNu64, value) == 1)
			return 0;
		at += length;
	}
	return -EIO;
}

static uint64_t share(uint64_t part, uint64_t of, uint64_t unit)
{
	return of ? (uint64_t)((unsigned __int128)part * unit / of) : 0;
}

static int total_and_free(const char *text, uint64_t *total, uint64_t *unused)
{
	int err = number_of(text, "MemTotal:", total);

	if (!err)
		err = number_of(text, "MemFree:", unused);
	return !err && (!*total || *unused > *total) ? -EIO : err;
}

static int pressure(const char *root, uint64_t *value)
{
	char text[512];
	int err = read_text(root, "/proc/pressure/memory", text, sizeof(text));

	if (err == -ENOENT || err == -EOPNOTSUPP)
		return -ENOTSUP;
	if (!err && psi_parse(text, value))
		err = -EIO;
	return err;
}

static int read_node(const char *root, int32_t nid, uint64_t *total_kb, uint64_t *free_kb)
{
	char path[64], text[8192];
	int err;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%" PRId32 "/meminfo", nid);
	err = read_text(root, path, text, sizeof(text));
	if (err)
		return err == -ENOENT ? -ENODEV : err;
	return total_and_free(text, total_kb, free_kb);
}

/* The number behind " N@nid=" in the line of @text that begins with @key. */
static int node_number(const char *text, const char *key, int32_t nid, uint64_t *value)
{
	const char *line = text, *end, *at;
	size_t length = strlen(key);
	char node[24];

	snprintf(node, sizeof(node), " N%" PRId32 "=", nid);
	while (strncmp(line, key, length)) {
		line = strchr(line, '\n');
		if (!line)
			return -EIO;
		line++;
	}
	end = strchr(line, '\n');
	at = strstr(line, node);
	if (!at || (end && at > end) || sscanf(at + strlen(node), "%" SCNu64, value) != 1)
		return -EIO;
	return 0;
}

/* Bytes a memory cgroup has on the lists of a node, its children included. */
static int memcg_bytes(const char *root, const char *memcg, int32_t nid, uint64_t *bytes)
{
	static const char *const lists[] = {"inactive_anon ", "active_anon ", "inactive_file ",
					    "active_file ", "unevictable "};
	char path[PATH_MAX], text[16384];
	uint64_t pages, part;
	int err;

	memcg += memcg[0] == '/';
	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/memory.numa_stat", memcg);
	err = read_text(root, path, text, sizeof(text));
	if (!err) {
		*bytes = 0;
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && !err; i++) {
			err = node_number(text, lists[i], nid, &part);
			*bytes += err ? 0 : part;
		}
		return err;
	}
	if (err != -ENOENT)
		return err;
	snprintf(path, sizeof(path), "/sys/fs/cgroup/memory/%s/memory.numa_stat", memcg);
	err = read_text(root, path, text, sizeof(text));
	if (!err)
		err = node_number(text, "hierarchical_total=", nid, &pages);
	if (!err)
		*bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return err;
}

static int memcg_share(const char *root, const char *memcg, int32_t nid, uint64_t *bp)
{
	uint64_t total_kb, free_kb, bytes;
	int err = memcg ? read_node(root, nid, &total_kb, &free_kb) : -EINVAL;

	if (!err)
		err = memcg_bytes(root, memcg, nid, &bytes);
	if (err)
		return err;
	*bp = share(bytes, total_kb * 1024, BASIS_POINTS);
	if (*bp > BASIS_POINTS)
		*bp = BASIS_POINTS;
	return 0;
}

static int of_system(const char *root, enum damon_metric metric, uint64_t *value)
{
	uint64_t total, unused, active, inactive;
	char text[8192];
	int err = read_text(root, "/proc/meminfo", text, sizeof(text));

	if (!err)
		err = total_and_free(text, &total, &unused);
	if (!err)
		err = number_of(text, "Active:", &active);
	if (!err)
		err = number_of(text, "Inactive:", &inactive);
	if (err)
		return err;
	if (metric == DAMON_METRIC_FREE_MEM_RATE)
		*value = share(unused, total, 1000);
	else if (metric == DAMON_METRIC_ACTIVE_MEM_BP)
		*value = share(active, active + inactive, BASIS_POINTS);
	else
		*value = share(inactive, active + inactive, BASIS_POINTS);
	return 0;
}

int system_metric(struct damon_port *port, enum damon_metric metric, int32_t nid,
		  const char *memcg_path, uint64_t *value)
{
	const char *root = port->metric_data ? port->metric_data : "";
	uint64_t total, unused;
	int err;

	switch (metric) {
	case DAMON_METRIC_SOME_MEM_PSI_US:
		return pressure(root, value);
	case DAMON_METRIC_FREE_MEM_RATE:
	case DAMON_METRIC_ACTIVE_MEM_BP:
	case DAMON_METRIC_INACTIVE_MEM_BP:
		return of_system(root, metric, value);
	case DAMON_METRIC_NODE_MEM_USED_BP:
	case DAMON_METRIC_NODE_MEM_FREE_BP:
		err = read_node(root, nid, &total, &unused);
		if (!err)
			*value = share(metric == DAMON_METRIC_NODE_MEM_FREE_BP ? unused
									       : total - unused,
				       total, BASIS_POINTS);
		return err;
	case DAMON_METRIC_NODE_MEMCG_USED_BP:
		return memcg_share(root, memcg_path, nid, value);
	case DAMON_METRIC_NODE_MEMCG_FREE_BP:
		err = memcg_share(root, memcg_path, nid, value);
		if (!err)
			*value = BASIS_POINTS - *value;
		return err;
	}
	return -EOPNOTSUPP;
}
