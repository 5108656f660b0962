#include <sys/syscall.h>

#include <linux/landlock.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/str.h"

#include "ctctl/here/system.h"

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

int64_t system_parent(int64_t pid)
{
    struct buf b = {0};
    int64_t ret = 0;
    char path[64], *p, *end;

    snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    if (file_read(path, 4096, &b, NULL) == 0 && b.len > 0 && (p = strrchr(b.data, ')')) != NULL &&
        strlen(p) > 4) {
        /* ") S 1234 ...": the name before it may hold anything */
        ret = strtoll(p + 4, &end, 10);
        if (*end != ' ')
            ret = 0;
    }
    buf_free(&b);
    return ret;
}

const char *system_self(void)
{
    return "/proc/self/exe";
}

static int is_set(const char *name)
{
    const char *v = getenv(name);

    return v != NULL && v[0] != '\0';
}

int system_open_browser(const char *url)
{
    char *const argv[] = {"xdg-open", (char *)(uintptr_t)url, NULL};

    /* Without a display it would start a browser in this terminal. */
    if (!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY"))
        return -1;
    return system_start(argv);
}
