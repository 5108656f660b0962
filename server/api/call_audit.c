#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/str.h"

#include "server/api/app_impl.h"

#define MAX_DETAIL 200

/* What is written down, with its texts. */
struct trace {
    struct ledger_event e;
    char client[WEB_ADDRESS_SIZE], detail[MAX_DETAIL];
};

static void prepare(struct call *c, struct trace *t, const char *event, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));
static void prepare(struct call *c, struct trace *t, const char *event, const char *fmt, va_list ap)
{
    t->e = (struct ledger_event){.at_ms = c->now_ms,
                                 .event = event,
                                 .user_id = c->who.user_id,
                                 .token_id = c->who.token_id,
                                 .client = t->client,
                                 .detail = t->detail,
                                 .email = c->trace_email};
    call_client(c, t->client);
    vsnprintf(t->detail, sizeof(t->detail), fmt, ap);
}

static void tell(const struct call *c, const struct trace *t)
{
    log_info("audit event=%s client=%s user=%s token=%s detail=\"%s\"", t->e.event, t->client,
             c->who.user_id, c->who.token_id[0] != '\0' ? c->who.token_id : "-", t->detail);
}

const char *call_where(const struct call *c)
{
    return c->is_dashboard ? " at=dashboard" : "";
}

void call_audit(struct call *c, const char *event, const char *fmt, ...)
{
    struct ct_err err;
    struct trace t;
    va_list ap;

    va_start(ap, fmt);
    prepare(c, &t, event, fmt, ap);
    va_end(ap);
    tell(c, &t);
    if (ledger_audit(c->config->ledger, &t.e, &err) != 0)
        log_error("audit-not-written event=%s error=\"%s\"", event, err.msg);
}

int call_act(struct call *c, struct ct_err *err)
{
    return ledger_act(c->config->ledger, err);
}

int call_acted(struct call *c, int rc, struct ct_err *err, const char *event, const char *fmt, ...)
{
    struct trace t;
    va_list ap;

    if (rc != 0)
        return ledger_acted(c->config->ledger, rc, NULL, err);
    va_start(ap, fmt);
    prepare(c, &t, event, fmt, ap);
    va_end(ap);
    rc = ledger_acted(c->config->ledger, 0, &t.e, err);
    if (rc == 0)
        tell(c, &t);
    return rc;
}

/* People type passwords where the e-mail belongs: what is no account's is told by a digest only,
 * which is the same for the same text and of no use to anybody who doesn't have our key. */
void call_log_failure(struct call *c, const char *email, int is_known, const char *reason)
{
    const char *secret = c->config->keys->object_secret;
    char client[WEB_ADDRESS_SIZE], hex[2 * HASH_SHA256_BYTES + 1], *text;
    unsigned char mac[HASH_SHA256_BYTES];

    call_client(c, client);
    text = str_printf("attempted e-mail %s", email);
    hash_hmac_sha256(secret, strlen(secret), text, strlen(text), mac);
    str_wipe(text, strlen(text));
    free(text);
    hash_hex(mac, sizeof(mac), hex);
    hex[16] = '\0';
    if (is_known)
        log_warn("login-failed client=%s reason=%s email=\"%.254s\"", client, reason, email);
    else
        log_warn("login-failed client=%s reason=%s email_hash=%s", client, reason, hex);
}

void call_note_access(struct call *c)
{
    char note[256];
    int n = 0;

    if (c->who.user_id[0] != '\0')
        n += snprintf(note, sizeof(note), " user=%s", c->who.user_id);
    if (c->who.token_id[0] != '\0')
        n += snprintf(note + n, sizeof(note) - (size_t)n, " token=%s", c->who.token_id);
    n += snprintf(note + n, sizeof(note) - (size_t)n, "%s", call_where(c));
    if (c->session_id[0] != '\0')
        n += snprintf(note + n, sizeof(note) - (size_t)n, " session=%s", c->session_id);
    if (n > 0)
        web_set_note(c->web, note);
}
