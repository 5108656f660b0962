#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "agents/disk/beneath.h"
#include "agents/claude/history.h"
#include "bundle/format/entry.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "bundle/pack/content.h"
#include "bundle/pack/others.h"

#include "bundle/pack/snapshot.h"

#define TRIES 5 /* for a transcript that is being replaced right now */

/* Lists end in callbacks without a return value: the error waits here. */
struct gathering {
    struct snapshot *s;
    struct ct_err *err;
    int has_failed;
};

static void found(void *arg, const struct agent_file *file)
{
    struct gathering *g = arg;

    if (!g->has_failed && content_freeze(g->s, file->kind, file->path, file->entry, g->err) < 0)
        g->has_failed = 1;
}

static void skipped(void *arg, const char *path, const char *reason)
{
    struct gathering *g = arg;

    content_skip(g->s, path, reason);
}

static const struct agent_list_ops list_ops = {found, skipped};

/* ---- the transcript ----------------------------------------------------------------------------
 */

/* Where the last line of ${fd} that is complete ends, looking back from ${size}. */
static int last_newline(int fd, int64_t size, const _Atomic int *cancel, int64_t *ret,
                        struct ct_err *err)
{
    const int64_t window = 64 << 10;
    char *p = str_calloc((size_t)window, 1);
    int rc = 0;

    *ret = 0;
    while (size > 0 && *ret == 0 && rc == 0) {
        int64_t from = size > window ? size - window : 0;
        ssize_t n = file_pread_all(fd, p, (size_t)(size - from), (off_t)from);
        if (n < 0)
            rc = err_sys(err, "can't read the transcript");
        else if (n < size - from)
            rc = err_set(err, ERR_RETRY, "the transcript shrank under our hands");
        else if (cancel != NULL && atomic_load(cancel) != 0)
            rc = err_set(err, ERR_CANCELLED, "cancelled");
        for (; rc == 0 && n > 0 && *ret == 0; n--) {
            if (p[n - 1] == '\n')
                *ret = from + n;
        }
        size = from;
    }
    free(p);
    return rc;
}

static void forget_all(struct snapshot *s)
{
    for (size_t i = 0; i < s->n; i++)
        content_clear(&s->contents[i]);
    for (size_t i = 0; i < s->n_twins; i++)
        content_clear(&s->twins[i]);
    for (size_t i = 0; i < s->n_held; i++)
        free(s->held[i].project);
    s->n = s->n_twins = s->n_held = 0;
    strlist_free(&s->skipped);
}

/* Copies that were put aside lie beside a transcript. */
static int take_asides(struct snapshot *s, struct gathering *g, struct ct_err *err)
{
    struct agent_path place;

    for (size_t i = 0, n = s->n; i < n && !g->has_failed; i++) {
        s->agent->classify(s->contents[i].path, &place);
        s->look_fd = s->contents[i].root_fd;
        if (s->agent->list_asides(s->look_fd, s->session_id, place.project, &list_ops, g, s->cancel,
                                  err) != 0)
            return -1;
    }
    s->look_fd = s->root_fd;
    return g->has_failed ? -1 : 0;
}

/* Those in other data folders; one that can't be taken there is named. */
static int take_also(struct snapshot *s, struct gathering *g, struct ct_err *err)
{
    for (size_t i = 0; i < s->n_also && !g->has_failed; i++) {
        s->look_fd = s->also[i].fd;
        if (s->agent->list_transcripts(s->look_fd, s->session_id, &list_ops, g, s->cancel, err) !=
            0)
            return -1;
    }
    s->look_fd = s->root_fd;
    return g->has_failed ? -1 : 0;
}

static int take_transcript(struct snapshot *s, struct ct_err *err)
{
    struct gathering g = {s, err, 0};
    struct content *c;
    int fd, rc;

    if (s->agent->list_transcripts(s->root_fd, s->session_id, &list_ops, &g, s->cancel, err) != 0 ||
        g.has_failed)
        return -1;
    if (s->n == 0 && s->skipped.n > 0) {
        err_set(err, ERR_FAIL, "the transcript %s/%s can't be taken: %s", s->root, s->skipped.v[0],
                s->skipped.v[1]);
        if (err != NULL)
            snprintf(err->reason, sizeof(err->reason), "%s", SNAPSHOT_NOT_OURS);
        return -1;
    }
    if (s->n == 0)
        return err_set(err, ERR_GONE, "the session has no transcript");
    if (take_also(s, &g, err) != 0 || take_asides(s, &g, err) != 0 ||
        others_settle(s, s->preferred, err) != 0)
        return -1;
    c = &s->contents[0];
    fd = content_open(s, c, err);
    if (fd < 0)
        return -1;
    rc = last_newline(fd, c->whole, s->cancel, &c->length, err);
    close(fd);
    return rc;
}

