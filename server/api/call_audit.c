#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/api/app_impl.h"

#define MAX_DETAIL 200

/* To the journal always; to the table at most as often as a user's hour allows, so that nobody
 * fills the disk with it. */
void call_audit(struct call *c, const char *event, const char *fmt, ...)
{
    struct attempts *limit = c->config->limits->events;
    char client[WEB_ADDRESS_SIZE], detail[MAX_DETAIL];
    struct ledger_event e = {c->now_ms, event, c->who.user_id, c->who.token_id, client, detail};
    struct ct_err err;
    va_list ap;

    call_client(c, client);
    va_start(ap, fmt);
    vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    log_info("audit event=%s client=%s user=%s token=%s detail=\"%s\"", event, client,
             c->who.user_id, c->who.token_id[0] != '\0' ? c->who.token_id : "-", detail);
    if (attempts_wait_s(limit, c->who.user_id, now_mono_ms()) > 0)
        return;
    attempts_count(limit, c->who.user_id, now_mono_ms());
    if (attempts_wait_s(limit, c->who.user_id, now_mono_ms()) > 0)
        e.event = "more-in-the-log";
    if (ledger_audit(c->config->ledger, &e, &err) != 0)
        log_error("audit-not-written event=%s error=\"%s\"", event, err.msg);
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
    if (c->session_id[0] != '\0')
        n += snprintf(note + n, sizeof(note) - (size_t)n, " session=%s", c->session_id);
    if (n > 0)
        web_set_note(c->web, note);
}
