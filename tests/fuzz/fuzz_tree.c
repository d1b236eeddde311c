// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Writing to the file tree: lines "FILE=VALUE" are written, in virtual time, to a tree whose processes
 * are made up. Whatever they are, each write ends, gives an errno that it may give, and leaves a tree that
 * can be read as a whole.
 *
 * A FILE that doesn't begin with '/' is one below kdamonds/.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "made_up.h"
#include "sysfs/tree.h"

#define KDAMONDS   "/kernel/mm/damon/admin/kdamonds/"
#define MAX_WRITES 64

struct run {
	struct damon_port *port;
	struct sysfs_tree *tree;
	char *text; /* the lines */
};

/* Reading the whole tree, as clients do. */

struct place {
	struct run *run;
	const char *path;
};

static int read_below(void *data, const char *name, bool is_dir)
{
	const struct place *place = data;
	char path[2 * SYSFS_PATH_MAX];
	struct place below = {place->run, path};
	struct sysfs_text text = {0};
	struct sysfs_stat st;
	int ret;

	MUST(snprintf(path, sizeof(path), "%s/%s", place->path, name) < SYSFS_PATH_MAX);
	ret = sysfs_stat(place->run->tree, path, &st);
	/* A kdamond may end by itself meanwhile, and take files with it: there is no lock over all. */
	MUST(!ret || ret == -ENOENT);
	if (is_dir)
		return sysfs_list(place->run->tree, path, read_below, &below) == -ENOMEM ? -ENOMEM
											 : 0;
	ret = sysfs_read(place->run->tree, path, &text);
	MUST(!ret || ret == -ENOENT);
	if (!ret)
		MUST(text.data[text.len] == '\0');
	sysfs_text_free(&text);
	return 0;
}

static bool may_be(int ret)
{
	static const int errors[] = {ENOENT, EISDIR, ENOTDIR, EACCES,	  EINVAL, ERANGE,    EBUSY,
				     ENOMEM, ESRCH,  EEXIST,  EOPNOTSUPP, ESTALE, ECANCELED, E2BIG};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (ret == -errors[i])
			return true;
	return !ret;
}

static void write_line(struct run *run, char *line)
{
	char *value = strchr(line, '='), path[2 * SYSFS_PATH_MAX];
	int ret;

	if (!value)
		return;
	*value++ = '\0';
	if (snprintf(path, sizeof(path), "%s%s", *line == '/' ? "" : KDAMONDS, line) >=
	    (int)sizeof(path))
		return;
	/* Memory for so many directories isn't the subject. */
	if (strstr(path, "/nr_") && strtoull(value, NULL, 0) > 8 && strlen(value) < 12)
		return;
	ret = sysfs_write(run->tree, path, value, strlen(value), NULL);
	if (!may_be(ret)) {
		fprintf(stderr, "'%s' to %s: %d (%s)\n", value, path, ret, strerror(-ret));
		abort();
	}
}

static void run_main(void *arg)
{
	struct run *run = arg;
	struct place root = {run, ""};
	struct sysfs_host host = {0};
	char *line, *rest = run->text;
	int nr = 0;

	MUST(!damon_lib_new(&host.lib, run->port));
	MUST(!damon_register_ops(host.lib, &made_up, NULL));
	MUST(!sysfs_tree_new(&run->tree, &host));
	while ((line = strsep(&rest, "\n")) && nr++ < MAX_WRITES)
		write_line(run, line);
	MUST(!sysfs_list(run->tree, "/", read_below, &root));
	sysfs_tree_free(run->tree);
	damon_lib_free(host.lib);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.port = damon_port_coop_new(1, NULL), .text = malloc(size + 1)};

	MUST(run.port && run.text);
	memcpy(run.text, data, size);
	run.text[size] = '\0';
	MUST(!damon_port_coop_run(run.port, run_main, &run));
	MUST(!damon_port_coop_nr_allocated(run.port));
	damon_port_coop_free(run.port);
	free(run.text);
	return 0;
}
