#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"

#include "agents/beneath.h"
#include "agents/linked.h"

#include "agents/claude/claude.h"

#define DEPTH_MAX 64

struct listing {
    int root_fd;
    const char *session_id;
    const struct agent_list_ops *ops;
    void *arg;
    const _Atomic int *cancel;
    struct ct_err *err;
};

/* What a folder's entry is called for.  Return 0, or -1 to stop with the error set. */
typedef int (*each_fn)(struct listing *l, void *arg, int dir_fd, const struct dirent *d);

static void skip(struct listing *l, const char *path, int e)
{
    char reason[128];

    l->ops->skipped(l->arg, path, beneath_reason(e, reason, sizeof(reason)));
}

static int is_cancelled(struct listing *l)
{
    return l->cancel != NULL && atomic_load(l->cancel) != 0;
}

/* Call ${f} for every entry of the folder ${path}.  One that is not there has none; one that can't
 * be read is reported. */
static int each_entry(struct listing *l, const char *path, each_fn f, void *arg)
{
    int fd = linked_open(&claude_agent, l->root_fd, path, O_DIRECTORY), rc = 0;
    struct dirent *d;
    DIR *dir;

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            return err_sys(l->err, "can't open a folder");
        if (errno != ENOENT && errno != ENOTDIR)
            skip(l, path, errno);
        return 0;
    }
    dir = fdopendir(fd);
    if (dir == NULL) {
        err_sys(l->err, "can't list a folder");
        close(fd);
        return -1;
    }
    while (rc == 0 && (errno = 0, d = readdir(dir)) != NULL) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
            strncmp(d->d_name, BENEATH_TEMP, strlen(BENEATH_TEMP)) == 0)
            continue;
        rc = is_cancelled(l) ? err_set(l->err, ERR_CANCELLED, "cancelled") : f(l, arg, fd, d);
    }
    if (rc == 0 && errno != 0)
        skip(l, path, errno);
    closedir(dir);
    return rc;
}

