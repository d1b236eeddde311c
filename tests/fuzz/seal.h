/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Giving a saved training a right checksum, so that what it holds gets looked at. */
#ifndef UDAMON_TESTS_SEAL_H
#define UDAMON_TESTS_SEAL_H

#include <stdint.h>

#include <zlib.h>

/* Where a file has the checksum of all that follows it. */
#define CRC_START 8
#define CRC_END	  12

static inline void seal(uint8_t *data, size_t size)
{
	uint32_t crc;

	if (size <= CRC_END)
		return;
	crc = (uint32_t)crc32(0, data + CRC_END, (uInt)(size - CRC_END));
	for (int i = 0; i < CRC_END - CRC_START; i++)
		data[CRC_START + i] = (uint8_t)(crc >> (8 * i));
}

#endif
