// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What the tree tells of a context, gathered as JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/differences.h"
#include "cli/facts.h"
#include "cli/message.h"
#include "cli/window_file.h"
#include "system/process.h"

const char *fact_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

long long fact_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

struct format_text fact_quota(const json_t *scheme)
{
	const struct format_text none = {"no limit"};
	long long bytes = fact_number(scheme, "effective_bytes");

	return bytes == INT64_MAX ? none : format_size((double)bytes);
}

/*
 * Files are read one after the other; what failed first is kept, so that the many readers here needn't look.
 * A file that older kernels haven't is null.
 */
struct gathering {
	const struct tree *tree;
	const struct context_address *address;
	int ret;
};

static int get_below(struct gathering *gathering, const char *below, char value[TREE_VALUE_SIZE])
{
	char path[TREE_PATH_SIZE];
	int ret;

	if (gathering->ret)
		return gathering->ret;
	ret = tree_get(gathering->tree,
		       tree_path(path, "%u/contexts/%u/%s", gathering->address->kdamond,
				 gathering->address->context, below),
		       value);
	if (ret && ret != -ENOENT)
		gathering->ret = tree_failed(gathering->tree, path, NULL, ret);
	return ret;
}

static json_t *text_of(struct gathering *gathering, const char *below)
{
	char value[TREE_VALUE_SIZE];

	return get_below(gathering, below, value) ? json_null() : json_string(value);
}

/* JSON's numbers are signed; what is beyond means "no limit" and is shown as the largest. */
static json_t *number_from(const char *text)
{
	unsigned long long number;
	char *end;

	if (*text == '-')
		return json_integer(strtoll(text, NULL, 10));
	number = strtoull(text, &end, 10);
	if (end == text)
		return json_null();
	return json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number);
}

static json_t *number_of(struct gathering *gathering, const char *below)
{
	char value[TREE_VALUE_SIZE];

	return get_below(gathering, below, value) ? json_null() : number_from(value);
}

/* An object with the numbers in the files @names of @folder. */
static json_t *numbers_of(struct gathering *gathering, const char *folder, const char *const *names)
{
	json_t *object = json_object();
	char below[TREE_PATH_SIZE];

	for (; *names; names++)
		json_object_set_new(object, *names,
				    number_of(gathering,
					      tree_path(below, "%s/%s", folder, *names)));
	return object;
}

static json_t *target_of(struct gathering *gathering, unsigned int t)
{
	char below[TREE_PATH_SIZE];
	struct process_info info;
	json_t *pid = number_of(gathering, tree_path(below, "targets/%u/pid_target", t));
	json_t *target = json_pack("{s:O}", "pid", pid);
	pid_t number = (pid_t)json_integer_value(pid);

	json_decref(pid);
	if (number > 0 && !process_info_read(&info, number)) {
		json_object_set_new(target, "comm", json_string(info.comm));
		json_object_set_new(target, "there", json_true());
	} else {
		json_object_set_new(target, "comm", json_null());
		json_object_set_new(target, "there", json_false());
	}
	return target;
}

static json_t *targets_of(struct gathering *gathering)
{
	json_t *nr = number_of(gathering, "targets/nr_targets");
	json_t *targets = json_array();

	for (unsigned int t = 0; t < json_integer_value(nr); t++)
		json_array_append_new(targets, target_of(gathering, t));
	json_decref(nr);
	return targets;
}

static json_t *differences_of(struct gathering *gathering, bool *known)
{
	struct differences differences = {0};
	json_t *list = json_array();
	char path[TREE_PATH_SIZE];
	int ret = differences_read(&differences, gathering->tree, gathering->address);

	if (ret && !gathering->ret)
		gathering->ret = tree_failed_own(
			gathering->tree,
			tree_path(path, "%u/in_force", gathering->address->kdamond), NULL, ret);
	*known = differences.known;
	for (size_t i = 0; i < differences.nr; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s}", "file", differences.list[i].path,
						"staged", differences.list[i].staged, "in_force",
						differences.list[i].in_force));
	differences_clear(&differences);
	return list;
}

