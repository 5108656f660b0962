#include <sys/stat.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "server/auth/jwt_key.h"

struct jwt_key {
    pthread_mutex_t mutex;
    char *path;
    struct stat seen; /* of the file that the key was read from */
    int is_good;
    unsigned char key[JWT_KEY_BYTES];
};

int jwt_key_read_private(const char *path, struct buf *ret, struct ct_err *err)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return 0;
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
        return err_set(err, ERR_CONFIG, "%s can be read by others; run: chmod 600 '%s'", path,
                       path);
    return file_read(path, 4096, ret, err);
}

static int load(struct jwt_key *k, struct ct_err *err)
{
    struct buf b = {0};
    int rc;

    /* Before the content: what replaces the file in between is noticed at the next look. */
    if (stat(k->path, &k->seen) != 0)
        memset(&k->seen, 0, sizeof(k->seen));
    rc = jwt_key_read_private(k->path, &b, err);
    if (rc == 0 && b.len != sizeof(k->key))
        rc = err_set(err, ERR_CORRUPT, "%s does not hold a key of %zu bytes", k->path,
                     sizeof(k->key));
    if (rc == 0)
        memcpy(k->key, b.data, sizeof(k->key));
    if (b.data != NULL)
        str_wipe(b.data, b.len);
    buf_free(&b);
    k->is_good = rc == 0;
    return rc;
}

int jwt_key_open(const char *path, struct jwt_key **ret, struct ct_err *err)
{
    struct jwt_key *k = secret_alloc(sizeof(*k));
    struct stat st;

    k->path = str_dup(path);
    pthread_mutex_init(&k->mutex, NULL);
    if ((lstat(path, &st) != 0 && jwt_key_rotate(path, err) != 0) || load(k, err) != 0) {
        jwt_key_free(k);
        return -1;
    }
    *ret = k;
    return 0;
}

void jwt_key_free(struct jwt_key *k)
{
    if (k == NULL)
        return;
    pthread_mutex_destroy(&k->mutex);
    free(k->path);
    secret_free(k);
}

static int is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           file_ctime_ns(a) == file_ctime_ns(b);
}

int jwt_key_get(struct jwt_key *k, unsigned char ret[JWT_KEY_BYTES])
{
    struct ct_err err;
    struct stat st;
    int rc;

    pthread_mutex_lock(&k->mutex);
    if (stat(k->path, &st) != 0)
        memset(&st, 0, sizeof(st));
    if (!is_same(&st, &k->seen)) {
        if (load(k, &err) != 0)
            log_error("jwt-key error=\"%s\"", err.msg);
        else
            log_info("jwt-key changed");
    }
    rc = k->is_good ? 0 : -1;
    if (rc == 0)
        memcpy(ret, k->key, sizeof(k->key));
    pthread_mutex_unlock(&k->mutex);
    return rc;
}

int jwt_key_rotate(const char *path, struct ct_err *err)
{
    unsigned char key[JWT_KEY_BYTES];
    int rc;

    hash_random(key, sizeof(key));
    rc = file_replace(path, key, sizeof(key), 0600, err);
    str_wipe(key, sizeof(key));
    return rc;
}
