#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

#include "uploader/kept.h"

#define SUFFIX ".tar.gz"

struct kept {
    char *dir;
    int64_t limit_bytes;
    int64_t reserved_bytes; /* of files that are on their way */
};

/* Names that begin with a dot are files on their way. */
static void sweep(struct kept *k)
{
    DIR *d = opendir(k->dir);
    struct dirent *ent;

    if (d == NULL)
        return;
    while ((ent = readdir(d)) != NULL) {
        if (ent->d_name[0] == '.' && strcmp(ent->d_name, ".") != 0 &&
            strcmp(ent->d_name, "..") != 0)
            unlinkat(dirfd(d), ent->d_name, 0);
    }
    closedir(d);
}

struct kept *kept_new(const char *dir, int64_t limit_bytes)
{
    struct kept *k = str_calloc(1, sizeof(*k));

    k->dir = str_dup(dir);
    k->limit_bytes = limit_bytes;
    sweep(k);
    return k;
}

void kept_free(struct kept *k)
{
    if (k == NULL)
        return;
    free(k->dir);
    free(k);
}

void kept_set_limit(struct kept *k, int64_t limit_bytes)
{
    k->limit_bytes = limit_bytes;
}

char *kept_path(const struct kept *k, const char *session_id, int64_t version)
{
    return str_printf("%s/%s.v%lld" SUFFIX, k->dir, session_id, (long long)version);
}

char *kept_tmp_path(const struct kept *k, const char *session_id, int64_t version)
{
    uint32_t unique;

    hash_random(&unique, sizeof(unique));
    return str_printf("%s/.%s.v%lld.%08x", k->dir, session_id, (long long)version, unique);
}

int kept_has(const struct kept *k, const char *session_id, int64_t version)
{
    char *path = kept_path(k, session_id, version);
    struct stat st;
    int has = lstat(path, &st) == 0 && S_ISREG(st.st_mode);

    free(path);
    return has;
}

/* "<session id>.v<version>.tar.gz" -> version, or 0 */
static int64_t version_of(const char *name, const char *session_id)
{
    size_t n = strlen(name), digits;
    unsigned long long version;
    char text[24];

    if (n < UUID_SIZE - 1 + 3 + strlen(SUFFIX) || !uuid_starts(name) ||
        (session_id != NULL && strncmp(name, session_id, UUID_SIZE - 1) != 0))
        return 0;
    name += UUID_SIZE - 1;
    digits = strspn(name + 2, "0123456789");
    if (strncmp(name, ".v", 2) != 0 || digits == 0 || digits >= sizeof(text) ||
        strcmp(name + 2 + digits, SUFFIX) != 0)
        return 0;
    snprintf(text, sizeof(text), "%.*s", (int)digits, name + 2);
    if (str_parse_u64(text, &version) != 0 || version > INT64_MAX)
        return 0;
    return (int64_t)version;
}

void kept_each(const struct kept *k, const char *session_id,
               void (*f)(void *arg, const char *path, int64_t version, int64_t size_bytes),
               void *arg)
{
    DIR *d = opendir(k->dir);
    struct dirent *ent;
    struct stat st;

    if (d == NULL)
        return;
    while ((ent = readdir(d)) != NULL) {
        int64_t version = version_of(ent->d_name, session_id);
        char *path;
        if (version == 0 || fstatat(dirfd(d), ent->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        path = path_join(k->dir, ent->d_name);
        f(arg, path, version, (int64_t)st.st_size);
        free(path);
    }
    closedir(d);
}

static void count(void *arg, const char *path, int64_t version, int64_t size_bytes)
{
    struct kept_stats *s = arg;

    (void)path;
    (void)version;
    s->versions++;
    s->bytes += size_bytes;
}

void kept_stats(const struct kept *k, struct kept_stats *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->limit_bytes = k->limit_bytes;
    kept_each(k, NULL, count, ret);
}

int kept_reserve(struct kept *k, int64_t size_bytes, struct ct_err *err)
{
    struct kept_stats s;
    char need[32], limit[32];

    kept_stats(k, &s);
    if (s.bytes + k->reserved_bytes + size_bytes > k->limit_bytes) {
        str_human_bytes((unsigned long long)(s.bytes + k->reserved_bytes + size_bytes), need,
                        sizeof(need));
        str_human_bytes((unsigned long long)k->limit_bytes, limit, sizeof(limit));
        err_set(err, ERR_NOSPACE,
                "the fuller version of this session would be lost: its server keeps only the "
                "newest, and there is no room for it here (%s of %s in %.200s)",
                need, limit, k->dir);
        if (err != NULL)
            snprintf(err->reason, sizeof(err->reason), KEPT_FULL);
        return -1;
    }
    if (path_make_private(k->dir, err) != 0)
        return -1;
    k->reserved_bytes += size_bytes;
    return 0;
}

void kept_release(struct kept *k, int64_t size_bytes)
{
    k->reserved_bytes -= size_bytes;
}
