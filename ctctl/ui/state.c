#include <string.h>

#include "ctctl/ui/state.h"

/* In the order in which the screens name them. */
static const struct state_word words[] = {
    {"synced", "safe", TEXT_GREEN},
    {"pending", "waiting", TEXT_YELLOW},
    {"uploading", "uploading", TEXT_YELLOW},
    {"behind", "behind", TEXT_YELLOW},
    {"diverged", "diverged", TEXT_YELLOW},
    {"deleted", "deleted", TEXT_RED},
    {"failed", "failed", TEXT_RED},
    {"limit", "limit", TEXT_RED},
    {"too_large", "too large", TEXT_RED},
    {"excluded", "excluded", TEXT_DIM},
    {"archived", "archived", TEXT_GREEN},
    {"duplicate", "contained", TEXT_DIM},
    {STATE_HERE_ONLY, STATE_HERE_ONLY, TEXT_YELLOW},
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
