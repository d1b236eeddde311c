// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The udamon program: finds the command that was named and runs it. */
#include <stdio.h>

int main(void)
{
	printf("udamon %s\n", UDAMON_VERSION);
	return 0;
}
