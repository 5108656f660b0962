#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/now.h"
#include "common/base/str.h"

#include "server/store/s3_impl.h"

#define TIMEOUT_MS 30000
#define STRANGER "https://codeteleport.invalid" /* a name that nobody can have */

/* What a browser goes by. */
struct leave {
    char *origin; /* Access-Control-Allow-Origin, or NULL */
};

static void find_leave(void *arg, const char *name, const char *value)
{
    struct leave *l = arg;

    if (strcasecmp(name, "Access-Control-Allow-Origin") != 0)
        return;
    free(l->origin);
    l->origin = str_dup(value);
}

/* GET the trial's object as a page of ${origin} would: 1 if that page may read it, 0, -1. */
static int lets_read(struct s3 *s, const char *origin, struct ct_err *err)
{
    char *url = store_presign_get(&s->store, s3_trial_key, now_wall_ms());
    char *line = str_printf("Origin: %s", origin);
    struct strlist headers = {0};
    struct http_req http = HTTP_REQ_INIT;
    struct http_res res = {0};
    struct leave l = {0};
    int rc;

    strlist_add(&headers, line);
    http.method = "GET";
    http.url = url;
    http.headers = &headers;
    http.timeout_ms = TIMEOUT_MS;
    http.header = find_leave;
    http.header_arg = &l;
    rc = http_pool_perform(s->pool, &http, &res, err);
    if (rc == 0 && res.status != 200)
        rc = s3_refused(s, &res, "hand out an object", err);
    if (rc == 0)
        rc = l.origin != NULL && (strcmp(l.origin, "*") == 0 || strcmp(l.origin, origin) == 0);
    http_res_free(&res);
    free(l.origin);
    strlist_free(&headers);
    free(line);
    str_wipe(url, strlen(url));
    free(url);
    return rc < 0 ? err_prefix(err, "asked as by a page of %s", origin) : rc;
}

static int look(struct s3 *s, const char *origin, struct ct_err *err)
{
    int rc = lets_read(s, origin, err);

    if (rc < 0)
        return -1;
    if (rc == 0)
        return err_set(err, ERR_CONFIG,
                       "the bucket does not let the pages of %s read what is shared (CORS)",
                       origin);
    rc = lets_read(s, STRANGER, err);
    if (rc > 0)
        return err_set(err, ERR_CONFIG,
                       "the bucket lets every page in a browser read what it has a URL for, not "
                       "only those of %s (CORS)",
                       origin);
    return rc;
}

int s3_shows(struct store *store, const char *origin, struct ct_err *err)
{
    struct s3 *s = (struct s3 *)store;
    int rc;

    if (s3_trial_put(s, err) != 0)
        return -1;
    rc = look(s, origin, err);
    (void)s->store.ops->remove(store, s3_trial_key, NULL);
    return rc;
}
