#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/beneath.h"
#include "agents/linked.h"
#include "bundle/install/compare.h"
#include "bundle/install/merge.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/plan.h"

#define MEMORY_MAX (4 << 20)
#define MEMORY_INDEX "MEMORY.md"
#define MERGED "merged-memory"

struct planning {
    const struct agent *agent;
    int root_fd, stage_fd;
    const struct plan_target *place;
    struct plan *plan;
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

static int compare(const struct planning *p, const struct open_entry *e, int local, int staged,
                   enum plan_act *ret, struct ct_err *err)
{
    enum compare_order order;

    /* Only beside the transcript do records tell. */
    if (compare_files(e->kind == AGENT_SUBDIR ? e->name : "", local, staged, &order, err) != 0)
        return -1;
    if (order == COMPARE_SAME)
        *ret = PLAN_SAME;
    else if (order == COMPARE_BEGINS)
        *ret = p->place->is_careful ? PLAN_BACKUP : PLAN_REPLACE;
    else if (order == COMPARE_ENDS || order == COMPARE_MORE)
        *ret = PLAN_KEEP;
    else
        *ret = p->place->is_winning ? PLAN_BACKUP : PLAN_KEEP;
    return 0;
}

/* MEMORY.md is an index, one thing a line. */
static int merge_memory(const struct planning *p, struct plan_item *it, int local, int staged,
                        struct ct_err *err)
{
    struct buf ours = {0}, theirs = {0}, both = {0};
    char *name = NULL;
    int fd = -1, rc = -1;

    it->act = PLAN_KEEP;
    if (file_read_fd(local, "MEMORY.md", MEMORY_MAX, &ours, err) != 0 ||
        file_read_fd(staged, "MEMORY.md", MEMORY_MAX, &theirs, err) != 0)
        goto done;
    rc = 0;
    if (!merge_lines(&ours, &theirs, &both)) {
        it->act = PLAN_SAME;
        goto done;
    }
    name = str_printf(MERGED "-%zu", p->plan->n);
    fd = openat(p->stage_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, both.data, both.len) != 0) {
        rc = err_sys(err, "can't write the merged MEMORY.md");
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

/* ${path} is where it is to be, or where that is now. */
static int decide(const struct planning *p, struct plan_item *it, const char *path,
                  struct ct_err *err)
{
    struct stat here;
    int local, staged, rc;

    rc = open_local(p, path, &local, &here, err);
    if (rc <= 0) {
        it->act = PLAN_ADD;
        return rc;
    }
    local_stamp(&here, &it->was);
    staged = openat(p->stage_fd, it->staged, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (staged < 0)
        rc = err_sys(err, "can't read the stage");
    else
        rc = compare(p, it->entry, local, staged, &it->act, err);
    /* A paste is named after its content, and other sessions name it too. */
    if (rc == 0 && it->entry->kind == AGENT_PASTE && it->act != PLAN_SAME)
        it->act = PLAN_KEEP;
    if (rc == 0 && it->entry->kind == AGENT_PLAN && it->act != PLAN_SAME && !p->place->is_known)
        it->act = PLAN_KEEP;
    if (rc == 0 && it->entry->kind == AGENT_MEMORY && it->act != PLAN_SAME) {
        if (strcmp(path_base(it->entry->name), MEMORY_INDEX) == 0) {
            rc = merge_memory(p, it, local, staged, err);
        } else {
            it->act = PLAN_KEEP;
            p->plan->memory_kept++;
        }
    }
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

int plan_make(int root_fd, int stage_fd, const struct agent *agent, const char *session_id,
              const struct plan_target *place, const struct open_result *opened, struct plan *ret,
              struct ct_err *err)
{
    struct plan plan = {0};
    struct planning p = {agent, root_fd, stage_fd, place, &plan};

    for (size_t i = 0; i < opened->n; i++) {
        const struct open_entry *e = &opened->entries[i];
        struct plan_item *it;
        char *path;
        int rc;
        if (e->kind == AGENT_TRANSCRIPT)
            plan.transcript = e;
        if (e->kind == AGENT_HISTORY)
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
        plan.counts[it->act]++;
    }
    if (plan.transcript == NULL) {
        err_set(err, ERR_CORRUPT, "the bundle has no transcript");
        goto err0;
    }
    *ret = plan;

    /* Success! */
    return 0;

err0:
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
