#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/transcript.h"
#include "agents/linked.h"
#include "agents/unpack.h"
#include "bundle/pack/origin.h"
#include "common/base/file.h"
#include "common/base/map.h"
#include "common/base/str.h"

#include "daemon/session/whereabouts.h"

#define HEAD_BYTES (32 << 10)       /* of a transcript are asked where it began ... */
#define LONG_HEAD_BYTES (512 << 10) /* ... and if these don't say it */
#define WINDOW (1 << 20)
#define EDGE 512                /* longer than any name of a plan with its key */
#define PLAN_SEARCH (256 << 20) /* so much of a transcript is read to find them */
#define REMEMBERED_MAX 65536    /* beyond that all are forgotten */

struct whereabouts {
    struct map *by_file; /* device and inode -> struct place */
};

struct place {
    int64_t size_bytes, mtime_ns;
    char *first, *last;
    struct strlist slugs; /* of its plans, if these were asked for */
    int has_slugs;
    int may_have_more; /* it was too long, or could not be read */
};

struct whereabouts *whereabouts_new(void)
{
    struct whereabouts *w = str_calloc(1, sizeof(*w));

    w->by_file = map_new();
    return w;
}

static int free_place(void *arg, const char *key, void *value)
{
    struct place *p = value;

    (void)arg;
    (void)key;
    free(p->first);
    free(p->last);
    strlist_free(&p->slugs);
    free(p);
    return 0;
}

void whereabouts_free(struct whereabouts *w)
{
    if (w == NULL)
        return;
    map_each(w->by_file, free_place, NULL);
    map_free(w->by_file);
    free(w);
}

static void head_cwd(const struct agent *agent, int fd, char ret[ORIGIN_SIZE])
{
    static const size_t sizes[] = {HEAD_BYTES, LONG_HEAD_BYTES};

    ret[0] = '\0';
    for (size_t i = 0; ret[0] == '\0' && i < sizeof(sizes) / sizeof(*sizes); i++) {
        char *p = str_calloc(sizes[i], 1);
        ssize_t n = file_pread_all(fd, p, sizes[i], 0);
        struct transcript *t = transcript_new(agent);
        struct transcript_facts facts;
        transcript_feed(t, p, n > 0 ? (size_t)n : 0);
        transcript_facts(t, &facts);
        if (facts.cwd != NULL && strlen(facts.cwd) < ORIGIN_SIZE)
            memcpy(ret, facts.cwd, strlen(facts.cwd) + 1);
        transcript_free(t);
        free(p);
    }
}

static void read_anew(struct place *p, const struct agent *agent, int root_fd, const char *path,
                      int fd, const struct stat *st)
{
    char first[ORIGIN_SIZE], last[ORIGIN_SIZE];
    struct agent_path place;
    struct stat whole;

    head_cwd(agent, fd, first);
    if (first[0] == '\0') {
        agent->classify(path, &place);
        agent_marked_cwd(agent, root_fd, place.project, first, sizeof(first));
    }
    last[0] = '\0';
    if (first[0] != '\0')
        origin_last_in(fd, fstat(fd, &whole) == 0 ? (int64_t)whole.st_size : 0, last);
    free(p->first);
    free(p->last);
    strlist_free(&p->slugs);
    p->has_slugs = p->may_have_more = 0;
    p->first = str_dup(first);
    p->last = str_dup(last);
    p->size_bytes = (int64_t)st->st_size;
    p->mtime_ns = file_mtime_ns(st);
}

static int is_as_then(const struct place *p, const struct stat *st)
{
    return p->first != NULL && p->size_bytes == (int64_t)st->st_size &&
           p->mtime_ns == file_mtime_ns(st);
}

/* The file's place in the map; it may be empty yet. */
static struct place *place_of(struct whereabouts *w, const struct stat *st)
{
    char key[64];
    struct place *p;

