#ifndef DAEMON_ACCOUNT_PACE_H
#define DAEMON_ACCOUNT_PACE_H

#include <stdint.h>

/**
 * pace_distance_ms(configured_ms, versions):
 * Return the shortest distance between two uploads of one session to a server that keeps
 * ${versions} of each (0: it does not say): five minutes when it keeps two, so that those it keeps
 * cover some time; never less than ${configured_ms}.
 */
int64_t pace_distance_ms(int64_t configured_ms, int64_t versions);

#endif
