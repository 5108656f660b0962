#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jscan.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "common/base/strlist.h"

#include "common/config/keyring_file.h"

/*
 * {"format": "codeteleport-keyring-1",
 *  "keys": [{"id": "<hex>", "key": "ctkey1...", "created": "<RFC 3339>"}, ...]}
 *
 * Read by the scanner and not by json-c, which would copy keys all over the heap.
 */
#define FORMAT "codeteleport-keyring-1"
#define MAX_FILE 32768
#define ENTRY_MAX 256
#define BACKUPS_KEPT 5 /* beside those that hold a key which the keyring has no more */
#define BACKUP_INFIX ".before-"

char *keyring_path(void)
{
    char *dir = path_credentials_dir();
    char *path = path_join(dir, "keyring");

    free(dir);
    return path;
}

/* ---- reading ---------------------------------------------------------------------------------
 */

/* The file being read; in secret memory, for the scanner keeps a copy of what it reads. */
struct reading {
    struct jscan scan;
    struct keyring *ring;
    struct ct_err err; /* the first thing wrong with a key */
    int has_keys, is_in_keys;
    int has_format, is_format_known;
    char id[KEY_ID_HEX], key[KEY_TEXT_SIZE], created[40];
};

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct reading *r = arg;

    if (s->depth == 1)
        r->is_in_keys = type == JSCAN_ARRAY && strcmp(s->key, "keys") == 0;
    r->has_keys |= r->is_in_keys;
    return type == JSCAN_STRING ? 128 : 0;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct reading *r = arg;

    if (s->depth == 1 && strcmp(s->key, "format") == 0) {
        r->has_format = 1;
        r->is_format_known = strcmp(text, FORMAT) == 0;
    }
    if (s->depth != 3 || !r->is_in_keys || is_cut)
        return;
    if (strcmp(s->key, "id") == 0 && len < sizeof(r->id))
        memcpy(r->id, text, len + 1);
    else if (strcmp(s->key, "key") == 0 && len < sizeof(r->key))
        memcpy(r->key, text, len + 1);
    else if (strcmp(s->key, "created") == 0 && len < sizeof(r->created))
        memcpy(r->created, text, len + 1);
}

static void on_close(void *arg, const struct jscan *s)
{
    struct reading *r = arg;
    const struct key *k = NULL;
    int64_t created_ms = 0;

    if (s->depth != 3 || !r->is_in_keys)
        return;
    now_parse_rfc3339(r->created, &created_ms);
    if (r->err.code == ERR_NONE &&
        keyring_add_text(r->ring, r->key, created_ms, &k, &r->err) == 0 &&
        strcmp(k->id_hex, r->id) != 0)
        err_set(&r->err, ERR_CORRUPT, "a key has another id than it should have");
    str_wipe(r->key, sizeof(r->key));
    r->id[0] = r->created[0] = '\0';
}

static int scan(struct reading *r, const char *text, size_t n, const char *path, struct ct_err *err)
{
    static const struct jscan_ops ops = {on_begin, on_string, on_close, NULL};

    jscan_init(&r->scan);
    jscan_feed(&r->scan, &ops, r, text, n);
    if (jscan_is_object(&r->scan) && r->has_format && !r->is_format_known)
        return err_set(err, ERR_CONFIG,
                       "the keyring %s was written by a newer version; install that one here too",
                       path);
    if (jscan_is_object(&r->scan) && r->has_format && r->has_keys && r->err.code == ERR_NONE)
        return 0;
    return err_set(err, ERR_CONFIG,
                   "the keyring %s is damaged (%s); put one of its backups (%s" BACKUP_INFIX
                   "*) in its place, or move it away and run: ctctl key import",
                   path, r->err.code != ERR_NONE ? r->err.msg : "it is not what we wrote", path);
}

/* Into secret memory; -1 with ERR_GONE if there is none. */
static int read_private(const char *path, char **ret, size_t *ret_n, struct ct_err *err)
{
    struct stat st;
    ssize_t n = 0;
    int fd;

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_sys(err, "can't open the keyring %s", path);
    if (fstat(fd, &st) != 0)
        err_sys(err, "can't look at the keyring %s", path);
    else if (!S_ISREG(st.st_mode))
        err_set(err, ERR_CONFIG, "the keyring %s is not a regular file; move it away", path);
    else if (st.st_uid != geteuid())
        err_set(err, ERR_CONFIG, "the keyring %s belongs to another user; run: chown %ld '%s'",
                path, (long)geteuid(), path);
    else if ((st.st_mode & 077) != 0)
        err_set(err, ERR_CONFIG, "the keyring %s can be read by others; run: chmod 600 '%s'", path,
                path);
    else if (st.st_size > MAX_FILE)
        err_set(err, ERR_CONFIG, "the keyring %s is too large to be one; move it away", path);
    else {
        *ret = secret_alloc(MAX_FILE);
        n = file_pread_all(fd, *ret, MAX_FILE, 0);
        close(fd);
        if (n >= 0) {
            *ret_n = (size_t)n;
            return 0;
        }
        secret_free(*ret);
        return err_sys(err, "can't read the keyring %s", path);
    }
    close(fd);
    return -1;
}

