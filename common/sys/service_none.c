#include "common/sys/service.h"

/* No service manager that hands over sockets or wants to be told anything. */

int service_socket(const char *name)
{
    (void)name;
    return -1;
}

int service_socket_unix(const char *name, const char *path)
{
    (void)name;
    (void)path;
    return -1;
}

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
