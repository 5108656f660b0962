#include "uploader/backoff.h"

int64_t backoff_ms(int failures, int at_least_s, uint32_t random)
{
    int64_t bound = BACKOFF_FIRST_MS, ms;

    for (int i = 1; i < failures && bound < BACKOFF_MOST_MS; i++)
        bound *= 2;
    if (bound > BACKOFF_MOST_MS)
        bound = BACKOFF_MOST_MS;
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