/* Everything but a missing file is a matter of configuration. */
static int load(const char *path, struct keyring **ret, struct ct_err *err)
{
    struct ct_err scratch = {0};
    struct reading *r;
    char *text;
    size_t n;
    int rc;

    if (err == NULL)
        err = &scratch;
    if (read_private(path, &text, &n, err) != 0) {
        if (err->code != ERR_GONE)
            err->code = ERR_CONFIG;
        return -1;
    }
    r = secret_alloc(sizeof(*r));
    r->ring = keyring_new();
    rc = scan(r, text, n, path, err);
    if (rc == 0)
        *ret = r->ring;
    else
        keyring_free(r->ring);
    secret_free(r);
    secret_free(text);
    return rc;
}

int keyring_load(const char *path, struct keyring **ret, struct ct_err *err)
{
    struct ct_err e = {0};

    if (load(path, ret, &e) == 0)
        return 0;
    if (e.code == ERR_GONE) {
        *ret = keyring_new();
        return 0;
    }
    if (err != NULL)
        *err = e;
    return -1;
}

/* ---- writing ---------------------------------------------------------------------------------
 */

static size_t compose(const struct keyring *r, char *text)
{
    char *at = text, key[KEY_TEXT_SIZE], created[32];

    at += sprintf(at, "{\"format\": \"" FORMAT "\",\n \"keys\": [");
    for (size_t i = 0; i < keyring_n(r); i++) {
        const struct key *k = keyring_at(r, i);
        key_text(k, key);
        at += snprintf(at, ENTRY_MAX, "%s\n  {\"id\": \"%s\", \"key\": \"%s\"", i > 0 ? "," : "",
                       k->id_hex, key);
        if (k->created_ms > 0)
            at += snprintf(at, ENTRY_MAX / 4, ", \"created\": \"%s\"",
                           now_rfc3339(k->created_ms, created));
        *at++ = '}';
    }
    str_wipe(key, sizeof(key));
    at += sprintf(at, "]}\n");
    return (size_t)(at - text);
}

static int has_all(const struct keyring *r, const struct keyring *of)
{
    for (size_t i = 0; i < keyring_n(of); i++) {
        if (keyring_find(r, keyring_at(of, i)->id) == NULL)
            return 0;
    }
    return 1;
}

static int is_backup(const char *name, const char *base)
{
    size_t n = strlen(base), infix = strlen(BACKUP_INFIX);

    return strncmp(name, base, n) == 0 && strncmp(name + n, BACKUP_INFIX, infix) == 0 &&
           strlen(name) == n + infix + 24; /* a time; what still is being written is longer */
}

/* Remove the oldest backups, but none with a key that ${r} has not, and none that can't be read. */
static void prune(const char *dir, const char *base, const struct keyring *r)
{
    struct strlist names = {0};
    DIR *d = opendir(dir);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (is_backup(e->d_name, base))
            strlist_add(&names, e->d_name);
    }
    if (d != NULL)
        closedir(d);
    strlist_sort(&names);
    for (size_t i = 0; i + BACKUPS_KEPT < names.n; i++) {
        char *path = path_join(dir, names.v[i]);
        struct keyring *old = NULL;
        if (load(path, &old, NULL) == 0 && has_all(r, old))
            unlink(path);
        keyring_free(old);
        free(path);
    }
    strlist_free(&names);
}

static int back_up(const char *path, const char *text, size_t n, struct ct_err *err)
{
    char stamp[32];
    struct stat st;
    int rc;

    for (int64_t ms = now_wall_ms();; ms++) {
        char *to = str_printf("%s" BACKUP_INFIX "%s", path, now_rfc3339(ms, stamp));
        if (lstat(to, &st) == 0) {
            free(to);
            continue;
        }
        rc = file_replace(to, text, n, 0600, err);
        free(to);
        return rc;
    }
}

/* With the folder locked: what lies there, beside what is to be written. */
static int replace(const char *path, const struct keyring *r, const char *text, size_t n,
                   struct ct_err *err)
{
    struct keyring *there = NULL;
    struct ct_err e = {0};
    char *old = NULL;
    size_t old_n = 0;
    int rc = -1;

    if (load(path, &there, &e) != 0 && e.code != ERR_GONE) {
        if (err != NULL)
            *err = e;
        return -1;
    }
    if (there != NULL && !has_all(r, there))
        err_set(err, ERR_CONFLICT, "a key came to the keyring %s meanwhile; do that again", path);
    else if (there != NULL && read_private(path, &old, &old_n, err) != 0)
        rc = -1;
    else if (old != NULL && old_n == n && memcmp(old, text, n) == 0)
        rc = 0;
    else if (old == NULL || back_up(path, old, old_n, err) == 0)
        rc = file_replace(path, text, n, 0600, err);
    secret_free(old);
    keyring_free(there);
    return rc;
}

int keyring_save(const char *path, const struct keyring *r, struct ct_err *err)
{
    char *dir = path_parent(path), *text;
    int rc = -1, lock;

    if (path_make_private(dir, err) != 0)
        goto done0;
    lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) {
        err_sys(err, "can't open the folder %s", dir);
        goto done0;
    }
    /* Some network file systems lock no folders; there two at once may refuse each other late. */
    while (flock(lock, LOCK_EX) != 0 && errno == EINTR)
        ;
    text = secret_alloc(MAX_FILE);
    rc = replace(path, r, text, compose(r, text), err);
    secret_free(text);
    if (rc == 0)
        prune(dir, path_base(path), r);
    close(lock);
done0:
    free(dir);
    return rc;
}
