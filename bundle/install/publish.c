#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/claude/history.h"
#include "agents/linked.h"
#include "agents/unpack.h"
#include "bundle/install/across.h"
#include "bundle/compare/compare.h"
#include "bundle/install/gather.h"
#include "bundle/install/prompts.h"
#include "bundle/open/records.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/destination.h"

#include "bundle/install/publish.h"

#define WINDOW (256 << 10)

static int changed(struct ct_err *err)
{
    return err_set(err, ERR_RETRY, "the session changed here just now; try again");
}

/* ---- before ------------------------------------------------------------------------------------
 */

static void times(const struct publishing *p, struct timespec t[2])
{
    t[0].tv_sec = 0;
    t[0].tv_nsec = UTIME_NOW;
    t[1] = t[0];
    if (p->mtime_ns > 0) {
        t[1].tv_sec = (time_t)(p->mtime_ns / 1000000000);
        t[1].tv_nsec = (long)(p->mtime_ns % 1000000000);
    }
}

/* Give the staged file its time and have it on disk. */
static int settle(const struct publishing *p, const char *staged, struct ct_err *err)
{
    int fd = openat(p->stage->fd, staged, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), rc = 0;
    struct timespec t[2];

    times(p, t);
    if (fd < 0 || futimens(fd, t) != 0 || file_sync(fd) != 0)
        rc = err_sys(err, "can't finish a file in the stage");
    if (fd >= 0)
        close(fd);
    return rc;
}

static int is_coming(const struct plan_item *it)
{
    return it->act == PLAN_ADD || it->act == PLAN_REPLACE || it->act == PLAN_BACKUP;
}

static int settle_all(const struct publishing *p, struct ct_err *err)
{
    for (size_t i = 0; i < p->plan->n; i++) {
        if (is_coming(&p->plan->items[i]) && settle(p, p->plan->items[i].staged, err) != 0)
            return -1;
    }
    return p->is_with_transcript ? settle(p, p->plan->transcript->name, err) : 0;
}

/* ---- a session that lies in another project folder ---------------------------------------------
 */

static int move(struct publishing *p, const char *from_path, const char *to_path,
                struct ct_err *err)
{
    struct destination from, to;
    int rc = destination_open(p, from_path, &from, err);

    if (rc != 0)
        return -1;
    rc = destination_open(p, to_path, &to, err);
    if (rc == 0) {
        rc = across_rename_new(from.dir_fd, from.base, to.dir_fd, to.base);
        if (rc != 0 && (errno == ENOENT || errno == EEXIST))
            changed(err);
        else if (rc != 0)
            err_sys(err, "can't move %s", from_path);
        destination_note(p, to.dir);
        destination_close(&to);
    }
    destination_note(p, from.dir);
    destination_close(&from);
    return rc;
}

/* A shorter copy in the folder that the session moves to. */
static int make_way(struct publishing *p, struct ct_err *err)
{
    struct local *l = p->local;

    for (size_t i = 1; i < l->n; i++) {
        if (strcmp(l->copies[i].project, p->project) != 0)
            continue;
        if (destination_put_away(p, l->copies[i].path, err) != 0)
            return -1;
        free(l->copies[i].path);
        free(l->copies[i].project);
        l->copies[i] = l->copies[--l->n];
        return 0;
    }
    return 0;
}

/* Where it is stays its place: an agent may have put it elsewhere without calling it otherwise. */
static char *transcript_path(const struct publishing *p)
{
    const struct local_copy *c = p->local->n > 0 ? &p->local->copies[0] : NULL;

    if (c != NULL && strcmp(c->project, p->project) == 0)
        return unpack_name(c->path);
    return p->agent->transcript_path(p->session_id, p->project, p->file);
}

/* As Claude Code's own /cd does it: the one copy goes to its new folder as it is.  What lies beside
 * it is there already, and is let go here when the transcript is gone. */
static int move_here(struct publishing *p, struct ct_err *err)
{
    struct local_copy *c = p->local->n > 0 ? &p->local->copies[0] : NULL;
    char *to;

    if (c == NULL)
        return 0;
    if (strcmp(c->project, p->project) == 0)
        return gather_clear(p, err);
    if (make_way(p, err) != 0)
        return -1;
    to = transcript_path(p);
    if (move(p, c->path, to, err) != 0) {
        free(to);
        return -1;
    }
    free(c->path);
    free(c->project);
    c->path = to;
    c->project = str_dup(p->project);
    /* On another file system it is another file. */
    if (local_restamp(p->stage->root_fd, p->agent, c) != 0)
        return changed(err);
    return gather_clear(p, err);
}

/* ---- one by one --------------------------------------------------------------------------------
 */

static int put(struct publishing *p, const char *staged, const char *path, int is_new,
               struct ct_err *err)
{
    struct destination s;
    int rc = destination_open(p, path, &s, err);

