/*
 * Plays NetworkManager on the bus that DBUS_SYSTEM_BUS_ADDRESS names, as far as its property
 * Metered goes: each line of standard input is a new value.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#define NM "org.freedesktop.NetworkManager"
#define NM_PATH "/org/freedesktop/NetworkManager"

static uint32_t metered;

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Metered", "u", NULL, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_VTABLE_END,
};

static void must(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-rc));
    exit(1);
}

int main(void)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    char line[64];
    sd_bus *bus;
    ssize_t n;
    int rc;

    must(sd_bus_open_system(&bus), "bus");
    must(sd_bus_add_object_vtable(bus, NULL, NM_PATH, NM, vtable, &metered), "object");
    must(sd_bus_request_name(bus, NM, 0), "name");
    for (;;) {
        while ((rc = sd_bus_process(bus, NULL)) > 0)
            ;
        must(rc, "process");
        sd_bus_flush(bus);
        fds[1] = (struct pollfd){.fd = sd_bus_get_fd(bus), .events = POLLIN};
        if (poll(fds, 2, -1) <= 0 || fds[0].revents == 0)
            continue;
        n = read(STDIN_FILENO, line, sizeof(line) - 1);
        if (n <= 0)
            break;
        line[n] = '\0';
        metered = (uint32_t)strtoul(line, NULL, 10);
        must(sd_bus_emit_properties_changed(bus, NM_PATH, NM, "Metered", NULL), "signal");
    }
    sd_bus_flush_close_unref(bus);
    return 0;
}
