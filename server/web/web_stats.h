#ifndef SERVER_WEB_WEB_STATS_H
#define SERVER_WEB_WEB_STATS_H

#include <stdatomic.h>
#include <stdint.h>

/*
 * What a listener has done since the server began, over all reloads.  Zeroes begin it; everybody
 * counts, and whoever wants to know reads.
 */
#define WEB_STATS_CLASSES 6
#define WEB_STATS_TIMES 9

struct web_stats {
    _Atomic int64_t
        requests[WEB_STATS_CLASSES];        /* by the hundred of the status; 0: none was sent */
    _Atomic int64_t times[WEB_STATS_TIMES]; /* how many took at most web_stats_ms[i] */
    _Atomic int64_t ms;                     /* all of them together */
    _Atomic int64_t received, sent;         /* bytes of bodies */
    _Atomic int64_t connections;            /* open */
    _Atomic int64_t refused;                /* connections, for there are too many */
};

/* The last one is for ever. */
extern const int64_t web_stats_ms[WEB_STATS_TIMES];

/**
 * web_stats_request(s, status, ms, received, sent):
 * A request has ended.
 */
void web_stats_request(struct web_stats *s, int status, int64_t ms, int64_t received, int64_t sent);

#endif
