// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Description: 32 clients read and write files of the tree at random: valid and invalid values,
 * states, and how many of everything there are; some writes are interrupted. Then the tree must still be
 * one: every directory has what its count says, every file can be read, nothing runs, nothing is left.
 * Meant for ThreadSanitizer and AddressSanitizer too.
 * usage: stress_sysfs [SECONDS]
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <udamon/damon.h>
#include <udamon/ops.h>

#include "../tools/idle_ops.h"
#include "sysfs/table.h"
#include "sysfs/tree.h"

#define NR_CLIENTS 32
#define ADMIN	   "/kernel/mm/damon/admin/kdamonds"
/* What a loaded machine may add; a call that hangs takes for ever. */
#define SLACK_US 20000000

/* An operations set that knows nothing: 1,000 pages, of which some are touched. */

static int null_init_target(struct damon_ctx *ctx, struct damon_target *target)
{
	const struct damon_addr_range pages = {0, 1000 * 4096};

	if (target->pid < 0)
		return -ESRCH;
	return damon_nr_regions(target)
		       ? 0
		       : damon_set_regions(target, &pages, 1, ctx->attrs.min_region_sz);
}

static int null_check(struct damon_ctx *ctx, struct damon_target *target,
		      const struct damon_batch *batch)
{
	size_t i;

	for (i = 0; i < batch->nr; i++)
		batch->access[i] = batch->sampling_addrs[i] < 300 * 4096;
	return 0;
}

static const struct damon_operations null_ops = {
	.id = DAMON_OPS_VADDR,
	.name = "vaddr",
	.init = idle_init,
	.init_target = null_init_target,
	.prepare_access_checks = idle_access,
	.check_accesses = null_check,
	.actions = 1U << DAMOS_PAGEOUT | 1U << DAMOS_COLD,
	.filters = 1U << DAMOS_FILTER_ANON | 1U << DAMOS_FILTER_YOUNG,
	.apply_scheme = idle_apply,
	.target_valid = idle_valid,
};

/* Clients. */

struct stress {
	struct sysfs_tree *tree;
	pthread_mutex_t lock; /* protects what follows */
	uint64_t nr_reads, nr_writes, nr_refused, nr_states, nr_states_done, nr_interrupted;
	uint64_t nr_wrong, longest_read_us, longest_write_us;
	struct sysfs_interrupt *writing[NR_CLIENTS];
	bool over;
};

