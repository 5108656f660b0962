#include <stdlib.h>
#include <string.h>

#include "agents/pi/pi.h"
#include "agents/words.h"
#include "common/base/buf.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

/* A conversation in words alone as a session of pi: a header, its name, and messages that hang on
 * one another.  No model: pi takes the one of this machine. */

static void add_part(struct buf *b, const struct words_part *part, size_t i)
{
    char at[32], *text = words_quoted(part->text);

    buf_printf(b,
               "{\"type\":\"message\",\"id\":\"%08zx\",\"parentId\":\"%08zx\",\"timestamp\":\"%s\","
               "\"message\":{\"role\":\"%s\",\"content\":[{\"type\":\"text\",\"text\":%s}],",
               i + 1, i, now_rfc3339(part->ms, at), part->by == WORDS_PERSON ? "user" : "assistant",
               text);
    if (part->by == WORDS_MODEL)
        buf_addstr(b, "\"api\":\"elsewhere\",\"provider\":\"elsewhere\",\"model\":\"elsewhere\","
                      "\"usage\":{\"input\":0,\"output\":0,\"cacheRead\":0,\"cacheWrite\":0,"
                      "\"totalTokens\":0,\"cost\":{\"input\":0,\"output\":0,\"cacheRead\":0,"
                      "\"cacheWrite\":0,\"total\":0}},\"stopReason\":\"stop\",");
    buf_printf(b, "\"timestamp\":%lld}}\n", (long long)part->ms);
    free(text);
}

/* <time>_<id>.jsonl, the time without what some systems have in no name. */
static char *path_of(const struct words *w, const char *at)
{
    char *project = pi_agent.project_name(w->cwd), *name, *path;

    name = str_printf("%s_%s.jsonl", at, w->session_id);
    for (char *p = name; *p != '_'; p++) {
        if (*p == ':' || *p == '.')
            *p = '-';
    }
    path = project[0] != '\0' ? path_join(project, name) : str_dup(name);
    free(name);
    free(project);
    return path;
}

int pi_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err)
{
    char at[32], *cwd = words_quoted(w->cwd), *title = words_quoted(w->title), *path;
    struct buf b = {0};
    int rc;

    now_rfc3339(w->now_ms, at);
    buf_printf(
        &b, "{\"type\":\"session\",\"version\":3,\"id\":\"%s\",\"timestamp\":\"%s\",\"cwd\":%s}\n",
        w->session_id, at, cwd);
    buf_printf(&b,
               "{\"type\":\"session_info\",\"id\":\"%08x\",\"parentId\":null,\"timestamp\":\"%s\","
               "\"name\":%s}\n",
               0U, at, title);
    for (size_t i = 0; i < w->n; i++)
        add_part(&b, &w->v[i], i);
    path = path_of(w, at);
    rc = file(arg, path, b.data, b.len, err);
    buf_free(&b);
    free(path);
    free(title);
    free(cwd);
    return rc;
}
