#include <stdlib.h>
#include <string.h>

#include "agents/claude/claude.h"
#include "agents/words.h"
#include "common/base/buf.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "common/data/jdoc.h"

/* A conversation in words alone as a session of Claude Code: records that hang on one another, the
 * name, and that nothing is allowed without asking. */

static struct json_object *message_of(const struct words_part *part)
{
    struct json_object *m = json_object_new_object(), *list, *block, *usage;
    char id[UUID_SIZE];

    jdoc_set_str(m, "role", part->by == WORDS_PERSON ? "user" : "assistant");
    if (part->by == WORDS_PERSON) {
        jdoc_set_str(m, "content", part->text);
        return m;
    }
    uuid_random(id);
    jdoc_set_str(m, "id", id);
    jdoc_set_str(m, "type", "message");
    jdoc_set_str(m, "model", "elsewhere");
    block = json_object_new_object();
    jdoc_set_str(block, "type", "text");
    jdoc_set_str(block, "text", part->text);
    list = json_object_new_array();
    json_object_array_add(list, block);
    json_object_object_add(m, "content", list);
    jdoc_set_str(m, "stop_reason", "end_turn");
    usage = json_object_new_object();
    jdoc_set_int(usage, "input_tokens", 0);
    jdoc_set_int(usage, "output_tokens", 0);
    json_object_object_add(m, "usage", usage);
    return m;
}

static void add_line(struct buf *b, struct json_object *o)
{
    buf_addstr(b, jdoc_text(o));
    buf_addc(b, '\n');
    json_object_put(o);
}

static void add_part(struct buf *b, const struct words *w, const struct words_part *part,
                     char last[UUID_SIZE])
{
    struct json_object *o = json_object_new_object();
    char at[32];

    jdoc_set_str(o, "parentUuid", last[0] != '\0' ? last : NULL);
    jdoc_set_bool(o, "isSidechain", 0);
    jdoc_set_str(o, "userType", "external");
    jdoc_set_str(o, "cwd", w->cwd);
    jdoc_set_str(o, "sessionId", w->session_id);
    jdoc_set_str(o, "version", "2.1.0");
    jdoc_set_str(o, "type", part->by == WORDS_PERSON ? "user" : "assistant");
    json_object_object_add(o, "message", message_of(part));
    uuid_random(last);
    jdoc_set_str(o, "uuid", last);
    jdoc_set_str(o, "timestamp", now_rfc3339(part->ms, at));
    add_line(b, o);
}

int claude_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err)
{
    char *name = claude_agent.project_name(w->cwd), *path, *mode, last[UUID_SIZE] = "";
    struct json_object *title = json_object_new_object();
    struct buf b = {0};
    int rc;

    for (size_t i = 0; i < w->n; i++)
        add_part(&b, w, &w->v[i], last);
    jdoc_set_str(title, "type", "custom-title");
    jdoc_set_str(title, "customTitle", w->title);
    jdoc_set_str(title, "sessionId", w->session_id);
    add_line(&b, title);
    mode = claude_default_mode(w->session_id);
    buf_addstr(&b, mode);
    path = claude_transcript_path(w->session_id, name, NULL);
    rc = file(arg, path, b.data, b.len, err);
    free(path);
    free(mode);
    free(name);
    buf_free(&b);
    return rc;
}
