#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/str.h"
#include "net/bus_systemd.h"

#include "daemon/system/desktop.h"

/* The Desktop Notifications Specification, 1.2 */
#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"

struct desktop {
    struct bus *bus; /* NULL: it is done */
};

static void on_lost(void *arg)
{
    struct desktop *t = arg;

    bus_close(t->bus);
    t->bus = NULL;
}

static int on_shown(sd_bus_message *answer, void *arg, sd_bus_error *error)
{
    (void)arg;
    (void)error;
    if (sd_bus_message_is_method_error(answer, NULL))
        log_debug("desktop error=\"%s\"", sd_bus_message_get_error(answer)->name);
    else
        log_debug("desktop shown=yes");
    return 0;
}

/* Application, what it replaces, icon, both texts, no actions, urgency "normal", the desktop's own
 * time. */
static int ask(struct desktop *t, const char *summary, const char *body)
{
    sd_bus_message *q = NULL;
    int rc = sd_bus_message_new_method_call(bus_sd(t->bus), &q, NAME, PATH, NAME, "Notify");

    if (rc >= 0)
        rc = sd_bus_message_set_auto_start(q, 0);
    if (rc >= 0)
        rc = sd_bus_message_append(q, "susssasa{sv}i", "Codeteleport", 0U, "dialog-warning",
                                   summary, body, 0, 1, "urgency", "y", 1, -1);
    if (rc >= 0)
        rc = sd_bus_call_async(bus_sd(t->bus), NULL, q, on_shown, t, 0);
    sd_bus_message_unref(q);
    return rc;
}

struct desktop *desktop_say(struct event_base *base, const char *summary, const char *body)
{
    struct desktop *t = str_calloc(1, sizeof(*t));
    int rc;

    if (bus_open_user(base, on_lost, t, &t->bus) != 0) {
        log_debug("desktop error=\"%s\"", strerror(errno));
        free(t);
        return NULL;
    }
    rc = ask(t, summary, body);
    if (rc < 0)
        log_debug("desktop error=\"%s\"", strerror(-rc));
    bus_arm(t->bus);
    return t;
}

void desktop_free(struct desktop *t)
{
    if (t == NULL)
        return;
    bus_close(t->bus);
    free(t);
}
