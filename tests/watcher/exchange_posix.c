#include <limits.h>
#include <stdio.h>

#include "tests/watcher/exchange.h"

int exchange(const char *a, const char *b)
{
    char aside[PATH_MAX];

    snprintf(aside, sizeof(aside), "%s.exchanged", a);
    return rename(a, aside) != 0 || rename(b, a) != 0 || rename(aside, b) != 0 ? -1 : 0;
}

int exchange_user(void)
{
    return -1;
}
