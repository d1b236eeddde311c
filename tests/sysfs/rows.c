// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Runs the rows of the specification; see rows.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "rows.h"

#define MAX_ROWS   512
#define MAX_FIELDS 8
#define STATE	   "/kernel/mm/damon/admin/kdamonds/0/state"
#define IN_FORCE   "/udamon/kdamonds/0/in_force"
#define ERROR	   "/udamon/kdamonds/0/error"

struct row {
	char *fields[MAX_FIELDS];
};

struct run {
	const struct rows_tree *tree;
	struct row rows[MAX_ROWS];
	size_t nr;
	unsigned int nr_tests, nr_failed;
	bool failed;	   /* the present row */
	char skipped[128]; /* why the present row is */
};

__attribute__((format(printf, 2, 3))) static void complain(struct run *run, const char *fmt, ...)
{
	va_list ap;

	run->failed = true;
	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static void end_test(struct run *run, const char *what, const char *name)
{
	run->nr_tests++;
	run->nr_failed += run->failed;
	printf("%s %u - %s %s", run->failed ? "not ok" : "ok", run->nr_tests, what, name);
	if (run->skipped[0] && !run->failed)
		printf(" # SKIP %s", run->skipped);
	printf("\n");
	run->failed = false;
	run->skipped[0] = '\0';
}

/* Reading the file. */

static int load(struct run *run, const char *spec)
{
	FILE *file = fopen(spec, "re");
	char *line = NULL, *rest, *field;
	size_t size = 0, nr;

	if (!file)
		return -errno;
	while (getline(&line, &size, file) > 0 && run->nr < MAX_ROWS) {
		line[strcspn(line, "\n")] = '\0';
		if (*line == '#' || !*line)
			continue;
		rest = line;
		for (nr = 0; nr < MAX_FIELDS && (field = strsep(&rest, "\t")); nr++)
			run->rows[run->nr].fields[nr] = strdup(field);
		run->nr++;
	}
	free(line);
	fclose(file);
	return 0;
}

static const struct row *find_row(const struct run *run, const char *kind, const char *name,
				  size_t len)
{
	size_t i;

	for (i = 0; i < run->nr; i++)
		if (!strcmp(run->rows[i].fields[0], kind) &&
		    strlen(run->rows[i].fields[1]) == len &&
		    !memcmp(run->rows[i].fields[1], name, len))
			return &run->rows[i];
	return NULL;
}

/* The whole path of one that begins with a name. */
static const char *expand(const struct run *run, const char *path, char *full)
{
	size_t len = strcspn(path, "/");
	const struct row *name = len ? find_row(run, "name", path, len) : NULL;

	snprintf(full, SYSFS_PATH_MAX, "%s%s", name ? name->fields[2] : "",
		 path + (name ? len : 0));
	return full;
}

/* A value with its escapes undone. */
static const char *unescape(const struct run *run, const char *text, size_t len, char *value)
{
	char *to = value;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '$' && len - i >= 4 && !memcmp(text + i, "$PID", 4)) {
			to += sprintf(to, "%d", run->tree->pid);
			i += 3;
		} else if (text[i] == '$' && len - i >= 6 && !memcmp(text + i, "$OTHER", 6)) {
			to += sprintf(to, "%d", run->tree->other_pid);
			i += 5;
		} else if (text[i] == '\\' && i + 1 < len) {
			i++;
			if (text[i] != 'e')
				*to++ = text[i] == 'n' ? '\n' : text[i] == 's' ? ' ' : text[i];
		} else {
			*to++ = text[i];
		}
	}
	*to = '\0';
	return value;
}

static int errno_of(const char *name)
{
	static const struct {
		const char *name;
		int code;
	} all[] = {{"EINVAL", -EINVAL},		{"ERANGE", -ERANGE},	  {"EBUSY", -EBUSY},
		   {"EACCES", -EACCES},		{"ENOENT", -ENOENT},	  {"ENOMEM", -ENOMEM},
		   {"EOPNOTSUPP", -EOPNOTSUPP}, {"ECANCELED", -ECANCELED}};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i].name, name))
			return all[i].code;
	return 1; /* equals no result */
}

/* The tree. */

