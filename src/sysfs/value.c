// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Parsing and printing of values.
 *
 * What is accepted is what the kernel's files accept: clients were written for those. A number's base
 * is told by its beginning (0x: 16, 0: 8); one "+" may stand in front; of a bool only the first letters
 * count; keywords are compared whole. One newline at the end belongs to none of them. What
 * follows a NUL isn't looked at.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "params/values.h"
#include "sysfs/value.h"

/* How much is allocated for @len bytes and a NUL. */
static size_t room_for(size_t len)
{
	size_t room = 64;

	while (room <= len)
		room *= 2;
	return room;
}

int sysfs_text_printf(struct sysfs_text *text, const char *fmt, ...)
{
	va_list ap, again;
	char *data = text->data;
	size_t len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = text->len + (size_t)vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (!data || room_for(len) != room_for(text->len))
		data = realloc(data, room_for(len));
	if (data) {
		vsnprintf(data + text->len, len - text->len + 1, fmt, again);
		text->data = data;
		text->len = len;
	}
	va_end(again);
	return data ? 0 : -ENOMEM;
}

void sysfs_text_free(struct sysfs_text *text)
{
	free(text->data);
	text->data = NULL;
	text->len = 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return INT_MAX;
}

/* Digits up to the end of the text. */
static int parse_digits(const char *text, uint64_t *number)
{
	uint64_t sum = 0;
	bool large = false;
	int base = 10;

	if (*text == '0' && (text[1] == 'x' || text[1] == 'X') && digit(text[2]) < 16) {
		base = 16;
		text += 2;
	} else if (*text == '0') {
		base = 8;
	}
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (digit(*text) >= base)
			return -EINVAL;
		large |= __builtin_mul_overflow(sum, (uint64_t)base, &sum);
		large |= __builtin_add_overflow(sum, (uint64_t)digit(*text), &sum);
	}
	if (large)
		return -ERANGE;
	*number = sum;
	return 0;
}

static int parse_signed(const char *text, uint64_t *number)
{
	bool negative = *text == '-';
	uint64_t size;
	int err = parse_digits(text + (*text == '-' || *text == '+'), &size);

	if (err)
		return err;
	if (size > (uint64_t)INT_MAX + negative)
		return -ERANGE;
	*number = negative ? 0 - size : size;
	return 0;
}

static int parse_unsigned(const char *text, uint64_t most, uint64_t *number)
{
	uint64_t sum;
	int err = parse_digits(text + (*text == '+'), &sum);

	if (err)
		return err;
	if (sum > most)
		return -ERANGE;
	*number = sum;
	return 0;
}

static int parse_bool(const char *text, uint64_t *number)
{
	char c = *text;

	if (c == 'o' || c == 'O')
		c = text[1] == 'n' || text[1] == 'N'   ? 'y'
		    : text[1] == 'f' || text[1] == 'F' ? 'n'
						       : 0;
	if (!c)
		return -EINVAL;
	if (strchr("yYtT1", c))
		*number = 1;
	else if (strchr("nNfF0", c))
		*number = 0;
	else
		return -EINVAL;
	return 0;
}

static int parse_keyword(const struct sysfs_row *row, const char *text, uint64_t *number)
{
	uint64_t i;

	for (i = 0; row->keywords[i]; i++) {
		if (strcmp(row->keywords[i], text))
			continue;
		*number = i;
		return 0;
	}
	return -EINVAL;
}

static int parse_number(const struct sysfs_row *row, const char *text, uint64_t *number)
{
	uint64_t new = 0;
	int err;

	switch (row->type) {
	case SYSFS_ULONG:
		err = parse_unsigned(text, UINT64_MAX, &new);
		break;
	case SYSFS_UINT:
		err = parse_unsigned(text, UINT32_MAX, &new);
		break;
	case SYSFS_INT:
	case SYSFS_COUNT:
		err = parse_signed(text, &new);
		break;
	case SYSFS_BOOL:
		err = parse_bool(text, &new);
		break;
	case SYSFS_KEYWORD:
		err = parse_keyword(row, text, &new);
		break;
	default:
		err = -EINVAL;
		break;
	}
	if (err == -ERANGE && row->lax)
		err = -EINVAL;
	if (!err && row->type == SYSFS_COUNT && new > INT_MAX)
		err = -EINVAL;
	if (!err && (new < row->min || (row->max && new > row->max)))
		err = -EINVAL;
	if (!err)
		*number = new;
	return err;
}

int sysfs_value_parse(const struct sysfs_row *row, const char *buf, size_t len,
		      struct sysfs_value *value)
{
	char *text;
	int err;

	if (len > SYSFS_WRITE_MAX)
		return -EINVAL;
	text = strndup(buf, len);
	if (!text)
		return -ENOMEM;
	if (row->type == SYSFS_STRING && !is_utf8(text)) {
		free(text);
		return -EINVAL; /* "in_force" and saved parameters are JSON */
	}
	if (row->type == SYSFS_STRING) {
		free(value->string);
		value->string = text; /* newline included, as the kernel's are */
		return 0;
	}
	len = strlen(text);
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	err = parse_number(row, text, &value->number);
	free(text);
	return err;
}

void sysfs_value_default(const struct sysfs_row *row, struct sysfs_value *value)
{
	*value = (struct sysfs_value){0};
	if (row->type == SYSFS_STRING || row->type == SYSFS_TEXT || !row->initial)
		return;
	if (parse_number(row, row->initial, &value->number))
		value->number = SYSFS_NO_KEYWORD;
}

const char *sysfs_value_keyword(const struct sysfs_row *row, const struct sysfs_value *value)
{
	return value->number == SYSFS_NO_KEYWORD ? row->initial : row->keywords[value->number];
}

int sysfs_value_print(const struct sysfs_row *row, const struct sysfs_value *value,
		      struct sysfs_text *text)
{
	switch (row->type) {
	case SYSFS_BOOL:
		return sysfs_text_printf(text, "%s\n", value->number ? "Y" : "N");
	case SYSFS_KEYWORD:
		return sysfs_text_printf(text, "%s\n", sysfs_value_keyword(row, value));
	case SYSFS_STRING:
		return sysfs_text_printf(text, "%s\n", value->string ? value->string : "");
	case SYSFS_INT:
		return sysfs_text_printf(text, "%lld\n", (long long)value->number);
	default:
		return sysfs_text_printf(text, "%llu\n", (unsigned long long)value->number);
	}
}
