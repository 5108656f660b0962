#include <inttypes.h>
#include <stdio.h>

#include "common/data/jdoc.h"
#include "ctctl/read/reading.h"
#include "ctctl/read/telling.h"
#include "ctctl/ui/jout.h"
#include "ctctl/ui/pager.h"

#include "ctctl/ctx/verb.h"

#define FLUSH_BYTES (64 << 10)

struct cat {
    struct ctx *c;
    struct telling telling;
    struct buf out;
    struct pager *pager;
    int64_t turns; /* in JSON, so far */
};

/* A piece at a time, whatever the session's length. */
static void flush(struct cat *x)
{
    if (x->c->json)
        ctx_print(x->c, &x->out);
    else
        pager_add(x->pager, &x->out);
}

/* The turns that were told since the last time go out. */
static void add_json(struct cat *x)
{
    size_t n = json_object_array_length(x->telling.to);

    for (size_t i = 0; i < n; i++) {
        buf_addstr(&x->out, x->turns++ == 0 ? "{\"turns\": [\n" : ",\n");
        jout_add(&x->out, json_object_array_get_idx(x->telling.to, i), 0);
    }
    json_object_array_del_idx(x->telling.to, 0, n);
    x->c->has_printed = x->turns > 0;
}

static void on_turn(void *arg, const struct turn *t)
{
    struct cat *x = arg;

    telling_add(&x->telling, t);
    if (x->c->json)
        add_json(x);
    if (x->out.len > FLUSH_BYTES)
        flush(x);
}

/* End the document that was begun; ${err}: by what it is cut short, or NULL. */
static void end_json(struct cat *x, const struct reading *r, const struct ct_err *err)
{
    struct json_object *o = json_object_new_object(), *e;

    jdoc_set_str(o, "sessionId", r->session_id);
    jdoc_set_int(o, "version", r->found);
    jdoc_set_int(o, "unread", r->unread);
    if (err != NULL) {
        e = json_object_new_object();
        jdoc_set_str(e, "code", err_name(err->code));
        jdoc_set_str(e, "reason", err->reason);
        jdoc_set_str(e, "message", err->msg);
        json_object_object_add(o, "error", e);
    }
    buf_addstr(&x->out, x->turns == 0 ? "{\"turns\": [],\n" : "\n],\n");
    buf_addstr(&x->out, jdoc_text(o) + 1);
    buf_addc(&x->out, '\n');
    json_object_put(o);
    x->c->has_printed = 1;
    flush(x);
}

static void say_left_out(const struct cat *cat, const struct reading *r)
{
    const struct telling *x = &cat->telling;
    struct ctx *c = cat->c;

    if (x->notes + x->asides > 0)
        ctx_say(c,
                "left out: %" PRId64 " note%s, %" PRId64 " turn%s of subagents; with them: --all",
                x->notes, x->notes == 1 ? "" : "s", x->asides, x->asides == 1 ? "" : "s");
    if (r->unread > 0)
        ctx_say(c, "%" PRId64 " line%s of the transcript could not be read", r->unread,
                r->unread == 1 ? "" : "s");
}

static int tell(struct cat *x, struct reading *r)
{
    struct ct_err e;
    int rc;

    x->telling.to = x->c->json ? json_object_new_array() : NULL;
    x->pager = pager_new(&x->c->out);
    rc = reading_do(x->c, r, on_turn, x, &e);
    if (x->c->json && (rc == 0 || x->turns > 0))
        end_json(x, r, rc != 0 ? &e : NULL);
    else if (!x->c->json)
        flush(x);
    pager_end(x->pager);
    json_object_put(x->telling.to);
    if (rc != 0)
        return ctx_fail(x->c, &e);
    say_left_out(x, r);
    return CTX_OK;
}

static void on_bytes(void *arg, const void *p, size_t n)
{
    (void)arg;
    fwrite(p, 1, n, stdout);
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct cat cat = {.c = c, .telling = {.st = &c->out, .out = &cat.out}};
    struct telling *x = &cat.telling;
    struct strlist words = {0};
    struct reading r = {0};
    int is_all = 0, is_raw = 0;
    const struct opt opts[] = {
        {"version", OPT_NUMBER, &r.version},
        {"cloud", OPT_FLAG, &r.is_cloud},
        {"plain", OPT_FLAG, &r.is_plain},
        {"tools", OPT_FLAG, &x->with_tools},
        {"thinking", OPT_FLAG, &x->with_thinking},
        {"markdown", OPT_FLAG, &x->is_markdown},
        {"all", OPT_FLAG, &is_all},
        {"raw", OPT_FLAG, &is_raw},
    };
    struct ct_err e;
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);

    if (rc == -1 && words.n != 1)
        rc = ctx_usage(c, "cat wants the ID of one session");
    if (rc == -1 && is_raw && (c->json || is_all || x->with_tools || x->is_markdown))
        rc = ctx_usage(c, "--raw is the transcript as it is, and goes with no other form");
    if (rc == -1 && is_raw && c->out.is_terminal)
        rc = ctx_usage(c, "--raw is for a file or a program: it can hold what moves the cursor");
    if (rc == -1 && is_raw) {
        r.word = words.v[0];
        rc = reading_raw(c, &r, on_bytes, NULL, &e) == 0 ? CTX_OK : ctx_fail(c, &e);
    } else if (rc == -1) {
        r.word = words.v[0];
        if (is_all || c->json)
            x->with_notes = x->with_tools = x->with_thinking = x->with_asides = 1;
        rc = tell(&cat, &r);
    }
    buf_free(&cat.out);
    strlist_free(&words);
    return rc;
}

const struct verb verb_cat = {
    "cat",
    "ID [--version N] [--cloud] [--tools] [--thinking] [--all]\n"
    "                 [--markdown|--raw] [--plain]",
    "read a session",
    "Prints the conversation: what you typed, what the agent answered, a line for each tool\n"
    "that it used and the beginning of what that gave back; through a pager on a terminal.\n"
    "Reads what is here, else the newest version in the cloud. Nothing is installed.\n"
    "The order is that of the transcript, in which also what was rewound stands.\n"
    "\n"
    "  --version N  a version in the cloud (see: ctctl versions ID)\n"
    "  --cloud      the newest version in the cloud, though it is here too\n"
    "  --tools      tools with all their arguments, and what they gave back, whole\n"
    "  --thinking   what the model thought, too\n"
    "  --all        these, what subagents wrote into the same transcript, and notes: whatever\n"
    "               else may reach the model (reminders, attachments, summaries)\n"
    "  --markdown   as Markdown; results only with --tools\n"
    "  --raw        the transcript itself, byte for byte, for a program\n"
    "  --plain      what is there in clear, on a device that seals\n",
    run,
    "ctctl cat 29221bf7                         # read it\n"
    "ctctl cat 29221bf7 --markdown >session.md  # keep it as a text\n"
    "ctctl cat 29221bf7 --version 3 --tools     # how it stood then, with all it did\n",
};
