/*
 * Plays systemd-logind on the bus that DBUS_SYSTEM_BUS_ADDRESS names, as far as delaying a sleep
 * goes.  Standard output tells what happens: "inhibit WHAT MODE" when somebody takes a lock,
 * "released" when nobody holds one any more.  Standard input: "sleep" and "wake" are announced.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#define LOGIND "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
#define MANAGER "org.freedesktop.login1.Manager"

static int our_end = -1; /* of the lock that was given out last */

static void must(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-rc));
    exit(1);
}

static int inhibit(sd_bus_message *call, void *arg, sd_bus_error *error)
{
    const char *what, *who, *why, *mode;
    int fds[2], rc;

    (void)arg;
    (void)error;
    must(sd_bus_message_read(call, "ssss", &what, &who, &why, &mode), "arguments");
    if (pipe(fds) != 0)
        exit(1);
    if (our_end >= 0)
        close(our_end);
    our_end = fds[0];
    rc = sd_bus_reply_method_return(call, "h", fds[1]);
    close(fds[1]); /* the message has its own */
    printf("inhibit %s %s\n", what, mode);
    fflush(stdout);
    return rc;
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Inhibit", "ssss", "h", inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_SIGNAL("PrepareForSleep", "b", 0),
    SD_BUS_VTABLE_END,
};

/* The other end is gone when nobody has it open. */
static void look_at_lock(short revents)
{
    if ((revents & POLLHUP) == 0)
        return;
    close(our_end);
    our_end = -1;
    puts("released");
    fflush(stdout);
}

static int announce(sd_bus *bus)
{
    char line[64];
    ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);

    if (n <= 0)
        return 0;
    line[n] = '\0';
    must(sd_bus_emit_signal(bus, LOGIND_PATH, MANAGER, "PrepareForSleep", "b",
                            strncmp(line, "sleep", 5) == 0),
         "signal");
    return 1;
}

int main(void)
{
    struct pollfd fds[3] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    sd_bus *bus;
    int rc;

    must(sd_bus_open_system(&bus), "bus");
    must(sd_bus_add_object_vtable(bus, NULL, LOGIND_PATH, MANAGER, vtable, NULL), "object");
    must(sd_bus_request_name(bus, LOGIND, 0), "name");
    for (;;) {
        while ((rc = sd_bus_process(bus, NULL)) > 0)
            ;
        must(rc, "process");
        sd_bus_flush(bus);
        fds[1] = (struct pollfd){.fd = sd_bus_get_fd(bus), .events = POLLIN};
        fds[2] = (struct pollfd){.fd = our_end};
        if (poll(fds, 3, -1) <= 0)
            continue;
        if (our_end >= 0)
            look_at_lock(fds[2].revents);
        if (fds[0].revents != 0 && !announce(bus))
            break;
    }
    sd_bus_flush_close_unref(bus);
    return 0;
}
