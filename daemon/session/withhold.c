#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "agents/beneath.h"
#include "agents/transcript.h"
#include "agents/encode.h"
#include "bundle/pack/beside.h"
#include "bundle/pack/origin.h"
#include "agents/linked.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "daemon/session/rules.h"

#include "daemon/session/withhold.h"

#define WINDOW (1 << 20)
#define EDGE 256                    /* longer than any name of a plan */
#define PLAN_SEARCH (256 << 20)     /* so much of a transcript is read to find one */
#define HEAD_BYTES (32 << 10)       /* of a transcript are asked where it began ... */
#define LONG_HEAD_BYTES (512 << 10) /* ... and if these don't say it */
#define TRANSCRIPTS_MAX 8           /* of one project folder are asked whose memory is theirs */

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

static void head_cwd(const struct job *j, int fd, char ret[ORIGIN_SIZE])
{
    static const size_t sizes[] = {HEAD_BYTES, LONG_HEAD_BYTES};

    ret[0] = '\0';
    for (size_t i = 0; ret[0] == '\0' && i < sizeof(sizes) / sizeof(*sizes); i++) {
        char *p = str_calloc(sizes[i], 1);
        ssize_t n = file_pread_all(fd, p, sizes[i], 0);
        struct transcript *t = transcript_new(j->agent);
        struct transcript_facts facts;
        transcript_feed(t, p, n > 0 ? (size_t)n : 0);
        transcript_facts(t, &facts);
        if (facts.cwd != NULL && strlen(facts.cwd) < ORIGIN_SIZE)
            memcpy(ret, facts.cwd, strlen(facts.cwd) + 1);
        transcript_free(t);
        free(p);
    }
}

/* Why is the session excluded whose transcript is open?  One that does not say where it began is
 * judged by the name of its project folder, elsewhere. */
static const char *why_of(const struct job *j, const struct agent_path *place, int fd)
{
    char first[ORIGIN_SIZE], last[ORIGIN_SIZE];
    struct stat st;

    if (rules_holds_id(j->exclude, place->session_id))
        return "it is of a session that is excluded";
    if (fd < 0 || fstat(fd, &st) != 0)
        return NULL;
    head_cwd(j, fd, first);
    if (first[0] == '\0')
        return NULL;
    origin_last_in(fd, (int64_t)st.st_size, last);
    return withhold_reason(j, place->session_id, place->project, first, last);
}

/* Does the transcript name one of these plans?  One too long to be read for it may. */
static int names_plan(int fd, const struct strlist *slugs)
{
    char *p = str_calloc(WINDOW + EDGE, 1);
    size_t kept = 0;
    int64_t at = 0;
    ssize_t n;
    int yes = 0;

    while (!yes && at < PLAN_SEARCH && (n = file_pread_all(fd, p + kept, WINDOW, (off_t)at)) > 0) {
        size_t have = kept + (size_t)n;
        for (size_t i = 0; !yes && i < slugs->n; i++)
            yes = memmem(p, have, slugs->v[i], strlen(slugs->v[i])) != NULL;
        kept = have < EDGE ? have : EDGE;
        memmove(p, p + have - kept, kept);
        at += n;
    }
    free(p);
    return yes || at >= PLAN_SEARCH;
}

/* What is looked for among the transcripts of a project folder. */
struct looking {
    const struct job *j;
    const struct strlist *slugs; /* one that is excluded, and has one of these plans; or */
    const char *memory;          /* ... writes to the memory of that project folder; or neither */
    int is_excluded;             /* all of the folder's are */
};

static int is_it(const struct looking *l, int root_fd, const struct agent_path *place,
                 const char *path)
{
    int fd = linked_open(l->j->agent, root_fd, path, 0), yes;
    struct strlist memories = {0};

    yes = l->is_excluded || why_of(l->j, place, fd) != NULL;
    if (yes && fd >= 0 && l->slugs != NULL)
        yes = names_plan(fd, l->slugs);
    if (yes && fd >= 0 && l->memory != NULL) {
        l->j->agent->memory_may_be(root_fd, fd, place->project, &memories);
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
        if (place.kind == AGENT_TRANSCRIPT && strcmp(place.session_id, l->j->session_id) != 0) {
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

/* Is there another session in the project folder that is excluded, and, unless ${slugs} is NULL,
 * has one of these plans? */
static int has_excluded(const struct job *j, const char *root, const char *project,
                        const struct strlist *slugs)
{
    const struct looking l = {.j = j, .slugs = slugs};
    int root_fd = beneath_open_root(root), yes;

    if (root_fd < 0)
        return 0;
    yes = any_in(&l, root_fd, project);
    close(root_fd);
    return yes;
}

int withhold_has_excluded(const struct job *j, const char *root, const char *project)
{
    return has_excluded(j, root, project, NULL);
}

/* A session of a folder below the one of ${project} may be of the same repository. */
static int is_excluded_below(const struct job *j, const char *project)
{
    int root_fd = beneath_open_root(j->root), yes = 0;
    int fd = root_fd >= 0 ? linked_open(j->agent, root_fd, j->agent->projects, O_DIRECTORY) : -1;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    size_t n = strlen(project);
    struct dirent *d;

    while (dir != NULL && !yes && (d = readdir(dir)) != NULL) {
        struct looking l = {.j = j, .memory = project};
        if (strncmp(d->d_name, project, n) != 0 || d->d_name[n] != '-')
            continue;
        l.is_excluded = rules_reason(j->exclude, NULL, "", d->d_name) != NULL;
        yes = any_in(&l, root_fd, d->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    if (root_fd >= 0)
        close(root_fd);
    return yes;
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
        (has_excluded(w->j, w->j->root, project, NULL) || is_excluded_below(w->j, project)))
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

static const char *of_plan(void *arg, const char *root, const char *project, const char *path)
{
    const struct job *j = arg;
    struct strlist slugs = {0};
    int yes = 0;

    j->agent->plan_slugs(path_base(path), &slugs);
    for (size_t i = 0; i < slugs.n; i++)
        yes = yes || rules_holds_slug(j->exclude, slugs.v[i]);
    yes = yes || has_excluded(j, root, project, &slugs);
    strlist_free(&slugs);
    return yes ? "it is the plan of a session that is excluded, too" : NULL;
}

static const char *of_cited(void *arg, int root_fd, const char *path)
{
    const struct job *j = arg;
    struct agent_path place;
    char *transcript;
    const char *why;
    int fd;

    j->agent->classify(path, &place);
    transcript = j->agent->transcript_path(place.session_id, place.project, NULL);
    fd = linked_open(j->agent, root_fd, transcript, 0);
    why = why_of(j, &place, fd);
    if (fd >= 0)
        close(fd);
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
