#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/agent.h"
#include "bundle/open/generations.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/data/names.h"
#include "ctctl/ui/text.h"

#include "ctctl/cloud/item.h"

#define OPENED "opened"
#define LOCKED "sealed"
#define CURE_BARE \
    "; ctctl pull brings it, by the id that ctctl list --cloud shows or by its whole own one, " \
    "and a " \
    "machine that has it saves it anew"
#define CURE "; bring it here with: ctctl key import"

int item_refused(struct ct_err *err)
{
    size_t n = strlen(err->msg);

    if (strcmp(err->reason, KEY_MISSING) == 0 && strstr(err->msg, "ctctl key import") == NULL)
        snprintf(err->msg + n, sizeof(err->msg) - n, "%s", CURE);
    else if (strcmp(err->reason, SEALED_BARE) == 0)
        snprintf(err->msg + n, sizeof(err->msg) - n, "%s", CURE_BARE);
    return -1;
}

int item_rollback(struct ct_err *err, const char *session_id, int64_t generation, int64_t seen)
{
    err_set(err, ERR_REFUSED,
            "the server has gone back in time: it hands out state %" PRId64
            " of session %.8s as the newest, and this device has seen state %" PRId64
            ". An older copy of the server was restored, a version was deleted, or somebody means "
            "to deceive you. ctctl versions %.8s lists what there is; to have one of them all the "
            "same, name it with --version",
            generation, session_id, seen, session_id);
    snprintf(err->reason, sizeof(err->reason), "%s", ITEM_ROLLBACK);
    return -1;
}

/* ---- opening -----------------------------------------------------------------------------------
 */

int64_t item_highest(struct ctx *c, struct json_object *rows, const char *wire_id)
{
    size_t n = rows != NULL ? json_object_array_length(rows) : 0;
    struct sealed_facts f;
    int64_t highest = 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *metadata =
            jdoc_obj(json_object_array_get_idx(rows, i), "metadata");
        if (!sealed_is(metadata) ||
            sealed_open(ctx_ring(c, NULL), wire_id, metadata, &f, NULL) != 0)
            continue;
        if (f.generation > highest && !f.is_retired)
            highest = f.generation;
        sealed_facts_clear(&f);
    }
    return highest;
}

static void add_opened(struct ctx *c, struct json_object *item, const struct sealed_facts *f,
                       enum item_age age)
{
    struct json_object *o = json_object_new_object();
    const char *dir = age == ITEM_NEWEST ? ctx_account_dir(c) : NULL;
    int64_t seen = dir != NULL ? generations_highest(dir, f->session_id) : 0;

    jdoc_set_str(o, "sessionId", f->session_id);
    jdoc_set_str(o, "sourceMachine", f->source_machine);
    jdoc_set_str(o, "sourceCwd", f->source_cwd);
    jdoc_set_str(o, "sourceUserDir", f->source_user_dir);
    json_object_object_add(o, "metadata", json_object_get(f->metadata));
    jdoc_set_int(o, "generation", f->generation);
    jdoc_set_str(o, "keyId", f->key_id);
    if (f->device[0] != '\0')
        jdoc_set_str(o, "deviceId", f->device);
    if (f->is_retired)
        jdoc_set_bool(o, "retired", 1);
    if (f->origin != TRUST_OWN)
        jdoc_set_str(o, "origin", trust_name(f->origin));
    if (f->generation < seen &&
        item_highest(c, jdoc_array(item, "heads"), item_wire_id(item)) < seen)
        jdoc_set_int(o, "seenGeneration", seen);
    else if (dir != NULL)
        (void)generations_note(dir, f->session_id, f->generation, NULL);
    json_object_object_add(item, OPENED, o);
}

static void add_locked(struct json_object *item, struct ct_err *err)
{
    struct json_object *o = json_object_new_object();
    struct seal_header header;
    char hex[KEY_ID_HEX];

    item_refused(err);
    if (sealed_peek(jdoc_obj(item, "metadata"), &header, NULL) == 0) {
        hash_hex(header.key_id, sizeof(header.key_id), hex);
        jdoc_set_str(o, "keyId", hex);
    } else {
        jdoc_set_null(o, "keyId");
    }
    jdoc_set_str(o, "code", err_name(err->code));
    jdoc_set_str(o, "reason", err->reason);
    jdoc_set_str(o, "message", err->msg);
    json_object_object_add(item, LOCKED, o);
}

