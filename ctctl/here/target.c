#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/agent.h"
#include "agents/news.h"
#include "agents/transcript.h"
#include "bundle/relocate/relocate.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "ctctl/here/target.h"

#define LOOK_BYTES (256 << 10) /* of a transcript, to learn its folder */

static int is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* With symbolic links resolved, where it is there. */
static char *real(const char *path)
{
    char *p = realpath(path, NULL);

    return p != NULL ? p : str_dup(path);
}

/* ---- from there to here ------------------------------------------------------------------------
 */

int target_map_is_valid(const char *word)
{
    const char *equals = strchr(word, '=');

    return equals != NULL && equals > word && equals[1] == '/';
}

/* ${path} with its beginning ${from} replaced, or NULL if it is not below that. */
static char *replaced(const char *path, const char *from, const char *to)
{
    const struct relocation_roots roots = {.source_cwd = from, .target_cwd = to};
    struct relocation *r;
    char *moved;

    if (from == NULL || relocation_new(&roots, &r, NULL) != 0)
        return NULL;
    moved = relocation_path(r, path);
    relocation_free(r);
    if (strcmp(moved, path) != 0 || strcmp(from, to) == 0)
        return moved;
    free(moved);
    return NULL;
}

/* By the longest OLD that fits. */
static char *by_map(const struct strlist *map, const char *path)
{
    char *best = NULL;
    size_t best_len = 0;

    for (size_t i = 0; map != NULL && i < map->n; i++) {
        const char *equals = strchr(map->v[i], '=');
        size_t n = (size_t)(equals - map->v[i]);
        char *from = str_printf("%.*s", (int)n, map->v[i]);
        char *moved = n > best_len ? replaced(path, from, equals + 1) : NULL;
        if (moved != NULL) {
            free(best);
            best = moved;
            best_len = n;
        }
        free(from);
    }
    return best;
}

char *target_mapped(const struct strlist *map, const char *source_cwd, const char *cwd)
{
    char *moved = source_cwd != NULL ? by_map(map, source_cwd) : NULL;

    return moved == NULL && cwd != NULL ? by_map(map, cwd) : moved;
}

char *target_map(const struct strlist *map, const char *source_home, const char *path)
{
    char *moved = by_map(map, path);

    if (moved == NULL)
        moved = replaced(path, source_home, path_home());
    if (moved == NULL && path[0] == '/')
        moved = str_dup(path);
    return moved;
}

/* ---- project folders with long names -----------------------------------------------------------
 */

/* Does a transcript in that folder speak of ${cwd}? */
static int agrees(const struct agent *agent, const char *dir, const char *cwd)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int is_so = 0;

    while (!is_so && d != NULL && (e = readdir(d)) != NULL) {
        size_t n = strlen(e->d_name);
        struct news *news;
        int fd;
        if (n < 6 || strcmp(e->d_name + n - 6, ".jsonl") != 0)
            continue;
        fd = openat(dirfd(d), e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            continue;
        news = news_new(agent);
        is_so = news_feed_file(news, fd, LOOK_BYTES, NULL) == 0 && strcmp(news_cwd(news), cwd) == 0;
        news_free(news);
        close(fd);
    }
    if (d != NULL)
        closedir(d);
    return is_so;
}

/* The hash at the end of a long name may be another version's: if that folder is not there and just
 * one shares the rest of the name and is of this project, it is that one. */
static char *long_name(const struct agent *agent, const char *root, const char *name,
                       const char *cwd)
{
    char *projects = path_join(root, agent->projects), *exact = path_join(projects, name),
         *found = NULL;
    DIR *d = is_dir(exact) ? NULL : opendir(projects);
    struct dirent *e;
    int n = 0;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char *dir = path_join(projects, e->d_name);
        if (strncmp(e->d_name, name, agent->project_max + 1) == 0 && agrees(agent, dir, cwd)) {
            free(found);
            found = str_dup(e->d_name);
            n++;
        }
        free(dir);
    }
    if (d != NULL)
        closedir(d);
    free(exact);
    free(projects);
    if (n == 1)
        return found;
    free(found);
    return NULL;
}

