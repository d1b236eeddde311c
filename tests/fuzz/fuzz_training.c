// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Files of what was learned: any bytes are refused in one line, or loaded. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>

#include <udamon/training.h>

#include "fuzz.h"

/* Where a file has the checksum of all that follows it. */
#define CRC_START 8
#define CRC_END	  12

static void load(struct damon_lib *lib, const uint8_t *data, size_t size)
{
	struct damon_training *training = NULL;
	struct damon_error err = {""};
	char path[64];
	int fd = memfd_create("training", MFD_CLOEXEC);

	MUST(fd >= 0);
	MUST(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (damon_training_load(&training, lib, path, &err))
		MUST(!training && err.text[0] && !strchr(err.text, '\n'));
	damon_training_free(training);
	close(fd);
}

/* With a right checksum, the rest gets looked at. */
static void load_sealed(struct damon_lib *lib, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size);
	uint32_t crc;

	MUST(copy);
	memcpy(copy, data, size);
	crc = (uint32_t)crc32(0, copy + CRC_END, (uInt)(size - CRC_END));
	for (int i = 0; i < CRC_END - CRC_START; i++)
		copy[CRC_START + i] = (uint8_t)(crc >> (8 * i));
	load(lib, copy, size);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct damon_port *port = damon_port_posix_new();
	struct damon_lib *lib;

	MUST(port && !damon_lib_new(&lib, port));
	load(lib, data, size);
	if (size > CRC_END)
		load_sealed(lib, data, size);
	damon_lib_free(lib);
	damon_port_posix_free(port);
	return 0;
}
