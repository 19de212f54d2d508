/* SPDX-License-Identifier: Apache-2.0 */
/* When: weekly windows in a time zone. The only file that sees GLib, whose zones, unlike the C library's, can be asked
 * by several threads. Zones come from the system's tzdata. */
#include "server/sign/policy.h"

#include <glib.h>
#include <string.h>

#include "common/text.h"

static GTimeZone *zone_open(const char *zone)
{
    /* "+02:00" and the like name a zone for GLib, and "" the machine's own: names only here. */
    if (strcmp(zone, "UTC") != 0 &&
        (strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") != strlen(zone) ||
         !strchr(zone, '/') || *zone == '/' || strstr(zone, "..")))
        return NULL;
    return g_time_zone_new_identifier(zone);
}

bool window_set_zone(struct window *w, const char *zone)
{
    GTimeZone *opened = zone_open(zone);
    if (!opened || !text_copy(w->zone, sizeof(w->zone), zone)) {
        if (opened)
            g_time_zone_unref(opened);
        return false;
    }
    window_clear(w);
    w->zone_data = opened;
    return true;
}

void window_clear(struct window *w)
{
    if (w->zone_data)
        g_time_zone_unref(w->zone_data);
    w->zone_data = NULL;
}

bool window_has(const struct window *w, int64_t when_ms)
{
    GTimeZone *zone = w->zone_data;
    if (!zone)
        return false;
    int64_t when_s = when_ms >= 0 ? when_ms / 1000 : (when_ms - 999) / 1000;
    int interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, when_s);
    int64_t local_s = when_s + g_time_zone_get_offset(zone, interval);

    enum { DAY_S = 86400, WEEK_DAYS = 7, EPOCH_WEEKDAY = 3 /* 1970-01-01 was a Thursday */ };
    int64_t days = local_s >= 0 ? local_s / DAY_S : (local_s - (DAY_S - 1)) / DAY_S;
    int minute = (int)((local_s - days * DAY_S) / 60);
    int weekday = (int)(((days + EPOCH_WEEKDAY) % WEEK_DAYS + WEEK_DAYS) % WEEK_DAYS);
    return (w->days & 1u << weekday) && minute >= w->from_minute && minute < w->to_minute;
}
