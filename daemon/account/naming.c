#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "common/data/names.h"
#include "daemon/account/books.h"
#include "daemon/account/login_view.h"
#include "daemon/account/cloud_impl.h"

#include "daemon/account/naming.h"

struct json_object *naming_of(struct daemon *d, const char *session_id)
{
    struct json_object *doc = NULL;
    sqlite3_stmt *st;
    struct db *db;

    if (d->books == NULL)
        return NULL;
    db = state_db(d->books->state);
    if (db_query(db, NULL, &st, "SELECT doc FROM names WHERE session_id = ?", "s", session_id) != 0)
        return NULL;
    if (db_step(db, st, NULL) == 1)
        jdoc_parse(db_text(st, 0), strlen(db_text(st, 0)), &doc, NULL);
    db_done(st);
    return doc;
}

/* Was just that told with a version already?  A server may drop what it does not know. */
static int was_told(struct daemon *d, const char *session_id)
{
    return db_int(state_db(d->books->state), 0,
                  "SELECT count(*) FROM names WHERE session_id = ? AND told = doc", "s",
                  session_id) > 0;
}

static int put(struct daemon *d, const char *session_id, struct json_object *doc,
               struct ct_err *err)
{
    return db_exec(state_db(d->books->state), err,
                   "INSERT INTO names(session_id, doc) VALUES (?,?)"
                   " ON CONFLICT (session_id) DO UPDATE SET doc = excluded.doc",
                   "ss", session_id, jdoc_text(doc));
}

/* It goes up once more as it is, with its names; if it waits to go up anyway, with that.  That is
 * no news: it hides nothing that another machine has said. */
static int renew(struct daemon *d, const char *session_id, struct ct_err *err)
{
    if (state_renew_names(d->books->state, session_id, err) != 0)
        return -1;
    sessions_touch(d, session_id, 0, 0);
    return 0;
}

static int set_tags(struct json_object *doc, const struct json_object *params, const char *key,
                    int is_on, const char *by, struct ct_err *err)
{
    struct json_object *list = jdoc_array(params, key);

    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const char *tag = json_object_get_string(json_object_array_get_idx(list, i));
        if (names_set_tag(doc, tag != NULL ? tag : "", is_on, by, now_wall_ms(), err) != 0)
            return -1;
    }
    return 0;
}

static int apply(struct daemon *d, const char *session_id, const struct json_object *params,
                 struct json_object **ret, struct ct_err *err)
{
    struct json_object *old = naming_of(d, session_id), *said;
    struct json_object *doc = names_merge(old, NULL, now_wall_ms());
    const char *title = jdoc_str(params, "title"), *email, *url, *device, *why;
    int rc = 0;

    login_view_look(d->login, &email, &url, &device, &why);
    if (title != NULL)
        rc = names_set_title(doc, title, device, now_wall_ms(), err);
    if (rc == 0)
        rc = set_tags(doc, params, "add", 1, device, err);
    if (rc == 0)
        rc = set_tags(doc, params, "remove", 0, device, err);
    said = names_merge(doc, NULL, now_wall_ms());
    if (rc == 0)
        rc = put(d, session_id, said, err);
    json_object_put(doc);
    json_object_put(old);
    *ret = said;
    if (rc != 0)
        json_object_put(said);
    return rc;
}

int naming_change(struct daemon *d, const char *session_id, const struct json_object *params,
                  struct json_object **ret, struct ct_err *err)
{
    struct state_session ss = {0};
    struct json_object *doc;
    int is_gone, waits;

    if (d->books == NULL)
        return err_set(err, ERR_AUTH,
                       "not logged in; what a session is called is kept with the "
                       "account: ctctl login");
    is_gone = state_get(d->books->state, session_id, &ss) && ss.is_archived;
    waits = ss.elsewhere > 0;
    state_session_clear(&ss);
    if (is_gone)
        return err_set(err, ERR_REFUSED,
                       "session %.8s is not on this machine any more, and its name is kept with "
                       "its versions; bring it back first: ctctl pull %.8s",
                       session_id, session_id);
    if (apply(d, session_id, params, &doc, err) != 0)
        return -1;
    if (renew(d, session_id, err) != 0) {
        json_object_put(doc);
        return -1;
    }
    *ret = json_object_new_object();
    jdoc_set_str(*ret, "sessionId", session_id);
    jdoc_set_str(*ret, "title", names_title(doc));
    json_object_object_add(*ret, "tags", names_tags(doc));
    jdoc_set_bool(*ret, "waits", waits);
    json_object_put(doc);
    return 0;
}

void naming_describe(struct daemon *d, const char *session_id, struct json_object *metadata)
{
    struct json_object *doc = naming_of(d, session_id);

    if (doc == NULL)
        return;
    db_exec(state_db(d->books->state), NULL, "UPDATE names SET told = doc WHERE session_id = ?",
            "s", session_id);
    json_object_object_add(metadata, "names", doc);
}

void naming_see(struct daemon *d, const char *session_id, const struct json_object *metadata,
                int is_told)
{
    struct json_object *theirs = jdoc_obj(metadata, "names"), *ours, *both, *plain;
    struct state_session ss = {0};
    struct ct_err err;

    ours = naming_of(d, session_id);
    if (theirs == NULL && ours == NULL)
        return;
    both = names_merge(ours, theirs, now_wall_ms());
    plain = names_merge(theirs, NULL, now_wall_ms());
    if (!names_is_none(both) && (ours == NULL || strcmp(jdoc_text(ours), jdoc_text(both)) != 0) &&
        put(d, session_id, both, &err) != 0)
        log_warn("names session=%s error=\"%s\"", session_id, err.msg);
    if (is_told && strcmp(jdoc_text(plain), jdoc_text(both)) != 0 && !was_told(d, session_id) &&
        state_get(d->books->state, session_id, &ss) && !ss.is_renewed &&
        renew(d, session_id, &err) != 0)
        log_warn("names session=%s error=\"%s\"", session_id, err.msg);
    state_session_clear(&ss);
    json_object_put(plain);
    json_object_put(both);
    json_object_put(ours);
}
