#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/data/db.h"
#include "common/base/file.h"
#include "common/base/str.h"

#include "server/upkeep/backup.h"

/* One read transaction sees one moment, whatever is written meanwhile. */
static int copy(const char *from, const char *to, struct ct_err *err)
{
    struct db *db;
    int rc;

    if (db_open(from, 0, &db, err) != 0)
        return -1;
    rc = db_exec(db, err, "VACUUM INTO ?", "s", to);
    db_close(db);
    return rc;
}

static int check(const char *path, struct ct_err *err)
{
    sqlite3_stmt *st;
    struct db *db;
    int rc;

    if (db_open(path, 0, &db, err) != 0)
        return -1;
    rc = db_query(db, err, &st, "PRAGMA integrity_check(1)", "");
    if (rc == 0) {
        rc = db_step(db, st, err);
        if (rc == 1 && strcmp(db_text(st, 0), "ok") == 0)
            rc = 0;
        else if (rc >= 0)
            rc = err_set(err, ERR_CORRUPT, "the database is damaged: %s", db_text(st, 0));
        db_done(st);
    }
    db_close(db);
    return rc;
}

/* A log beside an older copy would be played into the new one. */
static int check_target(const struct stat *db, const char *to, struct ct_err *err)
{
    char *wal = str_printf("%s-wal", to);
    struct stat st;
    int rc = 0;

    if (stat(to, &st) == 0 && st.st_dev == db->st_dev && st.st_ino == db->st_ino)
        rc = err_set(err, ERR_REFUSED, "%s is the database itself", to);
    else if (stat(to, &st) == 0 && !S_ISREG(st.st_mode))
        rc = err_set(err, ERR_REFUSED, "%s is no file", to);
    else if (stat(wal, &st) == 0)
        rc = err_set(err, ERR_REFUSED, "%s is there: somebody uses %s as a database", wal, to);
    free(wal);
    return rc;
}

int backup_write(const char *db, const char *to, struct ct_err *err)
{
    char *tmp, *side;
    struct stat st;
    int fd, rc = -1;

    if (stat(db, &st) != 0)
        return err_set(err, ERR_GONE, "there is no database %s", db);
    if (check_target(&st, to, err) != 0)
        return -1;
    tmp = str_printf("%s.XXXXXX", to);
    fd = mkostemp(tmp, O_CLOEXEC); /* mode 0600; SQLite takes an empty file for a new one */
    if (fd < 0) {
        err_sys(err, "can't write %s", tmp);
        free(tmp);
        return -1;
    }
    close(fd);
    if (copy(db, tmp, err) == 0 && check(tmp, err) == 0)
        rc = file_publish(tmp, to, err);
    if (rc != 0)
        unlink(tmp);
    /* What the check left beside it. */
    side = str_printf("%s-wal", tmp);
    unlink(side);
    free(side);
    side = str_printf("%s-shm", tmp);
    unlink(side);
    free(side);
    free(tmp);
    return rc;
}
