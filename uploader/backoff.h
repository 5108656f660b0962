#ifndef UPLOADER_BACKOFF_H
#define UPLOADER_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MOST_MS (10 * 60 * 1000)
#define BACKOFF_WAITED_MS 5000 /* the bound while a person waits */

/**
 * backoff_ms(failures, is_waited, at_least_s, random):
 * Return how long to wait after ${failures} >= 1 failures in a row: exponential with full jitter,
 * so that many clients of a server that came back do not come back together.  The first wait is
 * between 0.5 and 1.5 s; the bound doubles up to ten minutes, or with ${is_waited} (a person waits
 * for the outcome) to five seconds; never less than ${at_least_s}, what the server asked for.
 * ${random} is a random 32-bit number.
 */
int64_t backoff_ms(int failures, int is_waited, int at_least_s, uint32_t random);

#endif
