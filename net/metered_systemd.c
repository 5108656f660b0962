#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <systemd/sd-bus.h>

#include "common/log.h"
#include "common/now.h"
#include "common/str.h"

#include "net/metered.h"

#define NM "org.freedesktop.NetworkManager"
#define NM_PATH "/org/freedesktop/NetworkManager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

/* NMMetered: what is guessed counts as well. */
enum { NM_METERED_YES = 1, NM_METERED_GUESS_YES = 3 };

struct metered {
    struct event_base *base;
    void (*changed)(void *arg, int is_metered);
    void *arg;
    int is_metered;
    sd_bus *bus; /* NULL: nobody to ask */
    struct event *ev;
};

static void arm(struct metered *m);

static void hang_up(struct metered *m)
{
    if (m->ev != NULL)
        event_free(m->ev);
    m->ev = NULL;
    sd_bus_close_unref(m->bus);
    m->bus = NULL;
}

static void set(struct metered *m, int is_metered)
{
    if (m->is_metered == is_metered)
        return;
    m->is_metered = is_metered;
    log_info("network-metered metered=%s", is_metered ? "yes" : "no");
    m->changed(m->arg, is_metered);
}

static int on_answer(sd_bus_message *answer, void *arg, sd_bus_error *error)
{
    struct metered *m = arg;
    uint32_t value = 0;

    (void)error;
    if (sd_bus_message_is_method_error(answer, NULL) ||
        sd_bus_message_read(answer, "v", "u", &value) < 0)
        value = 0; /* no NetworkManager here: unknown */
    set(m, value == NM_METERED_YES || value == NM_METERED_GUESS_YES);
    return 0;
}

static int ask(struct metered *m)
{
    sd_bus_message *q = NULL;
    int rc = sd_bus_message_new_method_call(m->bus, &q, NM, NM_PATH, PROPERTIES, "Get");

    if (rc >= 0)
        rc = sd_bus_message_set_auto_start(q, 0);
    if (rc >= 0)
        rc = sd_bus_message_append(q, "ss", NM, "Metered");
    if (rc >= 0)
        rc = sd_bus_call_async(m->bus, NULL, q, on_answer, m, 0);
    sd_bus_message_unref(q);
    return rc;
}

/* Whatever it was, one property is asked for; these signals are rare. */
static int on_signal(sd_bus_message *signal, void *arg, sd_bus_error *error)
{
    (void)signal;
    (void)error;
    ask(arg);
    return 0;
}

static void on_bus(evutil_socket_t fd, short what, void *arg)
{
    struct metered *m = arg;
    int rc;

    (void)fd;
    (void)what;
    while ((rc = sd_bus_process(m->bus, NULL)) > 0)
        ;
    if (rc < 0) {
        log_debug("network-metered error=\"%s\"", strerror(-rc));
        hang_up(m);
        set(m, 0);
        return;
    }
    arm(m);
}

/* What the bus waits for may be another thing each time. */
static void arm(struct metered *m)
{
    int events = sd_bus_get_events(m->bus);
    uint64_t at_us = UINT64_MAX, now_us = (uint64_t)now_mono_ms() * 1000;
    struct timeval tv = {0};
    short flags = 0;

    if (m->ev != NULL)
        event_free(m->ev);
    if (events > 0 && (events & POLLIN) != 0)
        flags |= EV_READ;
    if (events > 0 && (events & POLLOUT) != 0)
        flags |= EV_WRITE;
    m->ev = event_new(m->base, sd_bus_get_fd(m->bus), flags, on_bus, m);
    if (m->ev == NULL)
        abort();
    sd_bus_get_timeout(m->bus, &at_us);
    if (at_us != UINT64_MAX && at_us > now_us) {
        tv.tv_sec = (time_t)((at_us - now_us) / 1000000);
        tv.tv_usec = (suseconds_t)((at_us - now_us) % 1000000);
    }
    event_add(m->ev, at_us == UINT64_MAX ? NULL : &tv);
}

static int listen_to(struct metered *m)
{
    int rc = sd_bus_open_system(&m->bus);

    if (rc >= 0)
        rc = sd_bus_match_signal_async(m->bus, NULL, NM, NM_PATH, PROPERTIES, "PropertiesChanged",
                                       on_signal, NULL, m);
    if (rc >= 0)
        rc = sd_bus_add_match_async(m->bus, NULL,
                                    "type='signal',sender='org.freedesktop.DBus',"
                                    "member='NameOwnerChanged',arg0='" NM "'",
                                    on_signal, NULL, m);
    return rc >= 0 ? ask(m) : rc;
}

struct metered *metered_new(struct event_base *base, void (*changed)(void *arg, int is_metered),
                            void *arg)
{
    struct metered *m = str_calloc(1, sizeof(*m));
    int rc;

    m->base = base;
    m->changed = changed;
    m->arg = arg;
    if ((rc = listen_to(m)) < 0) {
        log_debug("network-metered error=\"%s\"", strerror(-rc));
        hang_up(m);
        return m;
    }
    arm(m);
    return m;
}

void metered_free(struct metered *m)
{
    if (m == NULL)
        return;
    hang_up(m);
    free(m);
}
