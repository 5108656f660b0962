#ifndef NET_NETWORK_H
#define NET_NETWORK_H

/*
 * Tells when the network changed: an address came, a route, a link.  Whoever waits for a server may
 * then try at once.
 */
struct event_base;
struct network;

/**
 * network_new(base, changed, arg):
 * Make one that does not listen yet.  ${changed} is called from the loop, some moments after the
 * first of several changes.  Never NULL; where the system has no such news it stays silent.
 */
struct network *network_new(struct event_base *base, void (*changed)(void *arg), void *arg);

/**
 * network_listen(n, is_wanted):
 * Listen, or stop listening: while nobody waits for the network, its changes wake nobody.
 */
void network_listen(struct network *n, int is_wanted);

/**
 * network_free(n):
 * Free it; NULL is harmless.
 */
void network_free(struct network *n);

#endif
