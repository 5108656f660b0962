#include "common/sys/service.h"

/* A service manager that wants to be told nothing, or none. */

int service_is_there(void)
{
    return 0;
}

void service_ready(const char *line)
{
    (void)line;
}

void service_status(const char *line)
{
    (void)line;
}

void service_reloading(void)
{
}

void service_stopping(int64_t patience_ms)
{
    (void)patience_ms;
}

int64_t service_watchdog_ms(void)
{
    return 0;
}

void service_alive(void)
{
}
