#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "api/api.h"

#include "server/store/embedded.h"
#include "server/store/embedded_impl.h"

static char *presign(struct embedded *e, struct sigv4_request *req, const char *key, int64_t now_ms)
{
    char *path = str_printf("/" STORE_BUCKET "/%s", key), *url;

    req->base_url = e->base_url;
    req->path = path;
    req->now_ms = now_ms;
    req->expires_s = STORE_URL_LIFETIME_S;
    url = sigv4_presign(&e->cred, req);
    free(path);
    return url;
}

static char *presign_put(struct store *s, const struct store_put *put, struct json_object *headers)
{
    char *length = str_printf("%lld", (long long)put->size_bytes), *url;
    struct sigv4_request req = {
        .method = "PUT",
        .headers = {{"content-length", length}, {"content-type", "application/gzip"}},
        .n_headers = 2};

    if (put->md5 != NULL) {
        req.headers[req.n_headers++] = (struct sigv4_header){"content-md5", put->md5};
        jdoc_set_str(headers, "Content-MD5", put->md5);
    }
    url = presign((struct embedded *)s, &req, put->key, put->now_ms);
    free(length);
    return url;
}

static char *presign_get(struct store *s, const char *key, int64_t now_ms)
{
    struct sigv4_request req = {.method = "GET"};

    return presign((struct embedded *)s, &req, key, now_ms);
}

char *embedded_path(struct embedded *e, const char *key)
{
    char user_id[UUID_SIZE], session_id[API_SESSION_ID_MAX + 1];
    int64_t version;

    if (store_key_parse(key, user_id, session_id, &version) != 0)
        return NULL;
    return path_join(e->dir, key);
}

int embedded_open_object(struct embedded *e, const char *key, int *ret_fd, int64_t *ret_size,
                         struct ct_err *err)
{
    char *path = embedded_path(e, key);
    struct stat st;
    int fd;

    if (path == NULL)
        return err_set(err, ERR_GONE, "this is not the key of an object");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    free(path);
    if (fd < 0)
        return err_sys(err, "can't open an object");
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(err, ERR_GONE, "an object is not a regular file");
    }
    *ret_fd = fd;
    *ret_size = st.st_size;
    return 0;
}

static int head(struct store *s, const char *key, struct store_head *ret, struct ct_err *err)
{
    int fd;

    if (embedded_open_object((struct embedded *)s, key, &fd, &ret->size_bytes, err) != 0)
        return -1;
    close(fd);
    ret->sha256[0] = '\0';
    return 0;
}

static int check(struct store *s, const char *key, const char *checksum, struct ct_err *err)
{
    struct embedded *e = (struct embedded *)s;
    char hex[HASH_SHA256_HEX], *path = embedded_path(e, key);
    int64_t size;
    int fd, rc = -1;

    if (embedded_open_object(e, key, &fd, &size, err) == 0) {
        rc = path != NULL && embedded_take_arrival(e, path, hex) ? 0
             : hash_sha256_fd(fd, &size, hex) == 0               ? 0
                                                   : err_sys(err, "can't read an object");
        close(fd);
    }
    free(path);
    if (rc == 0 && strcmp(hex, checksum + strlen("sha256:")) != 0)
        rc = err_set(err, ERR_CORRUPT, "the object does not have the promised checksum");
    return rc;
}

static int is_vacant(struct store *s, const char *key)
{
    struct embedded *e = (struct embedded *)s;
    char *path = embedded_path(e, key);
    struct stat st;
    /* In this order: what comes in is there before it is not coming any more. */
    int is_vacant =
        path != NULL && !embedded_is_coming(e, path) && lstat(path, &st) != 0 && errno == ENOENT;

    free(path);
    return is_vacant;
}

static int fetch(struct store *s, const char *key, int *ret_fd, struct ct_err *err)
{
    int64_t size;

    return embedded_open_object((struct embedded *)s, key, ret_fd, &size, err);
}

static int remove_object(struct store *s, const char *key, struct ct_err *err)
{
    char *path = embedded_path((struct embedded *)s, key);
    int rc = 0;

    if (path == NULL)
        return err_set(err, ERR_BUG, "this is not the key of an object");
    embedded_take_arrival((struct embedded *)s, path, NULL);
    if (unlink(path) != 0) {
        if (errno != ENOENT)
            rc = err_sys(err, "can't remove an object");
    } else {
        rc = file_sync_parent(path, err);
    }
    free(path);
    return rc;
}

/* The objects of one user; a name that is no key is none of ours and stays. */
static int each_of(struct embedded *e, const char *user,
                   int (*one)(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms),
                   void *arg, struct ct_err *err)
{
    char *prefix = str_printf("bundles/%s", user), *dir_path = path_join(e->dir, prefix);
    DIR *dir = opendir(dir_path);
    struct dirent *d;
    int rc = 0;

    free(dir_path);
    if (dir == NULL) {
        rc = errno == ENOENT || errno == ENOTDIR ? 0
                                                 : err_sys(err, "can't read the folder %s", prefix);
        free(prefix);
        return rc;
    }
    while (rc == 0 && (d = readdir(dir)) != NULL) {
        char *key = path_join(prefix, d->d_name), *path = embedded_path(e, key);
        struct stat st;
        if (path != NULL && lstat(path, &st) == 0 && S_ISREG(st.st_mode))
            rc = one(arg, key, st.st_size, (int64_t)st.st_mtime * 1000);
        free(path);
        free(key);
    }
    closedir(dir);
    free(prefix);
    return rc;
}

