#ifndef UPLOADER_KEPT_H
#define UPLOADER_KEPT_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * The folder of fuller versions: a version that a thinner one is about to follow, kept here because
 * its server knows no pin and rotates it out sooner or later.  Files are
 * <session id>.v<version>.tar.gz (of a sealed session: the opaque id), just as they were uploaded;
 * what has that name is whole.  Nothing is removed by itself.
 */
struct kept;

/**
 * kept_new(dir, limit_bytes):
 * The folder ${dir}, which may not exist yet, with a limit on what is in it.  What a crash left
 * half-way is removed.  Never NULL.
 */
struct kept *kept_new(const char *dir, int64_t limit_bytes);

/**
 * kept_free(k):
 * NULL is harmless; the files stay.
 */
void kept_free(struct kept *k);

/**
 * kept_set_limit(k, limit_bytes):
 * From now on.
 */
void kept_set_limit(struct kept *k, int64_t limit_bytes);

/**
 * kept_path(k, session_id, version), kept_tmp_path(k, session_id, version):
 * Where that version is or would be; a new name for it until it is whole.  The caller frees it.
 */
char *kept_path(const struct kept *k, const char *session_id, int64_t version);
char *kept_tmp_path(const struct kept *k, const char *session_id, int64_t version);

/**
 * kept_has(k, session_id, version):
 * Return whether it is there.
 */
int kept_has(const struct kept *k, const char *session_id, int64_t version);

/**
 * kept_reserve(k, size_bytes, err), kept_release(k, size_bytes):
 * Make the folder and set room aside in it for a file that is about to come; give it back once the
 * file is there, or will not come.  ERR_NOSPACE with reason KEPT_FULL and a sentence that names the
 * cure if the limit does not allow it.
 */
#define KEPT_FULL "kept_full"
int kept_reserve(struct kept *k, int64_t size_bytes, struct ct_err *err);
void kept_release(struct kept *k, int64_t size_bytes);

/**
 * kept_each(k, session_id, f, arg):
 * Call ${f} for each version of the session (of all sessions if it is NULL) that is here, in no
 * order.
 */
void kept_each(const struct kept *k, const char *session_id,
               void (*f)(void *arg, const char *path, int64_t version, int64_t size_bytes),
               void *arg);

struct kept_stats {
    int64_t versions;
    int64_t bytes;
    int64_t limit_bytes;
};

/**
 * kept_stats(k, ret):
 * Count.
 */
void kept_stats(const struct kept *k, struct kept_stats *ret);

#endif
