#include "daemon/daemon.h"

/* No service manager that wants to be told anything. */

void notify_ready(const char *line)
{
    (void)line;
}

void notify_status(const char *line)
{
    (void)line;
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

int64_t notify_watchdog_ms(void)
{
    return 0;
}

void notify_alive(void)
{
}

int notify_listen_fd(void)
{
    return -1;
}
