#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/data/jdoc.h"

#include "agents/claude/claude.h"

#define DEFAULT_DAYS 30
#define SETTINGS_MAX (1 << 20)

/* What the file says: 1 and the days, 0 if it says nothing, -1 if it can't be read. */
static int said_in(const char *path, int *ret_days)
{
    struct json_object *o = NULL;
    struct buf b = {0};
    int64_t days = -1;
    int rc = 0;

    if (file_read(path, SETTINGS_MAX, &b, NULL) != 0)
        rc = access(path, F_OK) == 0 || errno != ENOENT ? -1 : 0;
    else if (b.len > 0 && jdoc_parse(b.data, b.len, &o, NULL) == 0)
        days = jdoc_int(o, "cleanupPeriodDays", -1);
    if (days >= 0) {
        *ret_days = (int)(days < AGENT_DAYS_MAX ? days : AGENT_DAYS_MAX);
        rc = 1;
    }
    json_object_put(o);
    buf_free(&b);
    return rc;
}

/* What an administrator says goes before what the user does.  What a project says in its own
 * settings counts for who starts the agent there, and is not looked for. */
int claude_cleanup_days(const char *root, int *ret_is_said)
{
    static const char *const managed[] = {
        "/etc/claude-code/managed-settings.json",
        "/Library/Application Support/ClaudeCode/managed-settings.json",
    };
    char *path = path_join(root, "settings.json");
    int days = DEFAULT_DAYS, rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(managed) / sizeof(managed[0]); i++)
        rc = said_in(managed[i], &days);
    if (rc == 0)
        rc = said_in(path, &days);
    free(path);
    *ret_is_said = rc == 1;
    return rc < 0 ? -1 : days;
}
