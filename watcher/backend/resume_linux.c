#include <sys/timerfd.h>

#include <limits.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "common/base/now.h"

#include "watcher/backend/resume.h"

/* The end of time, whatever the width of time_t is. */
#define NEVER ((time_t)((UINT64_C(1) << (sizeof(time_t) * CHAR_BIT - 1)) - 1))

/* A timer of the wall clock that never runs out, but is cancelled (read() says ECANCELED) when that
 * clock is set.  Waking up sets it too: Linux calls timerfd_clock_was_set() when timekeeping goes
 * on.  See timerfd_create(2), TFD_TIMER_CANCEL_ON_SET.  It stays armed after that. */
int resume_system_open(void)
{
    struct itimerspec never = {.it_value = {.tv_sec = NEVER}};
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

    if (fd == -1)
        return -1;
    if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The one clock goes on in suspend, the other does not, and nobody can set either. */
int64_t resume_system_asleep_ms(void)
{
    return now_boot_ms() - now_mono_ms();
}
