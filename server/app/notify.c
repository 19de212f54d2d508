/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify(3), when libsystemd was there at build time and NOTIFY_SOCKET is set. */
#include "server/app/notify.h"

#ifdef CHANCERY_SYSTEMD
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

void notify_ready(void)
{
    (void)sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    long long usec = (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", usec);
}

void notify_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}
#else
void notify_ready(void)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}
#endif
