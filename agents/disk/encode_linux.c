#include "agents/disk/encode.h"

/* Here the name is made from the path as it is. */
char *claude_project_name(const char *cwd)
{
    return claude_encode_as_is(cwd);
}
