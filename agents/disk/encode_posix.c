#include "agents/disk/encode.h"

/* Here the name is composed. */
char *claude_project_name(const char *cwd)
{
    return claude_encode(cwd);
}
