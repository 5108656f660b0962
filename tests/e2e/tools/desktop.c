/*
 * Plays a desktop that shows notifications, on the bus that DBUS_SESSION_BUS_ADDRESS names.
 * Standard output: "notify SUMMARY|BODY" for each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"

static void must(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-rc));
    exit(1);
}

static int notify(sd_bus_message *call, void *arg, sd_bus_error *error)
{
    const char *application, *icon, *summary, *body;
    uint32_t replaces;

    (void)arg;
    (void)error;
    must(sd_bus_message_read(call, "susss", &application, &replaces, &icon, &summary, &body),
         "arguments");
    printf("notify %s|%s\n", summary, body);
    fflush(stdout);
    return sd_bus_reply_method_return(call, "u", 7U);
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Notify", "susssasa{sv}i", "u", notify, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

int main(void)
{
    sd_bus *bus;

    must(sd_bus_open_user(&bus), "open");
    must(sd_bus_add_object_vtable(bus, NULL, PATH, NAME, vtable, NULL), "object");
    must(sd_bus_request_name(bus, NAME, 0), "name");
    puts("ready");
    fflush(stdout);
    for (;;) {
        int rc = sd_bus_process(bus, NULL);
        if (rc == 0)
            rc = sd_bus_wait(bus, UINT64_MAX);
        if (rc < 0)
            return 0;
    }
}