/* The type of an entry, asked of the file where the file system does not say it with the name. */
static unsigned char type_of(int dir_fd, const struct dirent *d)
{
    struct stat st;

    if (d->d_type != DT_UNKNOWN)
        return d->d_type;
    if (fstatat(dir_fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return DT_UNKNOWN;
    return S_ISDIR(st.st_mode)   ? DT_DIR
           : S_ISLNK(st.st_mode) ? DT_LNK
           : S_ISREG(st.st_mode) ? DT_REG
                                 : DT_CHR;
}

/* A link to a neighbour, whose folder is looked at under its own name? */
static int is_alias(struct listing *l, int dir_fd, const struct dirent *d)
{
    char *path, why[256];
    struct stat st;
    int yes;

    if (type_of(dir_fd, d) != DT_LNK)
        return 0;
    path = str_printf("projects/%s", d->d_name);
    yes = linked_judge(&claude_agent, l->root_fd, path, &st, why, sizeof(why)) == LINKED_WATCHED;
    free(path);
    return yes;
}

static void found(struct listing *l, enum agent_kind kind, const char *path, const char *entry)
{
    struct agent_file file = {kind, path, entry};

    l->ops->found(l->arg, &file);
}

/* ---- whole folders ----------------------------------------------------------------------------
 */

struct tree {
    enum agent_kind kind;
    const char *path, *entry;
    int depth;
};

static int list_tree(struct listing *l, const struct tree *t);

static int tree_entry(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const struct tree *t = arg;
    char *path = str_printf("%s/%s", t->path, d->d_name);
    char *entry = str_printf("%s/%s", t->entry, d->d_name);
    struct tree below = {t->kind, path, entry, t->depth + 1};
    int rc = 0;

    switch (type_of(dir_fd, d)) {
    case DT_DIR:
        if (t->depth < DEPTH_MAX)
            rc = list_tree(l, &below);
        else
            l->ops->skipped(l->arg, path, "nested too deeply");
        break;
    case DT_LNK:
        l->ops->skipped(l->arg, path, "symbolic link");
        break;
    case DT_REG:
    case DT_UNKNOWN:
        found(l, t->kind, path, entry);
        break;
    default:
        l->ops->skipped(l->arg, path, "not a regular file");
    }
    free(entry);
    free(path);
    return rc;
}

static int list_tree(struct listing *l, const struct tree *t)
{
    return each_entry(l, t->path, tree_entry, (void *)(uintptr_t)t);
}

static int list_folder(struct listing *l, enum agent_kind kind, const char *entry, char *path)
{
    struct tree t = {kind, path, entry, 0};
    int rc = list_tree(l, &t);

    free(path);
    return rc;
}

/* ---- what lies in project folders --------------------------------------------------------------
 */

static int project_transcript(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    char *name = str_printf("%s/%s.jsonl", d->d_name, l->session_id);
    char *path = str_printf("projects/%s", name);
    struct stat st;

    (void)arg;
    /* Only whether there is something: this looks through any link, opening won't. */
    if (is_alias(l, dir_fd, d))
        ;
    else if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        found(l, AGENT_TRANSCRIPT, path, "session.jsonl");
    else if (errno != ENOENT && errno != ENOTDIR)
        skip(l, path, errno);
    free(path);
    free(name);
    return 0;
}

int claude_list_transcripts(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                            void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    struct listing l = {root_fd, session_id, ops, arg, cancel, err};

    return each_entry(&l, "projects", project_transcript, NULL);
}

static int project_aside(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const char *project = arg;
    char *path = str_printf("projects/%s/%s", project, d->d_name);
    struct agent_path place;

    (void)dir_fd;
    claude_classify(path, &place);
    if (place.kind == AGENT_ASIDE && strcmp(place.session_id, l->session_id) == 0)
        found(l, AGENT_ASIDE, path, d->d_name);
    free(path);
    return 0;
}

int claude_list_asides(int root_fd, const char *session_id, const char *project,
                       const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                       struct ct_err *err)
{
    struct listing l = {root_fd, session_id, ops, arg, cancel, err};
    char *path = str_printf("projects/%s", project);
    int rc = each_entry(&l, path, project_aside, (void *)(uintptr_t)project);

    free(path);
    return rc;
}

/* Its own folder, in whichever project folders it lies (a session can move in its middle). */
static int project_subdir(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    char *name = str_printf("%s/%s", d->d_name, l->session_id);
    char *path = str_printf("projects/%s", name);
    struct stat st;
    int rc = 0;

    (void)arg;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !is_alias(l, dir_fd, d))
        rc = list_folder(l, AGENT_SUBDIR, "session-subdir", str_dup(path));
    free(path);
    free(name);
    return rc;
}

static int project_sidechain(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const char *project = arg;
    char parent[UUID_SIZE];
    struct agent_path place;
    char *path = str_printf("projects/%s/%s", project, d->d_name);
    char *entry = NULL;
    int fd, rc = 0;

    (void)dir_fd;
    claude_classify(path, &place);
    if (place.kind != AGENT_SIDECHAIN)
        goto done;
    fd = linked_open(&claude_agent, l->root_fd, path, 0);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            rc = err_sys(l->err, "can't open a sidechain");
        else if (errno != ENOENT)
            skip(l, path, errno);
        goto done;
    }
    /* Where the newer versions keep them; a restored session finds them there.  One that names no
     * session (yet) belongs to none. */
    if (claude_sidechain_session(fd, parent, NULL) == 0 && strcmp(parent, l->session_id) == 0) {
        entry = str_printf("session-subdir/subagents/%s", d->d_name);
        found(l, AGENT_SIDECHAIN, path, entry);
    }
    close(fd);
done:
    free(entry);
    free(path);
    return rc;
}

