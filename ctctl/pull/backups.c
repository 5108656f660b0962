#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/unpack.h"
#include "agents/transcript.h"
#include "bundle/install/local.h"
#include "bundle/install/stage.h"
#include "bundle/pack/pack.h"
#include "bundle/pack/snapshot.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "ctctl/pull/backups.h"

#define FOLDER STAGE_HOME "/backups"
#define WINDOW (256 << 10)
#define MAX_DEPTH 64

/* ---- what there is ----------------------------------------------------------------------------
 */

/* <session>-<20261130T094210Z>-<id>: as bundle/install/destination.c names them. */
static int parse(const char *name, struct backup *ret)
{
    struct tm tm = {0};
    const char *end;

    if (strlen(name) < UUID_SIZE + 1 || name[UUID_SIZE - 1] != '-')
        return -1;
    snprintf(ret->session_id, sizeof(ret->session_id), "%.*s", UUID_SIZE - 1, name);
    if (!uuid_is_valid(ret->session_id))
        return -1;
    end = strptime(name + UUID_SIZE, "%Y%m%dT%H%M%SZ", &tm);
    if (end == NULL || end[0] != '-' || end[1] == '\0')
        return -1;
    ret->kept_ms = (int64_t)timegm(&tm) * 1000;
    ret->name = str_dup(name);
    ret->id = ret->name + (end + 1 - name);
    return 0;
}

/* Sizes of the files in the folder ${dir_fd}, which is closed. */
static void weigh(int dir_fd, int depth, struct backup *b)
{
    DIR *d = dir_fd >= 0 ? fdopendir(dir_fd) : NULL;
    struct dirent *e;
    struct stat st;

    if (d == NULL && dir_fd >= 0)
        close(dir_fd);
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH) {
            weigh(openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                  depth + 1, b);
        } else if (S_ISREG(st.st_mode)) {
            b->files++;
            b->size_bytes += (int64_t)st.st_size;
        }
    }
    if (d != NULL)
        closedir(d);
}

static void read_transcript(int fd, struct backup *b)
{
    struct transcript *t = transcript_new(b->agent);
    struct transcript_facts facts;
    char *p = str_calloc(WINDOW, 1);
    int64_t at = 0;
    ssize_t n;

    while ((n = file_pread_all(fd, p, WINDOW, (off_t)at)) > 0) {
        transcript_feed(t, p, (size_t)n);
        at += n;
    }
    transcript_facts(t, &facts);
    b->title = facts.title != NULL ? str_dup(facts.title) : NULL;
    b->messages = facts.user_messages + facts.assistant_messages;
    transcript_free(t);
    free(p);
}

static void look_into(int dir_fd, struct backup *b)
{
    int root_fd = openat(dir_fd, b->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), fd;
    struct local local;
    struct stat st;

    b->messages = -1;
    if (root_fd < 0)
        return;
    if (fstat(root_fd, &st) == 0)
        b->made_ns = file_mtime_ns(&st);
    if (local_find(root_fd, b->agent, b->session_id, &local, NULL) == 0) {
        fd = local.n > 0 ? unpack_open(b->agent, root_fd, local.copies[0].path) : -1;
        if (fd >= 0) {
            read_transcript(fd, b);
            close(fd);
        }
        local_clear(&local);
    }
    weigh(root_fd, 0, b);
}

static int by_time(const void *a, const void *b)
{
    const struct backup *x = a, *y = b;

    if (x->kept_ms != y->kept_ms)
        return x->kept_ms < y->kept_ms ? 1 : -1;
    if (x->made_ns != y->made_ns)
        return x->made_ns < y->made_ns ? 1 : -1;
    return strcmp(x->name, y->name);
}

static void clear(struct backup *b)
{
    free(b->name);
    free(b->title);
    free(b->root);
    free(b->dir);
}

/* Those of one data folder, ${root}. */
static int list(const struct agent *agent, const char *root, struct backups *ret,
                struct ct_err *err)
{
    char *dir = path_join(root, FOLDER);
    struct dirent *e;
    DIR *d = opendir(dir);
    int rc = 0;

