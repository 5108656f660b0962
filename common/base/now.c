#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/now.h"

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t now_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

/* Darwin's CLOCK_MONOTONIC goes on in suspend and it has no CLOCK_BOOTTIME. */
#ifdef CLOCK_BOOTTIME
#define BOOT_CLOCK CLOCK_BOOTTIME
#else
#define BOOT_CLOCK CLOCK_MONOTONIC
#endif

int64_t now_boot_ms(void)
{
    return read_ms(BOOT_CLOCK);
}

int64_t now_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar; years are counted from March. */
static int64_t days_of(int64_t y, int m, int d)
{
    int64_t era, yoe, doy;

    y -= m <= 2;
    era = (y >= 0 ? y : y - 399) / 400;
    yoe = y - era * 400;
    doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

const char *now_rfc3339(int64_t wall_ms, char buf[32])
{
    int64_t sec = wall_ms / 1000, ms = wall_ms % 1000;
    struct tm tm;
    time_t t;
    size_t n;

    if (ms < 0) {
        ms += 1000;
        sec--;
    }
    t = (time_t)sec;
    gmtime_r(&t, &tm);
    n = strftime(buf, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(buf + n, 32 - n, ".%03uZ", (unsigned int)ms % 1000);
    return buf;
}

static int digits(const char **s, int n, int *ret)
{
    int v = 0;

    for (int i = 0; i < n; i++, (*s)++) {
        if (!isdigit((unsigned char)**s))
            return -1;
        v = v * 10 + (**s - '0');
    }
    *ret = v;
    return 0;
}

static int offset_minutes(const char *s, int *ret)
{
    int sign = *s == '-' ? -1 : 1, h, m;

    if (*s == 'Z' || *s == 'z') {
        *ret = 0;
        return s[1] == '\0' ? 0 : -1;
    }
    if (*s != '+' && *s != '-')
        return -1;
    s++;
    if (digits(&s, 2, &h) != 0 || *s++ != ':' || digits(&s, 2, &m) != 0 || *s != '\0')
        return -1;
    *ret = sign * (h * 60 + m);
    return h < 24 && m < 60 ? 0 : -1;
}

int now_parse_rfc3339(const char *s, int64_t *ret_wall_ms)
{
    int y, mo, d, h, mi, sec, ms = 0, off;

    if (digits(&s, 4, &y) != 0 || *s++ != '-' || digits(&s, 2, &mo) != 0 || *s++ != '-' ||
        digits(&s, 2, &d) != 0 || (*s != 'T' && *s != 't' && *s != ' '))
        return -1;
    s++;
    if (digits(&s, 2, &h) != 0 || *s++ != ':' || digits(&s, 2, &mi) != 0 || *s++ != ':' ||
        digits(&s, 2, &sec) != 0)
        return -1;
    if (*s == '.') {
        int scale = 100;
        if (!isdigit((unsigned char)*++s))
            return -1;
        for (; isdigit((unsigned char)*s); s++, scale /= 10)
            ms += (*s - '0') * scale;
    }
    if (offset_minutes(s, &off) != 0 || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 ||
        sec > 60)
        return -1;
    *ret_wall_ms =
        ((days_of(y, mo, d) * 24 + h) * 60 + mi - off) * 60000 + (int64_t)sec * 1000 + ms;
    return 0;
}
