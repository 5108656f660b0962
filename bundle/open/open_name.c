#include <string.h>

#include "bundle/format/entry.h"
#include "common/base/str.h"

#include "bundle/open/open_name.h"

#define COMPONENT_MAX 255 /* what file systems take */

static int is_control(const char *p, size_t n)
{
    unsigned char c = (unsigned char)p[0];

    return c < 0x20 || c == 0x7F || (n == 2 && c == 0xC2 && (unsigned char)p[1] < 0xA0);
}

static const char *odd(const char *name)
{
    size_t left = strlen(name), component = 0, n;

    for (; left > 0; name += n, left -= n) {
        n = str_utf8_len(name, left);
        if (n == 0)
            return "its name is not UTF-8";
        if (is_control(name, n))
            return "its name has control characters";
        component = *name == '/' ? 0 : component + n;
        if (component > COMPONENT_MAX)
            return "its name is longer than file systems take";
    }
    return NULL;
}

static const char *evil(const char *name)
{
    if (*name == '/')
        return "absolute";
    while (*name != '\0') {
        size_t n = strcspn(name, "/");
        if (n == 2 && memcmp(name, "..", 2) == 0)
            return "one that leads out of it";
        if (n == 0 || (n == 1 && *name == '.'))
            return "not in its plain form";
        name += n + (name[n] == '/');
    }
    return NULL;
}

enum name_verdict open_name_clean(const char *raw, char ret[ENTRY_NAME_MAX + 1],
                                  const char **ret_reason)
{
    size_t n;

    while (raw[0] == '.' && (raw[1] == '/' || raw[1] == '\0'))
        raw += raw[1] == '/' ? 2 : 1;
    n = strlen(raw);
    if (n > ENTRY_NAME_MAX) {
        *ret_reason = "too long";
        return NAME_EVIL;
    }
    memcpy(ret, raw, n + 1);
    while (n > 1 && ret[n - 1] == '/')
        ret[--n] = '\0';
    *ret_reason = evil(ret);
    if (*ret_reason != NULL)
        return NAME_EVIL;
    *ret_reason = odd(ret);
    return *ret_reason != NULL ? NAME_ODD : NAME_FINE;
}

static int starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && strcmp(s + n - m, suffix) == 0;
}

const char *open_name_kind(const struct meta *meta, const char *name, enum agent_kind *ret_kind)
{
    enum agent_kind kind = meta->agent->entry_kind(meta->session_id, name);

    if (kind != AGENT_TRANSCRIPT && kind != AGENT_NOTHING &&
        starts(name, "profile/") != (meta->is_profile != 0))
        return meta->is_profile ? "such a file belongs to a session" : "it belongs to no session";

    if (kind == AGENT_NOTHING && !entry_is_extra(name)) {
        if (starts(name, "session-env/"))
            return "session environments are never installed: they are run on resume";
        if (starts(name, "shell-snapshots/"))
            return "shell snapshots are never installed: they are run by the shell";
        return "no such file belongs to a session";
    }
    *ret_kind = kind;
    return NULL;
}

int open_name_is_json(enum agent_kind kind, const char *name)
{
    switch (kind) {
    case AGENT_LOOSE:
        return strcmp(name, AGENT_PROFILE_PROMPTS) == 0;
    case AGENT_TRANSCRIPT:
    case AGENT_HISTORY:
    case AGENT_TASK:
    case AGENT_TODO:
        return 1;
    case AGENT_SUBDIR:
        return ends(name, ".jsonl") || ends(name, ".json") || ends(name, ".yaml");
    default:
        return 0;
    }
}