struct client {
	struct stress *stress;
	unsigned int number, random;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static unsigned int below(struct client *client, unsigned int most)
{
	return (unsigned int)rand_r(&client->random) % most;
}

static const char *const values[] = {
	"0",	"1",	 "2",	 "3",	       "10",   "1000",	"5000",	   "100000",
	"-1",	"Y",	 "N",	 "",	       "\n",   "0x10",	"4096",	   "18446744073709551615",
	"anon", "memcg", "stat", "pageout",    "cold", "vaddr", "fvaddr",  "4294967296",
	"addr", "young", "/",	 "user_input", "none", "point", "consist", "free_mem_rate"};

/* A way down from the root. */

struct pick {
	struct client *client;
	char name[64];
	bool is_dir;
	unsigned int seen;
};

static int pick_name(void *data, const char *name, bool is_dir)
{
	struct pick *pick = data;

	/* Directories twice as often, so that the way gets deep. */
	pick->seen += is_dir ? 2 : 1;
	if (below(pick->client, pick->seen) < (is_dir ? 2U : 1U)) {
		snprintf(pick->name, sizeof(pick->name), "%s", name);
		pick->is_dir = is_dir;
	}
	return 0;
}

static bool random_path(struct client *client, char *path)
{
	struct pick pick = {.client = client, .is_dir = true};
	size_t len = 0;

	path[0] = '\0';
	while (pick.is_dir) {
		pick.seen = 0;
		if (sysfs_list(client->stress->tree, path, pick_name, &pick) || !pick.seen)
			return false;
		len += (size_t)snprintf(path + len, SYSFS_PATH_MAX - len, "/%s", pick.name);
	}
	return true;
}

static void count(struct stress *stress, uint64_t *counter, uint64_t *longest, uint64_t us, bool ok)
{
	pthread_mutex_lock(&stress->lock);
	(*counter)++;
	if (us > *longest)
		*longest = us;
	stress->nr_wrong += !ok;
	pthread_mutex_unlock(&stress->lock);
}

static void do_read(struct client *client, const char *path)
{
	struct stress *stress = client->stress;
	uint64_t start_us = now_us();
	struct sysfs_text text;
	int err = sysfs_read(stress->tree, path, &text);
	/* It may have gone since it was found. */
	bool ok = !err || err == -ENOENT;

	if (!ok)
		printf("# reading %s: %s\n", path, strerror(-err));
	count(stress, &stress->nr_reads, &stress->longest_read_us, now_us() - start_us, ok);
	sysfs_text_free(&text);
}

static bool may_return(int err, bool state)
{
	static const int any[] = {0,	   -ENOENT, -EINVAL, -ERANGE,	  -EACCES,
				  -ENOMEM, -EBUSY,  -EINTR,  -EOPNOTSUPP, -ECANCELED};
	size_t i;

	for (i = 0; i < sizeof(any) / sizeof(any[0]); i++)
		if (err == any[i])
			return state || (err != -ECANCELED && err != -EOPNOTSUPP);
	return false;
}

static void do_write(struct client *client, const char *path, const char *value, bool state)
{
	struct stress *stress = client->stress;
	struct sysfs_interrupt interrupt = {0};
	uint64_t start_us = now_us();
	bool ok;
	int err;

	pthread_mutex_lock(&stress->lock);
	stress->writing[client->number] = &interrupt;
	pthread_mutex_unlock(&stress->lock);
	err = sysfs_write(stress->tree, path, value, strlen(value), &interrupt);
	pthread_mutex_lock(&stress->lock);
	stress->writing[client->number] = NULL;
	stress->nr_refused += err != 0;
	stress->nr_interrupted += err == -EINTR;
	stress->nr_states += state;
	stress->nr_states_done += state && !err;
	pthread_mutex_unlock(&stress->lock);
	ok = may_return(err, state);
	if (!ok)
		printf("# writing '%s' to %s: %s\n", value, path, strerror(-err));
	count(stress, &stress->nr_writes, &stress->longest_write_us, now_us() - start_us, ok);
}

/* One of the keywords, or none of them. */
static void write_state(struct client *client)
{
	unsigned int nr = 0, which;
	char path[SYSFS_PATH_MAX];

	while (sysfs_state_keywords[nr])
		nr++;
	which = below(client, nr + 1);
	snprintf(path, sizeof(path), ADMIN "/%u/state", below(client, 3));
	do_write(client, path, which < nr ? sysfs_state_keywords[which] : "nonsense", true);
}

/* Something that can be started. */
static void stage_context(struct client *client)
{
	static const char *const files[][2] = {
		{"contexts/nr_contexts", "1"},
		{"contexts/0/targets/nr_targets", "1"},
		{"contexts/0/targets/0/pid_target", "42"},
		{"contexts/0/schemes/nr_schemes", "2"},
		{"contexts/0/schemes/0/access_pattern/sz/max", "18446744073709551615"},
		{"contexts/0/schemes/0/access_pattern/nr_accesses/max", "1000"},
		{"contexts/0/schemes/0/access_pattern/age/max", "1000"},
		{"state", "on"},
	};
	unsigned int kdamond = below(client, 3);
	char path[SYSFS_PATH_MAX];
	size_t i;

	do_write(client, ADMIN "/nr_kdamonds", "3", false);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), ADMIN "/%u/%s", kdamond, files[i][0]);
		do_write(client, path, files[i][1], !strcmp(files[i][0], "state"));
	}
}

static bool is_over(struct stress *stress)
{
	bool over;

	pthread_mutex_lock(&stress->lock);
	over = stress->over;
	pthread_mutex_unlock(&stress->lock);
	return over;
}

static void *client_main(void *arg)
{
	struct client *client = arg;
	char path[SYSFS_PATH_MAX];

	while (!is_over(client->stress)) {
		unsigned int what = below(client, 100);

		if (what < 20)
			write_state(client);
		else if (what < 25)
			stage_context(client);
		else if (!random_path(client, path))
			continue;
		else if (what < 60 || strstr(path, "/state"))
			do_read(client, path);
		else
			do_write(client, path,
				 values[below(client, sizeof(values) / sizeof(values[0]))], false);
	}
	return NULL;
}

/* Some writes at random; @all: every one. */
static void interrupt(struct stress *stress, unsigned int *random, bool all)
{
	unsigned int i;

	pthread_mutex_lock(&stress->lock);
	for (i = 0; i < NR_CLIENTS; i++)
		if (stress->writing[i] && (all || rand_r(random) % 16 == 0))
			sysfs_interrupt_raise(stress->tree, stress->writing[i]);
	pthread_mutex_unlock(&stress->lock);
}

/* Afterwards. */

struct check {
	struct sysfs_tree *tree;
	const char *path;
	unsigned int nr_numbered, nr_files, nr_wrong;
};

static int check_name(void *data, const char *name, bool is_dir)
{
	struct check *check = data;
	struct check below = {.tree = check->tree};
	char path[SYSFS_PATH_MAX + 64];
	struct sysfs_text text;
	struct sysfs_stat st;
	int err;

	check->nr_numbered += is_dir && *name >= '0' && *name <= '9';
	snprintf(path, sizeof(path), "%s/%s", check->path, name);
	err = sysfs_stat(check->tree, path, &st);
	if (err || st.is_dir != is_dir) {
		printf("# %s: listed, but %s\n", path, strerror(-err));
		check->nr_wrong++;
	} else if (is_dir) {
		below.path = path;
		sysfs_list(check->tree, path, check_name, &below);
		check->nr_wrong += below.nr_wrong;
		check->nr_files += below.nr_files;
		snprintf(path + strlen(path), 32, "/nr_%s",
			 strcmp(name, "core_filters") && strcmp(name, "ops_filters") ? name
										     : "filters");
		if (!sysfs_read(check->tree, path, &text)) {
			if (strtoul(text.data, NULL, 10) != below.nr_numbered) {
				printf("# %s: %s, but %u are there\n", path, text.data,
				       below.nr_numbered);
				check->nr_wrong++;
			}
			sysfs_text_free(&text);
		}
	} else {
		err = sysfs_read(check->tree, path, &text);
		check->nr_files++;
		if (err) {
			printf("# reading %s: %s\n", path, strerror(-err));
			check->nr_wrong++;
		}
		sysfs_text_free(&text);
	}
	return 0;
}

