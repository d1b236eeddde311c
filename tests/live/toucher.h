/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * A process that touches the pages it is told to, over and over, and counts its rounds.
 */
#ifndef UDAMON_TESTS_TOUCHER_H
#define UDAMON_TESTS_TOUCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TOUCHER_PAGE 4096

/* What is touched: @nr pages from @first on, each @stride'th. */
struct toucher_pattern {
	uint64_t first;
	uint64_t nr;
	uint64_t stride;
};

struct toucher {
	pid_t pid;
	int pidfd;
	char *area; /* its address in the child */
	uint64_t size;
	volatile struct toucher_control *control;
};

/* Start it with @size bytes of memory of its own, all resident, in huge pages or none. */
void toucher_start(struct toucher *toucher, uint64_t size, bool huge);

/* Change what it touches; returns when it has begun with it. */
void toucher_set(struct toucher *toucher, const struct toucher_pattern *pattern);

/* Wait until it has touched everything at least once more since now. */
void toucher_round(struct toucher *toucher);

/* Does the pattern touch this page? */
bool toucher_touches(const struct toucher_pattern *pattern, uint64_t page);

void toucher_stop(struct toucher *toucher);

#endif
