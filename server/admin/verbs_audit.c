#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/admin/verbs_impl.h"
#include "server/settings/email.h"

#define DAY_MS (24LL * 3600 * 1000)

/* "2026-11-30", a whole RFC 3339 time, or "7d": so many days ago. */
static int parse_since(const char *s, int64_t now_ms, int64_t *ret_ms)
{
    size_t n = strlen(s);
    unsigned long long days = 0;
    char *text;
    int rc;

    if (n > 1 && n < 6 && s[n - 1] == 'd') {
        text = str_printf("%.*s", (int)(n - 1), s);
        rc = str_parse_u64(text, &days);
        *ret_ms = now_ms - (int64_t)days * DAY_MS;
    } else {
        text = str_printf("%s%s", s, strchr(s, 'T') == NULL ? "T00:00:00Z" : "");
        rc = now_parse_rfc3339(text, ret_ms);
    }
    free(text);
    return rc;
}

static void print_line(void *arg, const struct ledger_event *e)
{
    char when[32], who[512], detail[512];

    (void)arg;
    printf("%.19sZ  %-20s %s  %s%s%s  %s\n", now_rfc3339(e->at_ms, when), e->event,
           verbs_clean(e->email[0] != '\0'     ? e->email
                       : e->user_id[0] != '\0' ? e->user_id
                                               : NULL,
                       who, sizeof(who)),
           e->client, e->token_id[0] != '\0' ? "  token=" : "", e->token_id,
           verbs_clean(e->detail, detail, sizeof(detail)));
}

static void set(struct json_object *o, const char *key, const char *value)
{
    if (value[0] != '\0')
        jdoc_set_str(o, key, value);
    else
        jdoc_set_null(o, key);
}

static void print_json(void *arg, const struct ledger_event *e)
{
    struct json_object *o = json_object_new_object();
    char when[32];

    (void)arg;
    jdoc_set_str(o, "at", now_rfc3339(e->at_ms, when));
    jdoc_set_str(o, "event", e->event);
    set(o, "user", e->user_id);
    set(o, "email", e->email);
    set(o, "token", e->token_id);
    set(o, "client", e->client);
    set(o, "detail", e->detail);
    printf("%s\n", jdoc_text(o));
    json_object_put(o);
}

int verb_audit(struct visit *v, int argc, char **argv, struct ct_err *err)
{
    int64_t since_ms = 0;
    int is_json = 0;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            is_json = 1;
        else if (strcmp(argv[i], "--since") != 0 || ++i == argc ||
                 parse_since(argv[i], now_wall_ms(), &since_ms) != 0)
            return verbs_usage("audit [--json] [--since 2026-11-30 | 7d]");
    }
    return ledger_audit_each(v->h->ledger, since_ms, is_json ? print_json : print_line, NULL, err);
}

/* ---- what verbs do -----------------------------------------------------------------------------
 */

int verbs_change(const struct visit *v)
{
    static const char *const looks[] = {"audit", "check"};

    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        if (strcmp(v->argv[0], looks[i]) == 0)
            return 0;
    }
    for (int i = 1; i < v->argc; i++) {
        if (strcmp(v->argv[i], "--dry-run") == 0)
            return 0;
    }
    if (strcmp(v->argv[0], "user") == 0)
        return v->argc > 2 && strcmp(v->argv[1], "show") != 0 && strcmp(v->argv[1], "list") != 0;
    return strcmp(v->argv[0], "undelete") != 0 || v->argc > 2;
}

/* "uid=0 al": who typed it, behind a sudo too. */
static char *who_is_here(void)
{
    const struct passwd *pw = getpwuid(getuid());
    const char *sudo = getenv("SUDO_USER");

    return str_printf("uid=%d %s%s%s", (int)getuid(), pw != NULL ? pw->pw_name : "-",
                      sudo != NULL ? " sudo=" : "", sudo != NULL ? sudo : "");
}

void verbs_find_user(struct visit *v)
{
    const char *word = v->argc > 2 && strcmp(v->argv[0], "user") == 0       ? v->argv[2]
                       : v->argc > 1 && strcmp(v->argv[0], "undelete") == 0 ? v->argv[1]
                                                                            : NULL;
    struct ledger_user user = {0};
    char *email;

    if (v->h == NULL || word == NULL || v->user_id[0] != '\0' ||
        email_normal(word, &email, NULL) != 0)
        return;
    if (ledger_user_by_email(v->h->ledger, email, &user, NULL) == 0)
        memcpy(v->user_id, user.id, UUID_SIZE);
    ledger_user_clear(&user);
    free(email);
}

/* A verb as a trace of it. */
struct trace {
    struct ledger_event e;
    char *who, *email;
    char words[512];
};

static void prepare(const struct visit *v, struct trace *t)
{
    struct buf words = {0};

    for (int i = 0; i < v->argc; i++)
        buf_printf(&words, "%s%s", i > 0 ? " " : "", v->argv[i]);
    verbs_clean(words.data, t->words, sizeof(t->words));
    buf_free(&words);
    t->who = who_is_here();
    t->email = NULL;
    if (v->argc > 2 && strcmp(v->argv[0], "user") == 0)
        email_normal(v->argv[2], &t->email, NULL);
    t->e = (struct ledger_event){.at_ms = now_wall_ms(),
                                 .event = "verb",
                                 .user_id = v->user_id,
                                 .client = t->who,
                                 .detail = t->words,
                                 .email = t->email};
}

static void tell(const struct trace *t)
{
    openlog("codeteleport-server", LOG_PID, LOG_AUTH);
    syslog(LOG_NOTICE, "audit event=verb client=\"%s\" user=%s detail=\"%s\"", t->who,
           t->e.user_id[0] != '\0' ? t->e.user_id : "-", t->words);
    closelog();
}

static void clear(struct trace *t)
{
    free(t->who);
    free(t->email);
}

int verbs_act(struct visit *v, struct ct_err *err)
{
    return ledger_act(v->h->ledger, err);
}

int verbs_acted(struct visit *v, int rc, struct ct_err *err)
{
    struct trace t;

    if (rc != 0)
        return ledger_acted(v->h->ledger, rc, NULL, err);
    verbs_find_user(v);
    prepare(v, &t);
    rc = ledger_acted(v->h->ledger, 0, &t.e, err);
    if (rc == 0) {
        tell(&t);
        v->is_written = 1;
    }
    clear(&t);
    return rc;
}

void verbs_audit(struct visit *v)
{
    struct ct_err err;
    struct trace t;

    if (v->is_written || !verbs_change(v))
        return;
    verbs_find_user(v);
    prepare(v, &t);
    tell(&t);
    if (v->h != NULL && ledger_audit(v->h->ledger, &t.e, &err) != 0)
        fprintf(stderr, "codeteleport-server: the audit table could not be written: %s\n", err.msg);
    clear(&t);
}
