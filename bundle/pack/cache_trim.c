#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

#include "bundle/pack/cache_trim.h"

void cache_trim_forget(const char *dir, const char *session_id)
{
    static const char *const suffixes[] = {".index", ".blocks", ".index.tmp", ".blocks.tmp"};

    if (!uuid_is_valid(session_id))
        return;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char *path = str_printf("%s/%s%s", dir, session_id, suffixes[i]);
        unlink(path);
        free(path);
    }
}

struct kept {
    char session_id[UUID_SIZE];
    int64_t bytes;
    int64_t used_ns; /* 0: no index, so it is of no use */
};

struct list {
    struct kept *v;
    size_t n, cap;
    int64_t bytes;
};

/* The files of one session may come in any order; the sort below brings them together. */
static void add_file(struct list *l, int dir_fd, const char *name)
{
    struct stat st;
    struct kept *k;

    if (!uuid_starts(name) || name[UUID_SIZE - 1] != '.' ||
        fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 64 : l->cap * 2;
        l->v = str_realloc(l->v, l->cap, sizeof(*l->v));
    }
    k = &l->v[l->n++];
    memcpy(k->session_id, name, UUID_SIZE - 1);
    k->session_id[UUID_SIZE - 1] = '\0';
    k->bytes = (int64_t)st.st_size;
    k->used_ns = strcmp(name + UUID_SIZE - 1, ".index") == 0 ? file_mtime_ns(&st) : 0;
    l->bytes += k->bytes;
}

static int by_session(const void *a, const void *b)
{
    return strcmp(((const struct kept *)a)->session_id, ((const struct kept *)b)->session_id);
}

static int by_use(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;

    if (x->used_ns != y->used_ns)
        return x->used_ns < y->used_ns ? -1 : 1;
    return by_session(a, b);
}

static void join(struct list *l)
{
    size_t n = 0;

    if (l->n == 0)
        return;
    qsort(l->v, l->n, sizeof(*l->v), by_session);
    for (size_t i = 0; i < l->n; i++) {
        if (n > 0 && by_session(&l->v[n - 1], &l->v[i]) == 0) {
            l->v[n - 1].bytes += l->v[i].bytes;
            if (l->v[i].used_ns > l->v[n - 1].used_ns)
                l->v[n - 1].used_ns = l->v[i].used_ns;
        } else {
            l->v[n++] = l->v[i];
        }
    }
    l->n = n;
    qsort(l->v, l->n, sizeof(*l->v), by_use);
}

/* Go through the folder, remove what is too much, return what is left. */
static int64_t sweep(const char *dir, int64_t limit_bytes)
{
    struct list l = {0};
    DIR *d = opendir(dir);
    const struct dirent *e;

    if (d == NULL)
        return 0;
    while ((e = readdir(d)) != NULL)
        add_file(&l, dirfd(d), e->d_name);
    closedir(d);
    join(&l);
    if (l.bytes > limit_bytes) {
        /* The last one in the order is the one just used: it stays. */
        for (size_t i = 0; i + 1 < l.n && l.bytes > limit_bytes / 10 * 9; i++) {
            cache_trim_forget(dir, l.v[i].session_id);
            l.bytes -= l.v[i].bytes;
        }
    }
    free(l.v);
    return l.bytes;
}

static pthread_mutex_t account_lock = PTHREAD_MUTEX_INITIALIZER;

void cache_trim_account(const char *dir, int64_t change_bytes, int64_t limit_bytes)
{
    char *path = str_printf("%s/total", dir);
    char text[32];
    struct buf b = {0};
    unsigned long long sum;
    int64_t total;
    int fd;

    pthread_mutex_lock(&account_lock);
    if (change_bytes == 0)
        goto done;
    if (file_read(path, sizeof(text), &b, NULL) == 0 && str_parse_u64(b.data, &sum) == 0 &&
        sum < INT64_MAX / 2 && (int64_t)sum + change_bytes >= 0 &&
        (int64_t)sum + change_bytes <= limit_bytes)
        total = (int64_t)sum + change_bytes;
    else
        total = sweep(dir, limit_bytes);
    snprintf(text, sizeof(text), "%lld", (long long)total);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        /* Torn or missing, it is only worked out anew. */
        (void)!write(fd, text, strlen(text));
        close(fd);
    }
done:
    pthread_mutex_unlock(&account_lock);
    buf_free(&b);
    free(path);
}

int64_t cache_trim_all(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    struct stat st;
    int64_t bytes = 0;

    if (d == NULL)
        return 0;
    while ((e = readdir(d)) != NULL) {
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            unlinkat(dirfd(d), e->d_name, 0) == 0)
            bytes += (int64_t)st.st_size;
    }
    closedir(d);
    return bytes;
}
