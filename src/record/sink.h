/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where an export goes: a buffered stream, compressed on the way if wanted, that remembers its
 * first error.
 */
#ifndef UDAMON_RECORD_SINK_H
#define UDAMON_RECORD_SINK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <zlib.h>

#define SINK_SIZE (64 * 1024)

/**
 * struct sink - begun by sink_begin(), ended by sink_end()
 * @error:	0, or the -errno of what went wrong first; what is put afterwards is dropped
 */
struct sink {
	FILE *out;
	bool compress;
	int error;
	z_stream stream;
	size_t used;
	char buffer[SINK_SIZE];
	unsigned char compressed[SINK_SIZE];
};

/** sink_begin() - 0 or -ENOMEM */
int sink_begin(struct sink *sink, FILE *out, bool compress);

/** sink_put() - as printf; at most SINK_SIZE - 1 bytes at once */
__attribute__((format(printf, 2, 3))) void sink_put(struct sink *sink, const char *format, ...);

/** sink_put_text() - as it is */
void sink_put_text(struct sink *sink, const char *text);

/**
 * sink_put_json() - a JSON string, with its quotes
 *
 * File names and command lines need not be UTF-8 while JSON must: bytes that are not become U+FFFD.
 */
void sink_put_json(struct sink *sink, const char *text);

/** sink_end() - write the rest and free; 0 or -errno */
int sink_end(struct sink *sink);

#endif
