/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Texts that are freed all at once.
 */
#ifndef UDAMON_RECORD_ARENA_H
#define UDAMON_RECORD_ARENA_H

struct arena_text;

/** struct arena - begins zeroed */
struct arena {
	struct arena_text *last;
};

/** arena_copy() - a copy that lives until arena_clear(); NULL counts as ""; NULL without memory */
const char *arena_copy(struct arena *arena, const char *text);

/** arena_intern() - the same, but equal texts share one copy; for few different texts */
const char *arena_intern(struct arena *arena, const char *text);

/** arena_clear() - free them all; the arena is as new */
void arena_clear(struct arena *arena);

#endif