/* Take ${dir}, which it frees. */
static int settle(struct target *t, char *dir, const struct agent *agent,
                  struct install_target *ret)
{
    char *name;

    t->is_absent = !is_dir(dir);
    ret->cwd = real(dir);
    free(dir);
    name = agent->project_name(ret->cwd);
    ret->project = agent->project_max > 0 && strlen(name) > agent->project_max
                       ? long_name(agent, t->root, name, ret->cwd)
                       : NULL;
    free(name);
    return 0;
}

/* ---- the choice --------------------------------------------------------------------------------
 */

static int asked_for(struct target *t, const struct agent *agent, struct install_target *ret,
                     struct ct_err *err)
{
    char *dir = path_expand(t->dir);

    if (is_dir(dir))
        return settle(t, dir, agent, ret);
    err_set(err, ERR_GONE, "the folder %s is not there; make it first (or clone the project)", dir);
    free(dir);
    return -1;
}

/* It stays in its project folder, whatever that is called. */
static int where_it_is(struct target *t, const struct meta *meta, const struct local *local,
                       struct install_target *ret)
{
    const char *project = local->copies[0].project;
    char *cwd = NULL, *name = NULL;

    /* None of its records is from there (Claude Code moved it just now): does the bundle know? */
    if (news_project_cwd(local->news)[0] == '\0')
        cwd = target_map(t->map, meta->source_user_dir, meta->source_cwd);
    if (cwd != NULL)
        name = meta->agent->project_name(cwd);
    if (name == NULL || strcmp(name, project) != 0) {
        free(cwd);
        cwd = str_dup(local_cwd(local));
    }
    free(name);
    t->is_absent = !is_dir(cwd);
    ret->cwd = cwd;
    ret->project = str_dup(project);
    return 0;
}

/* The current folder, if the project is called like that. */
static char *here(const char *source_cwd)
{
    char name[256], *dir = path_expand("."), *cwd = real(dir);

    free(dir);
    transcript_project_name(source_cwd, name, sizeof(name));
    if (name[0] != '\0' && strcmp(path_base(cwd), name) == 0)
        return cwd;
    free(cwd);
    return NULL;
}

static int nowhere(const struct meta *meta, struct ct_err *err)
{
    err_set(err, ERR_REFUSED,
            "it is not clear where the project %s is on this machine; go to its folder, or say "
            "--target-dir DIR",
            meta->source_cwd);
    snprintf(err->reason, sizeof(err->reason), "no_target");
    return -1;
}

int target_choose(void *arg, const struct meta *meta, const struct local *local,
                  struct install_target *ret, struct ct_err *err)
{
    struct target *t = arg;
    char *dir;

    memset(ret, 0, sizeof(*ret));
    if (meta->is_profile) /* what it is named after lies below the home folder */
        return settle(t, str_dup(path_home()), meta->agent, ret);
    if (t->dir != NULL)
        return asked_for(t, meta->agent, ret, err);
    dir = local->n > 0 ? target_mapped(t->map, meta->source_cwd, local_cwd(local)) : NULL;
    if (dir != NULL)
        return settle(t, dir, meta->agent, ret);
    if (local->n > 0 && news_cwd(local->news)[0] != '\0')
        return where_it_is(t, meta, local, ret);
    dir = target_map(t->map, meta->source_user_dir, meta->source_cwd);
    if (dir != NULL && (t->is_home_to_home || is_dir(dir)))
        return settle(t, dir, meta->agent, ret);
    free(dir);
    if (t->is_home_to_home)
        return nowhere(meta, err);
    dir = here(meta->source_cwd);
    if (dir == NULL && t->ask != NULL)
        dir = t->ask(t->ask_arg, meta->source_cwd);
    return dir != NULL ? settle(t, dir, meta->agent, ret) : nowhere(meta, err);
}