    if (d == NULL && errno != ENOENT)
        rc = err_sys(err, "can't list %s", dir);
    while (d != NULL && (e = readdir(d)) != NULL) {
        struct backup b = {.agent = agent};
        if (parse(e->d_name, &b) != 0)
            continue;
        b.root = str_dup(root);
        b.dir = str_dup(dir);
        look_into(dirfd(d), &b);
        ret->all = str_realloc(ret->all, ret->n + 1, sizeof(*ret->all));
        ret->all[ret->n++] = b;
    }
    if (d != NULL)
        closedir(d);
    free(dir);
    return rc;
}

int backups_list(struct ctx *c, struct backups *ret, struct ct_err *err)
{
    const struct agent *agent;
    int rc = 0;

    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; rc == 0 && (agent = agent_at(i)) != NULL; i++) {
        char *root = ctx_root(c, agent, err);
        rc = root != NULL ? list(agent, root, ret, err) : -1;
        free(root);
    }
    if (rc != 0)
        backups_clear(ret);
    else if (ret->n > 0)
        qsort(ret->all, ret->n, sizeof(*ret->all), by_time);
    return rc;
}

void backups_clear(struct backups *b)
{
    for (size_t i = 0; i < b->n; i++)
        clear(&b->all[i]);
    free(b->all);
    memset(b, 0, sizeof(*b));
}

const struct backup *backups_find(const struct backups *b, const char *word, struct ct_err *err)
{
    const struct backup *found = NULL;
    size_t n = strlen(word);
    int many = 0;

    for (size_t i = 0; i < b->n; i++) {
        const struct backup *one = &b->all[i];
        if (strcmp(one->id, word) == 0)
            return one;
        if (strncmp(one->id, word, n) != 0 && strncmp(one->session_id, word, n) != 0)
            continue;
        many = many || found != NULL;
        found = one;
    }
    if (found == NULL)
        err_set(err, ERR_GONE, "no backup begins with \"%s\"; see: ctctl backups", word);
    else if (many)
        err_set(err, ERR_CONFLICT,
                "several backups begin with \"%s\"; give the ID of one, see: ctctl backups", word);
    return many ? NULL : found;
}

/* ---- bringing one back ------------------------------------------------------------------------
 */

/* It has the shape of a data folder, so a bundle is made of it, and installed like any other. */
static int pack(const char *root, const struct backup *what, const char *path, struct ct_err *err)
{
    const struct snapshot_opts so = {.root = root,
                                     .agent = what->agent,
                                     .session_id = what->session_id,
                                     .user_dir = path_home()};
    const struct pack_opts po = {.spool_path = path};
    struct pack_result r = {0};
    struct snapshot *s;
    int rc;

    if (snapshot_take(&so, &s, err) != 0)
        return -1;
    rc = pack_write(s, &po, &r, err);
    snapshot_free(s);
    pack_result_clear(&r);
    return rc;
}

int backups_restore(struct ctx *c, const struct backup *what, const struct pull_opts *opts,
                    struct pull_result *ret, struct ct_err *err)
{
    struct pull_opts o = *opts;
    char *root, *dir, *path;
    int rc = -1;

    memset(ret, 0, sizeof(*ret));
    if (ctx_config(c, err) != 0)
        return -1;
    root = path_join(what->dir, what->name);
    if (what->messages < 0) {
        err_set(err, ERR_GONE, "there is no transcript in this backup; its files are in %s", root);
        free(root);
        return -1;
    }
    if (!opts->is_forced && !opts->is_copy &&
        local_is_live(what->agent, what->root, what->session_id)) {
        free(root);
        return err_set(err, ERR_CONFLICT,
                       "session %.8s is in use; end it there, or say --force or --as-copy",
                       what->session_id);
    }
    /* Whoever says restore means it: what is there is kept, as this was. */
    o.is_forced = !opts->is_copy;
    o.ours_of = what->session_id;
    o.ours_agent = what->agent->id;
    o.keep_mode = 1;
    dir = path_join(c->config->state_dir, "downloads");
    path = str_printf("%s/backup-%d.part", dir, (int)getpid());
    if (path_make_private(dir, err) == 0 && pack(root, what, path, err) == 0)
        rc = pull_file(c, path, &o, ret, err);
    unlink(path);
    free(path);
    free(dir);
    free(root);
    return rc;
}

int backups_remove(const struct backup *what, struct ct_err *err)
{
    int fd = open(what->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 ? file_remove_tree(fd, what->name) : -1;

    if (rc != 0)
        err_sys(err, "can't remove %s/%s", what->dir, what->name);
    if (fd >= 0)
        close(fd);
    return rc;
}
