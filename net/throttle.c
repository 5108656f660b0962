#include "net/throttle.h"

/* The bucket holds a fifth of a second, and gives nothing away in smaller pieces than a twentieth
 * if somebody wants more: many small writes would cost more than they move. */
#define HOLDS(rate) ((rate) / 5 + 1)
#define PIECE(rate) ((rate) / 20 + 1)

void throttle_set(struct throttle *p, int64_t rate, int64_t now_ms)
{
    p->rate = rate;
    p->bytes = 0;
    p->at_ms = now_ms;
}

static void fill(struct throttle *p, int64_t now_ms)
{
    int64_t passed_ms = now_ms - p->at_ms, more;

    if (passed_ms > 1000)
        passed_ms = 1000; /* the bucket is full long before */
    more = p->rate * passed_ms / 1000;
    if (more <= 0)
        return; /* or the fractions would be lost, each time */
    p->bytes += more;
    if (p->bytes > HOLDS(p->rate))
        p->bytes = HOLDS(p->rate);
    p->at_ms = now_ms;
}

size_t throttle_take(struct throttle *p, size_t want, int senders, int64_t now_ms)
{
    int64_t give;

    if (p->rate == 0)
        return want;
    fill(p, now_ms);
    give = p->bytes / senders;
    if (give < PIECE(p->rate))
        give = PIECE(p->rate);
    if (give > (int64_t)want)
        give = (int64_t)want;
    if (give > p->bytes)
        return 0;
    p->bytes -= give;
    return (size_t)give;
}
