// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Gives a fuzzer each kept input, for builds without libFuzzer. usage: PROGRAM NAME FILE... */
#include <string.h>

#include "fuzz.h"

static int replay(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file)
		return -1;
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	return LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	int i, failed = argc < 3;

	for (i = 2; i < argc; i++)
		if (replay(argv[i])) {
			printf("# cannot read '%s'\n", argv[i]);
			failed = 1;
		}
	printf("%s 1 - %s, %d kept inputs\n1..1\n", failed ? "not ok" : "ok",
	       argc > 1 ? argv[1] : "?", argc - 2);
	return failed;
}
