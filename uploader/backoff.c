#include "uploader/backoff.h"

int64_t backoff_ms(int failures, int is_waited, int at_least_s, uint32_t random)
{
    int64_t most = is_waited ? BACKOFF_WAITED_MS : BACKOFF_MOST_MS, bound = BACKOFF_FIRST_MS, ms;

    for (int i = 1; i < failures && bound < most; i++)
        bound *= 2;
    if (bound > most)
        bound = most;
    if (failures <= 1)
        ms = bound / 2 + (int64_t)(random % (uint32_t)bound);
    else
        ms = (int64_t)(random % (uint32_t)bound);
    /* Right away would not be waiting at all. */
    if (ms < BACKOFF_FIRST_MS / 4)
        ms = BACKOFF_FIRST_MS / 4;
    if (ms < (int64_t)at_least_s * 1000)
        ms = (int64_t)at_least_s * 1000;
    return ms;
}
