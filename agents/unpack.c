#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agents/linked.h"
#include "common/base/str.h"

#include "agents/unpack.h"

int unpack_is_packed(const char *path)
{
    size_t n = strlen(path), m = strlen(UNPACK_SUFFIX);

    return n > m && strcmp(path + n - m, UNPACK_SUFFIX) == 0;
}

char *unpack_name(const char *path)
{
    size_t n = strlen(path);

    return str_printf("%.*s", (int)(n - (unpack_is_packed(path) ? strlen(UNPACK_SUFFIX) : 0)),
                      path);
}

int unpack(int fd, struct ct_err *err)
{
    int to_fd = unpack_nameless();

    if (to_fd < 0)
        return err_set(err, ERR_FAIL, "it is packed, and there is no room to unpack it");
    if (unpack_stream(fd, to_fd, err) != 0 || lseek(to_fd, 0, SEEK_SET) != 0) {
        close(to_fd);
        return -1;
    }
    return to_fd;
}

int unpack_open(const struct agent *agent, int root_fd, const char *path)
{
    int fd = linked_open(agent, root_fd, path, 0), to_fd;

    if (fd < 0 || !unpack_is_packed(path))
        return fd;
    to_fd = unpack(fd, NULL);
    close(fd);
    if (to_fd < 0)
        errno = EBADMSG;
    return to_fd;
}
