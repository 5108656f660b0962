#include "agents/beneath.h"

int beneath_open(int root_fd, const char *path, int flags)
{
    return beneath_walk(root_fd, path, flags);
}
