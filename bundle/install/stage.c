#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/stage.h"

#define PREFIX "stage-"

/* The lock is ours, so nobody works in these. */
static void remove_leftovers(int home_fd)
{
    int fd = openat(home_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0)
            (void)file_remove_tree(home_fd, e->d_name);
    }
    if (d != NULL)
        closedir(d);
    else if (fd >= 0)
        close(fd);
}

static int make(struct stage *s, const char *home, struct ct_err *err)
{
    char *path = path_join(home, PREFIX "XXXXXX");

    if (mkdtemp(path) == NULL) {
        err_sys(err, "can't make a folder in %s", home);
        goto err0;
    }
    s->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (s->fd < 0) {
        err_sys(err, "can't open %s", path);
        goto err1;
    }
    s->dir = path;
    s->name = str_dup(path_base(path));

    /* Success! */
    return 0;

err1:
    rmdir(path);
err0:
    free(path);
    /* Failure! */
    return -1;
}

/* Where the file system knows no locks, we do without. */
static int lock(int fd, const char *root, struct ct_err *err)
{
    int rc;

    while ((rc = flock(fd, LOCK_EX)) != 0 && errno == EINTR)
        ;
    if (rc != 0 && errno != ENOTSUP && errno != ENOLCK && errno != EBADF && errno != EINVAL)
        return err_sys(err, "can't lock the data folder %s", root);
    return 0;
}

int stage_open(const char *root, struct stage *ret, struct ct_err *err)
{
    struct stage s = {.root_fd = -1, .fd = -1, .home_fd = -1};
    char *home = path_join(root, STAGE_HOME);

    if (path_make_dirs(root, 0700, err) != 0)
        goto err0;
    s.root_fd = beneath_open_root(root);
    if (s.root_fd < 0) {
        err_sys(err, "can't open the data folder %s", root);
        goto err0;
    }
    if (lock(s.root_fd, root, err) != 0)
        goto err1;
    s.home_fd = beneath_make(s.root_fd, STAGE_HOME);
    if (s.home_fd < 0) {
        err_sys(err, "can't make %s", home);
        goto err1;
    }
    remove_leftovers(s.home_fd);
    if (make(&s, home, err) != 0)
        goto err2;
    free(home);
    *ret = s;

    /* Success! */
    return 0;

err2:
    close(s.home_fd);
    (void)unlinkat(s.root_fd, STAGE_HOME, AT_REMOVEDIR);
err1:
    close(s.root_fd);
err0:
    free(home);
    /* Failure! */
    return -1;
}

int stage_rehearse(const char *dir, struct stage *ret, struct ct_err *err)
{
    struct stage s = {.root_fd = -1, .fd = -1, .home_fd = -1};

    if (path_make_private(dir, err) != 0)
        return -1;
    s.home_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s.home_fd < 0)
        return err_sys(err, "can't open %s", dir);
    if (make(&s, dir, err) != 0) {
        close(s.home_fd);
        return -1;
    }
    *ret = s;
    return 0;
}

void stage_close(struct stage *s)
{
    (void)file_remove_tree(s->home_fd, s->name);
    close(s->fd);
    close(s->home_fd);
    if (s->root_fd >= 0) {
        /* It stays as long as there are backups in it. */
        (void)unlinkat(s->root_fd, STAGE_HOME, AT_REMOVEDIR);
        close(s->root_fd);
    }
    free(s->dir);
    free(s->name);
    memset(s, 0, sizeof(*s));
}
