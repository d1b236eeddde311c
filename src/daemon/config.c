// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The configuration file, from JSON to a running kdamond. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "daemon/config.h"
#include "sysfs/stage.h"

/* Larger than any that makes sense. */
#define LARGEST (16 << 20)

static int read_text(const char *path, char **text, size_t *size)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	int ret = 0;

	*text = NULL;
	if (!file)
		return -errno;
	if (fstat(fileno(file), &st))
		ret = -errno;
	else if (S_ISDIR(st.st_mode))
		ret = -EISDIR;
	else if (!(*text = malloc(LARGEST)))
		ret = -ENOMEM;
	if (!ret) {
		*size = fread(*text, 1, LARGEST, file);
		if (ferror(file))
			ret = -EIO;
		else if (*size == LARGEST)
			ret = -EFBIG;
	}
	fclose(file);
	return ret;
}

/* Whether contexts could be made of it, with what this machine has. */
static int check(const struct config *config, const char *path, struct damon_lib *lib,
		 struct damon_error *err)
{
	struct damon_error why = {""};
	struct damon_ctx *ctx;
	int ret;

	for (size_t i = 0; i < config->kdamonds.nr; i++) {
		const struct params_kdamond *kdamond = &config->kdamonds.list[i];

		for (size_t j = 0; j < kdamond->nr_contexts; j++) {
			ret = params_ctx_build(&kdamond->contexts[j], lib, &ctx, &why);
			if (ret)
				return damon_error_set(err, ret, "'%s': kdamonds[%zu]: %s", path, i,
						       why.text[0] ? why.text : strerror(-ret));
			damon_destroy_ctx(ctx);
		}
	}
	return 0;
}

int config_load(struct config *config, const char *path, struct damon_lib *lib,
		struct damon_error *err)
{
	struct damon_error why = {""};
	json_error_t where;
	json_t *json;
	size_t size = 0;
	char *text;
	int ret;

	*config = (struct config){.checksum = ""};
	ret = read_text(path, &text, &size);
	if (ret) {
		free(text);
		return damon_error_set(err, ret, "cannot read the configuration '%s': %s", path,
				       strerror(-ret));
	}
	snprintf(config->checksum, sizeof(config->checksum), "%08lx-%zu",
		 crc32_z(crc32_z(0, NULL, 0), (const unsigned char *)text, size), size);
	json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	free(text);
	if (!json)
		return damon_error_set(err, -EINVAL, "'%s', line %d: this is no JSON: %s", path,
				       where.line, where.text);
	ret = params_kdamonds_from_json(json, &config->kdamonds, &why);
	json_decref(json);
	if (ret)
		return damon_error_set(err, ret, "'%s': %s", path,
				       why.text[0] ? why.text : strerror(-ret));
	return check(config, path, lib, err);
}

void config_clear(struct config *config)
{
	params_kdamonds_free(&config->kdamonds);
	config->checksum[0] = '\0';
}

/* A file of the tree that holds a number; -1 when it can't be read. */
static long read_number(struct sysfs_tree *tree, const char *path)
{
	struct sysfs_text text = {NULL, 0};
	long number = -1;

	if (!sysfs_read(tree, path, &text))
		number = strtol(text.data, NULL, 10);
	sysfs_text_free(&text);
	return number;
}

static bool runs(struct sysfs_tree *tree, uint32_t kdamond)
{
	char path[SYSFS_PATH_MAX];

	snprintf(path, sizeof(path), SYSFS_KDAMONDS "/%u/pid", kdamond);
	return read_number(tree, path) > 0;
}

static int set_number(struct sysfs_tree *tree, size_t nr, struct damon_error *err)
{
	char value[24];
	int ret;

	if (read_number(tree, SYSFS_KDAMONDS "/nr_kdamonds") == (long)nr)
		return 0;
	snprintf(value, sizeof(value), "%zu", nr);
	ret = sysfs_put(tree, SYSFS_KDAMONDS "/nr_kdamonds", value, err);
	if (ret == -EBUSY)
		damon_error_set(err, ret,
				"it has %zu kdamonds, and their number can't change while one "
				"runs; stop them first ('off' to their 'state')",
				nr);
	return ret;
}

static int apply(struct sysfs_tree *tree, uint32_t kdamond, const struct params_kdamond *params,
		 struct damon_error *err)
{
	bool running = runs(tree, kdamond);
	int ret = sysfs_stage(tree, kdamond, params, err);

	if (ret || (!params->on && !running))
		return ret;
	return sysfs_change(tree, kdamond, !params->on ? "off" : running ? "commit" : "on", err);
}

int config_apply(const struct config *config, struct sysfs_tree *tree, struct damon_error *err)
{
	const struct params_kdamonds *kdamonds = &config->kdamonds;
	struct damon_error why = {""};
	int ret, first;

	first = set_number(tree, kdamonds->nr, err);
	if (first)
		return first;
	for (size_t i = 0; i < kdamonds->nr; i++) {
		ret = apply(tree, (uint32_t)i, &kdamonds->list[i], &why);
		if (ret && !first)
			first = damon_error_set(err, ret, "kdamond %zu: %s", i, why.text);
	}
	return first;
}