static int put(struct run *run, const char *path, const char *value)
{
	char full[SYSFS_PATH_MAX];

	return run->tree->write(run->tree->data, expand(run, path, full), value, strlen(value));
}

/* To be freed; "" after an error, which is complained of. */
static char *get(struct run *run, const char *path)
{
	char full[SYSFS_PATH_MAX];
	struct sysfs_text text = {0};
	int err = run->tree->read(run->tree->data, expand(run, path, full), &text);

	if (!err)
		return text.data;
	complain(run, "reading %s: expected 0, got %s", full, strerror(-err));
	return strdup("");
}

static void must_put(struct run *run, const char *path, const char *value)
{
	int err = put(run, path, value);

	if (err)
		complain(run, "writing '%s' to %s: expected 0, got %s", value, path,
			 strerror(-err));
}

/* All files to be written before a row is tried. The number of kdamonds stays while one runs. */
static void stage_base(struct run *run, bool running)
{
	char value[256];
	size_t i;

	for (i = 0; i < run->nr; i++) {
		const struct row *row = &run->rows[i];

		if (strcmp(row->fields[0], "base") ||
		    (running && !strcmp(row->fields[1], "A/nr_kdamonds")))
			continue;
		must_put(run, row->fields[1],
			 unescape(run, row->fields[2], strlen(row->fields[2]), value));
	}
}

/* Values. */

static void expect_content(struct run *run, const char *path, const char *expected)
{
	char *content = get(run, path);
	size_t len = strlen(content);

	if (!len || content[len - 1] != '\n')
		complain(run, "%s: expected a newline at the end, got '%s'", path, content);
	else
		content[len - 1] = '\0';
	if (strcmp(content, expected))
		complain(run, "%s: expected '%s', got '%s'", path, expected, content);
	free(content);
}

/* WRITTEN or WRITTEN>READ */
static void try_accepted(struct run *run, const char *path, const char *token)
{
	const char *arrow = strchr(token, '>');
	char written[256], expected[256];
	int err;

	unescape(run, token, arrow ? (size_t)(arrow - token) : strlen(token), written);
	if (arrow)
		unescape(run, arrow + 1, strlen(arrow + 1), expected);
	else
		unescape(run, token, strlen(token), expected);
	err = put(run, path, written);
	if (err)
		complain(run, "%s: writing '%s': expected 0, got %s", path, written,
			 strerror(-err));
	else
		expect_content(run, path, expected);
}

/* WRITTEN:ERRNO */
static void try_refused(struct run *run, const char *path, const char *token)
{
	const char *colon = strrchr(token, ':');
	char *before = get(run, path), *after;
	char written[256];
	int err;

	unescape(run, token, (size_t)(colon - token), written);
	err = put(run, path, written);
	if (err != errno_of(colon + 1))
		complain(run, "%s: writing '%s': expected %s, got %s", path, written, colon + 1,
			 strerror(-err));
	after = get(run, path);
	if (strcmp(before, after))
		complain(run, "%s: writing '%s' changed '%s' to '%s'", path, written, before,
			 after);
	free(before);
	free(after);
}

static void each_token(struct run *run, const char *path, const char *tokens,
		       void (*fn)(struct run *run, const char *path, const char *token))
{
	char *copy, *rest, *token;

	if (!strcmp(tokens, "-"))
		return;
	rest = copy = strdup(tokens);
	while ((token = strsep(&rest, " ")))
		fn(run, path, token);
	free(copy);
}

/* Off. */

