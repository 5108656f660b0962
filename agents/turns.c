#include <stdlib.h>
#include <string.h>

#include "agents/agent.h"
#include "agents/seen.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "agents/turns.h"

struct turns {
    const struct agent *agent;
    turns_f *f;
    void *arg;
    int (*is_wanted)(void *arg, const char *p, size_t n);
    void *wanted_arg;
    struct seen *told; /* of what can come again */
    struct buf line;   /* its beginning, from pieces before this one */
    int is_overlong;   /* it is longer than we read */
    int64_t unread;
};

struct turns *turns_new(const struct agent *agent, turns_f *f, void *arg)
{
    struct turns *t = str_calloc(1, sizeof(*t));

    t->agent = agent;
    t->f = f;
    t->arg = arg;
    t->told = seen_new();
    return t;
}

/* What an agent writes down again is told once. */
static void hear(void *arg, const struct turn *turn)
{
    struct turns *t = arg;
    struct buf key = {0};
    int is_new = 1;

    if (turn->once != NULL) {
        buf_printf(&key, "%d %s", (int)turn->kind, turn->once);
        buf_addc(&key, '\0');
        buf_add(&key, turn->text, strlen(turn->text));
        is_new = seen_add(t->told, key.data, key.len);
        buf_free(&key);
    }
    if (is_new)
        t->f(t->arg, turn);
}

void turns_only(struct turns *t, int (*is_wanted)(void *arg, const char *p, size_t n), void *arg)
{
    t->is_wanted = is_wanted;
    t->wanted_arg = arg;
}

/* A string of C ends at a NUL, and what stands behind it would not be read: put U+FFFD in the place
 * of each that a line of JSON names. */
static void without_nul(struct buf *line)
{
    char *p = line->data, *end = p + line->len;

    while ((p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
        if (end - p >= 6 && memcmp(p + 1, "u0000", 5) == 0)
            memcpy(p + 2, "fffd", 4);
        p += end - p > 1 ? 2 : 1;
    }
}

static void take_line(struct turns *t, const char *p, size_t n)
{
    struct json_object *o;
    struct buf copy = {0};

    if (strspn(p, " \t\r") >= n || (t->is_wanted != NULL && !t->is_wanted(t->wanted_arg, p, n)))
        return;
    if (memmem(p, n, "\\u0000", 6) != NULL) {
        buf_add(&copy, p, n);
        without_nul(&copy);
        p = copy.data;
    }
    if (jdoc_count(p, n) > TURNS_VALUES_MAX || jdoc_parse(p, n, &o, NULL) != 0) {
        t->unread++;
        buf_free(&copy);
        return;
    }
    buf_free(&copy);
    if (json_object_get_type(o) == json_type_object)
        t->agent->record_turns(o, hear, t);
    else
        t->unread++;
    json_object_put(o);
}

void turns_feed(struct turns *t, const void *p, size_t n)
{
    const char *at = p, *end;

    while (n > 0) {
        end = memchr(at, '\n', n);
        size_t len = end != NULL ? (size_t)(end - at) : n;
        if (t->is_overlong || t->line.len + len > TURNS_LINE_MAX) {
            t->is_overlong = 1;
            buf_reset(&t->line);
        } else if (end == NULL || t->line.len > 0) {
            buf_add(&t->line, at, len);
        }
        if (end == NULL)
            return;
        if (t->line.len > 0 || t->is_overlong)
            turns_end(t);
        else
            take_line(t, at, len);
        at = end + 1;
        n -= len + 1;
    }
}

void turns_end(struct turns *t)
{
    if (t->is_overlong)
        t->unread++;
    else if (t->line.len > 0)
        take_line(t, t->line.data, t->line.len);
    buf_reset(&t->line);
    t->is_overlong = 0;
}

int64_t turns_unread(const struct turns *t)
{
    return t->unread;
}

void turns_free(struct turns *t)
{
    if (t == NULL)
        return;
    buf_free(&t->line);
    seen_free(t->told);
    free(t);
}

void teller_say(struct teller *x, enum turn_kind kind, const char *text)
{
    if (text == NULL)
        return;
    x->turn.kind = kind;
    x->turn.text = text;
    x->f(x->arg, &x->turn);
    x->turn.part++;
}

void teller_call(struct teller *x, const char *name, struct json_object *arguments,
                 const char *const *keys)
{
    x->turn.tool = name != NULL ? name : "?";
    for (; x->turn.brief == NULL && *keys != NULL; keys++)
        x->turn.brief = jdoc_str(arguments, *keys);
    teller_say(x, TURN_CALL, arguments != NULL ? jdoc_text(arguments) : "");
    x->turn.tool = x->turn.brief = NULL;
}

const char *turns_word(enum turn_kind kind)
{
    static const char *const words[] = {
        [TURN_PROMPT] = "prompt", [TURN_ANSWER] = "answer", [TURN_THINKING] = "thinking",
        [TURN_CALL] = "call",     [TURN_RESULT] = "result", [TURN_SUMMARY] = "summary",
        [TURN_NOTE] = "note",
    };

    return words[kind];
}
