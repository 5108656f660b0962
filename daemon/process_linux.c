#include <sys/prctl.h>
#include <sys/resource.h>

#include <malloc.h>

#include "daemon/process.h"

void process_protect(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    /* Large buffers come and go with each bundle: as mappings of their own, whatever came before,
     * they leave no holes behind. */
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_ARENA_MAX, 1); /* two threads that hardly ever allocate at the same time */
}

void process_trim(void)
{
    malloc_trim(0);
}
