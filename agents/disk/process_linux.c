#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/file.h"

#include "agents/disk/process.h"

/* proc(5): the name in parentheses may hold anything, so count from the last parenthesis; the state
 * after it is field 3, the start time field 22. */
static int began_at(const char *stat, const char *start)
{
    const char *at = strrchr(stat, ')');
    size_t n;

    for (int field = 2; field < 22 && at != NULL; field++) {
        at = strchr(at, ' ');
        if (at != NULL)
            at++;
    }
    if (at == NULL)
        return 0;
    n = strcspn(at, " \n");
    return strlen(start) == n && memcmp(at, start, n) == 0;
}

int process_is_alive(int64_t pid, const char *start)
{
    char path[64];
    struct buf stat = {0};
    int is_alive;

    snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    if (pid <= 0 || file_read(path, 4096, &stat, NULL) != 0) {
        buf_free(&stat);
        return 0;
    }
    is_alive = stat.len > 0 && (start[0] == '\0' || began_at(stat.data, start));
    buf_free(&stat);
    return is_alive;
}
