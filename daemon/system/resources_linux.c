#include <sys/resource.h>
#include <sys/syscall.h>

#include <linux/ioprio.h>

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/now.h"

#include "daemon/system/resources.h"

#ifdef __GLIBC__
void resources_tidy_heap(void)
{
    /* The buffers of one bundle serve the next: mapped anew each time, their pages cost as much as
     * their digests.  What is left when there is nothing to do, resources_trim() gives back. */
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
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

#define LOOK_MS 500
#define BUSY_PERCENT 75 /* of one processor */

/* Return what all programs together took since the start of the system, or -1: it does not say. */
static int64_t all_busy_ms(void)
{
    long long user, nice, system, idle, wait, irq, soft, steal;
    FILE *f = fopen("/proc/stat", "re");
    int n;

    if (f == NULL)
        return -1;
    n = fscanf(f, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &user, &nice, &system, &idle,
               &wait, &irq, &soft, &steal);
    fclose(f);
    if (n != 8)
        return -1;
    return (user + nice + system + irq + soft + steal) * 1000 / sysconf(_SC_CLK_TCK);
}

static int64_t own_busy_ms(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (int64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000 +
           (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1000;
}

int resources_are_idle(struct resources_use *u)
{
    struct resources_use now = {.at_ms = now_mono_ms()};
    int64_t others_ms;

    if (u->at_ms > 0 && now.at_ms - u->at_ms < LOOK_MS)
        return u->are_idle;
    now.busy_ms = all_busy_ms();
    now.own_ms = own_busy_ms();
    others_ms = (now.busy_ms - u->busy_ms) - (now.own_ms - u->own_ms);
    now.are_idle = u->at_ms > 0 && now.busy_ms >= 0 && sysconf(_SC_NPROCESSORS_ONLN) > 1 &&
                   others_ms * 100 < (now.at_ms - u->at_ms) * BUSY_PERCENT;
    *u = now;
    return u->are_idle;
}

/* On Linux both are a thread's own, whatever POSIX says of nice; 0 means the caller. */
void resources_be_polite(void)
{
    setpriority(PRIO_PROCESS, 0, 10);
    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}