/* Kind, path, mode, type, default, accepted, refused, effect */
static void try_file(struct run *run, const struct row *row)
{
	const char *path = row->fields[1];
	bool writable = !strcmp(row->fields[2], "rw");
	const struct row *type = find_row(run, "type", row->fields[3], strlen(row->fields[3]));
	char full[SYSFS_PATH_MAX], value[256];
	struct sysfs_stat st;
	int err;

	stage_base(run, false);
	if (strstr(path, "probes/0"))
		must_put(run, "M/probes/nr_probes", "1");
	if (strstr(path, "probes/0/filters/0"))
		must_put(run, "M/probes/0/filters/nr_filters", "1");
	err = run->tree->stat(run->tree->data, expand(run, path, full), &st);
	if (err)
		complain(run, "%s: expected to be there, got %s", path, strerror(-err));
	else if (st.is_dir || st.mode != (writable ? 0600U : 0400U) || st.size != 4096)
		complain(run, "%s: expected mode %s and size 4096, got %o and %llu", path,
			 writable ? "0600" : "0400", st.mode, (unsigned long long)st.size);
	if (strcmp(row->fields[4], "*"))
		expect_content(run, path,
			       unescape(run, row->fields[4], strlen(row->fields[4]), value));
	if (!writable) {
		err = put(run, path, "1");
		if (err != -EACCES)
			complain(run, "%s: writing: expected EACCES, got %s", path, strerror(-err));
		return;
	}
	if (!type) {
		complain(run, "%s: no type '%s'", path, row->fields[3]);
		return;
	}
	each_token(run, path, type->fields[3], try_refused);
	each_token(run, path, row->fields[6], try_refused);
	each_token(run, path, type->fields[2], try_accepted);
	each_token(run, path, row->fields[5], try_accepted);
}

/* On. */

/* A context with the base's values runs. */
static void stage_running(struct run *run)
{
	char *state = get(run, STATE);
	bool running = !strcmp(state, "on\n");

	free(state);
	stage_base(run, running);
	/* A budget may lengthen the intervals in force at any time. */
	if (!running)
		must_put(run, "U/budget", "0");
	must_put(run, STATE, running ? "commit" : "on");
}

static void print_json(const json_t *json, char *text, size_t size)
{
	if (json_is_string(json))
		snprintf(text, size, "%s", json_string_value(json));
	else if (json_is_integer(json))
		snprintf(text, size, "%lld", (long long)json_integer_value(json));
	else if (json_is_boolean(json))
		snprintf(text, size, "%s", json_is_true(json) ? "true" : "false");
	else
		snprintf(text, size, "(%s)", json ? "something else" : "nothing");
}

/* What in_force has at a.b.0.c below the context; "#" is the length of a list. */
static void in_force_at(struct run *run, const char *path, char *text, size_t size)
{
	char *content = get(run, IN_FORCE), *copy = strdup(path), *rest = copy, *token;
	json_t *root = json_loads(content, 0, NULL), *json;

	json = json_array_get(json_object_get(root, "kdamonds"), 0);
	json = json_array_get(json_object_get(json, "contexts"), 0);
	while ((token = strsep(&rest, "."))) {
		if (!strcmp(token, "#")) {
			snprintf(text, size, "%zu", json_array_size(json));
			goto out;
		}
		json = json_is_array(json) ? json_array_get(json, strtoul(token, NULL, 10))
					   : json_object_get(json, token);
	}
	print_json(json, text, size);
out:
	json_decref(root);
	free(copy);
	free(content);
}

/* Writes the files of PATH:=VALUE ..., up to @token that is none; what follows is in *@rest. */
static char *write_assignments(struct run *run, char **rest)
{
	char *token, *assign;
	char value[256];

	while ((token = strsep(rest, " "))) {
		assign = strstr(token, ":=");
		if (!assign)
			return token;
		*assign = '\0';
		must_put(run, token, unescape(run, assign + 2, strlen(assign + 2), value));
	}
	return NULL;
}

/* The operations set can't: why, for the summary. */
static void skip_unsupported(struct run *run)
{
	char *why = get(run, ERROR);

	snprintf(run->skipped, sizeof(run->skipped), "not supported here: %.90s", why);
	run->skipped[strcspn(run->skipped, "\n")] = '\0';
	free(why);
}

/* The directories that the base doesn't have. */
static void stage_probe(struct run *run, const char *path)
{
	int err;

	if (!strstr(path, "probes/0"))
		return;
	must_put(run, "M/probes/nr_probes", "1");
	if (strstr(path, "probes/0/filters/0")) {
		must_put(run, "M/probes/0/filters/nr_filters", "1");
		must_put(run, "M/probes/0/filters/0/type", "anon");
	}
	err = put(run, STATE, "commit");
	if (err == -EOPNOTSUPP)
		skip_unsupported(run);
	else if (err)
		complain(run, "%s: commit: expected 0, got %s", path, strerror(-err));
}

