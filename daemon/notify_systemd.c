#include <stdint.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "daemon/daemon.h"

void notify_ready(const char *line)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", line);
}

void notify_status(const char *line)
{
    sd_notifyf(0, "STATUS=%s", line);
}

/* Type=notify-reload wants the time at which the reload began; Type=notify ignores it. */
void notify_reloading(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
               (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

int64_t notify_watchdog_ms(void)
{
    uint64_t usec;

    return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)(usec / 1000) : 0;
}

void notify_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

int notify_listen_fd(void)
{
    return sd_listen_fds(1) >= 1 ? SD_LISTEN_FDS_START : -1;
}
