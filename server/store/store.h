#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include <stdint.h>

#include <json-c/json.h>

#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/uuid.h"

/*
 * Where the objects lie.  The API only ever hands out presigned URLs and asks about sizes; whether
 * a folder of ours or somebody's S3 is behind it is decided here and nowhere else.
 */
#define STORE_BUCKET "codeteleport"
#define STORE_URL_LIFETIME_S 300
#define STORE_MAX_OBJECT (5LL * 1024 * 1024 * 1024 - 5 * 1024 * 1024) /* one PUT's limit on R2 */
#define STORE_KEY_MAX 256

struct store;

struct store_put {
    const char *key;
    int64_t size_bytes;
    const char *checksum; /* "sha256:..." */
    const char *md5;      /* base64; NULL: the client knows no uploadHeaders */
    int64_t now_ms;
};

struct store_head {
    int64_t size_bytes;
    char sha256[HASH_SHA256_HEX]; /* of all of it, as the store took it; "": it does not tell */
};

/* What a store has to be able to do.  All may be called from any thread. */
struct store_ops {
    char *(*presign_put)(struct store *s, const struct store_put *put, struct json_object *headers);
    char *(*presign_get)(struct store *s, const char *key, int64_t now_ms);
    int (*head)(struct store *s, const char *key, struct store_head *ret, struct ct_err *err);
    int (*check)(struct store *s, const char *key, const char *checksum, struct ct_err *err);
    int (*is_vacant)(struct store *s, const char *key);
    int (*fetch)(struct store *s, const char *key, int *ret_fd, struct ct_err *err);
    int (*remove)(struct store *s, const char *key, struct ct_err *err);
    int (*each)(struct store *s,
                int (*one)(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms),
                void *arg, struct ct_err *err);
    int (*probe)(struct store *s, struct ct_err *err);
    int (*trial)(struct store *s, struct ct_err *err);
    int (*shows)(struct store *s, const char *origin, struct ct_err *err);
    int (*sweep)(struct store *s, int64_t older_than_ms, int64_t now_ms, struct ct_err *err);
    void (*free)(struct store *s);
};

/* The first member of every kind of store. */
struct store {
    const struct store_ops *ops;
};

/**
 * store_key(user_id, session_id, version, key):
 * Write the object's key into ${key}.
 */
void store_key(const char *user_id, const char *session_id, int64_t version,
               char key[STORE_KEY_MAX]);

/**
 * store_key_parse(key, user_id, session_id, ret_version):
 * Take such a key apart, strictly: what this accepts is what store_key() makes and nothing else.
 * ${user_id} has room for UUID_SIZE, ${session_id} for API_SESSION_ID_MAX + 1 bytes.  Return 0 or
 * -1.
 */
int store_key_parse(const char *key, char *user_id, char *session_id, int64_t *ret_version);

/**
 * store_share_session(id, ret), store_is_share(session_id):
 * The session whose one version the bytes of the share ${id} are: no client can name one so.
 */
#define STORE_SHARE_SIZE (UUID_SIZE + 1)
void store_share_session(const char *id, char ret[STORE_SHARE_SIZE]);
int store_is_share(const char *session_id);

/**
 * store_presign_put(s, put, headers), store_presign_get(s, key, now_ms):
 * Return a URL that lives STORE_URL_LIFETIME_S; it is a secret, and the caller frees it.  What the
 * PUT has to carry beside Content-Type and Content-Length is added to ${headers}: nothing without
 * an MD5.
 */
char *store_presign_put(struct store *s, const struct store_put *put, struct json_object *headers);
char *store_presign_get(struct store *s, const char *key, int64_t now_ms);

/**
 * store_head(s, key, ret, err):
 * Is it there, how large?  ERR_GONE if not.
 */
int store_head(struct store *s, const char *key, struct store_head *ret, struct ct_err *err);

/**
 * store_check(s, key, checksum, err):
 * Is its content what ${checksum} ("sha256:...") says?  ERR_CORRUPT if not.  A store that can't
 * tell without fetching the object says yes.
 */
int store_check(struct store *s, const char *key, const char *checksum, struct ct_err *err);

/**
 * store_is_vacant(s, key):
 * Is it known that nothing lies there and that nothing is on its way there?  A PUT that begins
 * later does not count.
 */
int store_is_vacant(struct store *s, const char *key);

/**
 * store_fetch(s, key, ret_fd, err):
 * Open it for reading; from another machine it is copied to a file without a name first.
 */
int store_fetch(struct store *s, const char *key, int *ret_fd, struct ct_err *err);

/**
 * store_remove(s, key, err):
 * Remove it; one that is not there is fine.
 */
int store_remove(struct store *s, const char *key, struct ct_err *err);

/**
 * store_each(s, one, arg, err):
 * Call ${one} for every object, in no order; it returns 0 to go on.
 */
int store_each(struct store *s,
               int (*one)(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms),
               void *arg, struct ct_err *err);

/**
 * store_probe(s, err):
 * See that it can be used.  ERR_RETRY if that may be different in a moment.
 */
int store_probe(struct store *s, struct ct_err *err);

/**
 * store_trial(s, err):
 * Put an object as a client would, look at it and remove it; try to put one that was damaged on its
 * way.  What the store says against it, and the setting that helps, is in ${err}.
 */
int store_trial(struct store *s, struct ct_err *err);

/**
 * store_shows(s, origin, err):
 * See that pages of ${origin}, and of no other, may read what they have a URL for.  ERR_CONFIG if
 * its rule for that (CORS) is another one.
 */
int store_shows(struct store *s, const char *origin, struct ct_err *err);

/**
 * store_sweep(s, older_than_ms, now_ms, err):
 * Remove what uploads left that broke off so long ago.
 */
int store_sweep(struct store *s, int64_t older_than_ms, int64_t now_ms, struct ct_err *err);

/**
 * store_free(s):
 * Free it; NULL is harmless.
 */
void store_free(struct store *s);

#endif
