#include <string.h>

#include "ctctl/ui/state.h"

/* In the order in which the screens name them. */
static const struct state_word words[] = {
    {"synced", "safe", "all of it is confirmed", TEXT_GREEN},
    {"pending", "waiting", "changed, and on its way", TEXT_YELLOW},
    {"uploading", "uploading", "on its way right now", TEXT_YELLOW},
    {"behind", "behind", "safe; another machine has a newer version", TEXT_YELLOW},
    {"diverged", "diverged", "went on here and elsewhere; both are kept", TEXT_YELLOW},
    {"failed", "failed", "could not be saved", TEXT_RED},
    {"limit", "limit", "over the plan's limit", TEXT_RED},
    {"too_large", "too large", "fits neither one upload nor the spool", TEXT_RED},
    {"excluded", "excluded", "stays here, as somebody said", TEXT_DIM},
    {"archived", "archived", "safe; gone from here", TEXT_GREEN},
    {"duplicate", "contained", "a longer copy has all of it", TEXT_DIM},
    {STATE_HERE_ONLY, STATE_HERE_ONLY, "saved, but server or store are this machine", TEXT_YELLOW},
};

const struct state_word *state_word(size_t i)
{
    return i < sizeof(words) / sizeof(words[0]) ? &words[i] : NULL;
}

const struct state_word *state_find(const char *json)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].json, json) == 0)
            return &words[i];
    }
    return NULL;
}
