#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "agents/claude/claude.h"

/*
 * A fork's records name results by the path that they have below the session it came from:
 * .../<id of that>/tool-results/<name>, .../<id>/subagents/agent-<id>.jsonl.
 */

#define NAME_BYTES_MAX 128

static int is_name_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

/* ${at} is where the slash before ${folder} stands. */
static void take(const char *p, size_t n, size_t at, const char *folder, const char *own,
                 struct strlist *ret)
{
    size_t name = at + strlen(folder), len = 0;
    char id[UUID_SIZE], *cite;

    if (at < UUID_SIZE || p[at - UUID_SIZE] != '/' || !uuid_starts(p + at - (UUID_SIZE - 1)))
        return;
    memcpy(id, p + at - (UUID_SIZE - 1), UUID_SIZE - 1);
    id[UUID_SIZE - 1] = '\0';
    while (name + len < n && len <= NAME_BYTES_MAX && is_name_byte(p[name + len]))
        len++;
    if (len == 0 || len > NAME_BYTES_MAX || p[name] == '.' || strcmp(id, own) == 0)
        return;
    cite = str_printf("%s%s%.*s", id, folder, (int)len, p + name);
    if (ret->n < CLAUDE_CITES_MAX)
        strlist_add_once(ret, cite);
    free(cite);
}

/* Slashes are found faster than words. */
void claude_cites(const char *p, size_t n, const char *own, struct strlist *ret)
{
    static const struct {
        const char *name;
        size_t len;
    } folders[] = {{"/tool-results/", 14}, {"/subagents/", 11}};
    const char *end = p + n, *at = p;

    while ((at = memchr(at, '/', (size_t)(end - at))) != NULL) {
        for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
            if ((size_t)(end - at) >= folders[i].len &&
                memcmp(at, folders[i].name, folders[i].len) == 0)
                take(p, n, (size_t)(at - p), folders[i].name, own, ret);
        }
        at++;
    }
}
