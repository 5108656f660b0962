#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "common/sys/service.h"

#define STOP_SPARE_MS (20 * 1000) /* beyond what was asked for */

/* One has several sockets of the same name if its unit lists several addresses. */
static int find_socket(const char *name, const char *path)
{
    char **names = NULL;
    int n = sd_listen_fds_with_names(0, &names), ret = -1;

    for (int i = 0; i < n; i++) {
        int fd = SD_LISTEN_FDS_START + i, fits;

        if (ret < 0 && strcmp(names[i], name) == 0) {
            fits = path != NULL ? sd_is_socket_unix(fd, SOCK_STREAM, 1, path, 0)
                                : sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1);
            if (fits > 0)
                ret = fd;
        }
        free(names[i]);
    }
    free(names);
    return ret;
}

int service_socket(const char *name)
{
    return find_socket(name, NULL);
}

int service_socket_unix(const char *name, const char *path)
{
    return find_socket(name, path);
}

int service_is_there(void)
{
    return getenv("NOTIFY_SOCKET") != NULL;
}

/* One line, whatever it says: a further line would be a further message. */
static void tell(const char *first, const char *line)
{
    char text[512];
    size_t i;

    for (i = 0; line[i] != '\0' && i < sizeof(text) - 1; i++)
        text[i] = (unsigned char)line[i] < ' ' ? ' ' : line[i];
    text[i] = '\0';
    sd_notifyf(0, "%sSTATUS=%s", first, text);
}

void service_ready(const char *line)
{
    tell("READY=1\n", line);
}

void service_status(const char *line)
{
    tell("", line);
}

/* Type=notify-reload wants the time at which the reload began; Type=notify ignores it. */
void service_reloading(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
               (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

void service_stopping(int64_t patience_ms)
{
    sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld",
               (long long)(patience_ms + STOP_SPARE_MS) * 1000);
}

int64_t service_watchdog_ms(void)
{
    uint64_t usec;

    return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)(usec / 1000) : 0;
}

void service_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}
