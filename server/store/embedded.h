#ifndef SERVER_STORE_EMBEDDED_H
#define SERVER_STORE_EMBEDDED_H

#include "common/base/err.h"
#include "common/base/hash.h"

#include "server/store/sigv4.h"
#include "server/store/space.h"
#include "server/store/store.h"

/*
 * The store in a folder of our own: <dir>/bundles/<user>/<session>.v<version>.tar.gz, and <dir>/tmp
 * for what is still coming in.  An object is published whole, by one link(2), and never changes.
 */
struct embedded;

/**
 * embedded_open(dir, cred, base_url, ret, err):
 * Open or make the folder.  ${base_url} is where clients reach it; ${cred} and ${base_url} are
 * copied.
 */
int embedded_open(const char *dir, const struct sigv4_cred *cred, const char *base_url,
                  struct embedded **ret, struct ct_err *err);

/**
 * embedded_store(e):
 * It as a store; store_free() frees it.
 */
struct store *embedded_store(struct embedded *e);

/**
 * embedded_watch(e, space):
 * Take no object for which ${space}, the caller's, has none left.
 */
void embedded_watch(struct embedded *e, struct space *space);

/**
 * embedded_ask(e, is_live, is_wanted, arg), embedded_is_live(e, key):
 * From now on a URL counts only as long as the user and the share that it is of, and what has come
 * in only if it is wanted then: both return 1, 0, or -1 if that can't be told.
 */
void embedded_ask(struct embedded *e, int (*is_live)(void *arg, const char *key),
                  int (*is_wanted)(void *arg, const char *key), void *arg);
int embedded_is_live(const struct embedded *e, const char *key);

/**
 * embedded_show_to(e, origin), embedded_shown_to(e):
 * Let the pages of ${origin}, the caller's, read what is shared, and no others anything; NULL:
 * none may.
 */
void embedded_show_to(struct embedded *e, const char *origin);
const char *embedded_shown_to(const struct embedded *e);

/**
 * embedded_cred(e):
 * What URLs have to be signed with.
 */
const struct sigv4_cred *embedded_cred(const struct embedded *e);

/**
 * embedded_open_object(e, key, ret_fd, ret_size, err):
 * Open an object for reading.  ERR_GONE if it is not there or ${key} is no key.
 */
int embedded_open_object(struct embedded *e, const char *key, int *ret_fd, int64_t *ret_size,
                         struct ct_err *err);

/* An object that is coming in. */
struct embedded_put;

/**
 * embedded_put_begin(e, key, size_bytes, want_md5, ret, err):
 * Begin one of ${size_bytes}.  ERR_GONE if ${key} is no key, ERR_CONFLICT with reason
 * OperationAborted if another one with this key is coming in, ERR_NOSPACE.
 */
int embedded_put_begin(struct embedded *e, const char *key, int64_t size_bytes, int want_md5,
                       struct embedded_put **ret, struct ct_err *err);

/**
 * embedded_put_data(p, data, n, err):
 * Add ${n} bytes.
 */
int embedded_put_data(struct embedded_put *p, const void *data, size_t n, struct ct_err *err);

/**
 * embedded_put_finish(p, md5, err):
 * All is there: check it against ${md5} (NULL: nothing to check) and publish it durably.
 * ERR_CORRUPT with reason BadDigest or IncompleteBody; ERR_CONFLICT if an object with other content
 * has that key.  Frees ${p} in every case.
 */
int embedded_put_finish(struct embedded_put *p, const unsigned char *md5, struct ct_err *err);

/**
 * embedded_put_abort(p):
 * Forget it; NULL is harmless.
 */
void embedded_put_abort(struct embedded_put *p);

#endif
