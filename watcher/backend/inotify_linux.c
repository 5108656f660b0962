#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/inotify.h>
#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/str.h"

#include "watcher/backend/backend.h"
#include "common/base/hashset.h"

#define READ_BYTES 65536
#define RECENT 256 /* a power of two */

#define LIMIT_FILE "/proc/sys/fs/inotify/max_user_watches"
#define LIMIT_SUGGESTED 524288ULL

struct inotify {
    int fd;
    struct event *readable;
    const struct backend_listener *listener;
    void *arg;
};

static uint32_t mask_of(unsigned what)
{
    uint32_t mask = IN_DELETE_SELF | IN_MOVE_SELF;

    if (what & (BACKEND_NAMES | BACKEND_TREE | BACKEND_LEFT))
        mask |= IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE;
    if (what & BACKEND_TREE)
        mask |= IN_MODIFY | IN_CLOSE_WRITE;
    if (what & BACKEND_META)
        mask |= IN_ATTRIB;
    return mask;
}

static unsigned flags_of(uint32_t mask)
{
    unsigned flags = 0;

    if (mask & IN_ISDIR)
        flags |= BACKEND_IS_DIR;
    if (mask & (IN_MOVED_FROM | IN_MOVE_SELF))
        flags |= BACKEND_MOVED_AWAY;
    if (mask & (IN_DELETE_SELF | IN_MOVE_SELF))
        flags |= BACKEND_SELF_GONE;
    if (mask & IN_UNMOUNT)
        flags |= BACKEND_UNMOUNTED;
    if (mask & IN_IGNORED)
        flags |= BACKEND_ENDED;
    return flags;
}

/* What one read() brought.  Whoever listens looks at the disk, and does so after all of it
 * happened: of several events for one name in it, one will do. */
struct batch {
    const struct inotify_event *recent[RECENT];
};

static int is_repeated(struct batch *b, const struct inotify_event *e)
{
    uint64_t h = hashset_mix(hashset_mix(0, &e->wd, sizeof(e->wd)), e->name, strlen(e->name));
    const struct inotify_event **slot = &b->recent[(h ^ h >> 32) & (RECENT - 1)], *old = *slot;

    *slot = e;
    return old != NULL && old->wd == e->wd && flags_of(old->mask) == flags_of(e->mask) &&
           strcmp(old->name, e->name) == 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct inotify *in = arg;
    _Alignas(struct inotify_event) char buf[READ_BYTES];
    struct batch batch = {0};
    const struct inotify_event *e;
    ssize_t n;

    (void)what;
    if ((n = read(fd, buf, sizeof(buf))) == -1) {
        if (errno != EAGAIN && errno != EINTR)
            log_error("inotify_read errno=%d", errno);
        return;
    }
    for (char *p = buf; p < buf + n; p += sizeof(*e) + e->len) {
        e = (const struct inotify_event *)(void *)p;
        if (e->mask & IN_Q_OVERFLOW)
            in->listener->overflow(in->arg);
        else if (e->len == 0)
            in->listener->event(in->arg, e->wd, flags_of(e->mask), "");
        else if (!is_repeated(&batch, e))
            in->listener->event(in->arg, e->wd, flags_of(e->mask), e->name);
    }
    in->listener->rest(in->arg);
}

static void inotify_close(void *arg)
{
    struct inotify *in = arg;

    if (in == NULL)
        return;
    if (in->readable != NULL)
        event_free(in->readable);
    if (in->fd != -1)
        close(in->fd);
    free(in);
}

static int inotify_open(struct event_base *base, const struct backend_listener *listener, void *arg,
                        void **ret, struct ct_err *err)
{
    struct inotify *in = str_calloc(1, sizeof(*in));

    in->listener = listener;
    in->arg = arg;
    if ((in->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) == -1) {
        err_sys(err, "inotify can't be used (fs.inotify.max_user_instances may be too low)");
        goto err0;
    }
    in->readable = event_new(base, in->fd, EV_READ | EV_PERSIST, on_readable, in);
    if (in->readable == NULL || event_add(in->readable, NULL) == -1) {
        err_set(err, ERR_FAIL, "the event loop takes no event for inotify");
        goto err0;
    }

    /* Success! */
    *ret = in;
    return 0;

err0:
    inotify_close(in);

    /* Failure! */
    return -1;
}

/* There is no call that takes a descriptor.  The link in /proc leads to the very folder that is
 * open, whatever happened to its path; the dot behind it makes the kernel follow that link although
 * it is told to follow none. */
static int inotify_watch(void *arg, int fd, unsigned what, int exactly)
{
    struct inotify *in = arg;
    uint32_t mask = mask_of(what) | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;
    char path[64];

    if (!exactly)
        mask |= IN_MASK_ADD;
    snprintf(path, sizeof(path), "/proc/self/fd/%d/.", fd);
    return inotify_add_watch(in->fd, path, mask);
}

static int inotify_unwatch(void *arg, int watch)
{
    struct inotify *in = arg;

    return inotify_rm_watch(in->fd, watch) == 0;
}

static void inotify_cure(char *buf, unsigned long size)
{
    unsigned long long limit = 0;
    struct buf text = {0};

    if (file_read(LIMIT_FILE, 64, &text, NULL) == 0) {
        text.data[strcspn(text.data, "\n")] = '\0';
        if (str_parse_u64(text.data, &limit) == -1)
            limit = 0;
    }
    buf_free(&text);
    snprintf(buf, size, "sudo sysctl fs.inotify.max_user_watches=%llu",
             limit * 2 > LIMIT_SUGGESTED ? limit * 2 : LIMIT_SUGGESTED);
}

const struct backend *backend_system(void)
{
    static const struct backend inotify = {
        .name = "inotify",
        .doubt = "is /proc mounted?",
        .open = inotify_open,
        .close = inotify_close,
        .watch = inotify_watch,
        .unwatch = inotify_unwatch,
        .cure = inotify_cure,
    };

    return &inotify;
}
