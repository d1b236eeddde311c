// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Parameters on their way into the tree, and what was there before. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/staging.h"

void settings_clear(struct settings *settings)
{
	for (size_t i = 0; i < settings->nr; i++) {
		free(settings->list[i].path);
		free(settings->list[i].value);
	}
	free(settings->list);
	*settings = (struct settings){0};
}

/* Takes @path and @value over. */
static void append(struct settings *settings, char *path, char *value, bool neutral)
{
	if (settings->nr == settings->capacity) {
		size_t capacity = settings->capacity ? 2 * settings->capacity : 64;
		struct setting *list = reallocarray(settings->list, capacity, sizeof(*list));

		if (list) {
			settings->list = list;
			settings->capacity = capacity;
		}
	}
	if (!path || !value || settings->nr == settings->capacity) {
		settings->incomplete = true;
		free(path);
		free(value);
		return;
	}
	settings->list[settings->nr++] = (struct setting){path, value, neutral};
}

static char *print_path(const char *fmt, va_list ap)
{
	char *path;

	return vasprintf(&path, fmt, ap) < 0 ? NULL : path;
}

void settings_number(struct settings *settings, uint64_t value, uint64_t neutral, const char *fmt,
		     ...)
{
	char text[24];
	va_list ap;

	snprintf(text, sizeof(text), "%" PRIu64, value);
	va_start(ap, fmt);
	append(settings, print_path(fmt, ap), strdup(text), value == neutral);
	va_end(ap);
}

void settings_signed(struct settings *settings, int64_t value, int64_t neutral, const char *fmt,
		     ...)
{
	char text[24];
	va_list ap;

	snprintf(text, sizeof(text), "%" PRId64, value);
	va_start(ap, fmt);
	append(settings, print_path(fmt, ap), strdup(text), value == neutral);
	va_end(ap);
}

void settings_text(struct settings *settings, const char *value, const char *neutral,
		   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(settings, print_path(fmt, ap), strdup(value), neutral && !strcmp(value, neutral));
	va_end(ap);
}

const char *settings_find(const struct settings *settings, const char *path)
{
	for (size_t i = settings->nr; i--;)
		if (!strcmp(settings->list[i].path, path))
			return settings->list[i].value;
	return NULL;
}

static const char *name_in(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Files that make numbered folders beside them, anew with every write. */
static bool is_count(const char *path)
{
	static const char *const counts[] = {"nr_probes",  "nr_filters", "nr_targets", "nr_regions",
					     "nr_schemes", "nr_goals",	 "nr_dests"};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (!strcmp(name_in(path), counts[i]))
			return true;
	return false;
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return len && !strncmp(path, folder, len) && path[len] == '/';
}

bool settings_cover(const struct settings *settings, const char *path)
{
	char folder[TREE_PATH_SIZE];

	for (size_t i = 0; i < settings->nr; i++) {
		const char *own = settings->list[i].path;

		if (!strcmp(own, path))
			return true;
		if (is_count(own) &&
		    is_below(path, tree_path(folder, "%.*s", (int)(name_in(own) - own - 1), own)))
			return true;
	}
	return false;
}

/* One name in a folder. */
struct entry {
	char name[256];
	mode_t mode;
};

/* The count first, as it makes the rest; then files, then folders, numbers in their order. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (is_count(x->name) != is_count(y->name))
		return is_count(x->name) ? -1 : 1;
	if (S_ISDIR(x->mode) != S_ISDIR(y->mode))
		return S_ISDIR(x->mode) ? 1 : -1;
	return strverscmp(x->name, y->name);
}

static int list_folder(int fd, struct entry **entries, size_t *nr)
{
	DIR *dir = fdopendir(fd);
	struct dirent *found;
	size_t capacity = 0;
	int ret = 0;

	*entries = NULL;
	*nr = 0;
	if (!dir) {
		close(fd);
		return -errno;
	}
	while (!ret && (errno = 0, found = readdir(dir))) {
		struct stat st;

		if (found->d_name[0] == '.')
			continue;
		if (fstatat(dirfd(dir), found->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue; /* it has just been removed */
		if (*nr == capacity) {
			struct entry *larger;

			capacity = capacity ? 2 * capacity : 32;
			larger = reallocarray(*entries, capacity, sizeof(**entries));
			if (!larger) {
				ret = -ENOMEM;
				break;
			}
			*entries = larger;
		}
		snprintf((*entries)[*nr].name, sizeof((*entries)[*nr].name), "%s", found->d_name);
		(*entries)[(*nr)++].mode = st.st_mode;
	}
	if (!ret)
		ret = -errno;
	closedir(dir);
	if (!ret && *nr)
		qsort(*entries, *nr, sizeof(**entries), compare_entries);
	return ret;
}

