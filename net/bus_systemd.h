#ifndef NET_BUS_SYSTEMD_H
#define NET_BUS_SYSTEMD_H

#include <systemd/sd-bus.h>

/*
 * The system's message bus, or the user's, on the event loop.
 */
struct event_base;
struct bus;

/**
 * bus_open(base, lost, arg, ret):
 * Connect.  ${lost} is called from the loop when the connection is gone; bus_close() is all that
 * may be done with it then.  Return 0, or -1 with errno.
 */
int bus_open(struct event_base *base, void (*lost)(void *arg), void *arg, struct bus **ret);

/**
 * bus_open_user(base, lost, arg, ret):
 * The same with the user's own bus.
 */
int bus_open_user(struct event_base *base, void (*lost)(void *arg), void *arg, struct bus **ret);

/**
 * bus_close(b):
 * NULL is harmless.
 */
void bus_close(struct bus *b);

/**
 * bus_sd(b):
 * The connection for calls of sd-bus; bus_arm() after them, so that the loop waits for what the bus
 * waits for.  Not needed from within its callbacks.
 */
sd_bus *bus_sd(struct bus *b);
void bus_arm(struct bus *b);

#endif
