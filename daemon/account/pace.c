#include "daemon/account/pace.h"

#define COVER_MS (10LL * 60 * 1000) /* what the versions that are kept should cover at least */
#define FEW 4

int64_t pace_distance_ms(int64_t configured_ms, int64_t versions)
{
    int64_t distance_ms = versions > 0 && versions <= FEW ? COVER_MS / versions : 0;

    return distance_ms > configured_ms ? distance_ms : configured_ms;
}
