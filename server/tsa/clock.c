/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the clock may be attested. The kernel knows: whoever disciplines the clock (chrony, ntpd, timesyncd, PTP)
 * tells it how good it is, and without news it calls the clock unsynchronised after a while. */
#include <sys/timex.h>

#include "server/tsa/internal.h"

void tsa_clock_kernel(void *arg, struct tsa_reading *out)
{
    struct timex kernel = {0};

    (void)arg;
    int state = ntp_adjtime(&kernel);
    *out = (struct tsa_reading){
        .is_synchronised = state >= 0 && state != TIME_ERROR && !(kernel.status & STA_UNSYNC),
        .is_leap = state == TIME_OOP,
        .maximum_error_us = kernel.maxerror,
        .estimated_error_us = kernel.esterror,
    };
    (void)clock_gettime(CLOCK_REALTIME, &out->now);
}

bool time_judge(const struct tsa_config *c, const struct tsa_reading *reading, struct refusal *r)
{
    if (reading->is_leap)
        return refuse(r, TS_INFO_TIME_NOT_AVAILABLE, "a leap second is under way");
    if (!c->checks_clock)
        return true;
    if (!reading->is_synchronised)
        return refuse(r, TS_INFO_TIME_NOT_AVAILABLE, "the clock is not synchronised");
    if (reading->maximum_error_us > c->clock_error_ms * 1000)
        return refuse(r, TS_INFO_TIME_NOT_AVAILABLE, "the clock may be wrong by %lld ms; %lld ms are allowed",
                      (long long)(reading->maximum_error_us / 1000), (long long)c->clock_error_ms);
    if (reading->estimated_error_us > c->accuracy_ms * 1000)
        return refuse(r, TS_INFO_TIME_NOT_AVAILABLE, "the clock is wrong by about %lld ms; %lld ms are allowed",
                      (long long)(reading->estimated_error_us / 1000), (long long)c->accuracy_ms);
    return true;
}

static bool is_before(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/* Read under the lock: else the slower of two threads would look like a clock that was set back. */
bool time_take(struct tsa *t, struct timespec *out, struct refusal *r)
{
    struct tsa_reading reading;
    bool good;

    (void)pthread_mutex_lock(&t->time.lock);
    t->config.clock(t->config.clock_arg, &reading);
    good = time_judge(&t->config, &reading, r);
    if (good && is_before(reading.now, t->time.last))
        good = refuse(r, TS_INFO_TIME_NOT_AVAILABLE, "the clock was set back behind the last timestamp");
    if (good)
        *out = t->time.last = reading.now;
    (void)pthread_mutex_unlock(&t->time.lock);
    return good;
}

void time_forget(struct tsa *t)
{
    (void)pthread_mutex_lock(&t->time.lock);
    t->time.last = (struct timespec){0};
    (void)pthread_mutex_unlock(&t->time.lock);
}
