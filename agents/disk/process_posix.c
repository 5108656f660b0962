#include <sys/types.h>

#include <errno.h>
#include <signal.h>

#include "agents/disk/process.h"

int process_is_alive(int64_t pid, const char *start)
{
    (void)start;
    if (pid <= 0 || (int64_t)(pid_t)pid != pid)
        return 0;
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}
