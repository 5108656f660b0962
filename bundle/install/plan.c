#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/linked.h"
#include "bundle/install/both.h"
#include "bundle/compare/compare.h"
#include "bundle/compare/merge.h"
#include "bundle/compare/rest.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/plan.h"

#define WINDOW (256 << 10)
#define MEMORY_MAX (4 << 20)
#define MEMORY_INDEX "MEMORY.md"
#define MERGED "merged-memory"
#define ASIDE "aside-%zu"

/* A file of the side that gives way. */
struct aside {
    const struct open_entry *entry;
    char *path;   /* where it is to be, below the data folder */
    char *staged; /* where it is now, below the stage */
};

struct planning {
    int root_fd, stage_fd;
    const struct agent *agent;
    const char *session_id;
    const struct plan_target *place;
    struct plan *plan;
    struct aside *asides;
    size_t n_asides;
};

/* Open what is there.  Return 1, or 0 if there is nothing. */
static int open_local(const struct planning *p, const char *path, int *ret_fd, struct stat *st,
                      struct ct_err *err)
{
    char reason[128];
    int fd;

    *ret_fd = -1;
    if (p->root_fd < 0)
        return 0;
    fd = linked_open(p->agent, p->root_fd, path, 0);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return err_set(err, ERR_FAIL, "%s is in the way: %s", path,
                       beneath_reason(errno, reason, sizeof(reason)));
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        close(fd);
        return err_set(err, ERR_FAIL, "%s is in the way: it is no regular file", path);
    }
    *ret_fd = fd;
    return 1;
}

/* Does the bundle's file stay, of two that have nothing of each other?  Where nobody vouches for
 * what is here as for what came, that is what is believed: of files that nobody changes again.  (In
 * a merge the records have said already whose version of a file keeps its name.) */
static int has_won(const struct planning *p, const struct open_entry *e)
{
    int is_better = p->place->vouched.a < p->place->vouched.b;

    return p->place->is_winning ||
           (is_better &&
            (e->kind == AGENT_SUBDIR || (e->kind == AGENT_FILE_HISTORY && !p->place->is_merging)));
}

static int compare(const struct planning *p, const struct open_entry *e, int local, int staged,
                   enum plan_act *ret, struct ct_err *err)
{
    enum compare_order order;

    /* Only beside the transcript do records tell. */
    if (compare_files(p->agent, e->kind == AGENT_SUBDIR ? e->name : "", local, staged,
                      &p->place->vouched, &order, err) != 0)
        return -1;
    if (order == COMPARE_SAME)
        *ret = PLAN_SAME;
    else if (order == COMPARE_BEGINS)
        *ret = p->place->is_careful ? PLAN_BACKUP : PLAN_REPLACE;
    else if (order == COMPARE_ENDS || order == COMPARE_MORE)
        *ret = PLAN_KEEP;
    else if (order == COMPARE_LESS && p->place->is_merging)
        *ret = PLAN_BACKUP;
    else
        *ret = has_won(p, e) ? PLAN_BACKUP : PLAN_KEEP;
    return 0;
}

/* More than anybody would merge in memory: the one that is here stays. */
static int is_too_large(int fd)
{
    struct stat st;

    return fstat(fd, &st) != 0 || st.st_size > MEMORY_MAX;
}

/* Memory is text, one thing a line. */
static int merge_memory(const struct planning *p, struct plan_item *it, int local, int staged,
                        struct ct_err *err)
{
    struct buf ours = {0}, theirs = {0}, both = {0};
    char *name = NULL;
    int fd = -1, rc = -1;

    it->act = PLAN_KEEP;
    if (is_too_large(local) || is_too_large(staged))
        return 0;
    if (file_read_fd(local, it->entry->name, MEMORY_MAX, &ours, err) != 0 ||
        file_read_fd(staged, it->entry->name, MEMORY_MAX, &theirs, err) != 0)
        goto done;
    rc = 0;
    if (!merge_lines(&ours, &theirs, &both)) {
        it->act = PLAN_SAME;
        goto done;
    }
    name = str_printf(MERGED "-%zu", p->plan->n);
    fd = openat(p->stage_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, both.data, both.len) != 0) {
        rc = err_sys(err, "can't write the merged memory");
        goto done;
    }
    free(it->staged);
    it->staged = name;
    name = NULL;
    it->act = p->place->is_careful ? PLAN_BACKUP : PLAN_REPLACE;
