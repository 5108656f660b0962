#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "server/store/embedded_impl.h"

/* So that the last fsync is short, and a disk slower than the network slows the network. */
#define SYNC_EVERY_BYTES (64 * 1024 * 1024)

/*
 * Only one of each key is coming in at a time, and the bytes of all are set aside before they come.
 * If the object is there already nothing is written: the client never saw the first answer, and
 * what it sends again is compared.
 */
struct embedded_put {
    struct embedded_put *next;
    struct embedded *e;
    char *final;
    char *tmp; /* NULL: fd is the object that is there */
    int fd;
    int differs; /* from what is there */
    int64_t size_bytes;
    int64_t got;
    int64_t unsynced;
    int64_t set_aside; /* of the space */
    struct hash *md5, *sha256;
};

static int is_coming(const struct embedded *e, const char *path)
{
    const struct embedded_put *p = e->puts;

    while (p != NULL && strcmp(p->final, path) != 0)
        p = p->next;
    return p != NULL;
}

int embedded_is_coming(struct embedded *e, const char *path)
{
    int rc;

    pthread_mutex_lock(&e->mutex);
    rc = is_coming(e, path);
    pthread_mutex_unlock(&e->mutex);
    return rc;
}

void embedded_arrived(struct embedded *e, const char *path, const char *sha256)
{
    struct embedded_arrival *a;

    pthread_mutex_lock(&e->mutex);
    a = &e->arrivals[e->n_arrivals++ % EMBEDDED_ARRIVALS];
    free(a->path);
    a->path = str_dup(path);
    memcpy(a->sha256, sha256, HASH_SHA256_HEX);
    pthread_mutex_unlock(&e->mutex);
}

int embedded_take_arrival(struct embedded *e, const char *path, char sha256[HASH_SHA256_HEX])
{
    int found = 0;

    pthread_mutex_lock(&e->mutex);
    for (size_t i = 0; i < EMBEDDED_ARRIVALS; i++) {
        struct embedded_arrival *a = &e->arrivals[i];
        if (a->path == NULL || strcmp(a->path, path) != 0)
            continue;
        found = 1;
        if (sha256 != NULL)
            memcpy(sha256, a->sha256, HASH_SHA256_HEX);
        free(a->path);
        a->path = NULL;
    }
    pthread_mutex_unlock(&e->mutex);
    return found;
}

int embedded_is_filling(struct embedded *e, const char *name)
{
    const struct embedded_put *p;
    const char *slash;

    pthread_mutex_lock(&e->mutex);
    for (p = e->puts; p != NULL; p = p->next) {
        slash = p->tmp != NULL ? strrchr(p->tmp, '/') : NULL;
        if (slash != NULL && strcmp(slash + 1, name) == 0)
            break;
    }
    pthread_mutex_unlock(&e->mutex);
    return p != NULL;
}

static int enter(struct embedded_put *p, struct ct_err *err)
{
    struct embedded *e = p->e;
    int is_second;

    pthread_mutex_lock(&e->mutex);
    is_second = is_coming(e, p->final);
    if (!is_second) {
        p->next = e->puts;
        e->puts = p;
    }
    pthread_mutex_unlock(&e->mutex);
    if (!is_second)
        return 0;
    err_set(err, ERR_CONFLICT, "an object with this key is coming in already");
    snprintf(err->reason, sizeof(err->reason), "OperationAborted");
    return -1;
}

static void leave(struct embedded_put *p)
{
    struct embedded_put **at = &p->e->puts;

    pthread_mutex_lock(&p->e->mutex);
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    pthread_mutex_unlock(&p->e->mutex);
}

static int open_tmp(struct embedded_put *p, struct ct_err *err)
{
    if (p->e->space != NULL) {
        if (space_take(p->e->space, p->size_bytes, err) != 0)
            return -1;
        p->set_aside = p->size_bytes;
    }
    /* A sweep sees no file of which it is not known whose it is. */
    pthread_mutex_lock(&p->e->mutex);
    p->tmp = path_join(p->e->tmp, "put.XXXXXX");
    p->fd = mkostemp(p->tmp, O_CLOEXEC);
    pthread_mutex_unlock(&p->e->mutex);
    return p->fd < 0 ? err_sys(err, "can't make a file in %s", p->e->tmp) : 0;
}

int embedded_put_begin(struct embedded *e, const char *key, int64_t size_bytes, int want_md5,
                       struct embedded_put **ret, struct ct_err *err)
{
    struct embedded_put *p = str_calloc(1, sizeof(*p));
    struct stat st;

