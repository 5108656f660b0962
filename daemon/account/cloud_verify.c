#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/str.h"
#include "uploader/beside.h"

#include "daemon/account/cloud_impl.h"
#include "daemon/account/login_view.h"

/*
 * A version of this machine's that stands neither as current nor as a head is said to be contained
 * in what does.  That is the server's word on what it was told: if it was put back since, or has
 * dropped the version, nobody said so of this one.  So it has to be on the list of versions, with
 * its checksum; else what stands is looked into, and what it lacks is saved anew.  (Rotation and
 * amending take versions away too: then that finds nothing missing.)  Asked once, and again when
 * other versions stand than then: what these contain does not change.
 */
static void next(struct cloud *c);

/* An entry of c->doubts: the id, a blank, the mark. */
static void read_doubt(const struct cloud *c, char id[UUID_SIZE], char mark[HASH_SHA256_HEX])
{
    const char *doubt = c->doubts.v[c->next_doubt];

    snprintf(id, UUID_SIZE, "%s", doubt);
    snprintf(mark, HASH_SHA256_HEX, "%s", doubt + UUID_SIZE);
}

static void judge(struct cloud *c, const char *id, const char *mark, struct json_object *answer)
{
    struct state_session ss;

    if (state_get(c->d->books->state, id, &ss) && ss.version > 0 && ss.sha256[0] != '\0' &&
        map_get(c->since, id) == NULL) {
        if (beside_lists(answer, ss.version, ss.sha256))
            state_set_verified(c->d->books->state, id, mark, NULL);
        else
            cloud_is_gone(c, &ss);
    }
    state_session_clear(&ss);
}

static void on_versions(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct cloud *c = arg;
    struct json_object *answer = NULL;
    char id[UUID_SIZE], mark[HASH_SHA256_HEX];

    (void)net_err;
    c->doubt = NULL;
    if (c->d->books == NULL)
        return;
    read_doubt(c, id, mark);
    c->next_doubt++;
    /* A failure is no harm: it is asked once more when the item is seen again. */
    if (res != NULL && res->status == 200 && api_answer(res, &answer, NULL) == 0)
        judge(c, id, mark, answer);
    json_object_put(answer);
    next(c);
}

static void next(struct cloud *c)
{
    const struct cred *cred = login_view_cred(c->d->login);
    struct state_session ss = {0};
    char *path, id[UUID_SIZE], mark[HASH_SHA256_HEX];

    while (c->doubt == NULL && cred != NULL && c->next_doubt < c->doubts.n) {
        read_doubt(c, id, mark);
        state_get(c->d->books->state, id, &ss);
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
    if (c->is_looked_late && !c->is_telling) {
        c->is_looked_late = 0;
        cloud_looked(c, 1);
    }
    cloud_settle(c);
}

void cloud_verify(struct cloud *c, const struct state_session *ss, struct json_object *item)
{
    char mark[HASH_SHA256_HEX], *doubt;

    beside_mark(item, ss->version, ss->sha256, mark);
    if (state_is_verified(c->d->books->state, ss->session_id, mark))
        return;
    doubt = str_printf("%s %s", ss->session_id, mark);
    if (!strlist_has(&c->doubts, doubt))
        strlist_add(&c->doubts, doubt);
    free(doubt);
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
