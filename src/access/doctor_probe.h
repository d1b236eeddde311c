/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The part of the doctor's examination that needs the page-table reader.
 */
#ifndef UDAMON_ACCESS_DOCTOR_PROBE_H
#define UDAMON_ACCESS_DOCTOR_PROBE_H

#include <udamon/error.h>

#include "access/doctor.h"

/** doctor_note() - add a check to the answer */
__attribute__((format(printf, 4, 5))) void doctor_note(struct doctor *doctor, const char *name,
						       enum doctor_check_state state,
						       const char *format, ...);

/**
 * doctor_probe_reader() - load, calibrate, and use the reader on our own memory
 *
 * Adds its checks, and sets the page-table levels. Return: 0 when all that the point engine needs works;
 * else the -errno of what doesn't, and @err says it.
 */
int doctor_probe_reader(struct doctor *doctor, struct damon_error *err);

#endif