done:
    if (fd >= 0)
        close(fd);
    free(name);
    buf_free(&ours);
    buf_free(&theirs);
    buf_free(&both);
    return rc;
}

static int is_page(const char *name)
{
    size_t n = strlen(name);

    return n > 3 && strcmp(name + n - 3, ".md") == 0;
}

static int decide_memory(const struct planning *p, struct plan_item *it, int local, int staged,
                         struct ct_err *err)
{
    if (strcmp(path_base(it->entry->name), MEMORY_INDEX) == 0 ||
        (p->place->is_merging && is_page(it->entry->name)))
        return merge_memory(p, it, local, staged, err);
    it->act = PLAN_KEEP;
    p->plan->memory_kept++;
    return 0;
}

/* Is there anything yet of the project, the agent, or whose memory ${path} else is? */
static int is_inhabited(const struct planning *p, const char *path)
{
    char *dir = str_dup(path), *end = strchr(dir, '/');
    int fd, yes;

    if (end != NULL && strncmp(path, "memory/", 7) != 0)
        end = strchr(end + 1, '/');
    if (end != NULL)
        *end = '\0';
    fd = p->root_fd >= 0 ? linked_open(p->agent, p->root_fd, dir, O_DIRECTORY) : -1;
    yes = fd >= 0 || (p->root_fd >= 0 && errno != ENOENT);
    if (fd >= 0)
        close(fd);
    free(dir);
    return yes;
}

static void stay_out(const struct planning *p, struct plan_item *it)
{
    int is_elsewhere = p->place->is_memory_shy && strncmp(it->entry->name, "memory/", 7) == 0;

    if (!(p->place->is_shy || is_elsewhere) || it->entry->kind != AGENT_MEMORY)
        return;
    if (it->act == PLAN_REPLACE || it->act == PLAN_BACKUP ||
        (it->act == PLAN_ADD && is_inhabited(p, it->path)))
        it->act = PLAN_LEAVE;
}

/* ---- where both stay ---------------------------------------------------------------------------
 */

/* Take ${staged}, which it frees. */
static int add_aside(struct planning *p, const struct open_entry *e, const char *name, char *staged,
                     struct ct_err *err)
{
    char *path = p->agent->entry_path(p->session_id, p->place->project, NULL, name);
    struct aside *a;

    if (path == NULL) {
        free(staged);
        return err_set(err, ERR_FAIL, "there is no place for the other %s", e->name);
    }
    p->asides = str_realloc(p->asides, p->n_asides + 1, sizeof(*p->asides));
    a = &p->asides[p->n_asides++];
    *a = (struct aside){e, path, staged};
    return 0;
}

static int copy(int from, int to)
{
    char *p = str_calloc(WINDOW, 1);
    int64_t at = 0;
    ssize_t n;

    while ((n = file_pread_all(from, p, WINDOW, (off_t)at)) > 0 &&
           file_write_all(to, p, (size_t)n) == 0)
        at += n;
    free(p);
    return n == 0 ? 0 : -1;
}

