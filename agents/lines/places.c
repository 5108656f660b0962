#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/linked.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "agents/lines/places.h"

struct walk {
    const struct agent *agent;
    int root_fd;
    void (*f)(void *arg, const char *path, const struct agent_path *place);
    void *arg;
    const _Atomic int *cancel;
};

static DIR *open_folder(const struct walk *w, const char *path)
{
    int fd = path[0] != '\0' ? linked_open(w->agent, w->root_fd, path, O_DIRECTORY)
                             : openat(w->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    if (fd >= 0 && d == NULL)
        close(fd);
    return d;
}

static char *below(const char *dir, const char *name)
{
    return dir[0] != '\0' ? path_join(dir, name) : str_dup(name);
}

static void meet(const struct walk *w, const char *path)
{
    struct agent_path place;

    w->agent->classify(path, &place);
    if (place.kind == AGENT_TRANSCRIPT && agent_identify(w->agent, w->root_fd, path, &place) == 0)
        w->f(w->arg, path, &place);
}

/* Go on in the folder ${path}, with what is left of the place: "" at its end. */
static void walk(const struct walk *w, const char *path, const char *left)
{
    size_t n = strcspn(left, "/");
    const char *rest = left + n + (left[n] == '/');
    char *child;
    struct dirent *e;
    DIR *d;

    if (w->cancel != NULL && atomic_load(w->cancel) != 0)
        return;
    if (n > 0 && !(n == 1 && *left == '*')) {
        char *name = str_printf("%.*s", (int)n, left);
        child = below(path, name);
        free(name);
        walk(w, child, rest);
        free(child);
        return;
    }
    d = open_folder(w, path);
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        child = below(path, e->d_name);
        if (n == 0)
            meet(w, child);
        else
            walk(w, child, rest);
        free(child);
    }
    if (d != NULL)
        closedir(d);
}

int places_each(const struct agent *agent, int root_fd,
                void (*f)(void *arg, const char *path, const struct agent_path *place), void *arg,
                const _Atomic int *cancel, struct ct_err *err)
{
    const struct walk w = {agent, root_fd, f, arg, cancel};

    for (size_t i = 0; root_fd >= 0 && agent->transcript_places[i] != NULL; i++)
        walk(&w, "", agent->transcript_places[i]);
    if (cancel != NULL && atomic_load(cancel) != 0)
        return err_set(err, ERR_CANCELLED, "cancelled");
    return 0;
}

struct listing {
    const char *session_id;
    const struct agent_list_ops *ops;
    void *arg;
};

static void list_one(void *arg, const char *path, const struct agent_path *place)
{
    const struct listing *l = arg;
    const struct agent_file file = {AGENT_TRANSCRIPT, path, "session.jsonl"};

    if (strcmp(place->session_id, l->session_id) == 0)
        l->ops->found(l->arg, &file);
}

int places_list(const struct agent *agent, int root_fd, const char *session_id,
                const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                struct ct_err *err)
{
    struct listing l = {session_id, ops, arg};

    return places_each(agent, root_fd, list_one, &l, cancel, err);
}
