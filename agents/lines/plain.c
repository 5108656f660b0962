#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/linked.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "agents/lines/plain.h"

char *plain_project_name(const char *cwd)
{
    (void)cwd;
    return str_dup("");
}

void plain_project_names(const char *cwd, struct strlist *ret)
{
    (void)cwd;
    strlist_add(ret, "");
}

enum agent_kind plain_entry_kind(const struct agent *agent, const char *session_id,
                                 const char *project, const char *entry)
{
    char *path = agent->entry_path(session_id, project, NULL, entry);
    struct agent_path place = {0};

    if (path != NULL)
        agent->classify(path, &place);
    free(path);
    return place.kind;
}

int plain_list(int root_fd, const char *session_id, const char *project,
               const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
               struct ct_err *err)
{
    (void)root_fd, (void)session_id, (void)project, (void)ops, (void)arg, (void)cancel, (void)err;
    return 0;
}

int plain_list_plans(int root_fd, const struct strlist *slugs, const struct agent_list_ops *ops,
                     void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    (void)root_fd, (void)slugs, (void)ops, (void)arg, (void)cancel, (void)err;
    return 0;
}

int plain_list_profile(int root_fd, const struct agent_profile *p, const struct agent_list_ops *ops,
                       void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    (void)root_fd, (void)p, (void)ops, (void)arg, (void)cancel, (void)err;
    return 0;
}

void plain_cites(const char *p, size_t n, const char *own, struct strlist *ret)
{
    (void)p, (void)n, (void)own, (void)ret;
}

int plain_cited(const char *project, const char *cite, char **ret_path, char **ret_entry)
{
    (void)project, (void)cite, (void)ret_path, (void)ret_entry;
    return -1;
}

void plain_memory_may_be(int root_fd, int transcript_fd, const char *project, struct strlist *ret)
{
    (void)root_fd, (void)transcript_fd, (void)project, (void)ret;
}

int plain_sidechain_session(int fd, char ret_session_id[UUID_SIZE], struct ct_err *err)
{
    (void)fd, (void)ret_session_id;
    return err_set(err, ERR_BUG, "this agent has no flat sidechains");
}

int plain_named(const char *name, char *path, char *entry, size_t size)
{
    (void)name, (void)path, (void)entry, (void)size;
    return -1;
}

void plain_plan_slugs(const char *name, struct strlist *ret)
{
    (void)name, (void)ret;
}

int plain_prompt_is_command(const char *text)
{
    (void)text;
    return 0;
}

char *plain_arrival(const struct rebuild_opts *opts, const char *entry)
{
    (void)opts;
    return str_dup(entry);
}

void plain_list_folder(const struct agent *agent, int root_fd, const char *dir, const char *entry,
                       const struct agent_list_ops *ops, void *arg)
{
    int fd = linked_open(agent, root_fd, dir, O_DIRECTORY);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char *path = path_join(dir, e->d_name), *name = path_join(entry, e->d_name);
        struct agent_path place;
        struct stat st;
        if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
            if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
                agent->wants_dir(path))
                plain_list_folder(agent, root_fd, path, name, ops, arg);
        } else {
            agent->classify(path, &place);
            if (place.kind != AGENT_NOTHING) {
                const struct agent_file file = {place.kind, path, name};
                ops->found(arg, &file);
            }
        }
        free(path);
        free(name);
    }
    if (d != NULL)
        closedir(d);
    else if (fd >= 0)
        close(fd);
}

void plain_list_file(const struct agent *agent, int root_fd, const struct agent_file *file,
                     const struct agent_list_ops *ops, void *arg)
{
    int fd = linked_open(agent, root_fd, file->path, 0);

    if (fd >= 0 || errno != ENOENT)
        ops->found(arg, file);
    if (fd >= 0)
        close(fd);
}
