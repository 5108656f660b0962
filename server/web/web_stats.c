#include "server/web/web_stats.h"

const int64_t web_stats_ms[WEB_STATS_TIMES] = {5,     20,    100,    500,      2000,
                                               10000, 60000, 600000, INT64_MAX};

void web_stats_request(struct web_stats *s, int status, int64_t ms, int64_t received, int64_t sent)
{
    int i = 0;

    while (ms > web_stats_ms[i])
        i++;
    atomic_fetch_add(&s->requests[status / 100 % WEB_STATS_CLASSES], 1);
    atomic_fetch_add(&s->times[i], 1);
    atomic_fetch_add(&s->ms, ms);
    atomic_fetch_add(&s->received, received);
    atomic_fetch_add(&s->sent, sent);
}
