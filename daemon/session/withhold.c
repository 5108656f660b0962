#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/beneath.h"
#include "agents/claude/transcript.h"
#include "agents/linked.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "daemon/session/rules.h"

#include "daemon/session/withhold.h"

#define HEAD_BYTES (32 << 10)       /* of a transcript are asked where it began ... */
#define LONG_HEAD_BYTES (512 << 10) /* ... and if these don't say it */
#define TRANSCRIPTS_MAX 8           /* of one project folder are asked whose memory is theirs */

struct withholding {
    struct job *j;
    struct strlist held; /* project folder, reason, project folder, ... */
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

/* What the head of another session's transcript says, NULL if it can't be read; it may be that it
 * does not say where the session began. */
static struct transcript *read_head(const struct job *j, int root_fd, const char *path)
{
    static const size_t sizes[] = {HEAD_BYTES, LONG_HEAD_BYTES};
    int fd = linked_open(j->d->agent, root_fd, path, 0);
    struct transcript_facts facts = {0};
    struct transcript *t = NULL;

    for (size_t i = 0; fd >= 0 && facts.cwd == NULL && i < sizeof(sizes) / sizeof(*sizes); i++) {
        char *p = str_calloc(sizes[i], 1);
        ssize_t n = file_pread_all(fd, p, sizes[i], 0);
        transcript_free(t);
        t = transcript_new();
        transcript_feed(t, p, n > 0 ? (size_t)n : 0);
        transcript_facts(t, &facts);
        free(p);
    }
    if (fd >= 0)
        close(fd);
    return t;
}

/* Why is the session excluded of which that is the head?  One that does not say where it began is
 * judged by the name of its project folder, elsewhere. */
static const char *why_of_head(const struct job *j, const char *id, const struct transcript *t)
{
    struct transcript_facts facts = {0};

    if (rules_holds_id(j->exclude, id))
        return "it is of a session that is excluded";
    if (t != NULL)
        transcript_facts(t, &facts);
    return facts.cwd != NULL ? rules_reason(j->exclude, NULL, facts.cwd, NULL) : NULL;
}

static int is_one(const struct transcript *t, const struct strlist *slugs)
{
    const struct strlist *has = t != NULL ? transcript_slugs(t) : NULL;

    for (size_t i = 0; has != NULL && i < has->n; i++) {
        if (strlist_has(slugs, has->v[i]))
            return 1;
    }
    return 0;
}

/* Is there another session in the project folder that is excluded by its id, or by where it began;
 * and, unless ${slugs} is NULL, has one of these plans?  The books need not know of it yet. */
static int has_excluded(const struct job *j, const char *project, const struct strlist *slugs)
{
    int root_fd = beneath_open_root(j->root), yes = 0;
    char *folder = str_printf("projects/%s", project);
    int fd = root_fd >= 0 ? linked_open(j->d->agent, root_fd, folder, O_DIRECTORY) : -1;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *d;

    while (dir != NULL && !yes && (d = readdir(dir)) != NULL) {
        char *path = str_printf("%s/%s", folder, d->d_name);
        struct transcript *t = NULL;
        struct agent_path place;
        j->d->agent->classify(path, &place);
        if (place.kind == AGENT_TRANSCRIPT && strcmp(place.session_id, j->session_id) != 0) {
            t = read_head(j, root_fd, path);
            yes =
                why_of_head(j, place.session_id, t) != NULL && (slugs == NULL || is_one(t, slugs));
        }
        transcript_free(t);
        free(path);
    }
    if (dir != NULL)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    if (root_fd >= 0)
        close(root_fd);
    free(folder);
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
    if (why == NULL && (has_excluded(w->j, project, NULL) || is_excluded_below(w->j, project)))
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

static const char *of_plan(void *arg, const char *project, const char *path)
{
    const struct job *j = arg;
    struct strlist slugs = {0};
    int yes = 0;

    j->d->agent->plan_slugs(path_base(path), &slugs);
    for (size_t i = 0; i < slugs.n; i++)
        yes = yes || rules_holds_slug(j->exclude, slugs.v[i]);
    yes = yes || has_excluded(j, project, &slugs);
    strlist_free(&slugs);
    return yes ? "it is the plan of a session that is excluded, too" : NULL;
}

static const char *of_cited(void *arg, int root_fd, const char *path)
{
    const struct job *j = arg;
    struct agent_path place;
    struct transcript *head;
    char *transcript;
    const char *why;

    j->d->agent->classify(path, &place);
    transcript = str_printf("projects/%s/%s.jsonl", place.project, place.session_id);
    head = read_head(j, root_fd, transcript);
    why = why_of_head(j, place.session_id, head);
    transcript_free(head);
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

    snapshot_leave_out_apart(s);
    snapshot_each_memory(s, judge, &w);
    for (size_t i = 0; i + 1 < w.held.n; i += 2) {
        char *folder = str_printf("projects/%s/memory", w.held.v[i]);
        snapshot_leave_out(s, folder, w.held.v[i + 1]);
        free(folder);
    }
    strlist_free(&w.held);
}
