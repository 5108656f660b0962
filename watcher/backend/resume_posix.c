#include "watcher/backend/resume.h"

int resume_system_open(void)
{
    return -1;
}

int64_t resume_system_asleep_ms(void)
{
    return 0;
}
