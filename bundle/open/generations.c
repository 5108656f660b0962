#include <sys/file.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/open/generations.h"

/* A number of this many digits and a newline: written over in place, in one piece. */
#define DIGITS 19
#define RECORD (DIGITS + 1)

static char *path_of(const char *account_dir, const char *session_id)
{
    return str_printf("%s/seen/%s", account_dir, session_id);
}

static int64_t read_number(int fd)
{
    unsigned long long n;
    char text[RECORD + 1] = "";

    if (pread(fd, text, RECORD, 0) != RECORD || text[DIGITS] != '\n')
        return 0;
    text[DIGITS] = '\0';
    return str_parse_u64(text, &n) == 0 && n <= INT64_MAX ? (int64_t)n : 0;
}

int64_t generations_highest(const char *account_dir, const char *session_id)
{
    char *path = path_of(account_dir, session_id);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int64_t n = 0;

    free(path);
    if (fd >= 0) {
        n = read_number(fd);
        close(fd);
    }
    return n;
}

static int open_record(const char *account_dir, const char *session_id, struct ct_err *err)
{
    char *dir = path_join(account_dir, "seen"), *path = path_of(account_dir, session_id);
    int fd = -1;

    if (path_make_private(account_dir, err) == 0 && path_make_private(dir, err) == 0) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            err_sys(err, "can't note a generation in %s", path);
    }
    free(path);
    free(dir);
    return fd;
}

int generations_note(const char *account_dir, const char *session_id, int64_t generation,
                     struct ct_err *err)
{
    char text[32];
    int fd, rc = 0;

    if (generation <= generations_highest(account_dir, session_id))
        return 0;
    fd = open_record(account_dir, session_id, err);
    if (fd < 0)
        return -1;
    snprintf(text, sizeof(text), "%0*lld\n", DIGITS, (long long)generation);
    /* Between reading and writing nobody else may write. */
    if (flock(fd, LOCK_EX) != 0 ||
        (generation > read_number(fd) && pwrite(fd, text, RECORD, 0) != RECORD))
        rc = err_sys(err, "can't note a generation");
    close(fd);
    return rc;
}

void generations_forget(const char *account_dir, const char *session_id)
{
    char *path = path_of(account_dir, session_id);

    unlink(path);
    free(path);
}
