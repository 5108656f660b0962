#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/opencode/opencode.h"
#include "agents/opencode/opencode_copy.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#define PIECE (256 << 10)
#define WAL_HEADER 32
#define ATTEMPTS 8
#define PAUSE_NS 50000000

char *opencode_database(void)
{
    const char *v = getenv("XDG_DATA_HOME");
    char *data = v != NULL && v[0] == '/' ? str_dup(v) : path_join(path_home(), ".local/share");
    char *path = path_join(data, "opencode/opencode.db");

    free(data);
    return path;
}

void opencode_sources(struct strlist *ret)
{
    char *db = opencode_database(), *wal = str_printf("%s-wal", db);

    strlist_add(ret, db);
    strlist_add(ret, wal);
    free(wal);
    free(db);
}

/* Return 0, 1 if there is no such file, or -1. */
static int copy_file(const char *from, const char *to, struct ct_err *err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out, rc = 0;
    char *p;
    ssize_t n;
    off_t at = 0;

    if (in < 0)
        return errno == ENOENT ? 1 : err_sys(err, "can't read %s", from);
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    p = str_calloc(PIECE, 1);
    while (out >= 0 && rc == 0 && (n = file_pread_all(in, p, PIECE, at)) != 0) {
        rc = n < 0 || file_write_all(out, p, (size_t)n) != 0 ? -1 : 0;
        at += n;
    }
    if (out < 0 || rc != 0)
        rc = err_sys(err, "can't copy %s", from);
    if (out >= 0)
        close(out);
    close(in);
    free(p);
    return rc;
}

/* What changes when pages go from the log into the database. */
struct state {
    struct stat db;
    char wal[WAL_HEADER];
};

static void look(const char *source, const char *wal, struct state *ret)
{
    int fd = open(wal, O_RDONLY | O_CLOEXEC);

    memset(ret, 0, sizeof(*ret));
    (void)stat(source, &ret->db);
    if (fd >= 0) {
        (void)file_pread_all(fd, ret->wal, WAL_HEADER, 0);
        close(fd);
    }
}

static int is_same(const struct state *a, const struct state *b)
{
    return a->db.st_ino == b->db.st_ino && a->db.st_size == b->db.st_size &&
           file_mtime_ns(&a->db) == file_mtime_ns(&b->db) &&
           file_ctime_ns(&a->db) == file_ctime_ns(&b->db) &&
           memcmp(a->wal, b->wal, WAL_HEADER) == 0;
}

/* Return 0, 1 if it changed meanwhile, or -1. */
static int copy_both(const char *source, const char *wal, const char *to, const char *to_wal,
                     struct ct_err *err)
{
    struct state before, after;
    int rc;

    look(source, wal, &before);
    rc = copy_file(source, to, err);
    if (rc == 0) {
        rc = copy_file(wal, to_wal, err);
        if (rc == 1) {
            (void)unlink(to_wal);
            rc = 0;
        }
    }
    look(source, wal, &after);
    return rc != 0 ? rc : !is_same(&before, &after);
}

static int open_copy(const char *path, sqlite3 **ret, struct ct_err *err)
{
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(db, "SELECT count(*) FROM session", NULL, NULL, NULL) != SQLITE_OK) {
        err_set(err, ERR_CORRUPT, "opencode's database can't be read: %s",
                db != NULL ? sqlite3_errmsg(db) : "no memory");
        sqlite3_close(db);
        return -1;
    }
    *ret = db;
    return 0;
}

static void remove_dir(const char *dir)
{
    (void)file_remove_tree(AT_FDCWD, dir);
}

int opencode_copy(const char *source, const char *dir, sqlite3 **ret, struct ct_err *err)
{
    const struct timespec pause = {0, PAUSE_NS};
    char *wal = str_printf("%s-wal", source), *to = path_join(dir, "db"),
         *to_wal = path_join(dir, "db-wal");
    int rc = 1;

    remove_dir(dir);
    if (path_make_private(dir, err) != 0)
        rc = -1;
    for (int i = 0; rc == 1 && i < ATTEMPTS; i++) {
        rc = copy_both(source, wal, to, to_wal, err);
        if (rc == 1)
            nanosleep(&pause, NULL);
    }
    if (rc == 1)
        err_set(err, ERR_RETRY, "opencode's database changes all the time; it is read later");
    if (rc == 0)
        rc = open_copy(to, ret, err);
    free(wal);
    free(to);
    free(to_wal);
    return rc == 0 ? 0 : -1;
}

void opencode_copy_end(sqlite3 *db, const char *dir)
{
    sqlite3_close(db);
    remove_dir(dir);
}
