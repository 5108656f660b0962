#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#include "tests/agents/agents_room.h"

struct news *room_news(const struct agent *agent, const char *text)
{
    struct news *n = news_new(agent);

    news_feed(n, text, strlen(text));
    news_end(n);
    return n;
}

void room_turn(void *arg, const struct turn *t)
{
    buf_printf(arg, "%s: %s\n", turns_word(t->kind), t->text);
}

int room_put(void *arg, const void *p, size_t n, int is_exact, struct ct_err *err)
{
    (void)is_exact;
    (void)err;
    buf_add(arg, p, n);
    return 0;
}

int room_put_marked(void *arg, const void *p, size_t n, int is_exact, struct ct_err *err)
{
    (void)err;
    buf_printf(arg, "%s%.*s%s", is_exact ? "<" : "", (int)n, (const char *)p, is_exact ? ">" : "");
    return 0;
}

char *room_stays(void *arg, const char *path)
{
    (void)arg;
    return str_dup(path);
}

char *room_moves(void *arg, const char *path)
{
    static const char from[] = "/home/alice/src/web.app";

    (void)arg;
    return strncmp(path, from, strlen(from)) == 0 ? str_printf("/home/bob/w%s", path + strlen(from))
                                                  : str_dup(path);
}

char *room_rebuilt(const struct agent *agent, const struct rebuild_opts *opts, const char *entry,
                   const char *text)
{
    struct rebuild_opts mine = *opts;
    struct buf b = {0};
    struct rebuild *r;
    int rc;

    mine.arg = &b;
    r = agent->rebuild_new(&mine, entry);
    for (const char *p = text; *p != '\0'; p++)
        assert_int_equal(agent->rebuild_feed(r, p, 1, NULL), 0);
    rc = agent->rebuild_end(r, NULL);
    agent->rebuild_free(r);
    buf_addc(&b, '\0');
    if (rc == 0)
        return b.data;
    buf_free(&b);
    return NULL;
}