    if (rc != 0)
        return -1;
    rc = is_new ? across_rename_new(p->stage->fd, staged, s.dir_fd, s.base)
                : across_rename(p->stage->fd, staged, s.dir_fd, s.base);
    if (rc != 0 && errno == EEXIST)
        changed(err);
    else if (rc != 0)
        err_sys(err, "can't install %s", path);
    destination_note(p, s.dir);
    destination_close(&s);
    return rc;
}

/* Is what is to be replaced not any more what it was when that was decided? */
static int has_changed(const struct publishing *p, const struct plan_item *it)
{
    return is_coming(it) && it->act != PLAN_ADD &&
           !local_is_still(p->stage->root_fd, p->agent, it->path, &it->was);
}

static int have_items_changed(const struct publishing *p)
{
    for (size_t i = 0; i < p->plan->n; i++) {
        if (has_changed(p, &p->plan->items[i]))
            return 1;
    }
    return 0;
}

static int put_items(struct publishing *p, struct ct_err *err)
{
    for (size_t i = 0; i < p->plan->n; i++) {
        const struct plan_item *it = &p->plan->items[i];
        if (it->act == PLAN_BACKUP && destination_back_up(p, it->path, err) != 0)
            return -1;
        if (has_changed(p, it))
            return changed(err);
        if (is_coming(it) && put(p, it->staged, it->path, it->act == PLAN_ADD, err) != 0)
            return -1;
    }
    return 0;
}

static void touch(const struct publishing *p, const char *path, int flags)
{
    int fd = linked_open(p->agent, p->stage->root_fd, path, flags);
    struct timespec t[2];

    times(p, t);
    if (fd < 0)
        return;
    (void)futimens(fd, t);
    close(fd);
}

/* Clean-up goes by each file's and folder's own time: what stays gets the time of the rest. */
static void touch_items(const struct publishing *p)
{
    char *folder = agent_project_path(p->agent, p->project);

    for (size_t i = 0; i < p->plan->n; i++) {
        const struct plan_item *it = &p->plan->items[i];
        size_t shared = it->entry->kind == AGENT_FILE_HISTORY ? strlen("file-history/")
                        : it->entry->kind == AGENT_SUBDIR || it->entry->kind == AGENT_TRANSCRIPT
                            ? strlen(folder) + 1
                            : 0;
        char *dir, *slash;
        if (shared == 0)
            continue;
        touch(p, it->path, 0);
        dir = str_dup(it->path);
        while ((slash = strrchr(dir + shared, '/')) != NULL) {
            *slash = '\0';
            touch(p, dir, O_DIRECTORY);
        }
        free(dir);
    }
    free(folder);
}

static int put_prompts(struct publishing *p, struct ct_err *err)
{
    const char *of;
    int fd, rc;

    if (p->plan->history == NULL)
        return 0;
    of = strcmp(p->plan->history->name, AGENT_PROFILE_PROMPTS) == 0 ? HISTORY_ALL : p->session_id;
    fd = openat(p->stage->fd, p->plan->history->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "can't read the stage");
    rc = prompts_append(p->stage->root_fd, p->agent, of, fd, p->stage->fd, &p->prompts, err);
    close(fd);
    return rc;
}

/* ---- the transcript ----------------------------------------------------------------------------
 */

/* Whoever had the old transcript open may have written to it after we read it and before it lost
 * its name: that goes on at the end of the new one. */
