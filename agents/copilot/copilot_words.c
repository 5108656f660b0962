#include <stdlib.h>
#include <string.h>

#include "agents/copilot/copilot.h"
#include "agents/words.h"
#include "common/base/buf.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

/* A conversation in words alone as a session of Copilot CLI: a chain of events, each turn with its
 * begin and end, and workspace.yaml.  No model and no mode: Copilot takes those of this machine. */
struct writing {
    const struct words *w;
    char last[UUID_SIZE];
    int64_t turn;
    struct buf out;
};

/* One event, with the members ${data} of its data. */
static void add(struct writing *x, int64_t ms, const char *type, const char *data)
{
    char at[32], id[UUID_SIZE];

    uuid_random(id);
    buf_printf(&x->out,
               "{\"type\":\"%s\",\"data\":{%s},\"id\":\"%s\",\"timestamp\":\"%s\",\"parentId\":",
               type, data, id, now_rfc3339(ms, at));
    buf_printf(&x->out, x->last[0] != '\0' ? "\"%s\"}\n" : "null}\n", x->last);
    memcpy(x->last, id, sizeof(id));
}

static void add_start(struct writing *x, const char *cwd)
{
    char at[32];
    char *data =
        str_printf("\"sessionId\":\"%s\",\"version\":1,\"producer\":\"copilot-agent\","
                   "\"copilotVersion\":\"1.0.102\",\"startTime\":\"%s\",\"context\":{\"cwd\":%s}",
                   x->w->session_id, now_rfc3339(x->w->now_ms, at), cwd);

    add(x, x->w->v[0].ms, "session.start", data);
    free(data);
}

static void add_part(struct writing *x, const struct words_part *part)
{
    char *text = words_quoted(part->text), *data, id[UUID_SIZE];
    char *turn = str_printf("\"turnId\":\"%lld\"", (long long)x->turn);

    uuid_random(id);
    if (part->by == WORDS_PERSON) {
        data = str_printf("\"content\":%s,\"messageId\":\"%s\",%s", text, id, turn);
        add(x, part->ms, "user.message", data);
    } else {
        data = str_printf("\"messageId\":\"%s\",\"content\":%s,\"toolRequests\":[],%s", id, text,
                          turn);
        add(x, part->ms, "assistant.turn_start", turn);
        add(x, part->ms, "assistant.message", data);
        add(x, part->ms, "assistant.turn_end", turn);
        x->turn++;
    }
    free(turn);
    free(data);
    free(text);
}

static int write_workspace(const struct words *w, const char *cwd, words_file_f *file, void *arg,
                           struct ct_err *err)
{
    char at[32], *title = words_quoted(w->title), *path, *text;
    int rc;

    now_rfc3339(w->now_ms, at);
    text = str_printf("id: %s\ncwd: %s\nname: %s\nuser_named: false\nsummary_count: 0\n"
                      "created_at: %s\nupdated_at: %s\n",
                      w->session_id, cwd, title, at, at);
    path = str_printf("%s/workspace.yaml", w->session_id);
    rc = file(arg, path, text, strlen(text), err);
    free(path);
    free(text);
    free(title);
    return rc;
}

int copilot_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err)
{
    struct writing x = {.w = w};
    char *cwd = words_quoted(w->cwd), *path;
    int rc;

    add_start(&x, cwd);
    for (size_t i = 0; i < w->n; i++)
        add_part(&x, &w->v[i]);
    path = copilot_agent.transcript_path(w->session_id, "", NULL);
    rc = write_workspace(w, cwd, file, arg, err);
    if (rc == 0)
        rc = file(arg, path, x.out.data, x.out.len, err);
    buf_free(&x.out);
    free(path);
    free(cwd);
    return rc;
}
