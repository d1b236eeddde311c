// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What is staged for a running context and not in force. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/differences.h"
#include "cli/message.h"
#include "cli/staging_context.h"
#include "system/process.h"

#define INTERVALS "monitoring_attrs/intervals/"
#define GOAL	  INTERVALS "intervals_goal/"

void differences_clear(struct differences *differences)
{
	for (size_t i = 0; i < differences->nr; i++) {
		free(differences->list[i].path);
		free(differences->list[i].staged);
		free(differences->list[i].in_force);
	}
	free(differences->list);
	*differences = (struct differences){0};
}

static int add(struct differences *differences, const char *path, const char *staged,
	       const char *in_force)
{
	struct difference *list =
		reallocarray(differences->list, differences->nr + 1, sizeof(*differences->list));
	struct difference new = {strdup(path), strdup(staged), strdup(in_force)};

	if (list)
		differences->list = list;
	if (!list || !new.path || !new.staged || !new.in_force) {
		free(new.path);
		free(new.staged);
		free(new.in_force);
		return -ENOMEM;
	}
	differences->list[differences->nr++] = new;
	return 0;
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Access counts and ages are 32 bits wide in a scheme; files take more, which means no limit. */
static bool same(const char *path, const char *a, const char *b)
{
	bool narrow = strstr(path, "/access_pattern/nr_accesses/") ||
		      strstr(path, "/access_pattern/age/");
	unsigned long long x, y;

	if (!strcmp(a, b))
		return true;
	if (!is_number(a) || !is_number(b))
		return false;
	x = strtoull(a, NULL, 10);
	y = strtoull(b, NULL, 10);
	if (narrow && x > UINT32_MAX)
		x = UINT32_MAX;
	if (narrow && y > UINT32_MAX)
		y = UINT32_MAX;
	return x == y;
}

static bool tuned(const struct settings *settings)
{
	const char *aggrs = settings_find(settings, GOAL "aggrs");

	return aggrs && strcmp(aggrs, "0");
}

/* Compared as lists, or another way, further down; or not what somebody has staged. */
static bool left_out(const char *path, bool intervals_tuned)
{
	if (!strncmp(path, "targets/", 8) || strstr(path, "filters/"))
		return true;
	return intervals_tuned &&
	       (!strcmp(path, INTERVALS "sample_us") || !strcmp(path, INTERVALS "aggr_us"));
}

static int compare_values(struct differences *differences, const struct settings *staged,
			  const struct settings *in_force)
{
	bool intervals_tuned = tuned(staged) && tuned(in_force);
	int ret = 0;

	for (size_t i = 0; i < in_force->nr && !ret; i++) {
		const struct setting *setting = &in_force->list[i];
		const char *value = settings_find(staged, setting->path);

		if (!value && setting->neutral)
			continue;
		if (!left_out(setting->path, intervals_tuned) &&
		    !same(setting->path, value ? value : "", setting->value))
			ret = add(differences, setting->path, value ? value : "", setting->value);
	}
	return ret;
}

static const char *value_of(const struct settings *settings, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static const char *value_of(const struct settings *settings, const char *fmt, ...)
{
	char path[TREE_PATH_SIZE];
	const char *value;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	value = settings_find(settings, path);
	return value ? value : "";
}

/* The processes in a list of settings, without those that are marked obsolete or have ended. */
static void describe_targets(const struct settings *settings, char *text, size_t size)
{
	unsigned long nr = strtoul(value_of(settings, "targets/nr_targets"), NULL, 10);
	size_t len = 0;

	*text = '\0';
	for (unsigned long t = 0; t < nr && len < size; t++) {
		const char *pid = value_of(settings, "targets/%lu/pid_target", t);
		struct process_info info;

		if (*value_of(settings, "targets/%lu/obsolete_target", t) == 'Y' ||
		    process_info_read(&info, atoi(pid)))
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s", len ? "," : "", pid);
	}
}

/* One filter as a line, if the core handles it and @core, or neither; what was added to @text. */
static size_t describe_filter(const struct settings *settings, size_t s, const char *in,
			      unsigned long f, bool core, char *text, size_t size)
{
	static const struct {
		const char *type;
		const char *arguments[3];
	} types[] = {{"addr", {"addr_start", "addr_end"}},
		     {"target", {"damon_target_idx"}},
		     {"memcg", {"memcg_path"}},
		     {"hugepage_size", {"min", "max"}}};
	const char *type = value_of(settings, "schemes/%zu/%s/%lu/type", s, in, f);
	size_t len;

	if ((!strcmp(type, "addr") || !strcmp(type, "target")) != core)
		return 0;
	len = (size_t)snprintf(
		text, size, "%s%s %s",
		*value_of(settings, "schemes/%zu/%s/%lu/matching", s, in, f) == 'Y' ? "" : "!",
		type,
		*value_of(settings, "schemes/%zu/%s/%lu/allow", s, in, f) == 'Y' ? "allow"
										 : "reject");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (const char *const *argument = types[i].arguments;
		     !strcmp(types[i].type, type) && *argument && len < size; argument++)
			len += (size_t)snprintf(
				text + len, size - len, " %.*s",
				(int)strcspn(value_of(settings, "schemes/%zu/%s/%lu/%s", s, in, f,
						      *argument),
					     "\n"),
				value_of(settings, "schemes/%zu/%s/%lu/%s", s, in, f, *argument));
	if (len < size)
		len += (size_t)snprintf(text + len, size - len, "; ");
	return len < size ? len : size;
}

/* The filters of a scheme in the order in which they are asked: those of the core come first. */
static void describe_filters(const struct settings *settings, size_t s, char *text, size_t size)
{
	static const char *const folders[] = {"core_filters", "ops_filters", "filters"};
	size_t len = 0;

	*text = '\0';
	for (int core = 1; core >= 0; core--) {
		for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
			const char *in = folders[i];
			unsigned long nr = strtoul(
				value_of(settings, "schemes/%zu/%s/nr_filters", s, in), NULL, 10);

			for (unsigned long f = 0; f < nr && len < size; f++)
				len += describe_filter(settings, s, in, f, core, text + len,
						       size - len);
		}
	}
}

static int compare_lists(struct differences *differences, const struct settings *staged,
			 const struct settings *in_force)
{
	char a[4096], b[4096], path[TREE_PATH_SIZE];
	unsigned long nr = strtoul(value_of(in_force, "schemes/nr_schemes"), NULL, 10);
	int ret = 0;

	describe_targets(staged, a, sizeof(a));
	describe_targets(in_force, b, sizeof(b));
	if (strcmp(a, b))
		ret = add(differences, "targets", a, b);
	for (unsigned long s = 0; s < nr && !ret; s++) {
		describe_filters(staged, s, a, sizeof(a));
		describe_filters(in_force, s, b, sizeof(b));
		if (strcmp(a, b))
			ret = add(differences, tree_path(path, "schemes/%lu/filters", s), a, b);
	}
	return ret;
}

int parameters_in_force(const struct tree *tree, const struct context_address *address,
			struct params_kdamonds *kdamonds)
{
	char path[TREE_PATH_SIZE], *text;
	json_t *json;
	int ret;

	*kdamonds = (struct params_kdamonds){0};
	ret = tree_get_own(tree, tree_path(path, "%u/in_force", address->kdamond), &text);
	if (ret)
		return ret;
	json = json_loads(text, 0, NULL);
	/* Empty: it doesn't run. */
	ret = !*text ? -ENOENT : !json ? -EPROTO : params_kdamonds_from_json(json, kdamonds, NULL);
	if (!ret && (!kdamonds->nr || kdamonds->list[0].nr_contexts <= address->context))
		ret = -EPROTO;
	if (ret == -EINVAL)
		ret = -EPROTO;
	json_decref(json);
	free(text);
	return ret;
}

int differences_read(struct differences *differences, const struct tree *tree,
		     const struct context_address *address)
{
	struct settings staged = {0}, in_force = {0};
	struct params_kdamonds kdamonds;
	int ret;

	*differences = (struct differences){0};
	ret = parameters_in_force(tree, address, &kdamonds);
	if (ret == -ENOENT) {
		ret = 0;
		goto out;
	}
	if (ret)
		goto out;
	differences->known = true;
	settings_context(&in_force, &kdamonds.list[0].contexts[address->context]);
	ret = in_force.incomplete ? -ENOMEM : settings_read(&staged, tree, address, "");
	if (!ret)
		ret = compare_values(differences, &staged, &in_force);
	if (!ret)
		ret = compare_lists(differences, &staged, &in_force);
	if (ret)
		differences_clear(differences);
out:
	settings_clear(&staged);
	settings_clear(&in_force);
	params_kdamonds_free(&kdamonds);
	return ret;
}

/* The first difference that @own doesn't replace, or NULL. */
static const struct difference *foreign(const struct differences *differences,
					const struct settings *own)
{
	for (size_t i = 0; i < differences->nr; i++)
		if (!settings_cover(own, differences->list[i].path))
			return &differences->list[i];
	return NULL;
}

int commit_allowed(const struct tree *tree, const struct context_address *address,
		   const struct settings *own, bool force)
{
	struct differences differences = {0};
	const struct difference *other;
	char path[TREE_PATH_SIZE];
	int ret;

	if (force)
		return 0;
	if (tree->kernel) {
		note("a kernel doesn't tell what is in force: whatever else is staged for %u/%u comes in "
		     "force too",
		     address->kdamond, address->context);
		return 0;
	}
	ret = differences_read(&differences, tree, address);
	other = foreign(&differences, own);
	if (ret)
		ret = tree_failed_own(tree, tree_path(path, "%u/in_force", address->kdamond), NULL,
				      ret);
	else if (other)
		ret = give_up(
			EXIT_FAILED,
			"'%u/%u': something else is staged and not in force: '%s' is '%s', in "
			"force is '%s'; bring it in force too with --force, or see: udamon "
			"status %u",
			address->kdamond, address->context, other->path, other->staged,
			other->in_force, address->kdamond);
	differences_clear(&differences);
	return ret;
}
