#include "server/service.h"

/* No service manager that hands over sockets or wants to be told anything. */

int service_socket(const char *name)
{
    (void)name;
    return -1;
}

void service_ready(const char *line)
{
    (void)line;
}

void service_reloading(void)
{
}

void service_stopping(void)
{
}
