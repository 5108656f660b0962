#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/base/str.h"

#include "server/ledger/purge.h"
#include "server/upkeep/gc.h"
#include "server/admin/verbs.h"
#include "server/admin/verbs_impl.h"

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
    {"user", 1, verb_user},
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
