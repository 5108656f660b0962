#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "agents/words.h"
#include "common/base/file.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/read/reading.h"

#include "ctctl/pull/pull_as.h"

struct writing {
    struct pull_as *p;
    int root_fd;
};

/* Under another name first: an agent that looks meanwhile finds all of it or nothing. */
static int put(int dir_fd, const char *name, const void *p, size_t n, struct ct_err *err)
{
    char *half = str_printf(".codeteleport-%ld", (long)getpid());
    int fd = openat(dir_fd, half, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc = fd < 0 || file_write_all(fd, p, n) != 0 || file_sync(fd) != 0 ||
                     beneath_rename_new(dir_fd, half, dir_fd, name) != 0
                 ? err_sys(err, "can't write %s", name)
                 : 0;

    if (rc != 0 && fd >= 0)
        (void)unlinkat(dir_fd, half, 0);
    if (fd >= 0)
        close(fd);
    free(half);
    return rc;
}

static int on_file(void *arg, const char *path, const void *p, size_t n, struct ct_err *err)
{
    struct writing *w = arg;
    char *dir = path_parent(path);
    int dir_fd = linked_make(w->p->agent, w->root_fd, strcmp(dir, ".") != 0 ? dir : ""), rc;

    rc = dir_fd < 0 ? err_sys(err, "can't make the folder %s of %s", dir, w->p->agent->name)
                    : put(dir_fd, path_base(path), p, n, err);
    if (dir_fd >= 0)
        close(dir_fd);
    free(dir);
    free(w->p->path);
    w->p->path = str_dup(path);
    return rc;
}

static int write_all(struct pull_as *p, const char *root, struct words *words, struct ct_err *err)
{
    struct writing w = {p, -1};
    int rc;

    if (path_make_dirs(root, 0700, err) != 0)
        return -1;
    w.root_fd = beneath_open_root(root);
    if (w.root_fd < 0)
        return err_sys(err, "can't open %s", root);
    words->root = root;
    words->cwd = p->cwd;
    rc = p->agent->write_words(words, on_file, &w, err);
    close(w.root_fd);
    return rc;
}

/* The folder, with its symbolic links resolved. */
static int find_cwd(struct pull_as *p, struct ct_err *err)
{
    char *dir = path_expand(p->dir != NULL ? p->dir : "."), real[PATH_MAX];
    struct stat st;
    int rc = 0;

    if (realpath(dir, real) == NULL || stat(real, &st) != 0 || !S_ISDIR(st.st_mode))
        rc = err_set(err, ERR_GONE,
                     "the folder %s is not there; make it first (or clone the project)", dir);
    else
        p->cwd = str_dup(real);
    free(dir);
    return rc;
}

/* The first words need to know whose they are, which reading tells before the first turn. */
struct gathering {
    const struct reading *reading;
    struct words_gathering *words;
};

static struct words_gathering *begin(const struct reading *r)
{
    char *from = str_printf(
        "[This conversation was begun in %s, as session %s, and brought here by Codeteleport as "
        "text. What tools were asked and what they printed stands in the answers; none of it "
        "happened in this session.]",
        r->agent->name, r->session_id);
    struct words_gathering *g = words_new(from);

    free(from);
    return g;
}

static void on_turn(void *arg, const struct turn *t)
{
    struct gathering *g = arg;

    if (g->words == NULL)
        g->words = begin(g->reading);
    words_add(g->words, t);
}

int pull_as(struct ctx *c, struct pull_as *p, struct ct_err *err)
{
    struct reading r = {.word = p->word,
                        .version = p->version,
                        .is_cloud = p->version > 0 || p->is_plain,
                        .is_plain = p->is_plain};
    struct gathering g = {&r, NULL};
    struct words words;
    char *root = NULL;
    int rc = -1;

    if (p->agent->write_words == NULL)
        return err_set(err, ERR_REFUSED, "no session can be written as one of %s's",
                       p->agent->name);
    if (find_cwd(p, err) != 0 || (root = ctx_root(c, p->agent, err)) == NULL ||
        reading_do(c, &r, on_turn, &g, err) != 0)
        goto done;
    memcpy(p->session_id, r.session_id, UUID_SIZE);
    p->source = r.agent;
    if (g.words != NULL)
        p->said = words_end(g.words, now_wall_ms(), p->new_id, &words);
    if (p->agent->has_random_ids)
        uuid_random(p->new_id); /* which ${words} has borrowed */
    if (p->said == 0)
        err_set(err, ERR_REFUSED, "nobody said anything in session %.8s", r.session_id);
    else
        rc = write_all(p, root, &words, err);
done:
    words_free(g.words);
    free(root);
    return rc;
}

void pull_as_clear(struct pull_as *p)
{
    free(p->cwd);
    free(p->path);
    p->cwd = p->path = NULL;
}
