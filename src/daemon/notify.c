// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Telling the service manager how the daemon is, by libsystemd where it was built with it. */
#include "daemon/notify.h"

#ifdef HAVE_SYSTEMD

#include <inttypes.h>

#include <systemd/sd-daemon.h>

#include "system/clock.h"

/* Where nobody listens, or the message is lost, the daemon serves all the same. */
void notify_ready(const char *status)
{
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_reloading(void)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			 clock_ns(CLOCK_MONOTONIC) / 1000);
}

void notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void notify_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

uint64_t notify_alive_us(void)
{
	uint64_t us = 0;

	return sd_watchdog_enabled(0, &us) > 0 ? us / 2 : 0;
}

#else

void notify_ready(const char *status)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

void notify_alive(void)
{
}

uint64_t notify_alive_us(void)
{
	return 0;
}

#endif