    snprintf(key, sizeof(key), "%llx:%llx", (unsigned long long)st->st_dev,
             (unsigned long long)st->st_ino);
    p = map_get(w->by_file, key);
    if (p != NULL)
        return p;
    if (map_size(w->by_file) >= REMEMBERED_MAX) {
        map_each(w->by_file, free_place, NULL);
        map_free(w->by_file);
        w->by_file = map_new();
    }
    p = str_calloc(1, sizeof(*p));
    map_put(w->by_file, key, p);
    return p;
}

/* What is there of the transcript as it is now; NULL: nothing to be read. */
static struct place *look(struct whereabouts *w, const struct agent *agent, int root_fd,
                          const char *path)
{
    struct place *p = NULL;
    struct stat st;
    int fd, unpacked_fd = -1;

    /* Opening it costs ten times as much as this, which need not be beyond doubt. */
    if (fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
        p = place_of(w, &st);
    if (p != NULL && is_as_then(p, &st))
        return p;
    fd = linked_open(agent, root_fd, path, 0);
    p = NULL;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        unpacked_fd = unpack_is_packed(path) ? unpack(fd, NULL) : -1;
        p = place_of(w, &st);
        read_anew(p, agent, root_fd, path, unpacked_fd >= 0 ? unpacked_fd : fd, &st);
    }
    if (unpacked_fd >= 0)
        close(unpacked_fd);
    if (fd >= 0)
        close(fd);
    return p;
}

int whereabouts_look(struct whereabouts *w, const struct agent *agent, int root_fd,
                     const char *path, const char **ret_first, const char **ret_last)
{
    const struct place *p = look(w, agent, root_fd, path);

    if (p == NULL)
        return 0;
    *ret_first = p->first;
    *ret_last = p->last;
    return 1;
}

/* ---- plans -------------------------------------------------------------------------------------
 */

/* The names of plans in ${n} bytes. */
static void find_slugs(const char *p, size_t n, struct strlist *ret)
{
    static const char key[] = "\"slug\"";
    const char *at = p, *end = p + n, *stop;

    while ((at = memmem(at, (size_t)(end - at), key, sizeof(key) - 1)) != NULL) {
        at += sizeof(key) - 1;
        while (at < end && (*at == ':' || *at == ' '))
            at++;
        stop = at < end && *at == '"' ? memchr(at + 1, '"', (size_t)(end - at - 1)) : NULL;
        if (stop != NULL) {
            char *slug = str_printf("%.*s", (int)(stop - at - 1), at + 1);
            strlist_add_once(ret, slug);
            free(slug);
        }
    }
}

static void read_slugs(struct place *p, int fd)
{
    char *b = str_calloc(WINDOW + EDGE, 1);
    size_t kept = 0;
    int64_t at = 0;
    ssize_t n = 0;

    while (at < PLAN_SEARCH && (n = file_pread_all(fd, b + kept, WINDOW, (off_t)at)) > 0) {
        size_t have = kept + (size_t)n;
        find_slugs(b, have, &p->slugs);
        kept = have < EDGE ? have : EDGE;
        memmove(b, b + have - kept, kept);
        at += n;
    }
    p->may_have_more = at >= PLAN_SEARCH || n < 0;
    p->has_slugs = 1;
    free(b);
}

int whereabouts_has_plan(struct whereabouts *w, const struct agent *agent, int root_fd,
                         const char *path, const struct strlist *slugs)
{
    struct place *p = look(w, agent, root_fd, path);
    int fd, yes;

    if (p == NULL)
        return 1;
    if (!p->has_slugs) {
        fd = unpack_open(agent, root_fd, path);
        if (fd < 0)
            return 1;
        read_slugs(p, fd);
        close(fd);
    }
    yes = p->may_have_more;
    for (size_t i = 0; i < slugs->n && !yes; i++)
        yes = strlist_has(&p->slugs, slugs->v[i]);
    return yes;
}
