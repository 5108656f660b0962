#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "common/data/db_impl.h"

#define COPIES 3 /* so many of the newest stay */

/* ---- the copy that is made first ----------------------------------------------------------------
 */

/* The number in "<name>.v<number>.bak", or -1. */
static long long copy_number(const char *name, const char *file)
{
    size_t n = strlen(name);
    unsigned long long v;
    char digits[20];
    const char *end;

    if (strncmp(file, name, n) != 0 || strncmp(file + n, ".v", 2) != 0)
        return -1;
    file += n + 2;
    end = strstr(file, ".bak");
    if (end == NULL || end[4] != '\0' || end - file >= (long)sizeof(digits))
        return -1;
    snprintf(digits, sizeof(digits), "%.*s", (int)(end - file), file);
    return str_parse_u64(digits, &v) == 0 ? (long long)v : -1;
}

/* Return the lowest number among the copies in ${dir}, and how many there are. */
static long long lowest_copy(const char *dir, const char *name, int *ret_n)
{
    DIR *d = opendir(dir);
    long long lowest = -1;
    struct dirent *e;

    *ret_n = 0;
    while (d != NULL && (e = readdir(d)) != NULL) {
        long long v = copy_number(name, e->d_name);
        if (v < 0)
            continue;
        ++*ret_n;
        if (lowest < 0 || v < lowest)
            lowest = v;
    }
    if (d != NULL)
        closedir(d);
    return lowest;
}

static void drop_old_copies(const char *path)
{
    char *dir = path_parent(path), *old;
    long long v;
    int n;

    while ((v = lowest_copy(dir, path_base(path), &n)) >= 0 && n > COPIES) {
        old = str_printf("%s.v%lld.bak", path, v);
        if (unlink(old) != 0)
            n = 0;
        free(old);
        if (n == 0)
            break;
    }
    free(dir);
}

int db_save(struct db *db, int64_t version, struct ct_err *err)
{
    char *to = str_printf("%s.v%lld.bak", db->path, (long long)version);
    char *tmp = str_printf("%s.XXXXXX", to);
    int fd = mkostemp(tmp, O_CLOEXEC); /* mode 0600; SQLite takes an empty file for a new one */
    int rc = -1;

    if (fd < 0) {
        err_sys(err, "can't write %s", tmp);
        goto done;
    }
    close(fd);
    if (db_exec(db, err, "VACUUM INTO ?", "s", tmp) != 0 || file_publish(tmp, to, err) != 0) {
        unlink(tmp);
        goto done;
    }
    log_info("database-saved copy=%s", to);
    drop_old_copies(db->path);
    rc = 0;
done:
    if (rc != 0)
        err_prefix(err,
                   "the database has to be copied before this version can bring it up to date");
    free(tmp);
    free(to);
    return rc;
}

/* ---- the steps ----------------------------------------------------------------------------------
 */

/* A database that can't be read has no version; it must not pass for a new one. */
static int version_of(struct db *db, const char *sql, const char *types, const char *what,
                      int64_t *ret, struct ct_err *err)
{
    sqlite3_stmt *st;
    int rc;

    if (db_query(db, err, &st, sql, types, what) != 0)
        return -1;
    rc = db_step(db, st, err);
    if (rc == 1)
        *ret = sqlite3_column_int64(st, 0);
    db_done(st);
    return rc < 0 ? -1 : 0;
}

static int version_of_room(struct db *db, const char *what, int64_t *ret, struct ct_err *err)
{
    return version_of(db, "SELECT coalesce(max(version), 0) FROM schema_version WHERE room = ?",
                      "s", what, ret, err);
}

/* All rooms together count what was done to the file so far: no two of its shapes have the same. */
static int save_first(struct db *db, struct ct_err *err)
{
    int64_t version = 0;

    if (version_of(db, "SELECT coalesce(sum(version), 0) FROM schema_version", "", NULL, &version,
                   err) != 0)
        return -1;
    if (!db->is_known)
        db->is_saved = version == 0;
    db->is_known = 1;
    if (!db->is_saved && db_save(db, version, err) != 0)
        return -1;
    db->is_saved = 1;
    return 0;
}

/* What another process did meanwhile is not done again. */
static int run_steps(struct db *db, const char *const *steps, int n, const char *what,
                     struct ct_err *err)
{
    int64_t have = 0;

    if (db_begin(db, err) != 0)
        return -1;
    if (version_of_room(db, what, &have, err) != 0)
        goto err0;
    for (; have < n; have++) {
        if (db_script(db, steps[have], err) != 0)
            goto err0;
    }
    if (db_exec(db, err, "INSERT OR REPLACE INTO schema_version(room, version) VALUES (?, ?)", "si",
                what, have) != 0)
        goto err0;
    return db_commit(db, err);

err0:
    db_rollback(db);
    return err_prefix(err, "can't bring the database up to date");
}

int db_migrate(struct db *db, const char *const *steps, int n, const char *what, struct ct_err *err)
{
    int64_t have = 0;

    if (db_exec(db, err,
                "CREATE TABLE IF NOT EXISTS schema_version"
                "(room TEXT PRIMARY KEY, version INTEGER NOT NULL)",
                "") != 0 ||
        version_of_room(db, what, &have, err) != 0)
        return -1;
    if (have > n) {
        err_set(err, ERR_CONFIG,
                "the database %s was written by a newer version of this program and is left as it "
                "is; install that version again (the manual says how to go back without it)",
                db->path);
        if (err != NULL)
            snprintf(err->reason, sizeof(err->reason), "%s", DB_NEWER);
        return -1;
    }
    if (have == n)
        return 0;
    return save_first(db, err) == 0 ? run_steps(db, steps, n, what, err) : -1;
}
