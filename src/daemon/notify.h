/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Telling the service manager that started the daemon how it is; without one nothing happens.
 */
#ifndef UDAMON_DAEMON_NOTIFY_H
#define UDAMON_DAEMON_NOTIFY_H

#include <stdint.h>

/** notify_ready() - it serves; @status is what to show of it */
void notify_ready(const char *status);

/** notify_reloading() - the configuration is being read again; notify_ready() ends that */
void notify_reloading(void);

/** notify_stopping() - the end has begun */
void notify_stopping(void);

/** notify_alive() - for the watchdog */
void notify_alive(void);

/** notify_alive_us() - how often notify_alive() is expected at least; 0: never */
uint64_t notify_alive_us(void);

#endif
