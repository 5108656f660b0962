#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "common/sys/secret.h"

#include "server/admin/prompt.h"
#include "server/admin/verbs_impl.h"
#include "server/auth/password.h"
#include "server/ledger/ledger_share.h"
#include "server/ledger/purge.h"
#include "server/settings/email.h"

#define TRASH_MS (30LL * 24 * 3600 * 1000)

/* One of "user": ${more} is what stands behind the e-mail, or NULL. */
struct action {
    const char *name;
    const char *option; /* what may stand there; "ID": anything; NULL: nothing */
    int (*run)(struct visit *v, const char *email, const char *more, struct ct_err *err);
};

const char *verbs_clean(const char *s, char *buf, size_t size)
{
    str_escape(s != NULL ? s : "-", s != NULL ? strlen(s) : 1, buf, size);
    return buf;
}

static int new_hash(char **ret, struct ct_err *err)
{
    char *password;
    int rc;

    if (prompt_new_password(&password, err) != 0)
        return -1;
    rc = password_check(password, err) != 0 ? -1 : password_hash(password, ret, err);
    secret_free(password);
    return rc;
}

/* The e-mail may be another person's now: who had it and signs in elsewhere stays away. */
static int add_user(struct visit *v, const struct ledger_new_user *u, struct ct_err *err)
{
    char id[UUID_SIZE];

    if (verbs_act(v, err) != 0)
        return -1;
    ledger_user_allow(v->h->ledger, u->email, 0, NULL);
    return verbs_acted(v, ledger_user_add(v->h->ledger, u, id, err), err);
}

static int add(struct visit *v, const char *email, const char *more, struct ct_err *err)
{
    struct ledger_new_user u = {email, NULL, 1, now_wall_ms()};
    char *hash;
    int rc;

    (void)more;
    if (new_hash(&hash, err) != 0)
        return -1;
    u.password = hash;
    rc = add_user(v, &u, err);
    free(hash);
    if (rc == 0)
        printf("added %s\n", email);
    return rc;
}

static int set_password(struct visit *v, const char *email, const char *hash, int ends_tokens,
                        struct ct_err *err)
{
    int rc;

    if (verbs_act(v, err) != 0)
        return -1;
    rc = ledger_user_passwd(v->h->ledger, email, hash, err);
    if (rc == 0 && ends_tokens)
        rc = ledger_user_revoke(v->h->ledger, email, err);
    return verbs_acted(v, rc, err);
}

static int passwd(struct visit *v, const char *email, const char *more, struct ct_err *err)
{
    struct ledger_user user = {0};
    char *hash;
    int rc;

    /* Before anybody types a password for nothing. */
    if (ledger_user_by_email(v->h->ledger, email, &user, err) != 0 || new_hash(&hash, err) != 0) {
        ledger_user_clear(&user);
        return -1;
    }
    ledger_user_clear(&user);
    rc = set_password(v, email, hash, more != NULL, err);
    free(hash);
    if (rc == 0)
        printf("changed the password of %s; log-ins have ended, API tokens %s\n", email,
               more != NULL ? "too" : "stay");
    return rc;
}

/* What this can't end because it was killed the server, or gc, does: it is due. */
static int delete (struct visit *v, const char *email, const char *more, struct ct_err *err)
{
    char *question = str_printf("Delete %s and everything of theirs%s? [y/N] ", email,
                                more != NULL ? ", for good" : "");
    int64_t now_ms = now_wall_ms(), purge_ms = more != NULL ? now_ms : now_ms + TRASH_MS;
    struct purged done = {0};
    int yes = prompt_yes(question), was_there = 0;

    free(question);
    if (!yes)
        return err_set(err, ERR_CANCELLED, "nothing was deleted");
    if (verbs_act(v, err) != 0 ||
        verbs_acted(v, ledger_user_remove(v->h->ledger, email, now_ms, purge_ms, &was_there, err),
                    err) != 0)
        return -1;
    if (!was_there)
        printf("there is no account %s\n", email);
    else if (more == NULL)
        printf("deleted %s; the objects go in 30 days\n", email);
    else if (purge_due(v->h->ledger, v->h->store, now_ms, &done, err) != 0)
        return -1;
    else
        printf("deleted %s and %ld objects%s\n", email, done.n,
               done.failed > 0 ? "; some are left: run gc" : "");
    printf("nobody gets an account as %s until: codeteleport-server user allow %s\n", email, email);
    return done.failed > 0 ? 1 : 0;
}

