#include <fcntl.h>
#include <stdio.h>

#include "tests/watcher/exchange.h"

int exchange(const char *a, const char *b)
{
    return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}
