#include <sys/syscall.h>

#include <linux/landlock.h>
#include <stddef.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/str.h"

#include "ctctl/system.h"

int64_t system_max_watches(void)
{
    struct buf b = {0};
    unsigned long long n;
    int64_t ret = -1;

    if (file_read("/proc/sys/fs/inotify/max_user_watches", 64, &b, NULL) == 0 && b.len > 1) {
        b.data[b.len - 1] = '\0'; /* the newline */
        if (str_parse_u64(b.data, &n) == 0 && n <= INT64_MAX)
            ret = (int64_t)n;
    }
    buf_free(&b);
    return ret;
}

int system_landlock_abi(void)
{
    long abi =
        syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

    return abi > 0 ? (int)abi : 0;
}