static int allow(struct visit *v, const char *email, const char *more, struct ct_err *err)
{
    (void)more;
    if (verbs_act(v, err) != 0 ||
        verbs_acted(v, ledger_user_allow(v->h->ledger, email, 1, err), err) != 0)
        return -1;
    printf("%s may register or sign in again\n", email);
    return 0;
}

static int set_disabled(struct visit *v, const char *email, int64_t now_ms, struct ct_err *err)
{
    return verbs_act(v, err) != 0
               ? -1
               : verbs_acted(v, ledger_user_disable(v->h->ledger, email, now_ms, err), err);
}

static int disable(struct visit *v, const char *email, const char *more, struct ct_err *err)
{
    (void)more;
    if (set_disabled(v, email, now_wall_ms(), err) != 0)
        return -1;
    printf("disabled %s: log-ins, tokens and URLs count no more; what is stored stays\n", email);
    return 0;
}

static int enable(struct visit *v, const char *email, const char *more, struct ct_err *err)
{
    (void)more;
    if (set_disabled(v, email, 0, err) != 0)
        return -1;
    printf("enabled %s\n", email);
    return 0;
}

/* A token's, or a device's. */
static int end_one(struct visit *v, const char *email, const char *id, struct ct_err *err)
{
    struct ledger_user user = {0};
    int rc;

    if (verbs_act(v, err) != 0)
        return -1;
    rc = ledger_user_by_email(v->h->ledger, email, &user, err);
    if (rc == 0 && ledger_token_revoke(v->h->ledger, user.id, id, err) != 0)
        rc = ledger_device_delete(v->h->ledger, user.id, id, err);
    ledger_user_clear(&user);
    return verbs_acted(v, rc, err);
}

static int end_all(struct visit *v, const char *email, struct ct_err *err)
{
    return verbs_act(v, err) != 0
               ? -1
               : verbs_acted(v, ledger_user_revoke(v->h->ledger, email, err), err);
}

static int end_tokens(struct visit *v, const char *email, const char *more, struct ct_err *err)
{
    int rc = more != NULL ? end_one(v, email, more, err) : end_all(v, email, err);

    if (rc == 0)
        printf("ended %s of %s\n", more != NULL ? more : "all log-ins and API tokens", email);
    return rc;
}

/* Somebody complained of what they share: the account goes on. */
static int unshare_user(struct visit *v, const char *email, const char *more, struct ct_err *err)
{
    struct ledger_user user = {0};
    struct purged done = {0};
    int64_t now_ms = now_wall_ms(), n = 0;
    int rc = ledger_user_by_email(v->h->ledger, email, &user, err);

    (void)more;
    if (rc == 0)
        rc = verbs_act(v, err);
    if (rc == 0)
        rc = verbs_acted(v, ledger_shares_end(v->h->ledger, user.id, NULL, now_ms, &n, err), err);
    ledger_user_clear(&user);
    if (rc == 0)
        rc = purge_due(v->h->ledger, v->h->store, now_ms, &done, err);
    if (rc == 0)
        printf("ended %lld share%s of %s\n", (long long)n, n == 1 ? "" : "s", email);
    return rc;
}

static void print_usage(void *arg, const char *state, int64_t n, int64_t bytes)
{
    char size[32];

    (void)arg;
    printf("  %-10s %8lld  %10s\n", state, (long long)n,
           str_human_bytes((unsigned long long)bytes, size, sizeof(size)));
}

static void print_list(struct json_object *o, const char *name, const char *seen)
{
    struct json_object *list = jdoc_array(o, name);
    char clean[512];

    printf("%s\n", name);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *row = json_object_array_get_idx(list, i);
        const char *when = jdoc_str(row, seen), *expires = jdoc_str(row, "expiresAt");
        printf("  %s  %s  last seen %.10s%s%.10s\n", jdoc_str(row, "id"),
               verbs_clean(jdoc_str(row, "name"), clean, sizeof(clean)),
               when != NULL ? when : "never", expires != NULL ? "  until " : "",
               expires != NULL ? expires : "");
    }
}

