#include <sys/prctl.h>
#include <sys/resource.h>

#include <malloc.h>

#include "daemon/process.h"

void process_protect(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    /* Two threads that hardly ever allocate at the same time: a second arena would only hold on to
     * what it once needed. */
    mallopt(M_ARENA_MAX, 1);
}

void process_trim(void)
{
    malloc_trim(0);
}
