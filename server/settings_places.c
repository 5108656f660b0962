#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/str.h"
#include "api/api.h"

#include "server/settings_impl.h"

#define MAX_SECRET_BYTES 4096

/* Others can't read ${path}, or ERR_CONFIG with the command that mends it. */
static int check_private(const char *path, struct ct_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return err_sys(err, "can't read %s", path);
    if ((st.st_mode & 077) != 0)
        return err_set(err, ERR_CONFIG,
                       "%s holds a secret and can be read by others; run: chmod 600 '%s'", path,
                       path);
    return 0;
}

/* The first line of a file. */
static int read_secret(const char *path, char **ret, struct ct_err *err)
{
    struct buf b = {0};
    int rc = check_private(path, err);

    if (rc == 0)
        rc = file_read(path, MAX_SECRET_BYTES, &b, err);
    if (rc == 0) {
        buf_add(&b, "", 0);
        b.data[strcspn(b.data, "\r\n")] = '\0';
        *ret = str_dup(b.data);
    }
    if (b.data != NULL)
        str_wipe(b.data, b.cap);
    buf_free(&b);
    return rc;
}

/* One secret of up to three places: the file ${config}, a file of its own, the environment. */
static int find_secret(char **member, const char *file, const char *config, const char *name,
                       const char *variable, struct ct_err *err)
{
    const char *from_env = getenv(variable);

    if (*member != NULL && file != NULL)
        return err_set(err, ERR_CONFIG, "set %s or %s_file, not both", name, name);
    if (*member != NULL)
        return config != NULL ? check_private(config, err) : 0;
    if (file != NULL && read_secret(file, member, err) != 0)
        return err_prefix(err, "%s_file", name);
    if (*member == NULL && from_env != NULL && from_env[0] != '\0')
        *member = str_dup(from_env);
    return 0;
}

static int is_missing(const char *s)
{
    return s == NULL || s[0] == '\0';
}

static int check_storage(struct settings *s, const char *config, struct ct_err *err)
{
    const char *key_id = getenv("CODETELEPORT_S3_KEY_ID");

    if (s->storage != SETTINGS_S3)
        return 0;
    if (s->s3_key_id == NULL && key_id != NULL)
        s->s3_key_id = str_dup(key_id);
    if (find_secret(&s->s3_secret, s->s3_secret_file, config, "s3_secret", "CODETELEPORT_S3_SECRET",
                    err) != 0)
        return -1;
    if (is_missing(s->s3_endpoint) || is_missing(s->s3_bucket) || is_missing(s->s3_key_id) ||
        is_missing(s->s3_secret))
        return err_set(err, ERR_CONFIG,
                       "storage = \"s3\" needs s3_endpoint, s3_bucket, s3_key_id and s3_secret (or "
                       "s3_secret_file, or CODETELEPORT_S3_SECRET in the environment)");
    if (s->s3_region == NULL)
        s->s3_region = str_dup("auto");
    return 0;
}

static int check_database(struct settings *s, const char *config, struct ct_err *err)
{
    if (s->database != NULL && strcmp(s->database, "sqlite") == 0) {
        free(s->database);
        s->database = NULL;
    }
    if (s->database == NULL)
        return 0;
    if (strncmp(s->database, "libsql://", 9) != 0 && !api_url_is_http(s->database))
        return err_set(err, ERR_CONFIG,
                       "database has to be \"sqlite\" or \"libsql://HOST[:PORT]\"");
    return find_secret(&s->database_token, s->database_token_file, config, "database_token",
                       "CODETELEPORT_DATABASE_TOKEN", err);
}

int settings_places_check(struct settings *s, const char *config, struct ct_err *err)
{
    return check_storage(s, config, err) != 0 ? -1 : check_database(s, config, err);
}
