/* Written from clock_gettime(3) of macOS, and compiled with its headers; not yet run on one. */
#include <time.h>

#include "watcher/backend/resume.h"

/* Nothing wakes us for it: whatever happens next is the occasion to look. */
int resume_system_open(void)
{
    return -1;
}

/* The one clock goes on in sleep, the other does not, and nobody can set either. */
int64_t resume_system_asleep_ms(void)
{
    return (int64_t)(clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW) / 1000000) -
           (int64_t)(clock_gettime_nsec_np(CLOCK_UPTIME_RAW) / 1000000);
}
