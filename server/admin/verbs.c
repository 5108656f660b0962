#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "server/settings/email.h"
#include "server/ledger/purge.h"
#include "server/upkeep/gc.h"
#include "server/auth/password.h"
#include "server/admin/prompt.h"
#include "server/admin/verbs.h"
#include "server/admin/verbs_impl.h"

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

static int user_add(struct data_dir *h, const char *email, struct ct_err *err)
{
    struct ledger_new_user u = {email, NULL, 1, now_wall_ms()};
    char *hash, id[UUID_SIZE];
    int rc;

    if (new_hash(&hash, err) != 0)
        return -1;
    u.password = hash;
    rc = ledger_user_add(h->ledger, &u, id, err);
    free(hash);
    if (rc == 0)
        printf("added %s\n", email);
    return rc;
}

static int user_passwd(struct data_dir *h, const char *email, struct ct_err *err)
{
    struct ledger_user user = {0};
    char *hash;
    int rc;

    /* Before anybody types a password for nothing. */
    if (ledger_user_by_email(h->ledger, email, &user, err) != 0 || new_hash(&hash, err) != 0) {
        ledger_user_clear(&user);
        return -1;
    }
    ledger_user_clear(&user);
    rc = ledger_user_passwd(h->ledger, email, hash, err);
    free(hash);
    if (rc == 0)
        printf("changed the password of %s; log-ins have ended, API tokens stay\n", email);
    return rc;
}

static int user_delete(struct data_dir *h, const char *email, struct ct_err *err)
{
    char *question = str_printf("Delete %s and everything of theirs? [y/N] ", email);
    int yes = prompt_yes(question);

    free(question);
    if (!yes)
        return err_set(err, ERR_CANCELLED, "nothing was deleted");
    if (ledger_user_delete(h->ledger, email, now_wall_ms(), err) != 0)
        return -1;
    printf("deleted %s; the objects go in 30 days\n", email);
    return 0;
}

static void print_user(void *arg, const char *email, int64_t created_ms, int64_t sessions,
                       int64_t bytes)
{
    char when[32], size[32], clean[512];

    (void)arg;
    now_rfc3339(created_ms, when);
    /* What others typed is not for this terminal to obey. */
    str_escape(email, strlen(email), clean, sizeof(clean));
    printf("%-40s  since %.10s  %6lld sessions  %10s\n", clean, when, (long long)sessions,
           str_human_bytes((unsigned long long)bytes, size, sizeof(size)));
}

static int user(const struct settings *s, struct data_dir *h, int argc, char **argv,
                struct ct_err *err)
{
    static const struct {
        const char *name;
        int (*run)(struct data_dir *h, const char *email, struct ct_err *err);
    } actions[] = {{"add", user_add}, {"passwd", user_passwd}, {"delete", user_delete}};
    char *email;
    int rc;

    (void)s;
    if (argc == 1 && strcmp(argv[0], "list") == 0)
        return ledger_users(h->ledger, print_user, NULL, err);
    for (size_t i = 0; argc == 2 && i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(argv[0], actions[i].name) != 0)
            continue;
        if (email_normal(argv[1], &email, err) != 0)
            return -1;
        rc = actions[i].run(h, email, err);
        free(email);
        return rc;
    }
    return verbs_usage("user add EMAIL | list | passwd EMAIL | delete EMAIL");
}

static int check(const struct settings *s, struct data_dir *h, int argc, char **argv,
                 struct ct_err *err)
{
    int full = argc == 1 && strcmp(argv[0], "--full") == 0;
    long problems;

    (void)s;
    if (argc > full)
        return verbs_usage("check [--full]");
    if (gc_check(h->ledger, h->store, full, stdout, &problems, err) != 0)
        return -1;
    if (problems == 0)
        puts("database and object store match");
    else
        printf("%ld differences between database and object store\n", problems);
    return problems == 0 ? 0 : 1;
}

static int gc(const struct settings *s, struct data_dir *h, int argc, char **argv,
              struct ct_err *err)
{
    struct gc_result r = {0};
    struct purged p = {0};

    (void)s;
    (void)argv;
    if (argc > 0)
        return verbs_usage("gc");
    if (purge_due(h->ledger, h->store, now_wall_ms(), &p, err) != 0 ||
        gc_orphans(h->ledger, h->store, now_wall_ms(), &r, err) != 0)
        return -1;
    printf("removed %ld versions whose time had come and %ld objects of no version\n", p.n,
           r.orphans);
    return p.failed + r.failed == 0 ? 0 : 1;
}

int verbs_usage(const char *text)
{
    fprintf(stderr, "usage: codeteleport-server %s\n", text);
    return VERBS_USAGE;
}

static const struct verb verbs[] = {
    {"user", 1, user},
    {"invite", 1, verb_invite},
    {"undelete", 1, verb_undelete},
    {"check", 1, check},
    {"gc", 1, gc},
    {"key", 0, verb_key},
    {"backup", 0, verb_backup},
};

int verbs_run(const struct settings *s, int argc, char **argv, struct ct_err *err)
{
    struct data_dir h;
    int rc;

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[0], verbs[i].name) != 0)
            continue;
        if (!verbs[i].needs_house)
            return verbs[i].run(s, NULL, argc - 1, argv + 1, err);
        if (data_dir_open(s, "", &h, err) != 0)
            return -1;
        rc = verbs[i].run(s, &h, argc - 1, argv + 1, err);
        data_dir_close(&h);
        return rc;
    }
    fprintf(stderr, "codeteleport-server: unknown verb; there are: user, invite, undelete, check, "
                    "gc, key, backup\n");
    return VERBS_USAGE;
}
