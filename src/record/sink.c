// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Where an export goes: a buffered stream, compressed on the way if wanted. */
#include <errno.h>
#include <string.h>

#include "record/sink.h"

static void write_out(struct sink *sink, const void *data, size_t size)
{
	errno = 0;
	if (size && !sink->error && fwrite(data, 1, size, sink->out) != size)
		sink->error = errno ? -errno : -EIO;
}

static void compress_buffer(struct sink *sink, int flush)
{
	z_stream *stream = &sink->stream;

	stream->next_in = (unsigned char *)sink->buffer;
	stream->avail_in = (unsigned int)sink->used;
	do {
		stream->next_out = sink->compressed;
		stream->avail_out = sizeof(sink->compressed);
		deflate(stream, flush);
		write_out(sink, sink->compressed, sizeof(sink->compressed) - stream->avail_out);
	} while (stream->avail_out == 0 && !sink->error);
}

static void empty_buffer(struct sink *sink, int flush)
{
	if (sink->compress)
		compress_buffer(sink, flush);
	else
		write_out(sink, sink->buffer, sink->used);
	sink->used = 0;
}

int sink_begin(struct sink *sink, FILE *out, bool compress)
{
	sink->out = out;
	sink->compress = compress;
	sink->error = 0;
	sink->used = 0;
	memset(&sink->stream, 0, sizeof(sink->stream));
	if (compress && deflateInit(&sink->stream, Z_DEFAULT_COMPRESSION) != Z_OK)
		return -ENOMEM;
	return 0;
}

void sink_put(struct sink *sink, const char *format, ...)
{
	va_list args;
	size_t room;
	int size;

	for (int try = 0; try < 2; try++) {
		room = sizeof(sink->buffer) - sink->used;
		va_start(args, format);
		size = vsnprintf(sink->buffer + sink->used, room, format, args);
		va_end(args);
		if (size >= 0 && (size_t)size < room) {
			sink->used += (size_t)size;
			return;
		}
		empty_buffer(sink, Z_NO_FLUSH);
	}
	if (!sink->error)
		sink->error = -EOVERFLOW;
}

static void put_bytes(struct sink *sink, const char *bytes, size_t size)
{
	while (size) {
		size_t part = sizeof(sink->buffer) - sink->used;

		if (part > size)
			part = size;
		memcpy(sink->buffer + sink->used, bytes, part);
		sink->used += part;
		bytes += part;
		size -= part;
		if (sink->used == sizeof(sink->buffer))
			empty_buffer(sink, Z_NO_FLUSH);
	}
}

void sink_put_text(struct sink *sink, const char *text)
{
	put_bytes(sink, text, strlen(text));
}

/* Length of the UTF-8 sequence at @s (RFC 3629: shortest form, no surrogates), 0 if there is none. */
static size_t utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return length;
}

void sink_put_json(struct sink *sink, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	put_bytes(sink, "\"", 1);
	while (*s) {
		size_t length = utf8_length(s);

		if (length == 0) {
			sink_put_text(sink, "\\ufffd");
			length = 1;
		} else if (*s == '"' || *s == '\\') {
			sink_put(sink, "\\%c", *s);
		} else if (*s < 0x20) {
			sink_put(sink, "\\u%04x", *s);
		} else {
			put_bytes(sink, (const char *)s, length);
		}
		s += length;
	}
	put_bytes(sink, "\"", 1);
}

int sink_end(struct sink *sink)
{
	empty_buffer(sink, Z_FINISH);
	if (sink->compress)
		deflateEnd(&sink->stream);
	errno = 0;
	if (!sink->error && fflush(sink->out) != 0)
		sink->error = errno ? -errno : -EIO;
	return sink->error;
}
