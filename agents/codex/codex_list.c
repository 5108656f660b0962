#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/linked.h"
#include "agents/lines/places.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "agents/codex/codex.h"

#define DAY_MS (24 * 60 * 60 * 1000LL)
#define NAMES_MAX (64 << 20)

struct finding {
    int root_fd;
    const char *session_id;
    const struct agent_list_ops *ops;
    void *arg;
    int n;
};

static void look_into(struct finding *f, const char *dir)
{
    int fd = linked_open(&codex_agent, f->root_fd, dir, O_DIRECTORY);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    char id[UUID_SIZE];
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        char *path;
        if (!codex_is_rollout(e->d_name, id) || strcmp(id, f->session_id) != 0)
            continue;
        path = path_join(dir, e->d_name);
        f->ops->found(f->arg, &(struct agent_file){AGENT_TRANSCRIPT, path, "session.jsonl"});
        free(path);
        f->n++;
    }
    if (d != NULL)
        closedir(d);
    else if (fd >= 0)
        close(fd);
}

/* An id says when its session began, up to the hour: three days of thousands have to be looked
 * through.  Whoever finds none there looks everywhere. */
int codex_list_transcripts(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                           void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    struct finding f = {root_fd, session_id, ops, arg, 0};
    char digits[13], text[32], dir[64];
    long long ms;

    if (session_id[14] != '7')
        return places_list(&codex_agent, root_fd, session_id, ops, arg, cancel, err);
    snprintf(digits, sizeof(digits), "%.8s%.4s", session_id, session_id + 9);
    ms = strtoll(digits, NULL, 16);
    for (int day = -1; root_fd >= 0 && day <= 1; day++) {
        now_rfc3339(ms + day * DAY_MS, text);
        snprintf(dir, sizeof(dir), "sessions/%.4s/%.2s/%.2s", text, text + 5, text + 8);
        look_into(&f, dir);
    }
    if (root_fd >= 0)
        look_into(&f, "archived_sessions");
    return f.n > 0 ? 0 : places_list(&codex_agent, root_fd, session_id, ops, arg, cancel, err);
}

/* The last name counts.  Lines of other sessions are not parsed. */
char *codex_title(int root_fd, const char *session_id)
{
    int fd = linked_open(&codex_agent, root_fd, codex_agent.names_path, 0);
    struct json_object *o;
    struct buf b = {0};
    char *title = NULL;
    size_t at = 0;

    if (fd < 0)
        return NULL;
    if (file_read_fd(fd, codex_agent.names_path, NAMES_MAX, &b, NULL) != 0)
        b.len = 0;
    close(fd);
    while (at < b.len) {
        const char *p = b.data + at, *end = memchr(p, '\n', b.len - at);
        size_t n = end != NULL ? (size_t)(end - p) : b.len - at;
        at += n + 1;
        if (memmem(p, n, session_id, UUID_SIZE - 1) == NULL || jdoc_parse(p, n, &o, NULL) != 0)
            continue;
        if (jdoc_str(o, "id") != NULL && strcmp(jdoc_str(o, "id"), session_id) == 0 &&
            jdoc_str(o, "thread_name") != NULL) {
            free(title);
            title = str_dup(jdoc_str(o, "thread_name"));
        }
        json_object_put(o);
    }
    buf_free(&b);
    return title;
}
