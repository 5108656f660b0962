#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/base/str.h"

#include "server/ledger/purge.h"
#include "server/settings/email.h"
#include "server/store/space.h"
#include "server/upkeep/adopt.h"
#include "server/upkeep/gc.h"
#include "server/admin/verbs.h"
#include "server/admin/verbs_impl.h"

/* A bucket needs a rule before browsers let the page read what it fetches there. */
static int check_share(struct visit *v)
{
    char *url = settings_share_url(v->s);
    struct ct_err why;
    int rc = url != NULL ? store_shows(v->h->store, url, &why) : 0;

    if (rc != 0)
        printf("%s\n", why.msg);
    if (rc != 0 && why.code == ERR_CONFIG)
        printf("the rule to set:\n"
               "{\"CORSRules\": [{\"AllowedOrigins\": [\"%s\"], \"AllowedMethods\": [\"GET\"], "
               "\"MaxAgeSeconds\": 3600}]}\n"
               "as with: aws s3api put-bucket-cors --endpoint-url %s --bucket %s "
               "--cors-configuration file://RULE\n",
               url, v->s->s3_endpoint, v->s->s3_bucket);
    free(url);
    return rc;
}

static int check(struct visit *v, int argc, char **argv, struct ct_err *err)
{
    int full = argc == 1 && strcmp(argv[0], "--full") == 0;
    int is_fine = 1;
    struct ct_err why;
    long problems;

    if (argc > full)
        return verbs_usage("check [--full]");
    if (settings_check_way(v->s, &why) != 0 || store_trial(v->h->store, &why) != 0) {
        printf("%s\n", why.msg);
        is_fine = 0;
    }
    if (check_share(v) != 0)
        is_fine = 0;
    if (gc_check(v->h->ledger, v->h->store, full, stdout, &problems, err) != 0)
        return -1;
    if (problems == 0)
        puts("database and object store match");
    else
        printf("%ld differences between database and object store\n", problems);
    return problems == 0 && is_fine ? 0 : 1;
}

/* --dry-run: nothing is removed. */
static int gc_dry(struct data_dir *h, int64_t now_ms, struct ct_err *err)
{
    struct gc_result r = {0};
    int64_t due = ledger_due(h->ledger, now_ms, err);

    if (due < 0 || gc_orphans(h->ledger, h->store, now_ms, 0, &r, err) != 0)
        return -1;
    printf("there are %lld versions whose time has come and %ld objects of no version\n",
           (long long)due, r.orphans);
    return 0;
}

static int gc(struct visit *v, int argc, char **argv, struct ct_err *err)
{
    int64_t now_ms = now_wall_ms();
    struct gc_result r = {0};
    struct purged p = {0};
    int dry_run = 0, orphans = 0;

    for (int i = 0; i < argc; i++) {
        dry_run |= strcmp(argv[i], "--dry-run") == 0;
        orphans |= strcmp(argv[i], "--orphans") == 0;
    }
    if (argc != dry_run + orphans)
        return verbs_usage("gc [--orphans] [--dry-run]");
    if (dry_run)
        return gc_dry(v->h, now_ms, err);
    if (purge_due(v->h->ledger, v->h->store, now_ms, &p, err) != 0 ||
        gc_orphans(v->h->ledger, v->h->store, now_ms, orphans, &r, err) != 0)
        return -1;
    printf("removed %ld versions whose time had come and %ld objects of no version\n", p.n,
           orphans ? r.orphans : 0);
    if (!orphans && r.orphans > 0)
        printf("%ld objects of no version are left: codeteleport-server adopt makes versions of "
               "them, gc --orphans removes them\n",
               r.orphans);
    return p.failed + r.failed == 0 ? 0 : 1;
}

