#include <fcntl.h>
#include <sched.h>
#include <unistd.h>
#include <linux/fs.h>
#include <sys/syscall.h>

#include "tests/watcher/exchange.h"

int exchange(const char *a, const char *b)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

int exchange_user(void)
{
    return unshare(CLONE_NEWUSER);
}