static int each(struct store *s,
                int (*one)(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms),
                void *arg, struct ct_err *err)
{
    struct embedded *e = (struct embedded *)s;
    char *path = path_join(e->dir, "bundles");
    DIR *dir = opendir(path);
    struct dirent *d;
    int rc = 0;

    if (dir == NULL)
        rc = err_sys(err, "can't read the folder %s", path);
    while (rc == 0 && (d = readdir(dir)) != NULL) {
        if (uuid_is_valid(d->d_name))
            rc = each_of(e, d->d_name, one, arg, err);
    }
    if (dir != NULL)
        closedir(dir);
    free(path);
    return rc;
}

/* embedded_open() has made its folders. */
static int is_fine(struct store *s, struct ct_err *err)
{
    (void)s;
    (void)err;
    return 0;
}

/* embedded_show_to() says who may. */
static int shows(struct store *s, const char *origin, struct ct_err *err)
{
    (void)s;
    (void)origin;
    (void)err;
    return 0;
}

static int sweep(struct store *s, int64_t older_than_ms, int64_t now_ms, struct ct_err *err)
{
    struct embedded *e = (struct embedded *)s;
    DIR *dir = opendir(e->tmp);
    struct dirent *d;
    struct stat st;

    if (dir == NULL)
        return err_sys(err, "can't read the folder %s", e->tmp);
    while ((d = readdir(dir)) != NULL) {
        /* Whatever the clock says. */
        if (strncmp(d->d_name, "put.", 4) == 0 && !embedded_is_filling(e, d->d_name) &&
            fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            now_ms - (int64_t)st.st_mtime * 1000 >= older_than_ms)
            unlinkat(dirfd(dir), d->d_name, 0);
    }
    closedir(dir);
    return 0;
}

static void free_store(struct store *s)
{
    struct embedded *e = (struct embedded *)s;

    for (size_t i = 0; i < EMBEDDED_ARRIVALS; i++)
        free(e->arrivals[i].path);
    pthread_mutex_destroy(&e->mutex);
    secret_free(e->secret);
    free(e->key_id);
    free(e->region);
    free(e->base_url);
    free(e->dir);
    free(e->tmp);
    free(e);
}

static const struct store_ops ops = {.presign_put = presign_put,
                                     .presign_get = presign_get,
                                     .head = head,
                                     .check = check,
                                     .is_vacant = is_vacant,
                                     .fetch = fetch,
                                     .remove = remove_object,
                                     .each = each,
                                     .probe = is_fine,
                                     .trial = is_fine,
                                     .shows = shows,
                                     .sweep = sweep,
                                     .free = free_store};

int embedded_open(const char *dir, const struct sigv4_cred *cred, const char *base_url,
                  struct embedded **ret, struct ct_err *err)
{
    struct embedded *e = str_calloc(1, sizeof(*e));
    char *bundles = path_join(dir, "bundles");
    int rc;

    e->store.ops = &ops;
    pthread_mutex_init(&e->mutex, NULL);
    e->dir = str_dup(dir);
    e->tmp = path_join(dir, "tmp");
    e->base_url = str_dup(base_url);
    e->cred.key_id = e->key_id = str_dup(cred->key_id);
    e->cred.secret = e->secret = secret_dup(cred->secret);
    e->cred.region = e->region = str_dup(cred->region);
    rc = path_make_private(dir, err) != 0 || path_make_private(bundles, err) != 0 ||
                 path_make_private(e->tmp, err) != 0
             ? -1
             : 0;
    free(bundles);
    if (rc != 0) {
        free_store(&e->store);
        return -1;
    }
    *ret = e;
    return 0;
}

struct store *embedded_store(struct embedded *e)
{
    return &e->store;
}

void embedded_watch(struct embedded *e, struct space *space)
{
    e->space = space;
}

void embedded_ask(struct embedded *e, int (*is_live)(void *arg, const char *key),
                  int (*is_wanted)(void *arg, const char *key), void *arg)
{
    e->is_wanted = is_wanted;
    e->is_live = is_live;
    e->arg = arg;
}

int embedded_is_live(const struct embedded *e, const char *key)
{
    return e->is_live != NULL ? e->is_live(e->arg, key) : 1;
}

void embedded_show_to(struct embedded *e, const char *origin)
{
    e->shown_to = origin;
}

const char *embedded_shown_to(const struct embedded *e)
{
    return e->shown_to;
}

const struct sigv4_cred *embedded_cred(const struct embedded *e)
{
    return &e->cred;
}
