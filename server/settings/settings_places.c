#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "api/api.h"

#include "server/settings/settings_impl.h"

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
    if (settings_find_secret(&s->s3_secret, s->s3_secret_file, config, "s3_secret",
                             "CODETELEPORT_S3_SECRET", err) != 0)
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
    return settings_find_secret(&s->database_token, s->database_token_file, config,
                                "database_token", "CODETELEPORT_DATABASE_TOKEN", err);
}

static int is_https(const struct settings *s, const char *url)
{
    return url != NULL ? strncmp(url, "https://", 8) == 0 : s->tls == SETTINGS_TLS_ON;
}

int settings_check_way(const struct settings *s, struct ct_err *err)
{
    int is_s3 = s->storage == SETTINGS_S3;

    if (!is_https(s, s->public_api_url) ||
        is_https(s, is_s3 ? s->s3_endpoint : s->public_objects_url))
        return 0;
    if (is_s3)
        return err_set(
            err, ERR_CONFIG,
            "clients reach the API by https and refuse to be sent to %s: give the store a "
            "certificate, its own or that of a proxy before it, and set s3_endpoint to "
            "that https:// address (and ca_file, if it is of a private CA)",
            s->s3_endpoint);
    return err_set(
        err, ERR_CONFIG,
        "clients reach the API by https and refuse to be sent to objects at http://: set "
        "public_objects_url to the https:// address of the proxy before the objects");
}

int settings_places_check(struct settings *s, const char *config, struct ct_err *err)
{
    return check_storage(s, config, err) != 0 ? -1 : check_database(s, config, err);
}
