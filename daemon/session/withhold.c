#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/disk/encode.h"
#include "bundle/pack/beside.h"
#include "bundle/pack/origin.h"
#include "agents/linked.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "daemon/session/rules.h"
#include "daemon/session/whereabouts.h"

#include "daemon/session/withhold.h"

#define TRANSCRIPTS_MAX 8 /* of one project folder are asked whose memory is theirs */

struct withholding {
    struct job *j;
    struct strlist held; /* project folder, reason, project folder, ... */
};

/* ---- other sessions, of which the books need not know yet ---------------------------------------
 */

const char *withhold_reason(const struct job *j, const char *id, const char *project,
                            const char *first, const char *last)
{
    const char *why;

    if (first[0] == '\0' || agent_is_named(j->agent, project, first))
        return rules_reason(j->exclude, id, first, project);
    why = rules_reason(j->exclude, id, "", project);
    if (why == NULL && last[0] != '\0')
        why = rules_reason(j->exclude, id, last, project);
    return why != NULL ? why : rules_reason(j->exclude, id, first, project);
}

/* Why is the session excluded whose transcript lies at ${path}?  One that does not say where it
 * began is judged by the name of its project folder; where memory is asked for, that is done
 * elsewhere. */
static const char *why_of(const struct job *j, int root_fd, const struct agent_path *place,
                          const char *path, int is_of_memory)
{
    const char *first, *last;

    if (rules_holds_id(j->exclude, place->session_id))
        return "it is of a session that is excluded";
    if (!whereabouts_look(j->d->whereabouts, j->agent, root_fd, path, &first, &last) ||
        (first[0] == '\0' && is_of_memory))
        return NULL;
    return withhold_reason(j, place->session_id, place->project, first, last);
}

/* What is looked for among the transcripts of a project folder. */
struct looking {
    const struct job *j;
    const struct strlist *slugs; /* one that is excluded, and has one of these plans; or */
    const char *memory;          /* ... writes to the memory of that project folder; or neither */
    int is_excluded;             /* all of the folder's are */
};

/* Has the session one of these plans, or one of its subagents? */
static int has_plan(const struct looking *l, int root_fd, const struct agent_path *place,
                    const char *path)
{
    const struct agent *agent = l->j->agent;
    struct whereabouts *w = l->j->d->whereabouts;
    int yes = whereabouts_has_plan(w, agent, root_fd, path, l->slugs), fd;
    char *one = agent->entry_path(place->session_id, place->project, NULL,
                                  "session-subdir/subagents/agent-x.jsonl");
    char *folder = path_parent(one != NULL ? one : "");
    struct dirent *d;
    DIR *dir;

    fd = yes ? -1 : linked_open(agent, root_fd, folder, O_DIRECTORY);
    dir = fd >= 0 ? fdopendir(fd) : NULL;
    while (dir != NULL && !yes && (d = readdir(dir)) != NULL) {
        char *sub = path_join(folder, d->d_name);
        yes = d->d_name[0] != '.' && whereabouts_has_plan(w, agent, root_fd, sub, l->slugs);
        free(sub);
    }
    if (dir != NULL)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    free(folder);
    free(one);
    return yes;
}

static int is_it(const struct looking *l, int root_fd, const struct agent_path *place,
                 const char *path)
{
    const struct agent *agent = l->j->agent;
    struct strlist memories = {0};
    int is_of_memory = l->slugs == NULL;
    int fd, yes = l->is_excluded || why_of(l->j, root_fd, place, path, is_of_memory) != NULL;

    if (yes && l->slugs != NULL)
        yes = has_plan(l, root_fd, place, path);
    if (!yes || l->memory == NULL)
        return yes;
    fd = linked_open(agent, root_fd, path, 0);
    if (fd >= 0) {
        agent->memory_may_be(root_fd, fd, place->project, &memories);
        yes = strlist_has(&memories, l->memory);
        strlist_free(&memories);
    }
    if (fd >= 0)
        close(fd);
    return yes;
}

