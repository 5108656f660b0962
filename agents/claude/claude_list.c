#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "agents/disk/beneath.h"
#include "agents/linked.h"

#include "agents/claude/claude.h"
#include "agents/claude/claude_walk.h"

/* ---- what lies in project folders --------------------------------------------------------------
 */

/* Each of these is called for every project folder, or every file of one, for each session: what is
 * not there costs as little as can be. */

static int project_transcript(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const char *file = arg; /* <id>.jsonl */
    char *name = path_join(d->d_name, file), *path;
    struct stat st;
    /* Only whether there is something: this looks through any link, opening won't. */
    int e = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;

    if (e != ENOENT && e != ENOTDIR && !walk_is_alias(l, dir_fd, d)) {
        path = path_join("projects", name);
        if (e == 0)
            walk_found(l, AGENT_TRANSCRIPT, path, "session.jsonl");
        else
            walk_skip(l, path, e);
        free(path);
    }
    free(name);
    return 0;
}

int claude_list_transcripts(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                            void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    struct listing l = {root_fd, session_id, ops, arg, cancel, err};
    char *file = str_printf("%s.jsonl", session_id);
    int rc = walk_each(&l, "projects", project_transcript, file);

    free(file);
    return rc;
}

static int project_aside(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const char *project = arg;
    struct agent_path place;
    char *path;

    (void)dir_fd;
    if (strncmp(d->d_name, l->session_id, UUID_SIZE - 1) != 0)
        return 0;
    path = str_printf("projects/%s/%s", project, d->d_name);
    claude_classify(path, &place);
    if (place.kind == AGENT_ASIDE && strcmp(place.session_id, l->session_id) == 0)
        walk_found(l, AGENT_ASIDE, path, d->d_name);
    free(path);
    return 0;
}

int claude_list_asides(int root_fd, const char *session_id, const char *project,
                       const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                       struct ct_err *err)
{
    struct listing l = {root_fd, session_id, ops, arg, cancel, err};
    char *path = str_printf("projects/%s", project);
    int rc = walk_each(&l, path, project_aside, (void *)(uintptr_t)project);

    free(path);
    return rc;
}

/* Its own folder, in whichever project folders it lies (a session can move in its middle). */
static int project_subdir(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    char *name = path_join(d->d_name, l->session_id);
    struct stat st;
    int rc = 0;

    (void)arg;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !walk_is_alias(l, dir_fd, d))
        rc = walk_folder(l, AGENT_SUBDIR, "session-subdir", path_join("projects", name));
    free(name);
    return rc;
}

static int project_sidechain(struct listing *l, void *arg, int dir_fd, const struct dirent *d)
{
    const char *project = arg;
    char parent[UUID_SIZE];
    struct agent_path place;
    char *path, *entry = NULL;
    int fd, rc = 0;

    (void)dir_fd;
    if (strncmp(d->d_name, "agent-", 6) != 0)
        return 0;
    path = str_printf("projects/%s/%s", project, d->d_name);
    claude_classify(path, &place);
    if (place.kind != AGENT_SIDECHAIN)
        goto done;
    fd = linked_open(&claude_agent, l->root_fd, path, 0);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            rc = err_sys(l->err, "can't open a sidechain");
        else if (errno != ENOENT)
            walk_skip(l, path, errno);
        goto done;
    }
    /* Where the newer versions keep them; a restored session finds them there.  One that names no
     * session (yet) belongs to none. */
    if (claude_sidechain_session(fd, parent, NULL) == 0 && strcmp(parent, l->session_id) == 0) {
        entry = str_printf("session-subdir/subagents/%s", d->d_name);
        walk_found(l, AGENT_SIDECHAIN, path, entry);
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
        walk_found(l, AGENT_TODO, path, path);
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
        walk_found(l, AGENT_TASK, path, entry);
    free(entry);
    free(path);
    return 0;
}

static int list_tasks(struct listing *l)
{
    char *own = str_printf("tasks/%s", l->session_id);
    char *team = str_printf("tasks/session-%.8s", l->session_id);
    struct tasks owns = {own, "tasks"}, teams = {team, "team-tasks"};
    int rc = walk_each(l, own, task_entry, &owns);

    if (rc == 0)
        rc = walk_each(l, team, task_entry, &teams);
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
        walk_found(l, AGENT_PLAN, path, path);
    strlist_free(&may);
    free(path);
    return 0;
}

int claude_list_plans(int root_fd, const struct strlist *slugs, const struct agent_list_ops *ops,
                      void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    struct listing l = {root_fd, NULL, ops, arg, cancel, err};

    return slugs->n > 0 ? walk_each(&l, "plans", plan_entry, (void *)(uintptr_t)slugs) : 0;
}

/* Memory may be that of another folder: then both come, each as what it is. */
static int list_memory(struct listing *l, const char *project)
{
    char *path = str_printf("projects/%s/%s.jsonl", project, l->session_id);
    int fd = beneath_open(l->root_fd, path, 0), rc;
    char *memory = fd >= 0 ? claude_memory_project(l->root_fd, fd, project) : str_dup(project);

    rc = walk_folder(l, AGENT_MEMORY, "memory", str_printf("projects/%s/memory", memory));
    if (rc == 0 && strcmp(memory, project) != 0)
        rc = walk_folder(l, AGENT_MEMORY, "project-memory",
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
    int rc = walk_each(l, path, project_sidechain, (void *)(uintptr_t)project);

    free(path);
    return rc == 0 ? list_memory(l, project) : -1;
}

int claude_list_rest(int root_fd, const char *session_id, const char *project,
                     const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                     struct ct_err *err)
{
    struct listing l = {root_fd, session_id, ops, arg, cancel, err};

    if (walk_each(&l, "projects", project_subdir, NULL) != 0 || list_project(&l, project) != 0 ||
        walk_folder(&l, AGENT_FILE_HISTORY, "file-history",
                    str_printf("file-history/%s", session_id)) != 0)
        return -1;
    if (list_tasks(&l) != 0 ||
        walk_folder(&l, AGENT_UPLOAD, "uploads", str_printf("uploads/%s", session_id)) != 0)
        return -1;
    return walk_each(&l, "todos", todo_entry, NULL);
}
