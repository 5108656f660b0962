#include <sys/resource.h>
#include <sys/syscall.h>

#include <linux/ioprio.h>

#include <malloc.h>
#include <unistd.h>

#include "daemon/system/resources.h"

#ifdef __GLIBC__
void resources_tidy_heap(void)
{
    /* Large buffers come and go with each bundle: as mappings of their own, whatever came before,
     * they leave no holes behind. */
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_ARENA_MAX, 1); /* two threads that hardly ever allocate at the same time */
}

void resources_trim(void)
{
    malloc_trim(0);
}
#else
void resources_tidy_heap(void)
{
}

void resources_trim(void)
{
}
#endif

/* On Linux both are a thread's own, whatever POSIX says of nice; 0 means the caller. */
void resources_be_polite(void)
{
    setpriority(PRIO_PROCESS, 0, 10);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}
