#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "agents/disk/beneath.h"
#include "agents/claude/history.h"
#include "agents/linked.h"
#include "agents/disk/process.h"
#include "agents/rows.h"

#include "agents/agent.h"

#define TAIL_BYTES (256 << 10) /* of a transcript, to see how it ends */
#define LIVE_MAX (64 << 10)    /* bytes of a sessions/<pid>.json */

/* The table.  The first is agent_unnamed(). */
static const struct agent *const table[] = {
    &claude_agent,
    &codex_agent,
    &gemini_agent,
    &opencode_agent,
    &pi_agent,
    &copilot_agent,
    &qwen_agent,
};

const struct agent *agent_unnamed(void)
{
    return table[0];
}

const struct agent *agent_find(const char *id)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i]->id, id) == 0)
            return table[i];
    }
    return NULL;
}

const struct agent *agent_at(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) ? table[i] : NULL;
}

char *agent_project_path(const struct agent *agent, const char *project)
{
    return agent->projects[0] != '\0' ? path_join(agent->projects, project) : str_dup(project);
}

char *agent_project_in(const struct agent *agent, const char *root, const char *cwd)
{
    return agent->find_project != NULL ? agent->find_project(root, cwd) : agent->project_name(cwd);
}

void agent_marked_cwd(const struct agent *agent, int root_fd, const char *project, char *ret,
                      size_t size)
{
    char *folder, *path;
    ssize_t n = -1;
    int fd;

    ret[0] = '\0';
    if (agent->project_mark == NULL || project[0] == '\0')
        return;
    folder = agent_project_path(agent, project);
    path = path_join(folder, agent->project_mark);
    fd = beneath_open(root_fd, path, 0);
    if (fd >= 0)
        n = file_pread_all(fd, ret, size, 0);
    if (n > 0 && ret[n - 1] == '\n')
        n--;
    ret[n > 0 && n < (ssize_t)size ? n : 0] = '\0';
    if (ret[0] != '/' || strchr(ret, '\n') != NULL)
        ret[0] = '\0';
    if (fd >= 0)
        close(fd);
    free(path);
    free(folder);
}

int agent_identify(const struct agent *agent, int root_fd, const char *path,
                   struct agent_path *place)
{
    int fd, rc;

    if (place->kind != AGENT_TRANSCRIPT || place->session_id[0] != '\0')
        return 0;
    fd = linked_open(agent, root_fd, path, 0);
    if (fd < 0)
        return -1;
    rc = agent->transcript_session(fd, place->session_id);
    if (rc != 0 || strncmp(place->session_id, place->prefix, strlen(place->prefix)) != 0) {
        place->session_id[0] = '\0';
        rc = -1;
    }
    close(fd);
    return rc;
}

int agent_is_named(const struct agent *agent, const char *project, const char *cwd)
{
    struct strlist names = {0};
    int yes;

    agent->project_names(cwd, &names);
    yes = strlist_has(&names, project);
    strlist_free(&names);
    return yes;
}

/* Open a regular file below a root, or -1 with the error set. */
static int open_file(const struct agent *agent, const char *root, const char *path, struct stat *st,
                     struct ct_err *err)
{
    int root_fd = beneath_open_root(root), fd;

    if (root_fd < 0)
        return err_sys(err, "can't open %s", root);
    fd = linked_open(agent, root_fd, path, 0);
    if (fd < 0) {
        err_sys(err, "can't open %s", path);
        close(root_fd);
        return -1;
    }
    close(root_fd);
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        close(fd);
        return err_set(err, ERR_FAIL, "%s is not a regular file", path);
    }
    return fd;
}

int agent_read_sidechain(const struct agent *agent, const char *root, const char *path,
                         char ret_session_id[UUID_SIZE], struct ct_err *err)
{
    struct stat st;
    int fd = open_file(agent, root, path, &st, err), rc;

    if (fd < 0)
        return -1;
    rc = agent->sidechain_session(fd, ret_session_id, err);
    close(fd);
    return rc;
}

struct sessions {
    void (*f)(void *arg, const char *session_id);
    void *arg;
    char last[UUID_SIZE];
};

static void history_line(void *arg, const struct history_line *line)
{
    struct sessions *s = arg;

    if (strcmp(s->last, line->session_id) == 0)
        return;
    memcpy(s->last, line->session_id, UUID_SIZE);
    s->f(s->arg, line->session_id);
}

/* Where we stopped there was a newline.  If there is none now, it is another file. */
static int is_line_start(int fd, int64_t offset, int64_t size)
{
    char c;

    if (offset <= 0 || offset > size)
        return 0;
    return file_pread_all(fd, &c, 1, (off_t)(offset - 1)) == 1 && c == '\n';
}