/* ---- prompt history and pastes ------------------------------------------------------------------
 */

struct prompts {
    struct snapshot *s;
    struct content_range *ranges;
    size_t n, cap;
    int64_t bytes;
    struct strlist pastes;
    const struct agent_profile *profile; /* those of no session that may go, or NULL */
    const char *why;                     /* some of the session's stay here */
};

static void prompt(void *arg, const struct history_line *line)
{
    struct prompts *p = arg;
    struct content_range *last = p->n > 0 ? &p->ranges[p->n - 1] : NULL;
    const char *why;

    if (p->profile != NULL && line->session_id[0] != '\0' &&
        p->profile->is_known(p->profile->arg, line->session_id))
        return;
    if (p->profile != NULL && p->profile->stays(p->profile->arg, NULL, line->project) != NULL)
        return;
    if (p->s->guard != NULL && line->project[0] != '\0' && p->profile == NULL &&
        (why = p->s->guard->prompt(p->s->guard->arg, line->project)) != NULL) {
        p->why = why;
        return;
    }
    p->bytes += line->bytes;
    if (p->profile == NULL && p->s->history_project == NULL && line->project[0] != '\0')
        p->s->history_project = str_dup(line->project);
    for (size_t i = 0; i < line->pastes->len; i += strlen(line->pastes->data + i) + 1)
        strlist_add_once(&p->pastes, line->pastes->data + i);
    if (last != NULL && last->offset + last->bytes == line->offset) {
        last->bytes += line->bytes;
        return;
    }
    if (p->n == p->cap) {
        p->cap = p->cap == 0 ? 16 : p->cap * 2;
        p->ranges = str_realloc(p->ranges, p->cap, sizeof(*p->ranges));
    }
    p->ranges[p->n].offset = line->offset;
    p->ranges[p->n++].bytes = line->bytes;
}

static int read_prompts(struct snapshot *s, struct content *c, struct prompts *p,
                        struct ct_err *err)
{
    int64_t next;
    int fd = content_open(s, c, err), rc;

    if (fd < 0)
        return -1;
    rc = history_read(&s->agent->history_names, fd, 0, c->size_bytes,
                      p->profile != NULL ? HISTORY_ALL : s->session_id, prompt, p, s->cancel, &next,
                      err);
    close(fd);
    return rc;
}

static int take_history(struct snapshot *s, const struct agent_profile *profile, struct ct_err *err)
{
    struct prompts p = {.profile = profile};
    struct content *c;
    int rc;

    if (s->agent->history_path == NULL)
        return 0;
    rc = content_freeze(s, AGENT_HISTORY, s->agent->history_path,
                        profile != NULL ? AGENT_PROFILE_PROMPTS : "history.jsonl", err);
    if (rc <= 0)
        return rc;
    c = &s->contents[s->n - 1];
    p.s = s;
    rc = read_prompts(s, c, &p, err);
    if (p.why != NULL)
        content_skip(s, s->agent->history_path, p.why);
    if (rc == 0 && p.n > 0) {
        c->ranges = p.ranges;
        c->n_ranges = p.n;
        c->length = p.bytes;
        p.ranges = NULL;
        rc = content_add_pastes(s, &p.pastes, err);
    } else {
        /* No prompt of this session: nothing of the file goes in. */
        free(c->path);
        free(c->entry);
        s->n--;
    }
    free(p.ranges);
    strlist_free(&p.pastes);
    return rc;
}

/* ---- */

/* What lies beside another data folder's transcript; memory stays with that. */
static void found_also(void *arg, const struct agent_file *file)
{
    struct gathering *g = arg;

    if (file->kind == AGENT_MEMORY && content_is_there_too(g->s))
        content_skip_here(
            g->s, file->path,
            "it is of another data folder, and goes with a session that is only there, or "
            "with what belongs to no session (profile = true)");
    else if (file->kind != AGENT_MEMORY && file->kind != AGENT_PLAN && file->kind != AGENT_PASTE)
        found(arg, file);
}

