#ifndef NET_THROTTLE_H
#define NET_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * At most so many bytes a second, whoever sends them: a bucket that fills with time.
 */
struct throttle {
    int64_t rate; /* bytes a second, 0: no limit */
    int64_t bytes;
    int64_t at_ms;
};

/* What is refused now may be asked for again after so long. */
#define PACE_WAIT_MS 50

/**
 * throttle_set(p, rate, now_ms):
 * From now on ${rate} bytes a second; 0: no limit.
 */
void throttle_set(struct throttle *p, int64_t rate, int64_t now_ms);

/**
 * throttle_take(p, want, senders, now_ms):
 * One of ${senders} >= 1 would like to send ${want} bytes.  Return how many it may, or 0: not now.
 * What it may is taken from the bucket, and leaves something for the others.
 */
size_t throttle_take(struct throttle *p, size_t want, int senders, int64_t now_ms);

#endif
