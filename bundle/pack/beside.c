#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/pack/content.h"
#include "bundle/pack/origin.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/pack/beside.h"

#define SIDECHAIN_SEARCH (256 << 10)

/* Does ${c} lie in another place than the transcript?  ${ret} is where. */
static int is_apart(const struct snapshot *s, const struct content *c, struct agent_path *ret)
{
    s->agent->classify(c->path, ret);
    return ret->project[0] != '\0' &&
           (c->root_fd != s->root_fd || strcmp(ret->project, s->project) != 0);
}

static void skip(struct snapshot *s, struct content *c, const char *why)
{
    char *place = content_place(s, c);

    content_skip(s, place, why);
    free(place);
    content_clear(c);
}

static const char *held(const struct snapshot *s, int root_fd, const char *project)
{
    for (size_t i = 0; i < s->n_held; i++) {
        if (s->held[i].root_fd == root_fd && strcmp(s->held[i].project, project) == 0)
            return s->held[i].why;
    }
    return NULL;
}

static void hold(struct snapshot *s, int root_fd, const char *project, const char *why)
{
    if (held(s, root_fd, project) != NULL)
        return;
    s->held = str_realloc(s->held, s->n_held + 1, sizeof(*s->held));
    s->held[s->n_held].root_fd = root_fd;
    s->held[s->n_held].project = str_dup(project);
    s->held[s->n_held++].why = why;
}

/* Ask the guard about what is in ${project}, by all folders that ${c} names. */
static int ask(const struct snapshot *s, const struct content *c, int64_t limit,
               const char *project, const char **ret_why, struct ct_err *err)
{
    struct strlist cwds = {0};
    int fd = content_open(s, c, err);

    if (fd < 0)
        return -1;
    origin_each_cwd(fd, c, limit, &cwds);
    close(fd);
    *ret_why = s->guard->apart(s->guard->arg, project, &cwds);
    strlist_free(&cwds);
    return 0;
}

int beside_judge(struct snapshot *s, struct content *c, int *ret_stays, struct ct_err *err)
{
    struct agent_path place;
    const char *why;

    *ret_stays = 0;
    if (s->guard == NULL)
        return 0;
    s->agent->classify(c->path, &place);
    if (ask(s, c, INT64_MAX, place.project, &why, err) != 0)
        return -1;
    if (why == NULL)
        return 0;
    if (is_apart(s, c, &place))
        hold(s, c->root_fd, place.project, why);
    skip(s, c, why);
    *ret_stays = 1;
    return 0;
}

static int is_transcript(const struct content *c)
{
    const char *dot = strrchr(path_base(c->path), '.');

    return dot != NULL && strcmp(dot, ".jsonl") == 0;
}

/* Note each other place whose name says that it stays here, or what an agent wrote there. */
static void find_held(struct snapshot *s)
{
    const struct strlist none = {0};

    for (size_t i = 0; i < s->n; i++) {
        const struct content *c = &s->contents[i];
        struct agent_path place;
        const char *why;
        if (!is_apart(s, c, &place) || place.kind == AGENT_MEMORY ||
            held(s, c->root_fd, place.project) != NULL)
            continue;
        why = s->guard->apart(s->guard->arg, place.project, &none);
        if (why == NULL && is_transcript(c))
            ask(s, c, SIDECHAIN_SEARCH, place.project, &why, NULL);
        if (why != NULL)
            hold(s, c->root_fd, place.project, why);
    }
}

void beside_leave_out(struct snapshot *s)
{
    size_t kept = 0;

    if (s->guard == NULL)
        return;
    find_held(s);
    for (size_t i = 0; i < s->n; i++) {
        struct content *c = &s->contents[i];
        struct agent_path place;
        const char *why = is_apart(s, c, &place) && place.kind != AGENT_MEMORY
                              ? held(s, c->root_fd, place.project)
                              : NULL;
        if (why != NULL)
            skip(s, c, why);
        else
            s->contents[kept++] = *c;
    }
    s->n = kept;
}
