// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Reading parameters from JSON: objects by tables of keys, and errors with their place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "params/json_read.h"

/* A file of parameters is small; what is larger isn't one. */
#define FILE_SZ_MAX (16 << 20)

/* Appends to the place; returns where it ended before. */
static size_t enter(struct json_reader *r, const char *key, size_t index)
{
	size_t len = strlen(r->path), room = sizeof(r->path) - len;

	if (key)
		snprintf(r->path + len, room, "%s%s", len ? "." : "", key);
	else
		snprintf(r->path + len, room, "[%zu]", index);
	return len;
}

int json_refuse(const struct json_reader *r, const json_t *value, const char *expected)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	const char *inner = json_string_value(value);
	int ret = damon_error_set(r->err, -EINVAL, "%s: '%.100s': expected %s", r->path,
				  inner ? inner : (text ? text : "?"), expected);

	free(text);
	return ret;
}

int json_no_memory(const struct json_reader *r)
{
	return damon_error_set(r->err, -ENOMEM, "%s: no memory", r->path);
}

static int unknown_key(const struct json_reader *r, const char *name, const struct json_key *keys)
{
	char names[400] = "";
	size_t used = 0;

	for (; keys->name && used < sizeof(names); keys++)
		if (keys->take)
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 used ? ", " : "", keys->name);
	return damon_error_set(r->err, -EINVAL, "%s%sunknown key '%s': expected one of %s", r->path,
			       r->path[0] ? ": " : "", name, names);
}

static bool given(const json_t *object, const struct json_key *key)
{
	const json_t *member = json_object_get(object, key->name);

	return key->take && member && !json_is_null(member);
}

/* Of two names of the same parameter, only one may be there. */
static int check_twins(const struct json_reader *r, const json_t *object,
		       const struct json_key *keys, const struct json_key *key)
{
	for (; keys < key; keys++)
		if (keys->take == key->take && keys->offset == key->offset && given(object, keys))
			return damon_error_set(r->err, -EINVAL,
					       "%s%s'%s' and '%s': expected one of them, they say "
					       "the same",
					       r->path, r->path[0] ? ": " : "", keys->name,
					       key->name);
	return 0;
}

int json_take_object(struct json_reader *r, const json_t *value, const struct json_key *keys,
		     void *to)
{
	const struct json_key *key;
	const char *name;
	json_t *member;

	if (!json_is_object(value))
		return json_refuse(r, value, "an object");
	json_object_foreach((json_t *)value, name, member)
	{
		for (key = keys; key->name && strcmp(key->name, name); key++)
			;
		if (!key->name)
			return unknown_key(r, name, keys);
	}
	for (key = keys; key->name; key++) {
		size_t len;
		int ret;

		if (!given(value, key))
			continue;
		ret = check_twins(r, value, keys, key);
		if (ret)
			return ret;
		len = enter(r, key->name, 0);
		ret = key->take(r, json_object_get(value, key->name), (char *)to + key->offset);
		if (ret)
			return ret;
		r->path[len] = '\0';
	}
	return 0;
}

int json_take_list(struct json_reader *r, const json_t *value,
		   int (*take)(struct json_reader *r, const json_t *value, void *to), void *to)
{
	size_t i;

	if (!json_is_array(value))
		return json_refuse(r, value, "a list");
	for (i = 0; i < json_array_size(value); i++) {
		size_t len = enter(r, NULL, i);
		int ret = take(r, json_array_get(value, i), to);

		if (ret)
			return ret;
		r->path[len] = '\0';
	}
	return 0;
}

static int read_error(const char *path, int code, struct damon_error *err)
{
	return damon_error_set(err, code, "'%s' can't be read: %s", path, strerror(-code));
}

static int read_whole(const char *path, char **text, size_t *len, struct damon_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;
	size_t room = 0;
	ssize_t n = 1;

	*text = NULL;
	*len = 0;
	if (fd < 0)
		return read_error(path, -errno, err);
	while (n > 0 && !ret) {
		if (*len == room) {
			char *more = realloc(*text, room + 65536);

			if (!more) {
				ret = damon_error_set(err, -ENOMEM, "no memory to read '%s'", path);
				break;
			}
			*text = more;
			room += 65536;
		}
		n = read(fd, *text + *len, room - *len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			ret = read_error(path, -errno, err);
		else
			*len += (size_t)n;
		if (*len > FILE_SZ_MAX)
			ret = damon_error_set(err, -EINVAL,
					      "'%s' is larger than 16 MiB: no file of parameters",
					      path);
	}
	close(fd);
	return ret;
}

int json_load_parameters(const char *path, json_t **json, struct damon_error *err)
{
	json_error_t error;
	char *text;
	size_t len;
	int ret = read_whole(path, &text, &len, err);

	*json = NULL;
	if (!ret) {
		*json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
		if (!*json)
			ret = damon_error_set(err, -EINVAL, "'%s' is no JSON: line %d: %s", path,
					      error.line, error.text);
	}
	free(text);
	return ret;
}
