#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/data/jscan.h"
#include "common/base/str.h"

#include "agents/agent.h"
#include "agents/claude/history.h"

#define WINDOW (256 << 10)
#define PASTES_MAX (64 << 10)

struct reader {
    const struct agent_history_names *names;
    int fd;
    const char *session_id; /* wanted, or NULL */
    void (*f)(void *arg, const struct history_line *line);
    void *arg;
    char *window;

    /* The line under way. */
    struct jscan scan;
    char line_session[UUID_SIZE];
    char project[JSCAN_TEXT + 1];
    struct buf pastes;
};

static int is_member(const struct jscan *s, const char *name)
{
    return s->depth == 1 && name != NULL && strcmp(s->key, name) == 0;
}

static size_t on_begin(void *arg, const struct jscan *s, enum jscan_type type)
{
    struct reader *r = arg;

    if (is_member(s, r->names->session)) {
        r->line_session[0] = '\0';
        return type == JSCAN_STRING ? UUID_SIZE : 0;
    }
    if (is_member(s, r->names->project)) {
        r->project[0] = '\0';
        return JSCAN_TEXT;
    }
    return strcmp(s->key, "contentHash") == 0 ? 128 : 0;
}

static void on_string(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut)
{
    struct reader *r = arg;

    if (is_cut)
        return;
    if (is_member(s, r->names->session)) {
        if (uuid_is_valid(text))
            memcpy(r->line_session, text, UUID_SIZE);
    } else if (is_member(s, r->names->project)) {
        memcpy(r->project, text, len + 1);
    } else if (len > 0 && r->pastes.len + len < PASTES_MAX) {
        buf_add(&r->pastes, text, len + 1);
    }
}

static void on_close(void *arg, const struct jscan *s)
{
    (void)arg;
    (void)s;
}

static const struct jscan_ops ops = {on_begin, on_string, on_close, NULL};

static void begin_line(struct reader *r)
{
    jscan_init(&r->scan);
    r->line_session[0] = r->project[0] = '\0';
    buf_reset(&r->pastes);
}

static void end_line(struct reader *r, int64_t offset, int64_t bytes)
{
    struct history_line line = {offset, bytes, r->line_session, r->project, &r->pastes};

    if (!jscan_is_object(&r->scan) || (r->session_id == NULL && r->line_session[0] == '\0'))
        return;
    if (r->session_id == NULL || strcmp(r->session_id, HISTORY_ALL) == 0 ||
        strcmp(r->session_id, r->line_session) == 0)
        r->f(r->arg, &line);
}

static void whole_line(struct reader *r, const char *p, size_t n, int64_t offset)
{
    begin_line(r);
    jscan_feed(&r->scan, &ops, r, p, n);
    end_line(r, offset, (int64_t)n + 1);
}

/* Where the last newline of ${n} bytes is, or NULL.  (memrchr(3) is not everywhere.) */
static const char *last_newline(const char *p, size_t n)
{
    while (n > 0) {
        if (p[--n] == '\n')
            return p + n;
    }
    return NULL;
}

/* The complete lines in ${n} bytes.  Lines of other sessions are not even parsed: an id that is not
 * there as it stands is not there. */
static void lines(struct reader *r, const char *p, size_t n, int64_t offset)
{
    size_t at = 0;

    while (at < n) {
        const char *nl;
        if (r->session_id != NULL && r->session_id[0] != '\0') {
            const char *hit = memmem(p + at, n - at, r->session_id, strlen(r->session_id));
            const char *before;
            if (hit == NULL)
                return;
            before = last_newline(p + at, (size_t)(hit - (p + at)));
            if (before != NULL)
                at = (size_t)(before + 1 - p);
        }
        nl = memchr(p + at, '\n', n - at);
        if (nl == NULL)
            return;
        whole_line(r, p + at, (size_t)(nl - (p + at)), offset + (int64_t)at);
        at = (size_t)(nl - p) + 1;
    }
}

static int is_cancelled(const _Atomic int *cancel)
{
    return cancel != NULL && atomic_load(cancel) != 0;
}

/* A line longer than the window: in pieces.  Return 1 and move ${offset} behind it, 0 if it is not
 * complete, -1 on error. */
static int long_line(struct reader *r, int64_t *offset, int64_t end, const _Atomic int *cancel,
                     struct ct_err *err)
{
    int64_t at = *offset;

    begin_line(r);
    while (at < end) {
        size_t want = end - at < WINDOW ? (size_t)(end - at) : WINDOW;
        ssize_t got = file_pread_all(r->fd, r->window, want, (off_t)at);
        const char *nl;
        if (got < 0)
            return err_sys(err, "can't read the prompt history");
        if (is_cancelled(cancel))
            return err_set(err, ERR_CANCELLED, "cancelled");
        if (got == 0)
            return 0;
        nl = memchr(r->window, '\n', (size_t)got);
        if (nl != NULL)
            got = nl - r->window;
        jscan_feed(&r->scan, &ops, r, r->window, (size_t)got);
        at += got;
        if (nl != NULL) {
            end_line(r, *offset, at + 1 - *offset);
            *offset = at + 1;
            return 1;
        }
    }
    return 0;
}

static int read_all(struct reader *r, int64_t *offset, int64_t end, const _Atomic int *cancel,
                    struct ct_err *err)
{
    while (*offset < end) {
        size_t want = end - *offset < WINDOW ? (size_t)(end - *offset) : WINDOW;
        ssize_t got = file_pread_all(r->fd, r->window, want, (off_t)*offset);
        const char *nl;
        int rc;
        if (got < 0)
            return err_sys(err, "can't read the prompt history");
        if (is_cancelled(cancel))
            return err_set(err, ERR_CANCELLED, "cancelled");
        nl = last_newline(r->window, (size_t)got);
        if (nl != NULL) {
            size_t n = (size_t)(nl - r->window) + 1;
            lines(r, r->window, n, *offset);
            *offset += (int64_t)n;
            continue;
        }
        if (got < WINDOW)
            return 0; /* the rest is an incomplete line */
        rc = long_line(r, offset, end, cancel, err);
        if (rc <= 0)
            return rc;
    }
    return 0;
}

int history_read(const struct agent_history_names *names, int fd, int64_t offset, int64_t end,
                 const char *session_id, void (*f)(void *arg, const struct history_line *line),
                 void *arg, const _Atomic int *cancel, int64_t *ret_next, struct ct_err *err)
{
    struct reader *r = str_calloc(1, sizeof(*r));
    int rc;

    r->names = names;
    r->fd = fd;
    r->session_id = session_id;
    r->f = f;
    r->arg = arg;
    r->window = str_calloc(WINDOW, 1);
    rc = read_all(r, &offset, end, cancel, err);
    if (rc == 0)
        *ret_next = offset;
    buf_free(&r->pastes);
    free(r->window);
    free(r);
    return rc;
}
