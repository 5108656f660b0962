#include <stddef.h>
#include <stdint.h>

#include "ctctl/here/system.h"

int64_t system_max_watches(void)
{
    return -1;
}

int system_landlock_abi(void)
{
    return 0;
}

int64_t system_parent(int64_t pid)
{
    (void)pid;
    return 0;
}

const char *system_self(void)
{
    return "ctctl";
}

int system_open_browser(const char *url)
{
    char *const argv[] = {"open", (char *)(uintptr_t)url, NULL};

    return system_start(argv);
}