/* "ID=EMAIL": an account that is to have that id, as its objects do. */
static int restore_user(struct visit *v, const char *arg, struct ct_err *err)
{
    struct ledger_new_user u = {NULL, "", 1, now_wall_ms()};
    char id[UUID_SIZE] = "", *email;
    int rc;

    if (strlen(arg) > UUID_SIZE && arg[UUID_SIZE - 1] == '=')
        memcpy(id, arg, UUID_SIZE - 1);
    if (!uuid_is_valid(id))
        return err_set(err, ERR_REFUSED, "%s is not ID=EMAIL", arg);
    if (email_normal(arg + UUID_SIZE, &email, err) != 0)
        return -1;
    u.email = email;
    memcpy(v->user_id, id, UUID_SIZE);
    rc = verbs_act(v, err);
    if (rc == 0) {
        ledger_user_allow(v->h->ledger, email, 0, NULL);
        rc = verbs_acted(v, ledger_user_restore(v->h->ledger, id, &u, err), err);
    }
    if (rc == 0)
        printf("added %s, who has no password yet: codeteleport-server user passwd %s\n", email,
               email);
    free(email);
    return rc;
}

static int verb_adopt(struct visit *v, int argc, char **argv, struct ct_err *err)
{
    int dry_run = argc > 0 && strcmp(argv[0], "--dry-run") == 0;
    struct adopt_result r = {0};

    if (argc > dry_run && (dry_run || argv[0][0] == '-'))
        return verbs_usage("adopt --dry-run | [ID=EMAIL ...]");
    for (int i = dry_run; i < argc; i++) {
        if (restore_user(v, argv[i], err) != 0)
            return -1;
    }
    if (adopt(v->h->ledger, v->h->store, dry_run, stdout, &r, err) != 0)
        return -1;
    printf("%s %ld versions\n", dry_run ? "would adopt" : "adopted", r.adopted);
    if (r.unowned > 0)
        printf("%ld objects are of nobody: codeteleport-server adopt ID=EMAIL\n", r.unowned);
    if (r.failed > 0)
        printf("%ld failed, see above\n", r.failed);
    return r.failed == 0 ? 0 : 1;
}

int verbs_usage(const char *text)
{
    fprintf(stderr, "usage: codeteleport-server %s\n", text);
    return VERBS_USAGE;
}

static const struct verb verbs[] = {
    {"user", 1, verb_user},   {"invite", 1, verb_invite}, {"undelete", 1, verb_undelete},
    {"audit", 1, verb_audit}, {"check", 1, check},        {"gc", 1, gc},
    {"adopt", 1, verb_adopt}, {"key", 0, verb_key},       {"backup", 0, verb_backup},
};

/* On a full disk, what frees room or keeps somebody out has to be written down all the same. */
static void make_room(const struct visit *v)
{
    static const char *const verbs_that[] = {"user", "gc", "key"};
    struct space *space;

    for (size_t i = 0; i < sizeof(verbs_that) / sizeof(verbs_that[0]); i++) {
        if (strcmp(v->argv[0], verbs_that[i]) != 0 || !verbs_change(v))
            continue;
        space = space_new(v->s->data, v->s->min_free_space);
        (void)space_tend(space);
        space_free(space);
    }
}

/* With the house opened, if it needs it; and written down. */
static int run(const struct verb *verb, struct visit *v, struct ct_err *err)
{
    struct data_dir h;
    int rc;

    make_room(v);
    if (verb->needs_house) {
        if (data_dir_open(v->s, "", &h, err) != 0)
            return -1;
        v->h = &h;
        verbs_find_user(v);
    }
    rc = verb->run(v, v->argc - 1, v->argv + 1, err);
    /* Log-ins have ended, whether or not the database can be opened. */
    if (rc == 0 && strcmp(verb->name, "key") == 0 && data_dir_open(v->s, "", &h, NULL) == 0)
        v->h = &h;
    if (rc >= 0 && rc != VERBS_USAGE)
        verbs_audit(v);
    if (v->h != NULL)
        data_dir_close(&h);
    if (rc < 0 && err->code == ERR_NOSPACE)
        fprintf(stderr,
                "codeteleport-server: nothing was done; make 16 MB free on the disk of %s, then "
                "this works, and gc makes more room\n",
                v->s->data);
    return rc;
}

int verbs_run(const struct settings *s, int argc, char **argv, struct ct_err *err)
{
    struct visit v = {.s = s, .argc = argc, .argv = argv};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[0], verbs[i].name) == 0)
            return run(&verbs[i], &v, err);
    }
    fprintf(stderr, "codeteleport-server: unknown verb; there are: user, invite, undelete, audit, "
                    "check, gc, adopt, key, backup\n");
    return VERBS_USAGE;
}
