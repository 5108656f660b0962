#include "ctctl/system.h"

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
