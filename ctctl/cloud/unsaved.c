#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/agent.h"
#include "agents/disk/beneath.h"
#include "agents/transcript.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "ctctl/cloud/unsaved.h"

#define WINDOW (256 << 10)
#define MOST_BYTES (64 << 20) /* of all of them together: a list is not waited for */

struct finding {
    int root_fd, fd; /* of the longest transcript so far, or -1 */
    int64_t size;
};

static void on_transcript(void *arg, const struct agent_file *file)
{
    struct finding *f = arg;
    struct stat st;
    int fd = beneath_open(f->root_fd, file->path, 0);

    if (fd >= 0 && fstat(fd, &st) == 0 && beneath_size(&st) > f->size) {
        if (f->fd >= 0)
            close(f->fd);
        f->fd = fd;
        f->size = beneath_size(&st);
    } else if (fd >= 0) {
        close(fd);
    }
}

static void on_skipped(void *arg, const char *path, const char *reason)
{
    (void)arg;
    (void)path;
    (void)reason;
}

/* Read as much of it as ${left} allows; return whether that is all. */
static int feed(int fd, int64_t *left, struct transcript *t)
{
    char *p = str_calloc(WINDOW, 1);
    int64_t at = 0;
    ssize_t n = 1;

    while (n > 0 && *left > 0) {
        n = file_pread_all(fd, p, WINDOW, (off_t)at);
        if (n > 0)
            transcript_feed(t, p, (size_t)n);
        at += n;
        *left -= n;
    }
    free(p);
    return n == 0;
}

static void describe(const struct agent *agent, struct json_object *item, int fd, int64_t *left)
{
    struct transcript *t = transcript_new(agent);
    struct transcript_facts facts;
    char name[256];
    int is_whole = feed(fd, left, t);

    transcript_facts(t, &facts);
    jdoc_set_str(item, "title", facts.title);
    if (is_whole)
        jdoc_set_int(item, "messageCount", facts.user_messages + facts.assistant_messages);
    if (facts.cwd != NULL) {
        jdoc_set_str(item, "projectPath", facts.cwd);
        jdoc_set_str(item, "projectName", transcript_project_name(facts.cwd, name, sizeof(name)));
    }
    transcript_free(t);
}

static int is_unknown(const struct json_object *item)
{
    return jdoc_str(item, "title") == NULL && jdoc_str(item, "projectPath") == NULL &&
           jdoc_str(item, "sessionId") != NULL && jdoc_int(item, "version", 0) == 0;
}

void unsaved_describe(struct json_object *list)
{
    static const struct agent_list_ops ops = {.found = on_transcript, .skipped = on_skipped};
    int64_t left = MOST_BYTES;
    struct finding f = {.root_fd = -1};
    const struct agent *before = NULL;
    char *root;

    for (size_t i = 0; i < json_object_array_length(list) && left > 0; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const struct agent *agent;
        if (!is_unknown(item))
            continue;
        agent = jdoc_str(item, "agent") != NULL ? agent_find(jdoc_str(item, "agent")) : NULL;
        if (agent != NULL && agent != before) {
            if (f.root_fd >= 0)
                close(f.root_fd);
            root = agent->find_root();
            f.root_fd = beneath_open_root(root);
            free(root);
            before = agent;
        }
        if (agent == NULL || f.root_fd < 0)
            continue;
        f.fd = -1;
        f.size = -1;
        (void)agent->list_transcripts(f.root_fd, jdoc_str(item, "sessionId"), &ops, &f, NULL, NULL);
        if (f.fd >= 0) {
            describe(agent, item, f.fd, &left);
            close(f.fd);
        }
    }
    if (f.root_fd >= 0)
        close(f.root_fd);
}