static int todo_entry(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    char *path = str_printf("todos/%s", d->d_name);
    struct agent_path place;

    (void)arg;
    (void)dir_fd;
    claude_classify(path, &place);
    if (place.kind == AGENT_TODO && strcmp(place.session_id, l->session_id) == 0)
        found(l, AGENT_TODO, path, path);
    free(path);
    return 0;
}

struct tasks {
    const char *folder; /* below the root */
    const char *entry;  /* in the bundle */
};

static int task_entry(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const struct tasks *t = arg;
    char *path = str_printf("%s/%s", t->folder, d->d_name);
    char *entry = str_printf("%s/%s", t->entry, d->d_name);
    struct agent_path place;

    (void)dir_fd;
    claude_classify(path, &place);
    if (place.kind == AGENT_TASK)
        found(l, AGENT_TASK, path, entry);
    free(entry);
    free(path);
    return 0;
}

static int list_tasks(struct listing *l)
{
    char *own = str_printf("tasks/%s", l->session_id);
    char *team = str_printf("tasks/session-%.8s", l->session_id);
    struct tasks owns = {own, "tasks"}, teams = {team, "team-tasks"};
    int rc = each_entry(l, own, task_entry, &owns);

    if (rc == 0)
        rc = each_entry(l, team, task_entry, &teams);
    free(team);
    free(own);
    return rc;
}

static int plan_entry(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const struct strlist *slugs = arg;
    char *path = str_printf("plans/%s", d->d_name);
    struct strlist may = {0};
    int is_ours = 0;

    (void)dir_fd;
    claude_plan_slugs(d->d_name, &may);
    for (size_t i = 0; i < may.n && !is_ours; i++)
        is_ours = strlist_has(slugs, may.v[i]);
    if (is_ours)
        found(l, AGENT_PLAN, path, path);
    strlist_free(&may);
    free(path);
    return 0;
}

int claude_list_plans(int root_fd, const struct strlist *slugs, const struct agent_list_ops *ops,
                      void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    struct listing l = {root_fd, NULL, ops, arg, cancel, err};

    return slugs->n > 0 ? each_entry(&l, "plans", plan_entry, (void *)(uintptr_t)slugs) : 0;
}

/* Memory may be that of another folder: then both come, each as what it is. */
static int list_memory(struct listing *l, const char *project)
{
    char *path = str_printf("projects/%s/%s.jsonl", project, l->session_id);
    int fd = beneath_open(l->root_fd, path, 0), rc;
    char *memory = fd >= 0 ? claude_memory_project(l->root_fd, fd, project) : str_dup(project);

    rc = list_folder(l, AGENT_MEMORY, "memory", str_printf("projects/%s/memory", memory));
    if (rc == 0 && strcmp(memory, project) != 0)
        rc = list_folder(l, AGENT_MEMORY, "project-memory",
                         str_printf("projects/%s/memory", project));
    if (fd >= 0)
        close(fd);
    free(memory);
    free(path);
    return rc;
}

static int list_project(struct listing *l, const char *project)
{
    char *path = str_printf("projects/%s", project);
    int rc = each_entry(l, path, project_sidechain, (void *)(uintptr_t)project);

    free(path);
    return rc == 0 ? list_memory(l, project) : -1;
}

int claude_list_rest(int root_fd, const char *session_id, const char *project,
                     const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                     struct ct_err *err)
{
    struct listing l = {root_fd, session_id, ops, arg, cancel, err};

    if (each_entry(&l, "projects", project_subdir, NULL) != 0 || list_project(&l, project) != 0 ||
        list_folder(&l, AGENT_FILE_HISTORY, "file-history",
                    str_printf("file-history/%s", session_id)) != 0)
        return -1;
    if (list_tasks(&l) != 0 ||
        list_folder(&l, AGENT_UPLOAD, "uploads", str_printf("uploads/%s", session_id)) != 0)
        return -1;
    return each_entry(&l, "todos", todo_entry, NULL);
}
