#include <sys/resource.h>

#include "daemon/process.h"

void process_protect(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
}

void process_be_polite(void)
{
}

void process_trim(void)
{
}
