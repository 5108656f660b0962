#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/base/path.h"

#include "uploader/spoolfile.h"

int spoolfile_open(const char *path, int *ret_fd, struct ct_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int e = errno;

    if (fd < 0) {
        err_sys(err, "can't open the spooled bundle %s", path_base(path));
        if (e == ENOENT || e == ELOOP || e == ENOTDIR)
            err->code = ERR_CORRUPT;
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

int spoolfile_check(const char *path, int64_t size_bytes, const char *sha256, struct ct_err *err)
{
    char hex[HASH_SHA256_HEX];
    int64_t size = 0;
    int fd, rc = 0;

    if (spoolfile_open(path, &fd, err) != 0)
        return -1;
    if (hash_sha256_fd(fd, &size, hex) != 0) {
        rc = err_sys(err, "can't read the spooled bundle %s", path_base(path));
        err->code = ERR_CORRUPT; /* it may be elsewhere on the disk that the next one lies */
    } else if (size != size_bytes || strcmp(hex, sha256) != 0) {
        rc = err_set(err, ERR_CORRUPT, "the spooled bundle %s is damaged", path_base(path));
    }
    close(fd);
    return rc;
}
