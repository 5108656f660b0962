#ifndef NET_METERED_H
#define NET_METERED_H

/*
 * Does somebody pay for each byte on this connection?  As NetworkManager says, where there is one.
 */
struct event_base;
struct metered;

/**
 * metered_new(base, changed, arg):
 * Ask, and listen for changes.  ${changed} is called from the loop with what is known, first soon
 * after this and then whenever it changes; never where nobody knows, which counts as not metered.
 * Nothing here blocks.  Never NULL.
 */
struct metered *metered_new(struct event_base *base, void (*changed)(void *arg, int is_metered),
                            void *arg);

/**
 * metered_free(m):
 * Stop listening; NULL is harmless.
 */
void metered_free(struct metered *m);

#endif
