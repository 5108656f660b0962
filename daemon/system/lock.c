#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/path.h"

#include "daemon/system/lock.h"

int lock_take(const char *dir, int *ret_fd, struct ct_err *err)
{
    char *path = path_join(dir, "lock"), text[32] = "";
    int fd, n;

    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err_sys(err, "can't open %s", path);
        goto err0;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            err_sys(err, "can't lock %s", path);
            goto err1;
        }
        if (read(fd, text, sizeof(text) - 1) < 0)
            text[0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        err_set(err, ERR_CONFLICT, "another codeteleportd (process %s) works in %s already",
                text[0] != '\0' ? text : "?", dir);
        goto err1;
    }
    n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n) {
        /* The number is for people; the lock holds without it, on a full disk too. */
    }
    free(path);
    *ret_fd = fd;
    return 0;

err1:
    close(fd);
err0:
    free(path);
    return -1;
}