static const char *context_path(char path[TREE_PATH_SIZE], const struct context_address *address,
				const char *below)
{
	return tree_path(path, "%u/contexts/%u%s%s", address->kdamond, address->context,
			 *below ? "/" : "", below);
}

int settings_read(struct settings *settings, const struct tree *tree,
		  const struct context_address *address, const char *folder)
{
	char path[TREE_PATH_SIZE], below[TREE_PATH_SIZE], value[TREE_VALUE_SIZE];
	struct entry *entries;
	size_t nr;
	int fd, ret;

	fd = openat(tree->dir_fd, context_path(path, address, folder),
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = list_folder(fd, &entries, &nr);
	for (size_t i = 0; i < nr && !ret; i++) {
		tree_path(below, "%s%s%s", folder, *folder ? "/" : "", entries[i].name);
		if (S_ISDIR(entries[i].mode)) {
			ret = settings_read(settings, tree, address, below);
		} else if (entries[i].mode & 0200) {
			ret = tree_get(tree, context_path(path, address, below), value);
			if (!ret)
				append(settings, strdup(below), strdup(value), false);
		}
		if (ret == -ENOENT) /* removed meanwhile */
			ret = 0;
	}
	free(entries);
	return ret ? ret : settings->incomplete ? -ENOMEM : 0;
}

/* Append to @undo what is staged where @path is about to be written. */
static int keep(struct settings *undo, const struct tree *tree,
		const struct context_address *address, const char *path, const char *present)
{
	char folder[TREE_PATH_SIZE];

	if (!is_count(path)) {
		append(undo, strdup(path), strdup(present), false);
		return undo->incomplete ? -ENOMEM : 0;
	}
	tree_path(folder, "%.*s", (int)(name_in(path) - path - 1), path);
	return settings_read(undo, tree, address, folder);
}

int settings_write(const struct settings *settings, const struct tree *tree,
		   const struct context_address *address, struct settings *undo)
{
	char path[TREE_PATH_SIZE], present[TREE_VALUE_SIZE], anew[TREE_PATH_SIZE] = "";
	int ret;

	if (settings->incomplete)
		return give_up(EXIT_FAILED, "out of memory");
	for (size_t i = 0; i < settings->nr; i++) {
		const struct setting *setting = &settings->list[i];
		bool count = is_count(setting->path);

		context_path(path, address, setting->path);
		ret = tree_get(tree, path, present);
		if (ret == -ENOENT && setting->neutral)
			continue;
		if (ret)
			return tree_failed(tree, path, setting->value, ret);
		if (!strcmp(present, setting->value) && (!count || !strcmp(present, "0")))
			continue;
		if (undo && !is_below(setting->path, anew)) {
			ret = keep(undo, tree, address, setting->path, present);
			if (ret)
				return tree_failed(tree, path, NULL, ret);
			if (count)
				tree_path(anew, "%.*s",
					  (int)(name_in(setting->path) - setting->path - 1),
					  setting->path);
		}
		ret = tree_put(tree, path, setting->value);
		if (ret)
			return tree_failed(tree, path, setting->value, ret);
	}
	return 0;
}

int settings_undo(const struct settings *undo, const struct tree *tree,
		  const struct context_address *address)
{
	int ret = settings_write(undo, tree, address, NULL);

	if (ret)
		return give_up(ret,
			       "'%u/%u': what was staged could not all be put back; see: udamon "
			       "status %u",
			       address->kdamond, address->context, address->kdamond);
	return 0;
}

#define INTERVALS "monitoring_attrs/intervals/"
#define REGIONS	  "monitoring_attrs/nr_regions/"

void settings_goal(struct settings *settings, const struct damon_intervals_goal *goal)
{
	/* Limits without tuning mean nothing; they are left as they are. */
	if (goal->aggrs) {
		settings_number(settings, goal->access_bp, 0, INTERVALS "intervals_goal/access_bp");
		settings_number(settings, goal->min_sample_us, 0,
				INTERVALS "intervals_goal/min_sample_us");
		settings_number(settings, goal->max_sample_us, 0,
				INTERVALS "intervals_goal/max_sample_us");
	}
	settings_number(settings, goal->aggrs, 0, INTERVALS "intervals_goal/aggrs");
}

void settings_attrs(struct settings *settings, const struct damon_attrs *attrs)
{
	settings_number(settings, attrs->sample_interval, UINT64_MAX, INTERVALS "sample_us");
	settings_number(settings, attrs->aggr_interval, UINT64_MAX, INTERVALS "aggr_us");
	settings_number(settings, attrs->ops_update_interval, UINT64_MAX, INTERVALS "update_us");
	settings_goal(settings, &attrs->intervals_goal);
	settings_number(settings, attrs->min_nr_regions, UINT64_MAX, REGIONS "min");
	settings_number(settings, attrs->max_nr_regions, UINT64_MAX, REGIONS "max");
}
