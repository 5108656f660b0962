/* Written from gethostuuid(2) of macOS, and compiled with its headers; not yet run on one. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/sys/machine.h"

int machine_id(char ret[33])
{
    const struct timespec at_once = {0};
    uuid_t id;

    if (gethostuuid(id, &at_once) != 0)
        return -1;
    for (int i = 0; i < 16; i++)
        snprintf(ret + 2 * i, 3, "%02x", id[i]);
    return 0;
}