int agent_read_history(const struct agent *agent, enum agent_kind kind, const char *root,
                       int64_t offset, void (*f)(void *arg, const char *session_id), void *arg,
                       int64_t *ret_next, struct ct_err *err)
{
    const struct agent_history_names of_names = {.session = agent->names_id};
    int is_names = kind == AGENT_NAMES;
    const char *path = is_names ? agent->names_path : agent->history_path;
    struct sessions s = {f, arg, "-"};
    struct ct_err e = {0};
    struct stat st;
    int fd, rc;

    if (path == NULL) {
        *ret_next = 0;
        return 0;
    }
    fd = open_file(agent, root, path, &st, &e);
    if (fd < 0 && e.code == ERR_GONE) {
        *ret_next = 0;
        return 0;
    }
    if (fd < 0) {
        if (err != NULL)
            *err = e;
        return -1;
    }
    if (!is_line_start(fd, offset, (int64_t)st.st_size))
        offset = 0;
    rc = history_read(is_names ? &of_names : &agent->history_names, fd, offset, (int64_t)st.st_size,
                      HISTORY_ALL, history_line, &s, NULL, ret_next, err);
    close(fd);
    return rc;
}

const struct agent *agent_by_head(const char *p, size_t n)
{
    const char *newline = memchr(p, '\n', n);
    const struct agent *agent, *found = agent_unnamed();
    struct json_object *o = NULL;

    if (jdoc_parse(p, newline != NULL ? (size_t)(newline - p) : n, &o, NULL) != 0)
        return found;
    for (size_t i = 0; (agent = agent_at(i)) != NULL; i++) {
        if (agent->begins != NULL && agent->begins(o))
            found = agent;
    }
    json_object_put(o);
    return found;
}

int agent_is_turn_over(const struct agent *agent, const char *root, const char *path)
{
    char *p = str_calloc(TAIL_BYTES + 1, 1), *line;
    struct json_object *o;
    struct stat st;
    int fd = open_file(agent, root, path, &st, NULL), is_over = 0;
    off_t at = fd >= 0 && st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
    ssize_t n = fd >= 0 ? file_pread_all(fd, p, TAIL_BYTES, at) : -1;

    if (n > 1 && p[n - 1] == '\n') {
        p[--n] = '\0';
        for (line = p + n; line > p && line[-1] != '\n'; line--)
            ;
        if (line == p && at > 0)
            line = NULL; /* it began before */
        if (line != NULL && jdoc_parse(line, strlen(line), &o, NULL) == 0) {
            is_over = agent->is_turn_over(o);
            json_object_put(o);
        }
    }
    if (fd >= 0)
        close(fd);
    free(p);
    return is_over;
}

/* procStart has been seen as a string; a number says the same. */
static void proc_start(const struct json_object *o, struct agent_live *ret)
{
    const char *s = jdoc_str(o, "procStart");

    if (s != NULL)
        snprintf(ret->proc_start, sizeof(ret->proc_start), "%s", s);
    else if (jdoc_int(o, "procStart", -1) >= 0)
        snprintf(ret->proc_start, sizeof(ret->proc_start), "%lld",
                 (long long)jdoc_int(o, "procStart", 0));
}

int agent_parse_live(const char *p, size_t n, struct agent_live *ret)
{
    struct agent_live live = {0};
    struct json_object *o;
    const char *s;

    if (jdoc_parse(p, n, &o, NULL) != 0)
        return -1;
    live.pid = jdoc_int(o, "pid", 0);
    s = jdoc_str(o, "sessionId");
    if (live.pid <= 0 || s == NULL || !uuid_is_valid(s)) {
        json_object_put(o);
        return -1;
    }
    memcpy(live.session_id, s, UUID_SIZE);
    s = jdoc_str(o, "status");
    if (s != NULL)
        snprintf(live.status, sizeof(live.status), "%s", s);
    proc_start(o, &live);
    live.updated_ms = jdoc_int(o, "updatedAt", 0);
    json_object_put(o);
    *ret = live;
    return 0;
}

int agent_read_live(const struct agent *agent, const char *root, const char *path,
                    struct agent_live *ret)
{
    struct buf b = {0};
    struct stat st;
    int fd = open_file(agent, root, path, &st, NULL), rc;

    if (fd < 0)
        return -1;
    rc = file_read_fd(fd, path, LIVE_MAX, &b, NULL);
    if (rc == 0)
        rc = agent_parse_live(b.data, b.len, ret);
    buf_free(&b);
    close(fd);
    return rc;
}

int agent_is_alive(const struct agent_live *live)
{
    return process_is_alive(live->pid, live->proc_start);
}
