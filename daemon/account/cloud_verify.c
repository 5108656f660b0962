#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "daemon/account/cloud_impl.h"
#include "daemon/account/login_view.h"

/*
 * A version of this machine's that stands neither as current nor as a head is said to be contained
 * in what does.  That is the server's word on what it was told: if it was put back since, or has
 * dropped the version, nobody said so of this one.  So it has to be on the list of versions, with
 * its checksum; else what stands is looked into, and what it lacks is saved anew.  (Rotation and
 * amending take versions away too: then that finds nothing missing.)  Asked once for each list, and
 * each time that another machine goes on.
 */
static void next(struct cloud *c);

static int is_listed(struct json_object *answer, const struct state_session *ss)
{
    struct json_object *rows = jdoc_array(answer, "versions");
    struct api_head h;

    for (size_t i = 0; rows != NULL && i < json_object_array_length(rows); i++) {
        if (api_head_read(json_object_array_get_idx(rows, i), &h) && h.version == ss->version)
            return h.checksum[0] == '\0' || strcmp(h.checksum + strlen("sha256:"), ss->sha256) == 0;
    }
    return 0;
}

static void on_versions(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct cloud *c = arg;
    struct json_object *answer = NULL;
    struct state_session ss = {0};
    char id[UUID_SIZE];

    (void)net_err;
    c->doubt = NULL;
    if (c->d->state == NULL)
        return;
    snprintf(id, sizeof(id), "%s", c->doubts.v[c->next_doubt++]);
    /* A failure is no harm: what is elsewhere will change again. */
    if (res != NULL && res->status == 200 && api_answer(res, &answer, NULL) == 0 &&
        state_get(c->d->state, id, &ss) && ss.version > 0 && ss.sha256[0] != '\0' &&
        map_get(c->since, id) == NULL && !is_listed(answer, &ss))
        cloud_is_gone(c, &ss);
    state_session_clear(&ss);
    json_object_put(answer);
    next(c);
}

static void next(struct cloud *c)
{
    const struct cred *cred = login_view_cred(c->d->login);
    struct state_session ss = {0};
    char *path;

    while (c->doubt == NULL && cred != NULL && c->next_doubt < c->doubts.n) {
        const char *id = c->doubts.v[c->next_doubt];
        state_get(c->d->state, id, &ss);
        path = api_session_path(ss.wire_id[0] != '\0' ? ss.wire_id : id, "/versions");
        api_request_free(c->doubt_request);
        api_request_new(cred->api_url, cred->token, "GET", path, NULL, &c->doubt_request);
        if (api_start(c->d->engine, c->doubt_request, on_versions, c, &c->doubt, NULL) != 0) {
            c->doubt = NULL;
            c->next_doubt++;
        }
        free(path);
        state_session_clear(&ss);
    }
    if (c->doubt != NULL)
        return;
    strlist_free(&c->doubts);
    c->next_doubt = 0;
    if (c->is_looked_late) {
        c->is_looked_late = 0;
        cloud_looked(c, 1);
    }
    cloud_settle(c);
}

void cloud_verify(struct cloud *c, const char *session_id)
{
    map_put(c->verified, session_id, c);
    strlist_add(&c->doubts, session_id);
    next(c);
}

void cloud_verify_stop(struct cloud *c)
{
    if (c->doubt != NULL)
        http_cancel(c->doubt);
    c->doubt = NULL;
    c->is_looked_late = 0;
    api_request_free(c->doubt_request);
    c->doubt_request = NULL;
    strlist_free(&c->doubts);
    c->next_doubt = 0;
}