static int put(struct sysfs_tree *tree, const char *path, const char *value)
{
	return sysfs_write(tree, path, value, strlen(value), NULL);
}

/* An interrupted start goes on by itself, so what was off may be on a moment later. */
static int remove_all(struct sysfs_tree *tree)
{
	struct timespec nap = {.tv_nsec = 10000000};
	char path[SYSFS_PATH_MAX];
	unsigned int i, tries;
	int err = -EBUSY;

	for (tries = 0; err == -EBUSY && tries < 1000; tries++) {
		for (i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), ADMIN "/%u/state", i);
			put(tree, path, "off");
		}
		err = put(tree, ADMIN "/nr_kdamonds", "0");
		nanosleep(&nap, NULL);
	}
	return err;
}

/* Everything off and removed; there is room for as much as in the beginning. */
static bool empties(struct sysfs_tree *tree)
{
	int err = remove_all(tree);

	if (!err)
		err = put(tree, ADMIN "/nr_kdamonds", "1");
	if (!err)
		err = put(tree, ADMIN "/0/contexts/nr_contexts", "1");
	if (!err)
		err = put(tree, ADMIN "/0/contexts/0/targets/nr_targets", "99900");
	if (!err)
		err = put(tree, ADMIN "/nr_kdamonds", "0");
	if (err)
		printf("# making as many directories as in the beginning: %s\n", strerror(-err));
	return !err;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 5;
	struct stress stress = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct damon_port *port = damon_port_posix_new();
	struct client clients[NR_CLIENTS];
	struct sysfs_host host = {0};
	struct check check = {.path = ""};
	pthread_t threads[NR_CLIENTS];
	uint64_t end_us = now_us() + (uint64_t)(seconds * 1e6);
	struct timespec nap = {.tv_nsec = 10000000};
	unsigned int i, random = 1;
	bool empty;

	if (!port || damon_lib_new(&host.lib, port) ||
	    damon_register_ops(host.lib, &null_ops, NULL) || sysfs_tree_new(&stress.tree, &host))
		return 1;
	for (i = 0; i < NR_CLIENTS; i++) {
		clients[i] = (struct client){.stress = &stress, .number = i, .random = i + 100};
		if (pthread_create(&threads[i], NULL, client_main, &clients[i]))
			return 1;
	}
	while (now_us() < end_us) {
		nanosleep(&nap, NULL);
		interrupt(&stress, &random, false);
	}
	pthread_mutex_lock(&stress.lock);
	stress.over = true;
	pthread_mutex_unlock(&stress.lock);
	/* Some wait for a walk that takes an hour. */
	for (i = 0; i < NR_CLIENTS; i++)
		while (pthread_tryjoin_np(threads[i], NULL) == EBUSY) {
			interrupt(&stress, &random, true);
			nanosleep(&nap, NULL);
		}
	check.tree = stress.tree;
	sysfs_list(stress.tree, "", check_name, &check);
	empty = empties(stress.tree);
	sysfs_tree_free(stress.tree);
	damon_lib_free(host.lib);
	damon_port_posix_free(port);

	printf("1..4\n# %" PRIu64 " reads, %" PRIu64 " writes (%" PRIu64 " refused, %" PRIu64
	       " interrupted), of them %" PRIu64 " states (%" PRIu64
	       " done); the longest read took %" PRIu64 " us, the longest write %" PRIu64
	       " us; %u files in the end\n",
	       stress.nr_reads, stress.nr_writes, stress.nr_refused, stress.nr_interrupted,
	       stress.nr_states, stress.nr_states_done, stress.longest_read_us,
	       stress.longest_write_us, check.nr_files);
	printf("%s 1 - calls end with a result they may have\n", stress.nr_wrong ? "not ok" : "ok");
	printf("%s 2 - no read waits\n", stress.longest_read_us > SLACK_US ? "not ok" : "ok");
	printf("%s 3 - the tree is consistent\n", check.nr_wrong ? "not ok" : "ok");
	printf("%s 4 - nothing is left, and some states were changed\n",
	       empty && stress.nr_states_done ? "ok" : "not ok");
	return stress.nr_wrong || stress.longest_read_us > SLACK_US || check.nr_wrong || !empty ||
	       !stress.nr_states_done;
}
