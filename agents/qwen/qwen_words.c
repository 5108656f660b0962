#include <stdlib.h>
#include <string.h>

#include "agents/qwen/qwen.h"
#include "agents/words.h"
#include "common/base/buf.h"
#include "common/base/now.h"
#include "common/base/uuid.h"

/* A conversation in words alone as a chat of Qwen Code: records that hang on one another, and its
 * title.  No model: Qwen Code takes the one of this machine. */
struct writing {
    const struct words *w;
    char *cwd; /* of JSON */
    char last[UUID_SIZE];
    struct buf out;
};

/* What every record begins with. */
static void begin(struct writing *x, int64_t ms, const char *type, const char *provenance)
{
    char at[32], id[UUID_SIZE];

    uuid_random(id);
    buf_printf(&x->out, "{\"uuid\":\"%s\",\"parentUuid\":", id);
    buf_printf(&x->out, x->last[0] != '\0' ? "\"%s\"" : "null", x->last);
    buf_printf(&x->out,
               ",\"sessionId\":\"%s\",\"timestamp\":\"%s\",\"type\":\"%s\",\"provenance\":\"%s\","
               "\"cwd\":%s,\"version\":\"0.24.4\",",
               x->w->session_id, now_rfc3339(ms, at), type, provenance, x->cwd);
    memcpy(x->last, id, sizeof(id));
}

static void add_part(struct writing *x, const struct words_part *part)
{
    int is_person = part->by == WORDS_PERSON;
    char *text = words_quoted(part->text);

    begin(x, part->ms, is_person ? "user" : "assistant",
          is_person ? "real_user" : "assistant_output");
    buf_printf(&x->out, "\"message\":{\"role\":\"%s\",\"parts\":[{\"text\":%s}]}}\n",
               is_person ? "user" : "model", text);
    free(text);
}

int qwen_write_words(const struct words *w, words_file_f *file, void *arg, struct ct_err *err)
{
    struct writing x = {.w = w, .cwd = words_quoted(w->cwd)};
    char *project = qwen_agent.project_name(w->cwd), *title = words_quoted(w->title);
    char *path = qwen_agent.transcript_path(w->session_id, project, NULL);
    int rc;

    for (size_t i = 0; i < w->n; i++)
        add_part(&x, &w->v[i]);
    begin(&x, w->v[w->n - 1].ms, "system", "system");
    buf_printf(&x.out,
               "\"subtype\":\"custom_title\",\"systemPayload\":{\"customTitle\":%s,\"titleSource\":"
               "\"manual\"}}\n",
               title);
    rc = file(arg, path, x.out.data, x.out.len, err);
    buf_free(&x.out);
    free(path);
    free(title);
    free(project);
    free(x.cwd);
    return rc;
}