static void try_effect(struct run *run, const char *path, const char *effect)
{
	char *copy = strdup(effect), *rest = copy, *value, *equals, *before, *after;
	char text[256], expected[256];
	int err;

	stage_running(run);
	stage_probe(run, path);
	before = get(run, IN_FORCE);
	value = write_assignments(run, &rest);
	if (strcmp(value, "."))
		must_put(run, path, unescape(run, value, strlen(value), text));
	after = get(run, IN_FORCE);
	if (strcmp(before, after))
		complain(run, "%s: in force before it was committed", path);
	free(before);
	free(after);
	err = put(run, STATE, "commit");
	if (err == -EOPNOTSUPP) {
		skip_unsupported(run);
	} else if (err) {
		char *why = get(run, ERROR);

		complain(run, "%s: commit: expected 0, got %s: %s", path, strerror(-err), why);
		free(why);
	} else {
		equals = strchr(rest, '=');
		*equals = '\0';
		unescape(run, equals + 1, strlen(equals + 1), expected);
		in_force_at(run, rest, text, sizeof(text));
		if (strcmp(text, expected))
			complain(run, "%s: in force after commit: expected %s '%s', got '%s'", path,
				 rest, expected, text);
	}
	free(copy);
}

/* Kind, assignments, errno, part of the reason */
static void try_commit(struct run *run, const struct row *row)
{
	char *copy = strdup(row->fields[1]), *rest = copy, *before, *after, *why;
	int err;

	stage_running(run);
	before = get(run, IN_FORCE);
	write_assignments(run, &rest);
	err = put(run, STATE, "commit");
	if (err != errno_of(row->fields[2]))
		complain(run, "expected %s, got %s", row->fields[2], strerror(-err));
	why = get(run, ERROR);
	if (!strstr(why, row->fields[3]) || strncmp(why, "commit: ", 8))
		complain(run, "expected 'commit: ... %s' in \"error\", got '%s'", row->fields[3],
			 why);
	after = get(run, IN_FORCE);
	if (strcmp(before, after))
		complain(run, "a refused commit changed what is in force");
	free(why);
	free(before);
	free(after);
	free(copy);
}

static void try_missing(struct run *run, const char *path)
{
	char full[SYSFS_PATH_MAX];
	struct sysfs_stat st;
	int err;

	stage_base(run, false);
	err = run->tree->stat(run->tree->data, expand(run, path, full), &st);
	if (err != -ENOENT)
		complain(run, "%s: expected ENOENT, got %s", path, strerror(-err));
}

static void run_off(struct run *run)
{
	size_t i;

	for (i = 0; i < run->nr; i++) {
		const struct row *row = &run->rows[i];

		if (!strcmp(row->fields[0], "file")) {
			try_file(run, row);
			end_test(run, "file", row->fields[1]);
		} else if (!strcmp(row->fields[0], "missing")) {
			try_missing(run, row->fields[1]);
			end_test(run, "missing", row->fields[1]);
		}
	}
}

static void run_on(struct run *run)
{
	size_t i;

	stage_base(run, false);
	for (i = 0; i < run->nr; i++) {
		const struct row *row = &run->rows[i];

		if (!strcmp(row->fields[0], "file") && strcmp(row->fields[7], "-")) {
			try_effect(run, row->fields[1], row->fields[7]);
			end_test(run, "effect", row->fields[1]);
		} else if (!strcmp(row->fields[0], "commit")) {
			try_commit(run, row);
			end_test(run, "commit", row->fields[1]);
		}
	}
	must_put(run, STATE, "off");
	must_put(run, "A/nr_kdamonds", "0");
	end_test(run, "end", "");
}

int rows_run(const char *spec, const struct rows_tree *tree)
{
	struct run *run = calloc(1, sizeof(*run));
	size_t i, field;
	int ret;

	if (!run)
		return -ENOMEM;
	run->tree = tree;
	ret = load(run, spec);
	if (!ret) {
		run_off(run);
		run_on(run);
		printf("1..%u\n", run->nr_tests);
		ret = (int)run->nr_failed;
	}
	for (i = 0; i < run->nr; i++)
		for (field = 0; field < MAX_FIELDS; field++)
			free(run->rows[i].fields[field]);
	free(run);
	return ret;
}
