#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/base/str.h"
#include "common/base/strlist.h"
#include "common/base/uuid.h"
#include "common/data/jdoc.h"

#include "server/upkeep/adopt.h"
#include "server/upkeep/adopt_meta.h"

#define MAX_PATH_BYTES 4096

/* An object that no version knows. */
struct stray {
    struct ledger_object o;
    int64_t modified_ms;
};

struct found {
    struct ledger *ledger;
    struct stray *v;
    size_t n, cap;
    int has_failed; /* the database did not answer */
};

static int find(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms)
{
    struct found *f = arg;
    struct stray s = {.o.size_bytes = size_bytes, .modified_ms = modified_ms};
    int known;

    if (store_key_parse(key, s.o.user_id, s.o.session_id, &s.o.version) != 0 ||
        store_is_share(s.o.session_id))
        return 0;
    known = ledger_knows(f->ledger, s.o.user_id, s.o.session_id, s.o.version);
    f->has_failed |= known < 0;
    if (known != 0)
        return f->has_failed;
    if (f->n == f->cap) {
        f->cap = f->cap * 2 + 64;
        f->v = str_realloc(f->v, f->cap, sizeof(*f->v));
    }
    f->v[f->n++] = s;
    return 0;
}

/* Oldest first: each version builds on those before it. */
static int by_key(const void *a, const void *b)
{
    const struct ledger_object *x = &((const struct stray *)a)->o;
    const struct ledger_object *y = &((const struct stray *)b)->o;
    int order = strcmp(x->user_id, y->user_id);

    if (order == 0)
        order = strcmp(x->session_id, y->session_id);
    return order != 0 ? order : (x->version > y->version) - (x->version < y->version);
}

static int hash_all(int fd, char checksum[API_CHECKSUM_SIZE], struct ct_err *err)
{
    int64_t n;

    memcpy(checksum, "sha256:", 7);
    return hash_sha256_fd(fd, &n, checksum + 7) == 0 ? 0 : err_sys(err, "can't read an object");
}

/* A path of a decent kind, else the root: it is shown, and never opened here. */
static const char *path_of(struct json_object *meta, const char *key)
{
    const char *s = jdoc_str(meta, key);

    if (s == NULL || s[0] != '/' || strlen(s) > MAX_PATH_BYTES)
        return "/";
    for (const char *p = s; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            return "/";
    }
    return s;
}

/* A word as agents are called, else NULL. */
static const char *agent_of(struct json_object *meta)
{
    const char *s = jdoc_str(meta, "agentId");
    size_t n = s != NULL ? strlen(s) : 0;

    return n > 0 && n <= 64 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == n ? s : NULL;
}

static int adopt_one(struct ledger *l, struct store *s, const struct stray *stray,
                     struct ct_err *err)
{
    struct ledger_adoption a = {.o = stray->o, .modified_ms = stray->modified_ms};
    char key[STORE_KEY_MAX];
    struct json_object *meta;
    int fd, rc;

    store_key(a.o.user_id, a.o.session_id, a.o.version, key);
    if (store_fetch(s, key, &fd, err) != 0)
        return -1;
    rc = hash_all(fd, a.o.checksum, err);
    meta = adopt_meta(fd);
    close(fd);
    if (jdoc_has(meta, ADOPT_SEALED)) {
        /* As the clients that seal write it. */
        a.cwd = a.user_dir = a.machine = ADOPT_SEALED;
        a.metadata = meta;
    } else {
        a.cwd = path_of(meta, "sourceCwd");
        a.user_dir = path_of(meta, "sourceUserDir");
        a.agent = agent_of(meta);
    }
    if (rc == 0)
        rc = ledger_adopt(l, &a, err);
    json_object_put(meta);
    return rc;
}

/* Whose are they, of whom the database knows nothing?  All of one user are together. */
static void tell_unowned(const struct stray *v, size_t n, FILE *out)
{
    int64_t bytes = 0;
    char size[32];

    for (size_t i = 0; i < n; i++)
        bytes += v[i].o.size_bytes;
    fprintf(out, "%s  %zu versions  %s, of nobody who has an account\n", v[0].o.user_id, n,
            str_human_bytes((unsigned long long)bytes, size, sizeof(size)));
}

static size_t same_user(const struct stray *v, size_t n)
{
    size_t i = 1;

    while (i < n && strcmp(v[i].o.user_id, v[0].o.user_id) == 0)
        i++;
    return i;
}

static void adopt_all(struct ledger *l, struct store *s, const struct stray *v, size_t n,
                      int dry_run, struct adopt_result *ret)
{
    struct ct_err why;

    for (size_t i = 0; i < n; i++) {
        if (dry_run || adopt_one(l, s, &v[i], &why) == 0) {
            ret->adopted++;
        } else {
            log_warn("adopt-failed session=%s version=%lld error=\"%s\"", v[i].o.session_id,
                     (long long)v[i].o.version, why.msg);
            ret->failed++;
        }
    }
}

int adopt(struct ledger *l, struct store *s, int dry_run, FILE *out, struct adopt_result *ret,
          struct ct_err *err)
{
    struct found f = {.ledger = l};
    int rc = store_each(s, find, &f, err), is_known;

    if (f.has_failed)
        rc = err_set(err, ERR_RETRY, "the database does not answer");
    if (rc == 0 && f.n > 0)
        qsort(f.v, f.n, sizeof(*f.v), by_key);
    for (size_t i = 0, n; rc == 0 && i < f.n; i += n) {
        n = same_user(f.v + i, f.n - i);
        is_known = ledger_user_is_there(l, f.v[i].o.user_id);
        if (is_known < 0) {
            rc = err_set(err, ERR_RETRY, "the database does not answer");
        } else if (is_known == 0) {
            tell_unowned(f.v + i, n, out);
            ret->unowned += (long)n;
        } else {
            adopt_all(l, s, f.v + i, n, dry_run, ret);
        }
    }
    free(f.v);
    return rc;
}
