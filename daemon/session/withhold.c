#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/beneath.h"
#include "agents/linked.h"
#include "common/base/str.h"
#include "daemon/session/rules.h"

#include "daemon/session/withhold.h"

#define TRANSCRIPTS_MAX 8 /* of one project folder are asked whose memory is theirs */

struct withholding {
    struct job *j;
    struct strlist held, copies; /* project folder, reason, project folder, ... */
};

/* Can the session of that transcript write to the memory of ${project}? */
static int writes_to(const struct job *j, int root_fd, const char *path, const char *from,
                     const char *project)
{
    int fd = linked_open(j->d->agent, root_fd, path, 0), yes;
    struct strlist memories = {0};

    if (fd < 0)
        return 0;
    j->d->agent->memory_may_be(root_fd, fd, from, &memories);
    yes = strlist_has(&memories, project);
    strlist_free(&memories);
    close(fd);
    return yes;
}

static int any_writes_to(const struct job *j, int root_fd, const char *from, const char *project)
{
    char *folder = str_printf("projects/%s", from);
    int fd = linked_open(j->d->agent, root_fd, folder, O_DIRECTORY), n = 0, yes = 0;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *d;

    while (dir != NULL && !yes && n < TRANSCRIPTS_MAX && (d = readdir(dir)) != NULL) {
        char *path = str_printf("%s/%s", folder, d->d_name);
        struct agent_path place;
        j->d->agent->classify(path, &place);
        if (place.kind == AGENT_TRANSCRIPT) {
            yes = writes_to(j, root_fd, path, from, project);
            n++;
        }
        free(path);
    }
    if (dir != NULL)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    free(folder);
    return yes;
}

/* A session of an excluded folder below the one of ${project} may be of the same repository; the
 * books need not know of it yet. */
static int is_excluded_below(const struct job *j, const char *project)
{
    int root_fd = beneath_open_root(j->root), yes = 0;
    int fd = root_fd >= 0 ? linked_open(j->d->agent, root_fd, "projects", O_DIRECTORY) : -1;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    size_t n = strlen(project);
    struct dirent *d;

    while (dir != NULL && !yes && (d = readdir(dir)) != NULL)
        yes = strncmp(d->d_name, project, n) == 0 && d->d_name[n] == '-' &&
              rules_reason(j->exclude, NULL, "", d->d_name) != NULL &&
              any_writes_to(j, root_fd, d->d_name, project);
    if (dir != NULL)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    if (root_fd >= 0)
        close(root_fd);
    return yes;
}

static void judge(void *arg, const char *project)
{
    struct withholding *w = arg;
    const char *why = NULL;

    strlist_add_once(&w->j->memories, project);
    if (!rules_any(w->j->exclude))
        return;
    why = rules_memory_reason(w->j->exclude, project);
    if (why == NULL && is_excluded_below(w->j, project))
        why = "sessions of an excluded folder have the same memory";
    if (why != NULL) {
        strlist_add(&w->held, project);
        strlist_add(&w->held, why);
    }
}

/* Another copy of the session, or what lies beside it. */
static void judge_copy(void *arg, const struct snapshot_file *f)
{
    struct withholding *w = arg;
    struct agent_path place;
    const char *why;

    w->j->d->agent->classify(f->path, &place);
    if (place.project[0] == '\0' || place.kind == AGENT_MEMORY ||
        strlist_has(&w->copies, place.project))
        return;
    why = rules_reason(w->j->exclude, NULL, "", place.project);
    if (why == NULL)
        return;
    strlist_add(&w->copies, place.project);
    strlist_add(&w->copies, why);
}

static void withhold_copies(struct withholding *w, struct snapshot *s)
{
    if (!rules_any(w->j->exclude))
        return;
    snapshot_each_file(s, judge_copy, w);
    for (size_t i = 0; i + 1 < w->copies.n; i += 2) {
        char *folder = str_printf("projects/%s", w->copies.v[i]);
        if (strcmp(w->copies.v[i], snapshot_project(s)) != 0)
            snapshot_leave_out(s, folder, w->copies.v[i + 1]);
        free(folder);
    }
    strlist_free(&w->copies);
}

void withhold(struct job *j, struct snapshot *s)
{
    struct withholding w = {.j = j};

    withhold_copies(&w, s);
    snapshot_each_memory(s, judge, &w);
    for (size_t i = 0; i + 1 < w.held.n; i += 2) {
        char *folder = str_printf("projects/%s/memory", w.held.v[i]);
        snapshot_leave_out(s, folder, w.held.v[i + 1]);
        free(folder);
    }
    strlist_free(&w.held);
}