void item_open(struct ctx *c, struct json_object *item, const char *wire_id, enum item_age age)
{
    struct json_object *metadata = jdoc_obj(item, "metadata");
    const struct keyring *ring;
    struct sealed_facts facts;
    struct ct_err e = {0};

    json_object_object_del(item, OPENED);
    json_object_object_del(item, LOCKED);
    if (!sealed_is(metadata))
        return;
    c->has_seen_sealed = 1;
    ring = ctx_ring(c, &e);
    if (ring == NULL || sealed_open(ring, wire_id, metadata, &facts, &e) != 0) {
        add_locked(item, &e);
        return;
    }
    add_opened(c, item, &facts, age);
    sealed_facts_clear(&facts);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

int item_is_sealed(const struct json_object *item)
{
    return jdoc_obj(item, OPENED) != NULL || jdoc_obj(item, LOCKED) != NULL;
}

const char *item_device_id(const struct json_object *item)
{
    return jdoc_str(jdoc_obj(item, OPENED), "deviceId");
}

int item_is_retired(const struct json_object *item)
{
    return jdoc_bool(jdoc_obj(item, OPENED), "retired", 0);
}

int item_is_locked(const struct json_object *item)
{
    return jdoc_obj(item, LOCKED) != NULL;
}

int item_is_bare(const struct json_object *item)
{
    const char *reason = jdoc_str(jdoc_obj(item, LOCKED), "reason");

    return reason != NULL && strcmp(reason, SEALED_BARE) == 0;
}

int item_is_rolled_back(const struct json_object *item)
{
    return jdoc_has(jdoc_obj(item, OPENED), "seenGeneration");
}

enum trust item_trust(const struct json_object *item)
{
    const struct json_object *opened = jdoc_obj(item, OPENED);
    const char *origin = jdoc_str(opened, "origin");

    if (opened == NULL)
        return TRUST_STRANGER;
    return origin != NULL ? trust_parse(origin) : TRUST_OWN;
}

int item_lock(const struct json_object *item, struct ct_err *err)
{
    const struct json_object *o = jdoc_obj(item, LOCKED);
    const char *code = jdoc_str(o, "code"), *reason = jdoc_str(o, "reason");
    const char *message = jdoc_str(o, "message");
    enum err_code is = ERR_REFUSED;

    for (int i = ERR_FAIL; code != NULL && i <= ERR_BUG; i++) {
        if (strcmp(code, err_name((enum err_code)i)) == 0)
            is = (enum err_code)i;
    }
    err_set(err, is, "%s", message != NULL ? message : "sealed");
    if (reason != NULL)
        snprintf(err->reason, sizeof(err->reason), "%s", reason);
    return -1;
}

const char *item_wire_id(const struct json_object *item)
{
    const char *id = jdoc_str(item, "id");

    return id != NULL ? id : jdoc_str(item, "sessionId");
}

const char *item_id(const struct json_object *item)
{
    const char *id = jdoc_str(jdoc_obj(item, OPENED), "sessionId");

    return id != NULL ? id : item_wire_id(item);
}

const char *item_str(const struct json_object *item, const char *key)
{
    const struct json_object *opened = jdoc_obj(item, OPENED);

    if (opened != NULL)
        return jdoc_str(opened, key);
    return item_is_locked(item) ? NULL : jdoc_str(item, key);
}

struct json_object *item_metadata(const struct json_object *item)
{
    const struct json_object *opened = jdoc_obj(item, OPENED);

    if (opened != NULL)
        return jdoc_obj(opened, "metadata");
    return item_is_locked(item) ? NULL : jdoc_obj(item, "metadata");
}

const struct json_object *item_names(const struct json_object *item)
{
    return jdoc_obj(item_metadata(item), "names");
}

struct json_object *item_usage(const struct json_object *item)
{
    struct json_object *own = jdoc_obj(item, "usage");

    return own != NULL ? own : jdoc_obj(item_metadata(item), "usage");
}

static const char *locked_title(const struct json_object *item, char *buf, size_t n)
{
    const struct json_object *o = jdoc_obj(item, LOCKED);
    const char *key = jdoc_str(o, "keyId"), *reason = jdoc_str(o, "reason");

    if (key != NULL && reason != NULL && strcmp(reason, KEY_MISSING) == 0)
        snprintf(buf, n, "sealed, key %.8s not on this device", key);
    else if (item_is_bare(item))
        snprintf(buf, n, "sealed, the title is in the bundle only");
    else
        snprintf(buf, n, "sealed, can't be opened: %s", jdoc_str(o, "message"));
    return buf;
}

/* A title is from a prompt, and stays at home unless the configuration says otherwise. */
static const char *made_up_title(const struct json_object *item, char *buf, size_t n)
{
    const struct json_object *m = item_metadata(item);
    const char *id = jdoc_str(m, "agentId"), *began = jdoc_str(m, "sessionStartedAt"), *agent;
    int64_t messages = jdoc_int(m, "messageCount", 0);
    char when[64] = "", *count = text_count(messages, "message", "messages");

    agent = id != NULL && agent_find(id) == NULL ? id : item_agent(item)->name;
    if (began != NULL)
        text_clock(began, ", %Y-%m-%d %H:%M", when, sizeof(when));
    snprintf(buf, n, "%s%s%s%s", agent, when, messages > 0 ? ", " : "", messages > 0 ? count : "");
    free(count);
    return buf;
}

const struct agent *item_agent(const struct json_object *item)
{
    const char *id = jdoc_str(item_metadata(item), "agentId");
    const struct agent *agent = id != NULL ? agent_find(id) : NULL;

    return agent != NULL ? agent : agent_unnamed();
}

const char *item_title(const struct json_object *item, char *buf, size_t n)
{
    const struct json_object *m = item_metadata(item);
    const char *s;

    if (item_is_locked(item))
        return locked_title(item, buf, n);
    s = item_is_profile(item) ? "what belongs to no session" : names_title(item_names(item));
    if (s == NULL)
        s = item_str(item, "label");
    if (s == NULL)
        s = jdoc_str(m, "summary");
    if (s == NULL)
        s = jdoc_str(item, ITEM_LOCAL_TITLE);
    return s != NULL ? s : made_up_title(item, buf, n);
}

int item_is_profile(const struct json_object *item)
{
    const char *kind = jdoc_str(item_metadata(item), "kind");

    return kind != NULL && strcmp(kind, "profile") == 0;
}