/* The one here gives way: a copy of it goes into the stage. */
static char *copy_here(const struct planning *p, int local, struct ct_err *err)
{
    char *name = str_printf(ASIDE, p->n_asides);
    int fd = openat(p->stage_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc = fd >= 0 ? copy(local, fd) : -1;

    if (rc != 0)
        err_sys(err, "can't write to the stage");
    if (fd >= 0)
        close(fd);
    if (rc == 0)
        return name;
    free(name);
    return NULL;
}

/* Of two files of one name both stay; the winning side's has the name. */
static int keep_both(struct planning *p, struct plan_item *it, int local, int staged,
                     struct ct_err *err)
{
    int is_ours = has_won(p, it->entry); /* that gives way */
    char *name = both_aside(is_ours ? local : staged, it->entry->name, err), *from;
    int rc = -1;

    it->act = is_ours ? PLAN_BACKUP : PLAN_KEEP;
    if (name == NULL)
        return -1;
    from = is_ours ? copy_here(p, local, err) : str_dup(it->staged);
    if (from != NULL)
        rc = add_aside(p, it->entry, name, from, err);
    free(name);
    return rc;
}

static int is_transcript(const struct open_entry *e)
{
    size_t n = strlen(e->name);

    return e->kind == AGENT_SUBDIR && n > 6 && strcmp(e->name + n - 6, ".jsonl") == 0;
}

/* What the one that stays lacks of the other. */
static int keep_rest(const struct planning *p, const struct plan_item *it, int local, int staged,
                     const struct stat *here, struct strlist *rests, struct ct_err *err)
{
    struct unite_side ours = {local, (int64_t)here->st_size}, theirs = {.fd = staged};
    struct stat st;

    if (fstat(staged, &st) != 0)
        return err_sys(err, "can't read the stage");
    theirs.end = (int64_t)st.st_size;
    if (it->act != PLAN_KEEP)
        return rest_stage(p->agent, &theirs, &ours, 1, p->stage_fd, rests, err);
    return p->place->is_exact ? rest_stage(p->agent, &ours, &theirs, 1, p->stage_fd, rests, err)
                              : 0;
}

/* ERR_REFUSED if they can't be united. */
static int decide_transcripts(struct planning *p, struct plan_item *it, int local, int staged,
                              const struct stat *here, enum compare_order order, struct ct_err *err)
{
    struct strlist rests = {0};
    const struct both b = {p->agent, p->stage_fd, p->place->is_exact,
                           p->place->vouched.a < p->place->vouched.b, &rests};
    struct unite_result r;
    int rc = 0;

    if (order == COMPARE_OTHER) {
        rc = both_unite(&b, local, (int64_t)here->st_size, it->staged, NULL, &r, err);
        it->act = rc == 0 ? PLAN_BACKUP : it->act;
    } else if (order == COMPARE_LESS || order == COMPARE_MORE)
        rc = keep_rest(p, it, local, staged, here, &rests, err);
    for (size_t i = 0; rc == 0 && i < rests.n; i += 2)
        rc = add_aside(p, it->entry, rests.v[i], str_dup(rests.v[i + 1]), err);
    strlist_free(&rests);
    return rc;
}

/* ${act} is what would become of it if one side were to win. */
static int decide_both(struct planning *p, struct plan_item *it, int local, int staged,
                       const struct stat *here, struct ct_err *err)
{
    enum agent_kind kind = it->entry->kind;
    enum compare_order order;
    int rc;

    if (compare_files(p->agent, kind == AGENT_SUBDIR ? it->entry->name : "", local, staged,
                      &p->place->vouched, &order, err) != 0)
        return -1;
    if (order == COMPARE_SAME)
        return 0;
    if (is_transcript(it->entry)) {
        rc = decide_transcripts(p, it, local, staged, here, order, err);
        if (rc == 0 || err->code != ERR_REFUSED)
            return rc;
    }
    /* A version of a file is whole: one that begins like another is another one. */
    if (kind != AGENT_FILE_HISTORY && order != COMPARE_OTHER)
        return 0;
    return keep_both(p, it, local, staged, err);
}

/* ${path} is where it is to be, or where that is now. */
static int decide(struct planning *p, struct plan_item *it, const char *path, struct ct_err *err)
{
    enum agent_kind kind = it->entry->kind;
    struct stat here;
    int local, staged, rc;

    rc = open_local(p, path, &local, &here, err);
    if (rc <= 0) {
        it->act = rc == 0 ? PLAN_ADD : PLAN_KEEP;
        return p->place->is_of_no_session ? 0 : rc;
    }
    local_stamp(&here, &it->was);
    staged = openat(p->stage_fd, it->staged, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (staged < 0)
        rc = err_sys(err, "can't read the stage");
    else
        rc = compare(p, it->entry, local, staged, &it->act, err);
    /* A paste is named after its content, and other sessions name it too. */
    if (rc == 0 && kind == AGENT_PASTE && it->act != PLAN_SAME)
        it->act = PLAN_KEEP;
    else if (rc == 0 && kind == AGENT_MEMORY && it->act != PLAN_SAME)
        rc = decide_memory(p, it, local, staged, err);
    else if (rc == 0 && p->place->is_merging)
        rc = decide_both(p, it, local, staged, &here, err);
    else if (rc == 0 && kind == AGENT_PLAN && it->act != PLAN_SAME && !p->place->is_known)
        it->act = PLAN_KEEP;
    if (staged >= 0)
        close(staged);
    close(local);
    return rc;
}

static struct plan_item *add(struct plan *p, const struct open_entry *e, char *path)
{
    struct plan_item *it;

    p->items = str_realloc(p->items, p->n + 1, sizeof(*p->items));
    it = &p->items[p->n++];
    it->entry = e;
    it->act = PLAN_ADD;
    it->path = path;
    it->staged = str_dup(e->name);
    return it;
}

/* The other side may bring it under that very name, from an earlier merge. */
static int is_planned(const struct plan *p, const char *path)
{
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->items[i].path, path) == 0)
            return 1;
    }
    return 0;
}