/* A file of udamon's own in one line; null where there is none. */
static json_t *own_text(struct gathering *gathering, const char *name)
{
	char path[TREE_PATH_SIZE], *text;
	json_t *json;
	int ret = tree_get_own(gathering->tree,
			       tree_path(path, "%u/%s", gathering->address->kdamond, name), &text);

	if (ret && ret != -ENOENT && !gathering->ret)
		gathering->ret = tree_failed_own(gathering->tree, path, NULL, ret);
	if (ret)
		return json_null();
	text[strcspn(text, "\n")] = '\0';
	json = json_string(text);
	free(text);
	return json;
}

/* Lines of a name, a tab and a number. */
static json_t *overhead_of(struct gathering *gathering)
{
	char path[TREE_PATH_SIZE], *text, *rest, *line;
	json_t *object;

	if (tree_get_own(gathering->tree,
			 tree_path(path, "%u/overhead", gathering->address->kdamond), &text))
		return json_null();
	object = json_object();
	for (rest = text; (line = strsep(&rest, "\n"));) {
		char *value = strchr(line, '\t');

		if (!value)
			continue;
		*value++ = '\0';
		json_object_set_new(object, line, number_from(value));
	}
	free(text);
	return object;
}

/* The intervals that were really in force, which tuning and the budget's floor lengthen; null before any window. */
static json_t *last_window_of(struct gathering *gathering)
{
	struct window_file file = {0};
	json_t *object = json_null();

	if (!window_file_read(&file, gathering->tree, gathering->address->kdamond))
		object = json_pack("{s:I, s:I, s:I}", "sample_us",
				   (json_int_t)file.window.sample_us, "aggr_us",
				   (json_int_t)file.window.aggr_us, "floor_us",
				   (json_int_t)file.window.floor_us);
	window_file_clear(&file);
	return object ? object : json_null();
}

static json_t *scheme_of(struct gathering *gathering, unsigned int s)
{
	static const char *const stats[] = {
		"nr_tried",   "sz_tried",     "nr_applied",	      "sz_applied",
		"qt_exceeds", "nr_snapshots", "sz_ops_filter_passed", NULL};
	char below[TREE_PATH_SIZE];
	json_t *scheme = numbers_of(gathering, tree_path(below, "schemes/%u/stats", s), stats);

	json_object_set_new(scheme, "action",
			    text_of(gathering, tree_path(below, "schemes/%u/action", s)));
	json_object_set_new(scheme, "effective_bytes",
			    number_of(gathering,
				      tree_path(below, "schemes/%u/quotas/effective_bytes", s)));
	return scheme;
}

/* What scheme @s does, for people; null where nobody tells what is in force. */
static json_t *words_of(const struct params_kdamonds *in_force, unsigned int context,
			unsigned int s)
{
	const struct params_ctx *ctx;
	char words[PARAMS_WORDS_MAX];

	if (!in_force->nr || in_force->list[0].nr_contexts <= context)
		return json_null();
	ctx = &in_force->list[0].contexts[context];
	if (s >= ctx->schemes.nr)
		return json_null();
	return json_string(params_scheme_words(&ctx->schemes.list[s].values, &ctx->attrs, words,
					       sizeof(words)));
}

static json_t *schemes_of(struct gathering *gathering)
{
	json_t *nr = number_of(gathering, "schemes/nr_schemes");
	json_t *schemes = json_array(), *scheme;
	struct params_kdamonds in_force;
	int ret = parameters_in_force(gathering->tree, gathering->address, &in_force);
	char path[TREE_PATH_SIZE];

	if (ret && ret != -ENOENT && !gathering->ret)
		gathering->ret = tree_failed_own(
			gathering->tree,
			tree_path(path, "%u/in_force", gathering->address->kdamond), NULL, ret);
	for (unsigned int s = 0; s < json_integer_value(nr); s++) {
		scheme = scheme_of(gathering, s);
		json_object_set_new(scheme, "words",
				    words_of(&in_force, gathering->address->context, s));
		json_array_append_new(schemes, scheme);
	}
	params_kdamonds_free(&in_force);
	json_decref(nr);
	return schemes;
}

