/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The text that goes with a -errno where the number alone would not help.
 */
#ifndef UDAMON_ERROR_H
#define UDAMON_ERROR_H

#include <stdarg.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** struct damon_error - one line, without a newline: what failed, on which object, why */
struct damon_error {
	char text[512];
};

/**
 * damon_error_set() - put a text into @err, if there is one, and pass @code through
 * @err:	where the text goes; may be NULL
 * @code:	the -errno that is returned
 * @fmt:	as for printf; the value that was wrong is quoted in it
 *
 * Control characters, which a value may have, become '?': the text stays one line.
 * Return: @code
 */
__attribute__((format(printf, 3, 4))) static inline int
damon_error_set(struct damon_error *err, int code, const char *fmt, ...)
{
	va_list ap;
	char *c;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	for (c = err->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return code;
}

#ifdef __cplusplus
}
#endif
#endif
