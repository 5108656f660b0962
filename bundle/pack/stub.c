#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/news.h"
#include "bundle/pack/content.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "bundle/pack/stub.h"

#define WINDOW (256 << 10)
#define PROMPTS_MAX (64 << 10) /* more of a session's prompts is something in any case */
#define NO_TODOS 2             /* "[]" */

/* In most sessions the first window tells. */
static int is_something_said(const struct snapshot *s, const struct content *c)
{
    int fd = content_open(s, c, NULL), is_so = fd < 0;
    char *p = str_calloc(WINDOW, 1);
    struct news *n = news_new(s->agent);

    for (int64_t at = 0; !is_so && at < c->length; at += WINDOW) {
        size_t len = c->length - at < WINDOW ? (size_t)(c->length - at) : WINDOW;
        if (content_read(c, fd, p, len, at, NULL) != 0) {
            is_so = 1;
            break;
        }
        news_feed(n, p, len);
        is_so = news_is_something(n);
    }
    news_free(n);
    free(p);
    if (fd >= 0)
        close(fd);
    return is_so;
}

/* A line of the prompt history that is more than a command ("/exit"). */
static int is_prompt(const struct agent *agent, const char *line, size_t len)
{
    struct json_object *o = NULL, *pasted;
    const char *text;
    int is_so = 1;

    if (jdoc_parse(line, len, &o, NULL) == 0) {
        text = jdoc_str(o, agent->history_names.text);
        pasted = jdoc_obj(o, "pastedContents");
        is_so = text == NULL || !agent->prompt_is_command(text) ||
                (pasted != NULL && json_object_object_length(pasted) > 0);
        json_object_put(o);
    }
    return is_so;
}

static int has_prompts(const struct snapshot *s, const struct content *c)
{
    int fd = c->length <= PROMPTS_MAX ? content_open(s, c, NULL) : -1, is_so = fd < 0;
    char *p = str_calloc((size_t)PROMPTS_MAX + 1, 1);

    if (!is_so && content_read(c, fd, p, (size_t)c->length, 0, NULL) != 0)
        is_so = 1;
    for (char *line = p, *end; !is_so && (end = strchr(line, '\n')) != NULL; line = end + 1)
        is_so = is_prompt(s->agent, line, (size_t)(end - line));
    free(p);
    if (fd >= 0)
        close(fd);
    return is_so;
}

int stub_is(const struct snapshot *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct content *c = &s->contents[i];
        switch (c->kind) {
        case AGENT_TRANSCRIPT:
            if (is_something_said(s, c))
                return 0;
            break;
        case AGENT_HISTORY:
            if (has_prompts(s, c))
                return 0;
            break;
        case AGENT_TODO:
            if (c->length > NO_TODOS)
                return 0;
            break;
        case AGENT_MEMORY: /* of the project */
        case AGENT_PASTE:  /* its prompt tells */
            break;
        default:
            if (c->size_bytes > 0)
                return 0;
        }
    }
    return s->skipped.n == 0;
}