static json_t *kdamond_pid(struct gathering *gathering)
{
	char path[TREE_PATH_SIZE];
	int64_t pid;
	int ret = tree_get_number(gathering->tree,
				  tree_path(path, "%u/pid", gathering->address->kdamond), &pid);

	if (ret && !gathering->ret)
		gathering->ret = tree_failed(gathering->tree, path, NULL, ret);
	return ret || pid < 0 ? json_null() : json_integer(pid);
}

int context_facts(const struct tree *tree, const struct context_address *address,
		  enum context_state state, json_t **facts)
{
	static const char *const intervals[] = {"sample_us", "aggr_us", "update_us", NULL};
	static const char *const goal[] = {"access_bp", "aggrs", "min_sample_us", "max_sample_us",
					   NULL};
	static const char *const regions[] = {"min", "max", NULL};
	struct gathering gathering = {tree, address, 0};
	char name[32];
	bool known;
	json_t *differences = differences_of(&gathering, &known);

	snprintf(name, sizeof(name), "%u/%u", address->kdamond, address->context);
	*facts = json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o}",
		"context", name, "state", context_state_name(state), "kdamond_pid",
		kdamond_pid(&gathering), "operations", text_of(&gathering, "operations"), "engine",
		own_text(&gathering, "engine"), "targets", targets_of(&gathering), "intervals",
		numbers_of(&gathering, "monitoring_attrs/intervals", intervals), "intervals_goal",
		numbers_of(&gathering, "monitoring_attrs/intervals/intervals_goal", goal),
		"nr_regions", numbers_of(&gathering, "monitoring_attrs/nr_regions", regions),
		"overhead", overhead_of(&gathering), "in_force_known", known, "not_in_force",
		differences, "error", own_text(&gathering, "error"), "schemes",
		schemes_of(&gathering), "budget_bp", own_text(&gathering, "budget"), "last_window",
		last_window_of(&gathering));
	if (!gathering.ret && !*facts)
		gathering.ret = give_up(EXIT_FAILED, "out of memory");
	if (gathering.ret) {
		json_decref(*facts);
		*facts = NULL;
	}
	return gathering.ret;
}

int schemes_refresh(const struct tree *tree, const struct context_address *address,
		    enum context_state state)
{
	static const char *const words[] = {"update_schemes_stats",
					    "update_schemes_effective_quotas"};
	char path[TREE_PATH_SIZE];
	int64_t nr;
	int ret = 0;

	if (state == CONTEXT_NONE)
		return give_up(EXIT_FAILED, "'%u/%u': there is no context", address->kdamond,
			       address->context);
	if (state != CONTEXT_ON && state != CONTEXT_PAUSED)
		return 0;
	if (tree_get_number(tree,
			    tree_path(path, "%u/contexts/%u/schemes/nr_schemes", address->kdamond,
				      address->context),
			    &nr) ||
	    !nr)
		return 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !ret; i++) {
		ret = tree_put(tree, tree_path(path, "%u/state", address->kdamond), words[i]);
		if (ret == -ECANCELED)
			return 0;
		if (ret == -EINVAL && i) /* kernels before 6.9 don't tell these quotas */
			ret = 0;
		if (ret)
			return tree_failed(tree, path, words[i], ret);
	}
	return 0;
}

int schemes_facts(const struct tree *tree, const struct context_address *address, json_t **facts)
{
	struct gathering gathering = {tree, address, 0};

	*facts = schemes_of(&gathering);
	if (gathering.ret) {
		json_decref(*facts);
		*facts = NULL;
	}
	return gathering.ret;
}