    p->e = e;
    p->size_bytes = size_bytes;
    p->final = embedded_path(e, key);
    if (p->final == NULL) {
        err_set(err, ERR_GONE, "this is not the key of an object");
        goto err0;
    }
    if (enter(p, err) != 0)
        goto err1;
    p->fd = open(p->final, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (p->fd >= 0)
        p->differs = fstat(p->fd, &st) != 0 || st.st_size != size_bytes;
    else if (open_tmp(p, err) != 0)
        goto err2;
    if (want_md5)
        p->md5 = hash_new(HASH_MD5);
    p->sha256 = hash_new(HASH_SHA256);
    *ret = p;
    return 0;

err2:
    embedded_put_abort(p);
    return -1;
err1:
    free(p->final);
err0:
    free(p);
    return -1;
}

static int compare(struct embedded_put *p, const void *data, size_t n, struct ct_err *err)
{
    char *there;

    if (p->differs)
        return 0;
    there = str_calloc(1, n);
    if (file_pread_all(p->fd, there, n, (off_t)p->got) != (ssize_t)n) {
        free(there);
        return err_set(err, ERR_FAIL, "can't read an object");
    }
    p->differs = memcmp(there, data, n) != 0;
    free(there);
    return 0;
}

static int write_piece(struct embedded_put *p, const void *data, size_t n, struct ct_err *err)
{
    if (file_write_all(p->fd, data, n) != 0)
        return err_sys(err, "can't write an object");
    if (p->e->space != NULL)
        space_give(p->e->space, (int64_t)n);
    p->set_aside -= p->e->space != NULL ? (int64_t)n : 0;
    p->unsynced += (int64_t)n;
    if (p->unsynced >= SYNC_EVERY_BYTES) {
        if (file_sync(p->fd) != 0)
            return err_sys(err, "can't fsync an object");
        p->unsynced = 0;
    }
    return 0;
}

int embedded_put_data(struct embedded_put *p, const void *data, size_t n, struct ct_err *err)
{
    if ((int64_t)n > p->size_bytes - p->got)
        return err_set(err, ERR_CORRUPT, "an object is longer than announced");
    if ((p->tmp != NULL ? write_piece(p, data, n, err) : compare(p, data, n, err)) != 0)
        return -1;
    if (p->md5 != NULL)
        hash_update(p->md5, data, n);
    hash_update(p->sha256, data, n);
    p->got += (int64_t)n;
    return 0;
}

/*
 * Once it is there: whoever gives its version up meanwhile removes the object before and after the
 * row, so either they find it or the row is gone here.
 */
static int check_wanted(struct embedded_put *p, struct ct_err *err)
{
    const char *key = p->final + strlen(p->e->dir) + 1;
    int is_wanted = p->e->is_wanted != NULL ? p->e->is_wanted(p->e->arg, key) : 1;

    if (is_wanted > 0)
        return 0;
    unlink(p->final);
    if (is_wanted < 0)
        return err_set(err, ERR_RETRY, "it can't be told if an object is wanted");
    err_set(err, ERR_REFUSED, "the version of this object was given up");
    snprintf(err->reason, sizeof(err->reason), "ExpiredRequest");
    return -1;
}

/* link(2) and not rename(2): it never replaces what is there. */
static int publish(struct embedded_put *p, struct ct_err *err)
{
    char *dir = path_parent(p->final);
    int rc = path_make_dirs(dir, 0700, err);

    if (rc == 0 && link(p->tmp, p->final) != 0)
        rc = err_sys(err, "can't publish an object");
    if (rc == 0)
        rc = file_sync_dir(dir, err);
    if (rc == 0)
        rc = file_sync_parent(dir, err);
    free(dir);
    return rc;
}

static int verify(struct embedded_put *p, const unsigned char *md5, struct ct_err *err)
{
    unsigned char got[HASH_MD5_BYTES];

    if (p->got != p->size_bytes) {
        err_set(err, ERR_CORRUPT, "an object is shorter than announced");
        snprintf(err->reason, sizeof(err->reason), "IncompleteBody");
        return -1;
    }
    if (p->md5 == NULL)
        return 0;
    hash_final(p->md5, got);
    p->md5 = NULL;
    if (md5 != NULL && memcmp(got, md5, sizeof(got)) != 0) {
        err_set(err, ERR_CORRUPT, "an object does not have the MD5 that was announced");
        snprintf(err->reason, sizeof(err->reason), "BadDigest");
        return -1;
    }
    return 0;
}

/* It is there, durably: whoever confirms it need not read it. */
static void remember(struct embedded_put *p)
{
    char hex[HASH_SHA256_HEX];

    hash_final_hex(p->sha256, hex);
    p->sha256 = NULL;
    embedded_arrived(p->e, p->final, hex);
}

int embedded_put_finish(struct embedded_put *p, const unsigned char *md5, struct ct_err *err)
{
    int rc = verify(p, md5, err);

    if (rc == 0 && p->differs)
        rc = err_set(err, ERR_CONFLICT, "there is another object with this key");
    if (rc == 0 && p->tmp != NULL && file_sync(p->fd) != 0)
        rc = err_sys(err, "can't fsync an object");
    if (rc == 0 && p->tmp != NULL)
        rc = publish(p, err) != 0 ? -1 : check_wanted(p, err);
    if (rc == 0)
        remember(p);
    embedded_put_abort(p);
    return rc;
}

void embedded_put_abort(struct embedded_put *p)
{
    if (p == NULL)
        return;
    if (p->tmp != NULL)
        unlink(p->tmp);
    if (p->fd >= 0)
        close(p->fd);
    if (p->set_aside > 0)
        space_give(p->e->space, p->set_aside);
    leave(p);
    hash_free(p->md5);
    hash_free(p->sha256);
    free(p->tmp);
    free(p->final);
    free(p);
}