/* A bundle has the prompts of one data folder. */
static int name_prompts_also(struct snapshot *s, struct ct_err *err)
{
    struct prompts p = {.s = s};
    int rc;

    if (s->agent->history_path == NULL || !content_is_there_too(s))
        return 0;
    rc = content_freeze(s, AGENT_HISTORY, s->agent->history_path, "history.jsonl", err);
    if (rc <= 0)
        return rc;
    rc = read_prompts(s, &s->contents[s->n - 1], &p, err);
    content_clear(&s->contents[--s->n]);
    if (rc == 0 && p.n > 0)
        content_skip_here(
            s, s->agent->history_path,
            "prompts of this session in another data folder stay there; what was said is in "
            "its transcript");
    free(p.ranges);
    strlist_free(&p.pastes);
    return rc;
}

static int take_rest_also(struct snapshot *s, struct ct_err *err)
{
    static const struct agent_list_ops ops = {found_also, skipped};
    struct gathering g = {s, err, 0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < s->n_also && !g.has_failed; i++) {
        s->look_fd = s->also[i].fd;
        rc = s->agent->list_rest(s->look_fd, s->session_id, s->project, &ops, &g, s->cancel, err);
        if (rc == 0)
            rc = name_prompts_also(s, err);
    }
    s->look_fd = s->root_fd;
    return rc == 0 && !g.has_failed ? 0 : -1;
}

static int take_rest(struct snapshot *s, struct ct_err *err)
{
    struct gathering g = {s, err, 0};

    if (s->agent->list_rest(s->root_fd, s->session_id, s->project, &list_ops, &g, s->cancel, err) !=
            0 ||
        g.has_failed)
        return -1;
    if (take_rest_also(s, err) != 0 || take_history(s, NULL, err) != 0)
        return -1;
    return content_sort(s, err);
}

/* A bundle has a transcript, stock clients insist on one: the first so many bytes, none, of any
 * file. */
static void add_empty_transcript(struct snapshot *s)
{
    struct content t = s->contents[0];

    t.path = str_dup(t.path);
    t.entry = str_dup(ENTRY_TRANSCRIPT);
    t.kind = AGENT_TRANSCRIPT;
    t.length = 0;
    t.ranges = str_calloc(1, sizeof(*t.ranges));
    t.n_ranges = 0;
    content_add(s, &t);
}

static int take_profile(struct snapshot *s, const struct agent_profile *profile, struct ct_err *err)
{
    struct gathering g = {s, err, 0};

    if (s->agent->list_profile(s->root_fd, profile, &list_ops, &g, s->cancel, err) != 0 ||
        g.has_failed || take_history(s, profile, err) != 0)
        return -1;
    if (s->n == 0)
        return err_set(err, ERR_GONE, "there is nothing that belongs to no session");
    add_empty_transcript(s);
    return content_sort(s, err);
}

static int take(struct snapshot *s, const struct agent_profile *profile, struct ct_err *err)
{
    struct ct_err e = {0};

    for (int i = 0; i < TRIES; i++) {
        if (profile != NULL ? take_profile(s, profile, &e) == 0
                            : take_transcript(s, &e) == 0 && take_rest(s, &e) == 0)
            return 0;
        if (e.code != ERR_RETRY)
            break;
        forget_all(s);
    }
    if (err != NULL)
        *err = e;
    return -1;
}

int snapshot_take(const struct snapshot_opts *opts, struct snapshot **ret, struct ct_err *err)
{
    return snapshot_take_profile(opts, NULL, ret, err);
}

int snapshot_take_profile(const struct snapshot_opts *opts, const struct agent_profile *profile,
                          struct snapshot **ret, struct ct_err *err)
{
    struct snapshot *s;

    if (!uuid_is_valid(opts->session_id))
        return err_set(err, ERR_BUG, "that is no session id");
    s = str_calloc(1, sizeof(*s));
    s->agent = opts->agent != NULL ? opts->agent : agent_unnamed();
    s->root = str_dup(opts->root);
    s->user_dir = str_dup(opts->user_dir != NULL ? opts->user_dir : path_home());
    s->cancel = opts->cancel;
    s->preferred = opts->project;
    s->guard = opts->guard;
    memcpy(s->session_id, opts->session_id, UUID_SIZE);
    s->root_fd = beneath_open_root(opts->root);
    if (s->root_fd < 0) {
        err_sys(err, "can't open %s", opts->root);
        snapshot_free(s);
        return -1;
    }
    s->look_fd = s->root_fd;
    for (size_t i = 0; opts->also != NULL && i < opts->also->n && s->n_also < SNAPSHOT_ALSO_MAX;
         i++) {
        if (strcmp(opts->also->v[i], opts->root) == 0)
            continue;
        s->also[s->n_also].fd = beneath_open_root(opts->also->v[i]);
        if (s->also[s->n_also].fd >= 0)
            s->also[s->n_also++].root = str_dup(opts->also->v[i]);
    }
    s->is_profile = profile != NULL;
    if (take(s, profile, err) != 0) {
        snapshot_free(s);
        return -1;
    }
    *ret = s;
    return 0;
}

