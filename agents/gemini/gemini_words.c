#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/gemini/gemini.h"
#include "agents/words.h"
#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/* A conversation in words alone as a session of Gemini CLI.  No model and no folders of a
 * workspace: Gemini CLI takes those of this machine. */

static void add(struct buf *out, struct json_object *o)
{
    buf_addstr(out, jdoc_text(o));
    buf_addc(out, '\n');
    json_object_put(o);
}

static void add_message(struct buf *out, int64_t ms, const char *type, const char *text)
{
    struct json_object *o = json_object_new_object();
    char id[UUID_SIZE], at[32];

    uuid_random(id);
    jdoc_set_str(o, "id", id);
    jdoc_set_str(o, "timestamp", now_rfc3339(ms, at));
    jdoc_set_str(o, "type", type);
    jdoc_set_str(o, "content", text);
    add(out, o);
}

static void add_header(struct buf *out, const struct words *w)
{
    struct json_object *o = json_object_new_object();
    char hash[HASH_SHA256_HEX], at[32];

    hash_sha256_hex(w->cwd, strlen(w->cwd), hash);
    jdoc_set_str(o, "sessionId", w->session_id);
    jdoc_set_str(o, "projectHash", hash);
    jdoc_set_str(o, "startTime", now_rfc3339(w->v[0].ms, at));
    jdoc_set_str(o, "lastUpdated", now_rfc3339(w->now_ms, at));
    jdoc_set_str(o, "kind", "main");
    jdoc_set_str(o, "summary", w->title);
    add(out, o);
}

/* A new folder says whose it is. */
static int put_mark(const struct words *w, const char *project, words_file_f *file, void *arg,
                    struct ct_err *err)
{
    char *path = path_join(project, GEMINI_MARK), *whole = path_join(w->root, path);
    int rc = access(whole, F_OK) == 0 ? 0 : file(arg, path, w->cwd, strlen(w->cwd), err);

    free(whole);
    free(path);
    return rc;
}

int gemini_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err)
{
    char *project = gemini_find_project(w->root, w->cwd), *context = gemini_context(w->cwd);
    char *path = gemini_agent.transcript_path(w->session_id, project, NULL);
    struct buf out = {0};
    int rc;

    add_header(&out, w);
    add_message(&out, w->v[0].ms, "user", context);
    for (size_t i = 0; i < w->n; i++)
        add_message(&out, w->v[i].ms, w->v[i].by == WORDS_PERSON ? "user" : "gemini", w->v[i].text);
    rc = put_mark(w, project, file, arg, err);
    if (rc == 0)
        rc = file(arg, path, out.data, out.len, err);
    buf_free(&out);
    free(path);
    free(context);
    free(project);
    return rc;
}
