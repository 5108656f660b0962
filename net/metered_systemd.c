#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/str.h"

#include "net/bus_systemd.h"

#include "net/metered.h"

#define NM "org.freedesktop.NetworkManager"
#define NM_PATH "/org/freedesktop/NetworkManager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

/* NMMetered: what is guessed counts as well. */
enum { NM_METERED_YES = 1, NM_METERED_GUESS_YES = 3 };

struct metered {
    void (*changed)(void *arg, int is_metered);
    void *arg;
    int is_metered;
    struct bus *bus; /* NULL: nobody to ask */
};

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
    int rc = sd_bus_message_new_method_call(bus_sd(m->bus), &q, NM, NM_PATH, PROPERTIES, "Get");

    if (rc >= 0)
        rc = sd_bus_message_set_auto_start(q, 0);
    if (rc >= 0)
        rc = sd_bus_message_append(q, "ss", NM, "Metered");
    if (rc >= 0)
        rc = sd_bus_call_async(bus_sd(m->bus), NULL, q, on_answer, m, 0);
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

static void on_lost(void *arg)
{
    struct metered *m = arg;

    bus_close(m->bus);
    m->bus = NULL;
    set(m, 0);
}

static int listen_to(struct metered *m)
{
    int rc = sd_bus_match_signal_async(bus_sd(m->bus), NULL, NM, NM_PATH, PROPERTIES,
                                       "PropertiesChanged", on_signal, NULL, m);

    if (rc >= 0)
        rc = sd_bus_add_match_async(bus_sd(m->bus), NULL,
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

    m->changed = changed;
    m->arg = arg;
    if (bus_open(base, on_lost, m, &m->bus) != 0) {
        log_debug("network-metered error=\"%s\"", strerror(errno));
        return m;
    }
    if ((rc = listen_to(m)) >= 0) {
        bus_arm(m->bus);
        return m;
    }
    log_debug("network-metered error=\"%s\"", strerror(-rc));
    bus_close(m->bus);
    m->bus = NULL;
    return m;
}

void metered_free(struct metered *m)
{
    if (m == NULL)
        return;
    bus_close(m->bus);
    free(m);
}
