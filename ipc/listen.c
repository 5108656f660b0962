#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "ipc/listen.h"

#define BACKLOG 64

int ipc_listen_address(const char *path, struct sockaddr_un *ret, struct ct_err *err)
{
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(ret->sun_path))
        return err_set(err, ERR_CONFIG,
                       "the socket's path must have 1 to %zu bytes and this one has %zu: %s",
                       sizeof(ret->sun_path) - 1, n, path);
    memset(ret, 0, sizeof(*ret));
    ret->sun_family = AF_UNIX;
    memcpy(ret->sun_path, path, n + 1);
    return 0;
}

static int new_socket(struct ct_err *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0)
        return err_sys(err, "can't make a socket");
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        err_sys(err, "can't prepare a socket");
        close(fd);
        return -1;
    }
    return fd;
}

/*
 * A folder that is there keeps its mode: it may be somebody's home, or /tmp.  But where others can
 * write they could put a socket of theirs in the place of ours.
 */
static int check_folder(const char *path, struct ct_err *err)
{
    char *dir = path_parent(path);
    struct stat st;
    int rc = -1;

    if (path_make_dirs(dir, 0700, err) != 0)
        goto done;
    if (stat(dir, &st) != 0)
        err_sys(err, "can't look at %s", dir);
    else if (!S_ISDIR(st.st_mode))
        err_set(err, ERR_CONFIG, "%s is not a folder; choose another place for the socket", dir);
    else if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
        err_set(err, ERR_CONFIG, "other users can write in %s; choose another place for the socket",
                dir);
    else
        rc = 0;

done:
    free(dir);
    return rc;
}

/* Return 1 if somebody listens on ${addr}, 0 if nobody does, -1 on error. */
static int is_live(const struct sockaddr_un *addr, struct ct_err *err)
{
    int fd, rc;

    fd = new_socket(err);
    if (fd < 0)
        return -1;
    rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
    if (rc == 0 || errno == EAGAIN || errno == EINPROGRESS)
        rc = 1; /* a full backlog is a listener too */
    else if (errno == ECONNREFUSED || errno == ENOENT)
        rc = 0;
    else
        rc = err_sys(err, "can't tell whether somebody listens on %s", addr->sun_path);
    close(fd);
    return rc;
}

static int clear_stale(const char *path, const struct sockaddr_un *addr, struct ct_err *err)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : err_sys(err, "can't look at %s", path);
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ERR_CONFIG, "%s is there and is not a socket; move it away", path);
    switch (is_live(addr, err)) {
    case 0:
        break;
    case 1:
        return err_set(err, ERR_CONFLICT, "another daemon is listening on %s", path);
    default:
        return -1;
    }
    if (unlink(path) != 0 && errno != ENOENT)
        return err_sys(err, "can't remove the old socket %s", path);
    return 0;
}

int ipc_listen_open(const char *path, struct ipc_listen *ret, struct ct_err *err)
{
    struct sockaddr_un addr;
    struct stat st;
    int fd;

    if (ipc_listen_address(path, &addr, err) != 0)
        goto err0;
    if (check_folder(path, err) != 0 || clear_stale(path, &addr, err) != 0)
        goto err0;
    fd = new_socket(err);
    if (fd < 0)
        goto err0;
    if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
        err_sys(err, "can't make the socket %s", path);
        goto err1;
    }
    /* Nobody can connect before listen(), so the mode is right in time without touching umask. */
    if (chmod(path, 0600) != 0 || lstat(path, &st) != 0 || listen(fd, BACKLOG) != 0) {
        err_sys(err, "can't listen on %s", path);
        goto err2;
    }
    ret->fd = fd;
    ret->dev = st.st_dev;
    ret->ino = st.st_ino;

    /* Success! */
    return 0;

err2:
    unlink(path);
err1:
    close(fd);
err0:
    /* Failure! */
    return -1;
}

void ipc_listen_remove(const char *path, const struct ipc_listen *l)
{
    struct stat st;

    if (lstat(path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
        unlink(path);
}
