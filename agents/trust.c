#include <string.h>

#include "agents/trust.h"

static const char *const names[] = {
    [TRUST_STRANGER] = "stranger",
    [TRUST_ACCOUNT] = "account",
    [TRUST_OWN] = "own",
};

const char *trust_name(enum trust t)
{
    return names[t];
}

enum trust trust_parse(const char *s)
{
    for (int i = TRUST_ACCOUNT; i <= TRUST_OWN; i++) {
        if (strcmp(s, names[i]) == 0)
            return (enum trust)i;
    }
    return TRUST_STRANGER;
}
