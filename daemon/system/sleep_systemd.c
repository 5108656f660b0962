#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/str.h"
#include "net/bus_systemd.h"

#include "daemon/system/sleep.h"

/* org.freedesktop.login1(5), systemd's "Inhibitor Locks" */
#define LOGIND "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
#define MANAGER "org.freedesktop.login1.Manager"

struct sleep_lock {
    void (*going)(void *arg);
    void *arg;
    struct bus *bus; /* NULL: nobody to ask */
    int fd;          /* as long as it is open, the machine waits; -1: we hold nothing */
};

static int on_granted(sd_bus_message *answer, void *arg, sd_bus_error *error)
{
    struct sleep_lock *l = arg;
    int fd, rc;

    (void)error;
    if (sd_bus_message_is_method_error(answer, NULL)) {
        log_debug("sleep-lock error=\"%s\"", sd_bus_message_get_error(answer)->name);
        return 0;
    }
    rc = sd_bus_message_read(answer, "h", &fd);
    fd = rc < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the message takes its own along */
    if (fd < 0)
        return 0;
    sleep_lock_release(l);
    l->fd = fd;
    log_debug("sleep-lock granted=yes");
    return 0;
}

static int ask(struct sleep_lock *l)
{
    sd_bus_message *q = NULL;
    int rc =
        sd_bus_message_new_method_call(bus_sd(l->bus), &q, LOGIND, LOGIND_PATH, MANAGER, "Inhibit");

    if (rc >= 0)
        rc = sd_bus_message_set_auto_start(q, 0);
    if (rc >= 0)
        rc = sd_bus_message_append(q, "ssss", "sleep", "codeteleportd", "Saving what has changed",
                                   "delay");
    if (rc >= 0)
        rc = sd_bus_call_async(bus_sd(l->bus), NULL, q, on_granted, l, 0);
    sd_bus_message_unref(q);
    return rc;
}

static int on_prepare(sd_bus_message *signal, void *arg, sd_bus_error *error)
{
    struct sleep_lock *l = arg;
    int is_going;

    (void)error;
    if (sd_bus_message_read(signal, "b", &is_going) < 0)
        return 0;
    if (!is_going)
        ask(l);
    else if (l->fd >= 0)
        l->going(l->arg);
    return 0;
}

/* It was started anew, and knows of no lock. */
static int on_new_owner(sd_bus_message *signal, void *arg, sd_bus_error *error)
{
    (void)signal;
    (void)error;
    ask(arg);
    return 0;
}

static void on_lost(void *arg)
{
    struct sleep_lock *l = arg;

    bus_close(l->bus);
    l->bus = NULL;
    sleep_lock_release(l);
}

static int listen_to(struct sleep_lock *l)
{
    int rc = sd_bus_match_signal_async(bus_sd(l->bus), NULL, LOGIND, LOGIND_PATH, MANAGER,
                                       "PrepareForSleep", on_prepare, NULL, l);

    if (rc >= 0)
        rc = sd_bus_add_match_async(bus_sd(l->bus), NULL,
                                    "type='signal',sender='org.freedesktop.DBus',"
                                    "member='NameOwnerChanged',arg0='" LOGIND "'",
                                    on_new_owner, NULL, l);
    return rc >= 0 ? ask(l) : rc;
}

struct sleep_lock *sleep_lock_new(struct event_base *base, void (*going)(void *arg), void *arg)
{
    struct sleep_lock *l = str_calloc(1, sizeof(*l));
    int rc;

    l->going = going;
    l->arg = arg;
    l->fd = -1;
    if (bus_open(base, on_lost, l, &l->bus) != 0) {
        log_debug("sleep-lock error=\"%s\"", strerror(errno));
        return l;
    }
    if ((rc = listen_to(l)) >= 0) {
        bus_arm(l->bus);
        return l;
    }
    log_debug("sleep-lock error=\"%s\"", strerror(-rc));
    bus_close(l->bus);
    l->bus = NULL;
    return l;
}

void sleep_lock_release(struct sleep_lock *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

void sleep_lock_free(struct sleep_lock *l)
{
    if (l == NULL)
        return;
    bus_close(l->bus);
    sleep_lock_release(l);
    free(l);
}