static int carry_tail(struct publishing *p, int old_fd, const char *path, struct ct_err *err)
{
    int64_t at = p->local->copies[0].was.size_bytes;
    struct destination s;
    struct stat st;
    char *buf;
    ssize_t n;
    int fd, rc = 0;

    if (fstat(old_fd, &st) != 0 || (int64_t)st.st_size <= at)
        return 0;
    if (destination_open(p, path, &s, err) != 0)
        return -1;
    fd = openat(s.dir_fd, s.base, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    destination_close(&s);
    buf = str_calloc(WINDOW, 1);
    while (fd >= 0 && rc == 0 && (n = file_pread_all(old_fd, buf, WINDOW, (off_t)at)) > 0) {
        rc = file_write_all(fd, buf, (size_t)n);
        at += n;
    }
    if (fd < 0 || rc != 0)
        rc = err_sys(err, "can't carry over what was written meanwhile");
    if (fd >= 0)
        close(fd);
    free(buf);
    return rc;
}

/* How much of the old one is its own: the line that the last pull put at its end is ours. */
static int64_t own_bytes(const struct publishing *p, int old_fd)
{
    int64_t size = p->local->copies[0].was.size_bytes;
    char *line, *last;
    int64_t n;

    if (p->agent->default_mode == NULL)
        return size;
    line = p->agent->default_mode(p->session_id);
    n = (int64_t)strlen(line);
    last = str_calloc(1, (size_t)n);
    if (size > n && file_pread_all(old_fd, last, (size_t)n, (off_t)(size - n)) == n &&
        memcmp(last, line, (size_t)n) == 0)
        size -= n;
    free(last);
    free(line);
    return size;
}

/* Does the new one begin with all of the old one, to the byte?  Else something of that is worth
 * keeping that the records don't tell: a title, a line that nobody can read. */
static int is_beginning(const struct publishing *p, int old_fd)
{
    int fd = openat(p->stage->fd, p->plan->transcript->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int is_so =
        fd >= 0 && old_fd >= 0 && compare_beginnings(old_fd, fd, own_bytes(p, old_fd), NULL) == 1;

    if (fd >= 0)
        close(fd);
    return is_so;
}

static int put_transcript(struct publishing *p, struct ct_err *err)
{
    char *path = transcript_path(p);
    const char *packed = p->local->n > 0 && unpack_is_packed(p->local->copies[0].path)
                             ? p->local->copies[0].path
                             : NULL;
    int old_fd = -1, rc = 0, is_new = p->local->n == 0 || packed != NULL;

    if (!is_new)
        old_fd = linked_open(p->agent, p->stage->root_fd, path, 0);
    if (!is_new && (p->is_backed_up || !is_beginning(p, old_fd)))
        rc = destination_back_up(p, path, err);
    if (rc == 0)
        rc = destination_flush(p, err);
    if (rc == 0 && local_has_changed(p->stage->root_fd, p->agent, p->local))
        rc = changed(err);
    if (rc == 0)
        rc = put(p, p->plan->transcript->name, path, is_new, err);
    if (rc == 0 && old_fd >= 0)
        rc = carry_tail(p, old_fd, path, err);
    if (rc == 0 && packed != NULL)
        rc = destination_put_away(p, packed, err);
    if (old_fd >= 0)
        close(old_fd);
    free(path);
    return rc;
}

/* Further copies, in whatever folders and under whatever names: one is left. */
static int put_others_away(struct publishing *p, struct ct_err *err)
{
    char *path = transcript_path(p);
    int rc = 0;

    for (size_t i = 1; rc == 0 && i < p->local->n; i++) {
        if (strcmp(p->local->copies[i].path, path) != 0)
            rc = destination_put_away(p, p->local->copies[i].path, err);
    }
    free(path);
    return rc;
}

/* Say whose the project folder is, where the agent wants that said and nobody did. */
static int put_mark(struct publishing *p, struct ct_err *err)
{
    char *folder, *path;
    struct destination s;
    int fd, rc;

    if (p->agent->project_mark == NULL)
        return 0;
    folder = agent_project_path(p->agent, p->project);
    path = path_join(folder, p->agent->project_mark);
    rc = destination_open(p, path, &s, err);
    if (rc != 0)
        goto done;
    fd = openat(s.dir_fd, s.base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd >= 0 && (file_write_all(fd, p->cwd, strlen(p->cwd)) != 0 || file_sync(fd) != 0)) {
        rc = err_sys(err, "can't write %s", path);
        (void)unlinkat(s.dir_fd, s.base, 0);
    } else if (fd < 0 && errno != EEXIST) {
        rc = err_sys(err, "can't make %s", path);
    }
    if (fd >= 0)
        close(fd);
    destination_note(p, s.dir);
    destination_close(&s);
done:
    free(path);
    free(folder);
    return rc;
}

/* From here on it is a matter of moments. */
static int go_through(struct publishing *p, struct ct_err *err)
{
    if (p->is_with_transcript && (put_mark(p, err) != 0 || move_here(p, err) != 0))
        return -1;
    if (put_items(p, err) != 0)
        return -1;
    if (p->is_with_transcript) {
        touch_items(p);
        if (put_transcript(p, err) != 0 || put_others_away(p, err) != 0)
            return -1;
    }
    return destination_flush(p, err);
}

int publish(struct publishing *p, struct ct_err *err)
{
    static const int polite[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t later, before;
    int rc;

    if (settle_all(p, err) != 0)
        return -1;
    if (local_has_changed(p->stage->root_fd, p->agent, p->local))
        return changed(err);
    if (p->before_commit(p->arg, err) != 0)
        return -1;
    /* First, for it may have to wait for a lock, or in vain. */
    if (put_prompts(p, err) != 0)
        return -1;
    if (have_items_changed(p) || local_has_changed(p->stage->root_fd, p->agent, p->local))
        return changed(err);
    if (p->moving(p->arg, err) != 0)
        return -1;
    sigemptyset(&later);
    for (size_t i = 0; i < sizeof(polite) / sizeof(polite[0]); i++)
        sigaddset(&later, polite[i]);
    sigprocmask(SIG_BLOCK, &later, &before);
    rc = go_through(p, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return rc;
}

void publish_clear(struct publishing *p)
{
    free(p->backup);
    strlist_free(&p->dirs);
}
