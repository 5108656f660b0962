#ifndef SERVER_UPKEEP_KEEPER_H
#define SERVER_UPKEEP_KEEPER_H

#include "server/ledger/ledger.h"
#include "server/store/space.h"
#include "server/store/store.h"

/* The thread that tidies up while the server runs: looks after the disk all the time, purges every
 * few minutes, sweeps once a day. */
struct keeper;

/**
 * keeper_start(l, s, space, daily, hourly, arg):
 * Start it.  ${daily} is called from it once a day, ${hourly} at once and every hour.
 */
struct keeper *keeper_start(struct ledger *l, struct store *s, struct space *space,
                            void (*daily)(void *arg), void (*hourly)(void *arg), void *arg);

/**
 * keeper_stop(k):
 * End it; NULL is harmless.
 */
void keeper_stop(struct keeper *k);

#endif
