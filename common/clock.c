/* SPDX-License-Identifier: Apache-2.0 */
/* Calendar arithmetic is done here and not by gmtime_r and timegm: glibc takes a lock in them, which a child of fork
 * may find locked for ever. Days are those of the proleptic Gregorian calendar. */
#include "common/clock.h"

#include <stdio.h>
#include <string.h>

enum { MS_PER_SECOND = 1000, SECONDS_PER_DAY = 86400, MS_PER_DAY = SECONDS_PER_DAY * MS_PER_SECOND };

static int64_t now_ms(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    return now_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
    return now_ms(CLOCK_MONOTONIC);
}

struct deadline deadline_in(int64_t timeout_ms)
{
    struct deadline d = {0};
    if (__builtin_add_overflow(clock_monotonic_ms(), timeout_ms, &d.at_ms))
        d.at_ms = timeout_ms > 0 ? INT64_MAX : 0;
    return d;
}

int64_t deadline_left_ms(struct deadline d)
{
    int64_t now = clock_monotonic_ms();
    return d.at_ms > now ? d.at_ms - now : 0;
}

bool deadline_passed(struct deadline d)
{
    return deadline_left_ms(d) == 0;
}

struct timespec deadline_timespec(struct deadline d)
{
    int64_t at_ms = d.at_ms > 0 ? d.at_ms : 0;
    return (struct timespec){.tv_sec = at_ms / MS_PER_SECOND, .tv_nsec = at_ms % MS_PER_SECOND * 1000000};
}

bool deadline_lock(pthread_mutex_t *mutex, struct deadline d)
{
#ifdef __SANITIZE_THREAD__ /* that of gcc 12 does not see that pthread_mutex_clocklock locks */
    struct timespec until = {0};
    int64_t left = deadline_left_ms(d);
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += left / 1000 + 1;
    return pthread_mutex_timedlock(mutex, &until) == 0;
#else
    struct timespec until = deadline_timespec(d);
    return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until) == 0;
#endif
}

struct date {
    int64_t year;
    int month, day;
};

/* The year begins in March here, so that the leap day is its last; an era is 400 years, 146097 days. */
static int64_t days_of(struct date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static struct date date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    return (struct date){.year = year_of_era + era * 400 + (month >= 10),
                         .month = (int)(month < 10 ? month + 3 : month - 9),
                         .day = (int)(day_of_year - (153 * month + 2) / 5 + 1)};
}

/* RFC 3339 has years 0000 to 9999; times outside are shown as the nearest it can say. */
static int64_t clamp(int64_t unix_ms)
{
    const int64_t first = days_of((struct date){0, 1, 1}) * MS_PER_DAY;
    const int64_t end = days_of((struct date){10000, 1, 1}) * MS_PER_DAY;
    if (unix_ms < first)
        return first;
    return unix_ms < end ? unix_ms : end - 1;
}

/* Splits into date and milliseconds of the day; the day is rounded down before 1970 too. */
static struct date split(int64_t unix_ms, int64_t *ms_of_day)
{
    unix_ms = clamp(unix_ms);
    int64_t days = (unix_ms >= 0 ? unix_ms : unix_ms - (MS_PER_DAY - 1)) / MS_PER_DAY;
    *ms_of_day = unix_ms - days * MS_PER_DAY;
    return date_of(days);
}

void time_format(int64_t unix_ms, char out[TIME_TEXT_SIZE])
{
    int64_t ms = 0;
    struct date date = split(unix_ms, &ms);
    (void)snprintf(out, TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)date.year, date.month, date.day,
                   (int)(ms / 3600000), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
}

void time_format_day(int64_t unix_ms, char out[TIME_TEXT_SIZE])
{
    int64_t ms = 0;
    struct date date = split(unix_ms, &ms);
    (void)snprintf(out, TIME_TEXT_SIZE, "%04d-%02d-%02d", (int)date.year, date.month, date.day);
}

/* Exactly count digits, no sign, no blank. */
static bool take_digits(const char **text, int count, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++, ++*text) {
        if (**text < '0' || **text > '9')
            return false;
        value = value * 10 + (**text - '0');
    }
    *out = value;
    return true;
}

static bool take_char(const char **text, const char *one_of)
{
    if (**text == '\0' || !strchr(one_of, **text))
        return false;
    ++*text;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(const char **text, int64_t *days)
{
    int year = 0, month = 0, day = 0;
    if (!take_digits(text, 4, &year) || !take_char(text, "-") || !take_digits(text, 2, &month) ||
        !take_char(text, "-") || !take_digits(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;

    *days = days_of((struct date){year, month, day});
    return true;
}

static bool take_time(const char **text, int *seconds)
{
    int hour = 0, minute = 0, second = 0;
    if (!take_digits(text, 2, &hour) || !take_char(text, ":") || !take_digits(text, 2, &minute) ||
        !take_char(text, ":") || !take_digits(text, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;

    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* Optional; at most nine digits, of which milliseconds are kept. */
static bool take_fraction(const char **text, int *ms)
{
    *ms = 0;
    if (!take_char(text, "."))
        return true;

    int digit = 0, weight = 100, count = 0;
    for (; take_digits(text, 1, &digit); count++, weight /= 10)
        *ms += digit * weight;
    return count >= 1 && count <= 9;
}

static bool take_offset(const char **text, int *seconds)
{
    int hour = 0, minute = 0;
    *seconds = 0;
    if (take_char(text, "Zz"))
        return true;

    bool west = **text == '-';
    if (!take_char(text, "+-") || !take_digits(text, 2, &hour) || !take_char(text, ":") ||
        !take_digits(text, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *seconds = (hour * 3600 + minute * 60) * (west ? -1 : 1);
    return true;
}

status time_parse(const char *text, int64_t *unix_ms, struct error *err)
{
    const char *at = text ? text : "";
    int64_t days = 0;
    int seconds = 0, ms = 0, offset = 0;
    bool valid = take_date(&at, &days) && take_char(&at, "Tt");
    valid = valid && take_time(&at, &seconds) && take_fraction(&at, &ms) && take_offset(&at, &offset) && *at == '\0';

    int64_t total = days * SECONDS_PER_DAY + seconds - offset;
    /* A leap second ends a day of UTC (RFC 3339 §5.7), and Unix time counts it as the first of the next. */
    if (valid && seconds % 60 == 0 && strncmp(text + 17, "60", 2) == 0)
        valid = total % SECONDS_PER_DAY == 0;
    if (!valid)
        return error_set(err, CODE_INVALID, "a time such as 2026-01-31T12:34:56Z is expected (RFC 3339)");

    *unix_ms = total * MS_PER_SECOND + ms;
    return OK;
}
