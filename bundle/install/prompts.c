#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/claude/history.h"
#include "agents/seen.h"
#include "bundle/install/dirlock.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "bundle/install/prompts.h"

#define LINE_MAX_BYTES (16 << 20) /* a longer line is left out */
#define LOST_LOCKS 3

struct collecting {
    const struct agent_history_names *names;
    int fd;
    const struct seen *have; /* NULL: of the history itself */
    struct seen *into;
    struct buf missing;
    int64_t n;
    int has_failed;
};

/* What makes a prompt the same one, in whatever folder it counts as typed. */
static void key_of(const struct agent_history_names *names, const char *p, size_t n,
                   struct buf *ret)
{
    struct json_object *o;

    buf_reset(ret);
    if (jdoc_parse(p, n, &o, NULL) != 0) {
        buf_add(ret, p, n);
        return;
    }
    buf_printf(ret, "%lld ", (long long)jdoc_int(o, names->time, 0));
    buf_addstr(ret, jdoc_str(o, names->text) != NULL ? jdoc_str(o, names->text) : "");
    json_object_put(o);
}

static void on_line(void *arg, const struct history_line *line)
{
    struct collecting *c = arg;
    struct buf text = {0}, key = {0};
    size_t n = (size_t)line->bytes;

    if (line->bytes <= 0 || line->bytes > LINE_MAX_BYTES)
        return;
    if (file_pread_all(c->fd, buf_reserve(&text, n), n, (off_t)line->offset) != (ssize_t)n) {
        c->has_failed = 1;
    } else {
        key_of(c->names, text.data, n - 1, &key);
        if (seen_add(c->into, key.data, key.len) && c->have != NULL) {
            buf_add(&c->missing, text.data, n);
            c->n++;
        }
    }
    buf_free(&text);
    buf_free(&key);
}

static int collect(struct collecting *c, const char *session_id, struct ct_err *err)
{
    struct stat st;
    int64_t next;

    if (fstat(c->fd, &st) != 0)
        return err_sys(err, "can't stat the prompt history");
    if (history_read(c->names, c->fd, 0, (int64_t)st.st_size, session_id, on_line, c, NULL, &next,
                     err) != 0)
        return -1;
    return c->has_failed ? err_set(err, ERR_RETRY, "the prompt history shrank under our hands") : 0;
}

/* All or nothing: what was written in part is taken back, the lock being ours. */
static int append(int fd, struct buf *lines, struct ct_err *err)
{
    struct buf out = {0};
    struct stat st;
    char last = '\n';
    ssize_t n;
    int rc = 0;

    if (fstat(fd, &st) != 0 || (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1))
        return err_sys(err, "can't read the prompt history");
    if (last != '\n') /* a line that its writer never finished */
        buf_addc(&out, '\n');
    buf_add(&out, lines->data, lines->len);
    do {
        n = write(fd, out.data, out.len);
    } while (n < 0 && errno == EINTR);
    if (n >= 0 && (size_t)n < out.len) {
        (void)!ftruncate(fd, st.st_size);
        rc = err_set(err, ERR_NOSPACE, "there is no room for the prompt history");
    } else if (n < 0 || file_sync(fd) != 0) {
        rc = err_sys(err, "can't append to the prompt history");
    }
    buf_free(&out);
    return rc;
}

/* Read what is there and append what is missing.  Return 1 if the lock was lost on the way. */
static int work(struct collecting *from, const char *session_id, int fd, const struct dirlock *lock,
                int64_t *ret_added, struct ct_err *err)
{
    struct collecting to = {.names = from->names, .fd = fd, .into = seen_new()};
    struct collecting lines = {
        .names = from->names, .fd = from->fd, .have = to.into, .into = to.into};
    int rc = fd >= 0 ? collect(&to, session_id, err) : 0;

    if (rc == 0)
        rc = collect(&lines, session_id, err);
    if (rc == 0 && lines.n > 0 && lock != NULL)
        rc = dirlock_is_held(lock) ? append(fd, &lines.missing, err) : 1;
    if (rc == 0)
        *ret_added = lines.n;
    buf_free(&lines.missing);
    seen_free(to.into);
    return rc;
}

static int cant_open(const char *path, struct ct_err *err)
{
    if (errno == ELOOP)
        return err_set(err, ERR_FAIL, "%s is in the way: symbolic link", path);
    return err_sys(err, "can't open the prompt history");
}

static int open_history(int root_fd, const char *path, int flags, struct ct_err *err)
{
    struct stat st;
    int fd = openat(root_fd, path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

    if (fd < 0)
        return cant_open(path, err);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(err, ERR_FAIL, "the prompt history (%s) is no regular file", path);
    }
    return fd;
}

static int locked(int root_fd, const char *path, struct collecting *from, const char *session_id,
                  int clock_fd, int64_t *ret_added, struct ct_err *err)
{
    char *name = str_printf("%s.lock", path);
    struct dirlock lock;
    int rc = 1, fd;

    for (int i = 0; rc == 1 && i < LOST_LOCKS; i++) {
        rc = dirlock_take(root_fd, name, clock_fd, &dirlock_default, &lock, err);
        if (rc != 0)
            break;
        fd = open_history(root_fd, path, O_RDWR | O_APPEND | O_CREAT, err);
        rc = fd < 0 ? -1 : work(from, session_id, fd, &lock, ret_added, err);
        if (fd >= 0)
            close(fd);
        dirlock_drop(&lock);
    }
    if (rc == 1)
        rc = err_set(err, ERR_RETRY, "the lock on the prompt history was taken from us");
    free(name);
    return rc;
}

int prompts_append(int root_fd, const struct agent *agent, const char *session_id, int lines_fd,
                   int clock_fd, int64_t *ret_added, struct ct_err *err)
{
    struct collecting from = {.names = &agent->history_names, .fd = lines_fd};
    int64_t missing = 0;
    int fd = -1, rc;

    /* Mostly there is nothing to do or to wait for. */
    if (root_fd >= 0) {
        fd = openat(root_fd, agent->history_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 && errno != ENOENT)
            return cant_open(agent->history_path, err);
    }
    rc = work(&from, session_id, fd, NULL, &missing, err);
    if (fd >= 0)
        close(fd);
    if (rc == 0 && missing > 0 && clock_fd >= 0)
        rc = locked(root_fd, agent->history_path, &from, session_id, clock_fd, &missing, err);
    if (rc == 0)
        *ret_added = missing;
    return rc;
}