void snapshot_free(struct snapshot *s)
{
    if (s == NULL)
        return;
    forget_all(s);
    free(s->contents);
    free(s->twins);
    free(s->held);
    free(s->history_project);
    free(s->root);
    free(s->user_dir);
    for (size_t i = 0; i < s->n_also; i++) {
        close(s->also[i].fd);
        free(s->also[i].root);
    }
    if (s->root_fd >= 0)
        close(s->root_fd);
    free(s);
}

/* Memory is of many sessions; in a profile it is of none. */
static int is_attachment(const struct snapshot *s, enum agent_kind kind)
{
    return kind != AGENT_TRANSCRIPT && kind != AGENT_HISTORY &&
           (kind != AGENT_MEMORY || s->is_profile);
}

void snapshot_each_file(const struct snapshot *s,
                        void (*f)(void *arg, const struct snapshot_file *file), void *arg)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct content *c = &s->contents[i];
        struct snapshot_file file = {
            c->path,        c->size_bytes, c->mtime_ns, c->inode, is_attachment(s, c->kind),
            c->is_as_stored};
        if (c->kind != AGENT_HISTORY && !c->is_cited && c->root_fd == s->root_fd &&
            !(s->is_profile && c->kind == AGENT_TRANSCRIPT))
            f(arg, &file);
    }
    for (size_t i = 0; i < s->n_twins; i++) {
        const struct content *c = &s->twins[i];
        struct snapshot_file file = {c->path, c->size_bytes, c->mtime_ns, c->inode, 0, 0};
        if (c->root_fd == s->root_fd)
            f(arg, &file);
    }
}

void snapshot_each_memory(const struct snapshot *s, void (*f)(void *arg, const char *project),
                          void *arg)
{
    struct strlist projects = {0};

    for (size_t i = 0; i < s->n; i++) {
        struct agent_path place;
        if (s->contents[i].kind != AGENT_MEMORY)
            continue;
        s->agent->classify(s->contents[i].path, &place);
        strlist_add_once(&projects, place.project);
    }
    for (size_t i = 0; i < projects.n; i++)
        f(arg, projects.v[i]);
    strlist_free(&projects);
}

void snapshot_memory_may_be(const struct snapshot *s, struct strlist *ret)
{
    int fd = content_open(s, content_transcript(s), NULL);

    if (fd < 0)
        return;
    s->agent->memory_may_be(s->root_fd, fd, s->project, ret);
    close(fd);
}

void snapshot_leave_out(struct snapshot *s, const char *folder, const char *reason)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n; i++) {
        struct content *c = &s->contents[i];
        if (!path_is_below(c->path, folder)) {
            s->contents[kept++] = *c;
            continue;
        }
        content_skip(s, c->path, reason);
        content_clear(c);
    }
    s->n = kept;
}

void snapshot_each_skipped(const struct snapshot *s,
                           void (*f)(void *arg, const char *path, const char *reason), void *arg)
{
    for (size_t i = 0; i + 1 < s->skipped.n; i += 2)
        f(arg, s->skipped.v[i], s->skipped.v[i + 1]);
}

const char *snapshot_project(const struct snapshot *s)
{
    return s->project;
}

int64_t snapshot_transcript_bytes(const struct snapshot *s)
{
    return content_transcript(s)->length;
}

void snapshot_each_duplicate(const struct snapshot *s, void (*f)(void *arg, const char *path),
                             void *arg)
{
    for (size_t i = 0; i < s->n_twins; i++) {
        char *place = content_place(s, &s->twins[i]);
        f(arg, place);
        free(place);
    }
}

void snapshot_each_other(const struct snapshot *s,
                         void (*f)(void *arg, const char *path, size_t records), void *arg)
{
    for (size_t i = 0; i < s->n; i++) {
        char *place;
        if (!entry_is_other(s->contents[i].entry) || s->contents[i].ranges == NULL)
            continue;
        place = content_place(s, &s->contents[i]);
        f(arg, place, s->contents[i].records);
        free(place);
    }
}
