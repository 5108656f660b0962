#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "api/api.h"

#include "server/upkeep/backup.h"
#include "server/settings/email.h"
#include "server/auth/jwt_key.h"
#include "server/admin/verbs_impl.h"

#define DAY_MS (24LL * 3600 * 1000)
#define INVITE_DAYS 7
#define INVITE_MAX_DAYS 365
#define TRASH_PAGE 100

int verb_invite(struct visit *v, int argc, char **argv, struct ct_err *err)
{
    unsigned long long days = INVITE_DAYS;
    int64_t now_ms = now_wall_ms();
    unsigned char raw[16];
    char digest[HASH_SHA256_HEX], when[32], *text, *code;
    int rc;

    if (argc != 0 && (argc != 2 || strcmp(argv[0], "--days") != 0 ||
                      str_parse_u64(argv[1], &days) != 0 || days < 1 || days > INVITE_MAX_DAYS))
        return verbs_usage("invite [--days N]   (1 to 365)");
    hash_random(raw, sizeof(raw));
    text = hash_base64url(raw, sizeof(raw));
    code = str_printf("cti_%s", text);
    hash_sha256_hex(code, strlen(code), digest);
    rc = verbs_act(v, err);
    if (rc == 0)
        rc = verbs_acted(
            v,
            ledger_invite_add(v->h->ledger, digest, now_ms, now_ms + (int64_t)days * DAY_MS, err),
            err);
    if (rc == 0) {
        printf("%s\n", code);
        fprintf(stderr, "good for one registration until %s%s\n",
                now_rfc3339(now_ms + (int64_t)days * DAY_MS, when),
                settings_registration(v->s) == SETTINGS_INVITE
                    ? ""
                    : "; the settings don't have registration = \"invite\"");
    }
    free(code);
    free(text);
    return rc;
}

/* What there is to undelete, a version a line. */
static int print_trash(struct data_dir *h, const char *user_id, struct ct_err *err)
{
    struct json_object *page, *list;
    int64_t offset = 0;
    size_t n;

    do {
        if (ledger_trash(h->ledger, user_id, TRASH_PAGE, offset, &page, err) != 0)
            return -1;
        list = jdoc_array(page, "versions");
        n = json_object_array_length(list);
        for (size_t i = 0; i < n; i++) {
            struct json_object *o = json_object_array_get_idx(list, i);
            char id[256], cwd[1024];
            printf("%s  version %lld  %s %s  gone %.10s  %s\n",
                   verbs_clean(jdoc_str(o, "sessionId"), id, sizeof(id)),
                   (long long)jdoc_int(o, "version", 0), jdoc_str(o, "why"),
                   jdoc_str(o, "deletedAt"), jdoc_str(o, "goneAt"),
                   verbs_clean(jdoc_str(o, "sourceCwd"), cwd, sizeof(cwd)));
        }
        json_object_put(page);
        offset += (int64_t)n;
    } while (n == TRASH_PAGE);
    return 0;
}

static int undelete(struct visit *v, const char *user_id, const char *session, int64_t version,
                    struct ct_err *err)
{
    int64_t n;

    if (session == NULL)
        return print_trash(v->h, user_id, err);
    if (verbs_act(v, err) != 0 ||
        verbs_acted(
            v, ledger_undelete(v->h->ledger, user_id, session, version, now_wall_ms(), &n, err),
            err) != 0)
        return -1;
    printf("took %lld %s of %s out of the trash\n", (long long)n, n == 1 ? "version" : "versions",
           session);
    return 0;
}

int verb_undelete(struct visit *v, int argc, char **argv, struct ct_err *err)
{
    const char *session = argc > 1 ? argv[1] : NULL;
    struct ledger_user user = {0};
    unsigned long long version = 0;
    char *email;
    int rc;

    if ((argc != 1 && argc != 2 && argc != 4) ||
        (argc == 4 && (strcmp(argv[2], "--version") != 0 || str_parse_u64(argv[3], &version) != 0 ||
                       version > API_VERSION_MAX)))
        return verbs_usage("undelete EMAIL [SESSION [--version N]]");
    if (email_normal(argv[0], &email, err) != 0)
        return -1;
    rc = ledger_user_by_email(v->h->ledger, email, &user, err);
    if (rc == 0)
        rc = undelete(v, user.id, session, (int64_t)version, err);
    ledger_user_clear(&user);
    free(email);
    return rc;
}

int verb_key(struct visit *v, int argc, char **argv, struct ct_err *err)
{
    char *path;
    int rc;

    if (argc != 1 || strcmp(argv[0], "rotate") != 0)
        return verbs_usage("key rotate");
    if (path_make_private(v->s->data, err) != 0)
        return -1;
    path = path_join(v->s->data, "jwt.key");
    rc = jwt_key_rotate(path, err);
    free(path);
    if (rc == 0)
        puts("log-ins are signed with a new key: all have ended, API tokens stay");
    return rc;
}

int verb_backup(struct visit *v, int argc, char **argv, struct ct_err *err)
{
    char *db, *to;
    int rc;

    if (argc != 1 || argv[0][0] == '-')
        return verbs_usage("backup FILE");
    if (v->s->database != NULL)
        return err_set(err, ERR_REFUSED, "the database is a libSQL server's; back it up there");
    db = path_join(v->s->data, "server.db");
    to = path_expand(argv[0]);
    rc = backup_write(db, to, err);
    if (rc == 0)
        printf("wrote %s; what it speaks of lies in %s/objects and never changes there\n", to,
               v->s->data);
    free(db);
    free(to);
    return rc;
}