static int show(struct visit *v, const char *email, const char *more, struct ct_err *err)
{
    struct ledger_user user = {0};
    struct ledger_who who = {0};
    struct json_object *o;
    char when[32];
    int rc;

    (void)more;
    if (ledger_user_by_email(v->h->ledger, email, &user, err) != 0)
        return -1;
    printf("%s  since %.10s%s%s\n", email, now_rfc3339(user.created_ms, when),
           user.is_disabled ? "  disabled" : "", user.password[0] == '\0' ? "  no password" : "");
    memcpy(who.user_id, user.id, UUID_SIZE);
    ledger_user_clear(&user);
    puts("stored");
    rc = ledger_user_usage(v->h->ledger, who.user_id, print_usage, NULL, err);
    if (rc == 0 && (rc = ledger_devices(v->h->ledger, &who, &o, err)) == 0) {
        print_list(o, "devices", "lastSeenAt");
        json_object_put(o);
    }
    if (rc == 0 && (rc = ledger_tokens(v->h->ledger, &who, &o, err)) == 0) {
        print_list(o, "tokens", "lastUsedAt");
        json_object_put(o);
    }
    return rc;
}

static void print_user(void *arg, const char *email, int64_t created_ms, int64_t sessions,
                       int64_t bytes)
{
    char when[32], size[32], clean[512];

    (void)arg;
    now_rfc3339(created_ms, when);
    printf("%-40s  since %.10s  %6lld sessions  %10s\n", verbs_clean(email, clean, sizeof(clean)),
           when, (long long)sessions,
           str_human_bytes((unsigned long long)bytes, size, sizeof(size)));
}

static void print_removed(void *arg, const struct ledger_removed *r)
{
    char when[32], email[512], issuer[512], subject[512];

    (void)arg;
    now_rfc3339(r->at_ms, when);
    if (r->email != NULL)
        verbs_clean(r->email, email, sizeof(email));
    else
        snprintf(email, sizeof(email), "(forgotten, %.12s)", r->email_hash);
    if (r->issuer[0] == '\0')
        printf("%-40s  since %.10s  by e-mail\n", email, when);
    else
        printf("%-40s  since %.10s  %s %s\n", email, when,
               verbs_clean(r->issuer, issuer, sizeof(issuer)),
               verbs_clean(r->subject, subject, sizeof(subject)));
}

static const struct action actions[] = {
    {"add", NULL, add},          {"show", NULL, show},     {"passwd", "--tokens", passwd},
    {"disable", NULL, disable},  {"enable", NULL, enable}, {"revoke", "ID", end_tokens},
    {"delete", "--now", delete}, {"allow", NULL, allow},   {"unshare", NULL, unshare_user}};

static int fits(const struct action *a, int argc, char **argv)
{
    if (strcmp(argv[0], a->name) != 0)
        return 0;
    return argc == 2 || (argc == 3 && a->option != NULL &&
                         (strcmp(a->option, "ID") == 0 || strcmp(a->option, argv[2]) == 0));
}

int verb_user(struct visit *v, int argc, char **argv, struct ct_err *err)
{
    char *email;
    int rc;

    if (argc == 1 && strcmp(argv[0], "list") == 0)
        return ledger_users(v->h->ledger, print_user, NULL, err);
    if (argc == 2 && strcmp(argv[0], "list") == 0 && strcmp(argv[1], "--removed") == 0)
        return ledger_removed_each(v->h->ledger, print_removed, NULL, err);
    for (size_t i = 0; argc >= 2 && i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (!fits(&actions[i], argc, argv))
            continue;
        if (email_normal(argv[1], &email, err) != 0)
            return -1;
        rc = actions[i].run(v, email, argc == 3 ? argv[2] : NULL, err);
        free(email);
        return rc;
    }
    return verbs_usage(
        "user list [--removed] | add EMAIL | show EMAIL | passwd EMAIL [--tokens] |\n"
        "       disable EMAIL | enable EMAIL | revoke EMAIL [ID] | delete EMAIL "
        "[--now] | allow EMAIL |\n"
        "       unshare EMAIL");
}
