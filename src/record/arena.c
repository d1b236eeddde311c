// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Texts that are freed all at once. */
#include <stdlib.h>
#include <string.h>

#include "record/arena.h"

struct arena_text {
	struct arena_text *before;
	char text[];
};

const char *arena_copy(struct arena *arena, const char *text)
{
	size_t size;
	struct arena_text *copy;

	if (!text || !*text)
		return "";
	size = strlen(text) + 1;
	copy = malloc(sizeof(*copy) + size);
	if (!copy)
		return NULL;
	copy->before = arena->last;
	arena->last = copy;
	return memcpy(copy->text, text, size);
}

const char *arena_intern(struct arena *arena, const char *text)
{
	for (struct arena_text *have = arena->last; have && text; have = have->before)
		if (strcmp(have->text, text) == 0)
			return have->text;
	return arena_copy(arena, text);
}

void arena_clear(struct arena *arena)
{
	struct arena_text *text = arena->last, *before;

	for (; text; text = before) {
		before = text->before;
		free(text);
	}
	arena->last = NULL;
}
