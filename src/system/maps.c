/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The mappings of a process.
 */
#include "system/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_TEXT_SIZE (64 * 1024)

static int grow_text(struct mapping_list *list, size_t size)
{
	char *text;

	if (size <= list->text_capacity)
		return 0;
	text = realloc(list->text, size);
	if (!text)
		return -ENOMEM;
	list->text = text;
	list->text_capacity = size;
	return 0;
}

static struct mapping *add_mapping(struct mapping_list *list)
{
	size_t capacity = list->capacity ? 2 * list->capacity : 64;
	struct mapping *mappings;

	if (list->nr == list->capacity) {
		mappings = realloc(list->mappings, capacity * sizeof(*mappings));
		if (!mappings)
			return NULL;
		list->mappings = mappings;
		list->capacity = capacity;
	}
	return &list->mappings[list->nr++];
}

/* "start-end perms offset major:minor inode [spaces path]"; the path stays where it is in the text. */
static int parse_line(struct mapping_list *list, char *line)
{
	struct mapping *mapping, parsed = {};
	int path_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*x:%*x %" SCNu64 "%n",
		   &parsed.start, &parsed.end, parsed.perms, &parsed.offset, &parsed.inode,
		   &path_at) != 5 ||
	    !path_at || parsed.start >= parsed.end)
		return -EINVAL;
	parsed.path = line + path_at + strspn(line + path_at, " \t");
	if (!strcmp(parsed.path, "[vsyscall]"))
		return 0;
	mapping = add_mapping(list);
	if (!mapping)
		return -ENOMEM;
	*mapping = parsed;
	return 0;
}

/* Cut the text into lines and those into mappings. */
static int parse_text(struct mapping_list *list)
{
	char *line, *end, *next;
	int ret = 0;

	list->nr = 0;
	for (line = list->text; *line && !ret; line = next) {
		end = strchrnul(line, '\n');
		next = *end ? end + 1 : end;
		*end = '\0';
		ret = parse_line(list, line);
	}
	if (ret)
		list->nr = 0;
	return ret;
}

int maps_parse(struct mapping_list *list, const char *text)
{
	size_t size = strlen(text) + 1;
	int ret = grow_text(list, size);

	list->nr = 0;
	if (ret)
		return ret;
	memcpy(list->text, text, size);
	return parse_text(list);
}

/* The whole file; it must be read to its end before anything is parsed, as the text may move. */
static int read_text(struct mapping_list *list, int fd)
{
	size_t used = 0;
	ssize_t len;
	int ret;

	for (;;) {
		ret = grow_text(list, list->text_capacity - used > 4096 ? list->text_capacity
				      : list->text_capacity		? 2 * list->text_capacity
									: FIRST_TEXT_SIZE);
		if (ret)
			return ret;
		len = read(fd, list->text + used, list->text_capacity - used - 1);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		if (len == 0)
			break;
		used += (size_t)len;
	}
	list->text[used] = '\0';
	return 0;
}

int maps_read(struct mapping_list *list, pid_t pid)
{
	char path[64];
	int fd, ret;

	list->nr = 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	ret = read_text(list, fd);
	close(fd);
	if (ret)
		return ret;
	ret = parse_text(list);
	return ret == -EINVAL ? -EIO : ret;
}

const struct mapping *maps_find(const struct mapping_list *list, uint64_t addr)
{
	size_t low = 0, high = list->nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (list->mappings[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == list->nr || list->mappings[low].start > addr)
		return NULL;
	return &list->mappings[low];
}

void maps_clear(struct mapping_list *list)
{
	free(list->mappings);
	free(list->text);
	*list = (struct mapping_list){};
}
