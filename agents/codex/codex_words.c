#include <stdlib.h>
#include <string.h>

#include "agents/codex/codex.h"
#include "agents/words.h"
#include "common/base/buf.h"
#include "common/base/now.h"
#include "common/base/uuid.h"
#include "common/data/jdoc.h"

/* A conversation in words alone as a rollout: each part once for the person who reads it, once for
 * the model.  No settings: Codex takes those of this machine. */
struct writing {
    const struct words *w;
    struct buf out;
    int64_t ordinal;
    char turn[UUID_SIZE];
};

static void add(struct writing *x, int64_t ms, const char *type, struct json_object *payload)
{
    struct json_object *o = json_object_new_object();
    char at[32];

    jdoc_set_str(o, "timestamp", now_rfc3339(ms, at));
    jdoc_set_int(o, "ordinal", x->ordinal++);
    jdoc_set_str(o, "type", type);
    json_object_object_add(o, "payload", payload);
    buf_addstr(&x->out, jdoc_text(o));
    buf_addc(&x->out, '\n');
    json_object_put(o);
}

static struct json_object *of_type(const char *type)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "type", type);
    return o;
}

static void add_block(struct json_object *to, const char *type, const char *text)
{
    struct json_object *list = json_object_new_array(), *block = of_type(type);

    jdoc_set_str(block, "text", text);
    json_object_array_add(list, block);
    json_object_object_add(to, "content", list);
}

static void add_meta(struct writing *x)
{
    struct json_object *o = json_object_new_object();
    char at[32];

    jdoc_set_str(o, "id", x->w->session_id);
    jdoc_set_str(o, "session_id", x->w->session_id);
    jdoc_set_str(o, "timestamp", now_rfc3339(x->w->now_ms, at));
    jdoc_set_str(o, "cwd", x->w->cwd);
    jdoc_set_str(o, "originator", "codex-tui");
    jdoc_set_str(o, "cli_version", "0.171.0");
    jdoc_set_str(o, "source", "cli");
    jdoc_set_str(o, "history_mode", "paginated");
    add(x, x->w->now_ms, "session_meta", o);
}

static void add_turn_event(struct writing *x, int64_t ms, const char *type)
{
    struct json_object *o = of_type(type);

    jdoc_set_str(o, "turn_id", x->turn);
    jdoc_set_int(o, strcmp(type, "task_started") == 0 ? "started_at" : "completed_at", ms / 1000);
    add(x, ms, "event_msg", o);
}

static void add_part(struct writing *x, const struct words_part *part)
{
    int is_person = part->by == WORDS_PERSON;
    struct json_object *said = of_type("message"), *event = of_type("item_completed");
    struct json_object *item = of_type(is_person ? "UserMessage" : "AgentMessage");
    char id[UUID_SIZE];

    if (is_person) {
        uuid_random(x->turn);
        add_turn_event(x, part->ms, "task_started");
    }
    jdoc_set_str(said, "role", is_person ? "user" : "assistant");
    add_block(said, is_person ? "input_text" : "output_text", part->text);
    add(x, part->ms, "response_item", said);
    uuid_random(id);
    jdoc_set_str(item, "id", id);
    add_block(item, is_person ? "text" : "Text", part->text);
    jdoc_set_str(event, "thread_id", x->w->session_id);
    jdoc_set_str(event, "turn_id", x->turn);
    json_object_object_add(event, "item", item);
    jdoc_set_int(event, "started_at_ms", part->ms);
    jdoc_set_int(event, "completed_at_ms", part->ms);
    add(x, part->ms, "event_msg", event);
    if (!is_person)
        add_turn_event(x, part->ms, "task_complete");
}

int codex_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err)
{
    struct writing x = {.w = w};
    char *path = codex_agent.transcript_path(w->session_id, "", NULL);
    int rc;

    add_meta(&x);
    for (size_t i = 0; i < w->n; i++)
        add_part(&x, &w->v[i]);
    rc = file(arg, path, x.out.data, x.out.len, err);
    buf_free(&x.out);
    free(path);
    return rc;
}