/* What gave way comes in under its other name, unless it is there from an earlier time. */
static int add_asides(struct planning *p, struct ct_err *err)
{
    for (size_t i = 0; i < p->n_asides; i++) {
        struct aside *a = &p->asides[i];
        struct plan_item *it;
        struct stat here;
        int local, rc;
        if (is_planned(p->plan, a->path))
            continue;
        rc = open_local(p, a->path, &local, &here, err);
        if (rc < 0)
            return -1;
        it = add(p->plan, a->entry, a->path);
        free(it->staged);
        it->staged = a->staged;
        a->path = a->staged = NULL;
        if (rc > 0) {
            it->act = PLAN_SAME;
            close(local);
        }
        p->plan->counts[it->act]++;
        p->plan->aside++;
    }
    return 0;
}

static void clear(struct planning *p)
{
    for (size_t i = 0; i < p->n_asides; i++) {
        free(p->asides[i].path);
        free(p->asides[i].staged);
    }
    free(p->asides);
}

int plan_make(int root_fd, int stage_fd, const struct agent *agent, const char *session_id,
              const struct plan_target *place, const struct open_result *opened, struct plan *ret,
              struct ct_err *err)
{
    struct plan plan = {0};
    struct planning p = {.root_fd = root_fd,
                         .stage_fd = stage_fd,
                         .agent = agent,
                         .session_id = session_id,
                         .place = place,
                         .plan = &plan};

    for (size_t i = 0; i < opened->n; i++) {
        const struct open_entry *e = &opened->entries[i];
        struct plan_item *it;
        char *path;
        int rc;
        if (e->kind == AGENT_TRANSCRIPT)
            plan.transcript = e;
        if (e->kind == AGENT_HISTORY || strcmp(e->name, AGENT_PROFILE_PROMPTS) == 0)
            plan.history = e;
        if (e->kind == AGENT_TRANSCRIPT || e->kind == AGENT_HISTORY)
            continue;
        path = agent->entry_path(session_id, place->project, place->memory_project, e->name);
        if (path == NULL) /* what the user named when the bundle was made */
            continue;
        it = add(&plan, e, path);
        if (e->kind == AGENT_SUBDIR)
            path = agent->entry_path(session_id, place->own_project, NULL, e->name);
        rc = decide(&p, it, path, err);
        if (path != it->path)
            free(path);
        if (rc != 0)
            goto err0;
        stay_out(&p, it);
        plan.counts[it->act]++;
    }
    if (plan.transcript == NULL) {
        err_set(err, ERR_CORRUPT, "the bundle has no transcript");
        goto err0;
    }
    for (size_t i = 0; place->rests != NULL && i < place->rests->n; i += 2) {
        if (add_aside(&p, plan.transcript, place->rests->v[i], str_dup(place->rests->v[i + 1]),
                      err) != 0)
            goto err0;
    }
    if (add_asides(&p, err) != 0)
        goto err0;
    clear(&p);
    *ret = plan;

    /* Success! */
    return 0;

err0:
    clear(&p);
    plan_clear(&plan);
    /* Failure! */
    return -1;
}

void plan_clear(struct plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->items[i].path);
        free(p->items[i].staged);
    }
    free(p->items);
    memset(p, 0, sizeof(*p));
}
