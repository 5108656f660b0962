#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ctctl/ui/headline.h"

#include "ctctl/ctx/verb.h"

#define ANSWER_MS 30000

static enum text_colour colour_of(const char *event)
{
    if (strcmp(event, "confirmed") == 0)
        return TEXT_GREEN;
    if (strcmp(event, "failed") == 0)
        return TEXT_RED;
    if (strcmp(event, "state") == 0)
        return TEXT_YELLOW;
    return TEXT_PLAIN;
}

/* What follows the title: version, size, reason, as far as they are there. */
static void add_details(struct buf *b, const struct json_object *o)
{
    int64_t version = headline_number(o, "version", 0), size = headline_number(o, "sizeBytes", -1);
    const char *state = jdoc_str(o, "state"), *reason = jdoc_str(o, "reason");
    const char *gap = b->len > 0 ? "  " : "";
    char t[32];

    if (state != NULL) {
        buf_printf(b, "%s%s", gap, state);
        gap = ", ";
    }
    if (version > 0) {
        buf_printf(b, "%sversion %" PRId64, gap, version);
        gap = ", ";
    }
    if (size >= 0) {
        buf_printf(b, "%s%s", gap, str_human_bytes((unsigned long long)size, t, sizeof(t)));
        gap = ", ";
    }
    if (reason != NULL)
        buf_printf(b, "%s%s", gap, reason);
}

static void render(const struct text_style *st, const struct json_object *o, struct buf *b)
{
    const char *event = jdoc_str(o, "event"), *title = jdoc_str(o, "title");
    struct buf rest = {0};
    char clock[64], id[9], *clean, *fit, *word;
    size_t used;

    buf_printf(b, "%s  ", text_clock(jdoc_str(o, "at"), "%H:%M:%S", clock, sizeof(clock)));
    clean = text_clean(st, event != NULL ? event : "?");
    word = str_printf("%-9s", clean);
    text_add(b, st, colour_of(clean), word);
    free(clean);
    clean = text_clean(st, text_short_id(jdoc_str(o, "sessionId"), id));
    buf_printf(b, "  %-8s  ", clean);
    used = text_columns(clock) + 2 + text_columns(word) + 12;
    free(clean);
    free(word);
    if (title != NULL)
        buf_addstr(&rest, title);
    add_details(&rest, o);
    clean = text_line(st, rest.data);
    fit = text_fit(st, clean,
                   st->width == 0                 ? SIZE_MAX
                   : (size_t)st->width > used + 8 ? (size_t)st->width - used
                                                  : 8);
    buf_addstr(b, fit);
    buf_addc(b, '\n');
    free(fit);
    free(clean);
    buf_free(&rest);
}

static int follow(struct ctx *c)
{
    struct json_object *o;
    struct buf b = {0};

    if (!c->json)
        ctx_say(c, "following what happens; Ctrl-C ends it");
    while (ctl_event(c->client, 0, &o) == CTL_OK) {
        c->out.now_ms = now_wall_ms();
        if (c->json)
            ctx_json(c, o);
        else
            render(&c->out, o, &b);
        ctx_print(c, &b);
        json_object_put(o);
        if (fflush(stdout) != 0) {
            buf_free(&b);
            return CTX_FAILED;
        }
    }
    buf_free(&b);
    return ctx_fail(c, ctl_last(c->client));
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct json_object *o;
    struct ct_err e;
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);

    if (rc == -1 && words.n > 0)
        rc = ctx_usage(c, "watch takes no further words");
    strlist_free(&words);
    if (rc != -1)
        return rc;
    if (ctx_call(c, "subscribe", NULL, ANSWER_MS, &o, &e) != 0)
        return ctx_fail(c, &e);
    json_object_put(o);
    /* Each document is a line of its own, on a terminal too. */
    if (c->json)
        c->out.is_terminal = 0;
    return follow(c);
}

const struct verb verb_watch = {
    "watch",
    "",
    "follow events as they happen",
    "One line for each event: a session changed, was bundled, is uploading, is confirmed,\n"
    "had not changed after all, failed, was archived; a scan; a new state of the daemon.\n"
    "With --json, one JSON document a line. Ends when the daemon does, with status 69.\n",
    run,
    "ctctl watch         # as it happens; Ctrl-C ends it\n"
    "ctctl watch --json  # an object a line, for scripts\n",
};
