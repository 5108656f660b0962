#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "tests/server/ledger_place.h"

#include "tests/server/ledger_lab.h"

const struct ledger_limits lab_no_limits = {0, 0};

static void who_of(struct ledger_lab *r, const char *user_id, const char *sha,
                   struct ledger_who *ret)
{
    const struct ledger_new_token t = {
        .name = sha, .sha256 = sha, .last4 = "last", .now_ms = r->now};
    char id[UUID_SIZE], device_id[UUID_SIZE];
    struct ct_err err;

    assert_int_equal(ledger_token_add(r->l, user_id, &t, id, device_id, &err), 0);
    assert_int_equal(ledger_token_find(r->l, sha, r->now, ret, &err), 0);
    assert_string_equal(ret->token_id, id);
}

int lab_set_up(void **state)
{
    const struct ledger_new_user new_al = {"al@example.org", "hash", 1, T0};
    const struct ledger_new_user new_bo = {"bo@example.org", "hash", 1, T0};
    struct ledger_lab *r = str_calloc(1, sizeof(*r));
    char al[UUID_SIZE], bo[UUID_SIZE];
    struct ct_err err;

    strcpy(r->dir, "/tmp/ct-ledger.XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    r->path = path_join(r->dir, "server.db");
    r->now = T0;
    assert_int_equal(ledger_place_wipe(&err), 0);
    assert_int_equal(ledger_place_open(r->path, &r->l, &err), 0);
    assert_int_equal(ledger_user_add(r->l, &new_al, al, &err), 0);
    assert_int_equal(ledger_user_add(r->l, &new_bo, bo, &err), 0);
    who_of(r, al, "a1", &r->al);
    who_of(r, al, "a2", &r->al2);
    who_of(r, bo, "b1", &r->bo);
    memcpy(r->al_in.user_id, al, UUID_SIZE);
    *state = r;
    return 0;
}

int lab_tear_down(void **state)
{
    struct ledger_lab *r = *state;
    char *cmd = str_printf("rm -rf '%s'", r->dir);
    int rc;

    ledger_close(r->l);
    rc = system(cmd);
    free(cmd);
    free(r->path);
    free(r);
    return rc;
}

struct api_upload_req lab_request(void)
{
    struct api_upload_req q = {.session_id = str_dup(S),
                               .source_machine = str_dup("m"),
                               .source_cwd = str_dup("/home/al"),
                               .source_user_dir = str_dup("/home/al"),
                               .size_bytes = 10,
                               .base_version = -1};

    strcpy(q.checksum, SUM);
    return q;
}

int64_t lab_reserve_at(struct ledger_lab *r, const struct ledger_who *who, struct api_upload_req q,
                       const struct ledger_limits *limits)
{
    struct ledger_reserved res;
    struct ct_err err;
    int rc = ledger_reserve(r->l, who, &q, limits, r->now, &res, &err);

    api_upload_req_clear(&q);
    return rc == 0 ? res.version : -(int64_t)err.code;
}

int64_t lab_reserve_req(struct ledger_lab *r, const struct ledger_who *who, struct api_upload_req q)
{
    return lab_reserve_at(r, who, q, &lab_no_limits);
}

int64_t lab_reserve(struct ledger_lab *r, const struct ledger_who *who)
{
    return lab_reserve_req(r, who, lab_request());
}

int lab_confirm(struct ledger_lab *r, const struct ledger_who *who, int64_t version, int keep)
{
    struct ct_err err = {0};

    return ledger_confirm(r->l, who, S, version, keep, r->now, &err) == 0 ? 0 : (int)err.code;
}

int64_t lab_push(struct ledger_lab *r, const struct ledger_who *who, int keep)
{
    int64_t v = lab_reserve(r, who);

    assert_true(v > 0);
    assert_int_equal(lab_confirm(r, who, v, keep), 0);
    r->now += 1000;
    return v;
}

int64_t lab_newest(struct ledger_lab *r, const struct ledger_who *who)
{
    struct api_confirm_req q = {0};
    struct ledger_pending p;
    struct ct_err err;

    if (ledger_pending(r->l, who, S, &q, r->now, &p, &err) != 0)
        return 0;
    return p.confirmed ? -p.version : p.version;
}

int lab_pending_code(struct ledger_lab *r, const struct ledger_who *who, int64_t version,
                     const char *sum)
{
    struct api_confirm_req q = {.version = version};
    struct ledger_pending p;
    struct ct_err err = {0};

    strcpy(q.checksum, sum);
    return ledger_pending(r->l, who, S, &q, r->now, &p, &err) == 0 ? 0 : (int)err.code;
}

const char *lab_listed(struct ledger_lab *r, const char *user_id, char buf[256])
{
    struct ledger_who who = {0};
    struct json_object *o, *rows;
    struct ct_err err;

    memcpy(who.user_id, user_id, UUID_SIZE);
    buf[0] = '\0';
    if (ledger_versions(r->l, &who, S, 1000, 0, &o, &err) != 0)
        return buf;
    rows = jdoc_array(o, "versions");
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        sprintf(buf + strlen(buf), "%s%d", i > 0 ? " " : "",
                (int)jdoc_int(json_object_array_get_idx(rows, i), "version", 0));
    json_object_put(o);
    return buf;
}

int64_t lab_total(struct ledger_lab *r, const char *user_id)
{
    struct ledger_filter f = {.limit = 100};
    struct ledger_who who = {0};
    struct json_object *o;
    struct ct_err err;
    int64_t n;

    memcpy(who.user_id, user_id, UUID_SIZE);
    assert_int_equal(ledger_sessions(r->l, &who, &f, &o, &err), 0);
    n = jdoc_int(o, "total", -1);
    assert_int_equal(json_object_array_length(jdoc_array(o, "sessions")), n);
    json_object_put(o);
    return n;
}