/* Is it any of the sessions in ${project} but the job's own? */
static int any_in(const struct looking *l, int root_fd, const char *project)
{
    char *folder = agent_project_path(l->j->agent, project);
    int fd = linked_open(l->j->agent, root_fd, folder, O_DIRECTORY), n = 0, yes = 0;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *d;

    while (dir != NULL && !yes && (!l->is_excluded || n < TRANSCRIPTS_MAX) &&
           (d = readdir(dir)) != NULL) {
        char *path = str_printf("%s/%s", folder, d->d_name);
        struct agent_path place;
        l->j->agent->classify(path, &place);
        if (place.kind == AGENT_TRANSCRIPT &&
            agent_identify(l->j->agent, root_fd, path, &place) == 0 &&
            strcmp(place.session_id, l->j->session_id) != 0) {
            yes = is_it(l, root_fd, &place, path);
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

int withhold_has_excluded(const struct job *j, const char *root, const char *project)
{
    const struct looking l = {.j = j};
    int root_fd = beneath_open_root(root), yes;

    if (root_fd < 0)
        return 0;
    yes = any_in(&l, root_fd, project);
    close(root_fd);
    return yes;
}

/* Is it any of the sessions in the project folders below the one of ${above} (NULL: in all)? */
static int any_below(struct looking *l, const char *root, const char *above)
{
    const struct agent *agent = l->j->agent;
    int root_fd = beneath_open_root(root), yes = 0;
    int fd = root_fd >= 0 ? linked_open(agent, root_fd, agent->projects, O_DIRECTORY) : -1;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    size_t n = above != NULL ? strlen(above) : 0;
    struct dirent *d;

    while (dir != NULL && !yes && (d = readdir(dir)) != NULL) {
        if (d->d_name[0] == '.' ||
            (above != NULL && (strncmp(d->d_name, above, n) != 0 || d->d_name[n] != '-')))
            continue;
        l->is_excluded = above != NULL && rules_reason(l->j->exclude, NULL, "", d->d_name) != NULL;
        yes = any_in(l, root_fd, d->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    if (root_fd >= 0)
        close(root_fd);
    return yes;
}

/* A session of a folder below the one of ${project} may be of the same repository. */
static int is_excluded_below(const struct job *j, const char *project)
{
    struct looking l = {.j = j, .memory = project};

    return any_below(&l, j->root, project);
}

/* ---- memory ------------------------------------------------------------------------------------
 */

static void judge(void *arg, const char *project)
{
    struct withholding *w = arg;
    const char *why = NULL;

    strlist_add_once(&w->j->memories, project);
    if (!rules_any(w->j->exclude))
        return;
    why = rules_memory_reason(w->j->exclude, project);
    if (why == NULL &&
        (withhold_has_excluded(w->j, w->j->root, project) || is_excluded_below(w->j, project)))
        why = "sessions that are excluded can have the same memory";
    if (why != NULL) {
        strlist_add(&w->held, project);
        strlist_add(&w->held, why);
    }
}

/* ---- what the snapshot asks --------------------------------------------------------------------
 */

static const char *of_prompt(void *arg, const char *cwd)
{
    const struct job *j = arg;

    return rules_reason(j->exclude, NULL, cwd, NULL);
}

/* A fork has the plan of its parent, wherever the two lie; and of what lies here the books need not
 * know yet. */
static const char *of_plan(void *arg, const char *path)
{
    const struct job *j = arg;
    struct strlist slugs = {0};
    struct looking l = {.j = j, .slugs = &slugs};
    int yes = 0;

    j->agent->plan_slugs(path_base(path), &slugs);
    for (size_t i = 0; i < slugs.n; i++)
        yes = yes || rules_holds_slug(j->exclude, slugs.v[i]);
    for (size_t i = 0; i < j->roots.n; i++) {
        if (strcmp(j->root_agents.v[i], j->agent->id) == 0)
            yes = yes || any_below(&l, j->roots.v[i], NULL);
    }
    strlist_free(&slugs);
    return yes ? "it is the plan of a session that is excluded, too" : NULL;
}

static const char *of_cited(void *arg, int root_fd, const char *path)
{
    const struct job *j = arg;
    struct agent_path place;
    char *transcript;
    const char *why;

    j->agent->classify(path, &place);
    transcript = j->agent->transcript_path(place.session_id, place.project, NULL);
    why = why_of(j, root_fd, &place, transcript, 0);
    free(transcript);
    return why;
}

static const char *of_apart(void *arg, const char *project, const struct strlist *cwds)
{
    const struct job *j = arg;
    const char *why = rules_reason(j->exclude, NULL, "", project);

    for (size_t i = 0; why == NULL && i < cwds->n; i++)
        why = rules_reason(j->exclude, NULL, cwds->v[i], project);
    return why;
}

const struct snapshot_guard *withhold_guard(struct job *j)
{
    j->guard = (struct snapshot_guard){j, of_prompt, of_plan, of_cited, of_apart};
    return rules_any(j->exclude) ? &j->guard : NULL;
}

void withhold(struct job *j, struct snapshot *s)
{
    struct withholding w = {.j = j};

    beside_leave_out(s);
    snapshot_each_memory(s, judge, &w);
    for (size_t i = 0; i + 1 < w.held.n; i += 2) {
        char *folder = agent_project_path(j->agent, w.held.v[i]);
        char *memory = path_join(folder, "memory");
        snapshot_leave_out(s, memory, w.held.v[i + 1]);
        free(memory);
        free(folder);
    }
    strlist_free(&w.held);
}
