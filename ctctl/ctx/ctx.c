#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/ui/jout.h"
#include "ctctl/ui/term.h"

#include "ctctl/ctx/ctx.h"

void ctx_init(struct ctx *c)
{
    memset(c, 0, sizeof(*c));
    term_style(STDOUT_FILENO, &c->out);
    term_style(STDERR_FILENO, &c->err);
}

void ctx_clear(struct ctx *c)
{
    ctl_close(c->client);
    keyring_free(c->ring);
    free(c->account_dir);
    cred_free(c->cred);
    config_free(c->config);
    memset(c, 0, sizeof(*c));
}

static void say_va(const struct ctx *c, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void say_va(const struct ctx *c, const char *fmt, va_list ap)
{
    struct buf b = {0};
    char *raw = NULL, *clean;

    if (vasprintf(&raw, fmt, ap) < 0)
        abort();
    clean = text_clean(&c->err, raw);
    text_wrap(&b, &c->err, TEXT_PLAIN, "ctctl: ", "  ", clean);
    fputs(b.data, stderr);
    buf_free(&b);
    free(clean);
    free(raw);
}

void ctx_say(const struct ctx *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say_va(c, fmt, ap);
    va_end(ap);
}

/* With --json there is a document on stdout whatever happens. */
static void json_failure(struct ctx *c, const char *code, const char *reason, const char *text)
{
    struct json_object *o, *e;

    if (!c->json || c->has_printed)
        return;
    o = json_object_new_object();
    e = json_object_new_object();
    jdoc_set_str(e, "code", code);
    jdoc_set_str(e, "reason", reason);
    jdoc_set_str(e, "message", text);
    json_object_object_add(o, "error", e);
    ctx_json(c, o);
    json_object_put(o);
}

int ctx_usage(struct ctx *c, const char *fmt, ...)
{
    struct ct_err e;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(e.msg, sizeof(e.msg), fmt, ap);
    va_end(ap);
    ctx_say(c, "%s", e.msg);
    if (c->verb != NULL)
        ctx_say(c, "see: ctctl %s --help", c->verb);
    else
        ctx_say(c, "see: ctctl --help");
    json_failure(c, "usage", "", e.msg);
    return CTX_USAGE;
}

int ctx_fail(struct ctx *c, const struct ct_err *err)
{
    ctx_say(c, "%s", err->msg);
    if (err->code == ERR_AUTH && strstr(err->msg, "ctctl login") == NULL &&
        (c->verb == NULL || strcmp(c->verb, "login") != 0))
        ctx_say(c, "log in again with: ctctl login");
    json_failure(c, ctx_is_no_daemon(err) ? "no_daemon" : err_name(err->code), err->reason,
                 err->msg);
    return ctx_status(err);
}

void ctx_json(struct ctx *c, struct json_object *o)
{
    struct buf b = {0};

    jout_add(&b, o, c->out.is_terminal);
    buf_addc(&b, '\n');
    ctx_print(c, &b);
    buf_free(&b);
    c->has_printed = 1;
}

void ctx_print(struct ctx *c, struct buf *b)
{
    (void)c;
    if (b->len > 0)
        fwrite(b->data, 1, b->len, stdout);
    buf_reset(b);
}
