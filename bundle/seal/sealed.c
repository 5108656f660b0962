#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "bundle/seal/sealed.h"

#define MEMBER "sealed"

static int into_buf(void *arg, const void *p, size_t n, struct ct_err *err)
{
    (void)err;
    buf_add(arg, p, n);
    return 0;
}

/* ---- making ----------------------------------------------------------------------------------
 */

/* Other devices are to know that there is a list of what these had sealed. */
static void add_retired(const struct keyring *ring, struct json_object *o)
{
    struct json_object *ids = json_object_new_array();

    for (size_t i = 0; i + 1 < keyring_n(ring); i++) {
        const char *id = keyring_at(ring, i)->id_hex;
        if (keyring_is_retired(ring, id))
            json_object_array_add(ids, json_object_new_string(id));
    }
    if (json_object_array_length(ids) > 0)
        json_object_object_add(o, "retired", ids);
    else
        json_object_put(ids);
}

/* Blanks at the end, which JSON allows, so that nothing else has to say how long it is. */
static int compose(const struct keyring *ring, const struct sealed_facts *f, struct buf *ret,
                   struct ct_err *err)
{
    struct json_object *o = json_object_new_object();
    char hex[2 * SEAL_OBJECT_ID_BYTES + 1];

    jdoc_set_str(o, "sessionId", f->session_id);
    jdoc_set_str(o, "sourceMachine", f->source_machine);
    jdoc_set_str(o, "sourceCwd", f->source_cwd);
    jdoc_set_str(o, "sourceUserDir", f->source_user_dir);
    json_object_object_add(o, "metadata", json_object_get(f->metadata));
    jdoc_set_str(o, "contentId", f->content_id);
    jdoc_set_int(o, "gzipBytes", f->gzip_bytes);
    hash_hex(f->object_id, SEAL_OBJECT_ID_BYTES, hex);
    jdoc_set_str(o, "objectId", hex);
    jdoc_set_int(o, "generation", f->generation);
    jdoc_set_str(o, "idsKey", keyring_first(ring)->id_hex);
    if (f->origin != TRUST_OWN)
        jdoc_set_str(o, "origin", trust_name(f->origin));
    if (f->device[0] != '\0')
        jdoc_set_str(o, "device", f->device);
    add_retired(ring, o);
    buf_addstr(ret, jdoc_text(o));
    json_object_put(o);
    while (ret->len % SEALED_STEP != 0)
        buf_addc(ret, ' ');
    if (ret->len > SEALED_MAX)
        return err_set(err, ERR_REFUSED, "the session's description is too large to be sealed");
    return 0;
}

static int seal(const struct key *key, int64_t generation, const struct buf *text, struct buf *ret,
                struct ct_err *err)
{
    struct seal_header h = {.kind = SEAL_METADATA, .is_padded = 1, .generation = generation};
    struct sealer *s;
    int rc = -1;

    hash_random(h.object_id, sizeof(h.object_id));
    if (sealer_new(key, &h, into_buf, ret, &s, err) != 0)
        return -1;
    if (sealer_add(s, text->data, text->len, err) == 0 && sealer_end(s, err) == 0)
        rc = 0;
    sealer_free(s);
    return rc;
}

int sealed_make(const struct keyring *ring, const struct sealed_facts *facts,
                struct json_object **ret, struct ct_err *err)
{
    struct buf text = {0}, sealed = {0};
    char *base64;
    int rc = -1;

    if (keyring_n(ring) == 0) {
        err_set(err, ERR_REFUSED, "there is no key to seal with; run: ctctl key init");
        return -1;
    }
    if (compose(ring, facts, &text, err) == 0 &&
        seal(keyring_current(ring), facts->generation, &text, &sealed, err) == 0) {
        base64 = hash_base64(sealed.data, sealed.len);
        *ret = json_object_new_object();
        jdoc_set_str(*ret, MEMBER, base64);
        free(base64);
        rc = 0;
    }
    buf_free(&text);
    buf_free(&sealed);
    return rc;
}

/* ---- reading ---------------------------------------------------------------------------------
 */

int sealed_is(const struct json_object *metadata)
{
    return jdoc_str(metadata, MEMBER) != NULL;
}

void sealed_digest(const struct json_object *metadata, char ret[HASH_SHA256_HEX])
{
    const char *s = jdoc_str(metadata, MEMBER);

    hash_sha256_hex(s != NULL ? s : "", s != NULL ? strlen(s) : 0, ret);
}

/* Does the key still vouch for it? */
static void judge_key(const struct keyring *ring, const struct json_object *metadata,
                      struct sealed_facts *f)
{
    char digest[HASH_SHA256_HEX];

    sealed_digest(metadata, digest);
    f->is_retired = !keyring_vouches(ring, f->key_id, digest);
    if (f->is_retired)
        f->origin = TRUST_STRANGER;
}

static int decode(const struct json_object *metadata, struct buf *ret, struct ct_err *err)
{
    const char *s = jdoc_str(metadata, MEMBER);

    if (s == NULL)
        return err_set(err, ERR_CORRUPT, "the session's description is not sealed");
    if (strlen(s) > 2 * SEALED_MAX)
        return err_set(err, ERR_CORRUPT, "the session's sealed description is too large");
    if (hash_unbase64(s, strlen(s), ret) != 0)
        return err_set(err, ERR_CORRUPT, "the session's sealed description is not base64");
    return 0;
}

/* The header of a bundle, and nothing else. */
static int is_bare(const struct buf *sealed)
{
    struct seal_header h;

    return sealed->len == SEAL_HEADER_BYTES &&
           seal_parse_header(sealed->data, sealed->len, &h, NULL) == 0 && h.kind == SEAL_BUNDLE;
}

int sealed_peek(const struct json_object *metadata, struct seal_header *ret, struct ct_err *err)
{
    struct buf sealed = {0};
    struct ct_err e = {0};
    int rc = decode(metadata, &sealed, &e);

    if (rc == 0 && seal_parse_header(sealed.data, sealed.len, ret, &e) != 0)
        rc = err_prefix(&e, "the session's sealed description");
    if (rc == 0 && ret->kind != SEAL_METADATA && !is_bare(&sealed))
        rc = err_set(&e, ERR_CORRUPT, "what should describe the session is sealed as a bundle");
    buf_free(&sealed);
    if (rc != 0 && err != NULL)
        *err = e;
    return rc;
}

static int unseal(const struct keyring *ring, const struct buf *sealed, struct buf *text,
                  struct seal_header *ret, struct ct_err *err)
{
    struct unsealer *u = unsealer_new(ring, SEAL_METADATA, into_buf, text);
    int rc = -1;

    if (unsealer_add(u, sealed->data, sealed->len, err) == 0 && unsealer_end(u, err) == 0) {
        *ret = *unsealer_header(u);
        rc = 0;
    }
    unsealer_free(u);
    return rc;
}

static char *text_of(const struct json_object *o, const char *key)
{
    const char *s = jdoc_str(o, key);

    return str_dup(s != NULL ? s : "");
}

/* Without a word it is one's own: so are descriptions of before there was one. */
static enum trust origin_in(const struct json_object *o)
{
    const char *s = jdoc_str(o, "origin");

    return s != NULL ? trust_parse(s) : jdoc_has(o, "origin") ? TRUST_STRANGER : TRUST_OWN;
}

/* Sealed by one of our keys, so these are mistakes or a newer version, and no attack. */
static int read_facts(const struct json_object *o, struct sealed_facts *f, struct ct_err *err)
{
    const char *id = jdoc_str(o, "sessionId"), *content = jdoc_str(o, "contentId");
    const char *object = jdoc_str(o, "objectId"), *ids = jdoc_str(o, "idsKey");
    const char *device = jdoc_str(o, "device");
    unsigned char ignored[HASH_SHA256_BYTES];

    if (id == NULL || !uuid_is_valid(id) || content == NULL ||
        hash_unhex(content, ignored, HASH_SHA256_BYTES) != 0 || object == NULL ||
        hash_unhex(object, f->object_id, SEAL_OBJECT_ID_BYTES) != 0 || ids == NULL ||
        hash_unhex(ids, ignored, KEY_ID_BYTES) != 0)
        return err_set(err, ERR_CORRUPT, "the session's sealed description is not right");
    snprintf(f->session_id, sizeof(f->session_id), "%s", id);
    snprintf(f->content_id, sizeof(f->content_id), "%s", content);
    snprintf(f->ids_key, sizeof(f->ids_key), "%s", ids);
    f->source_machine = text_of(o, "sourceMachine");
    f->source_cwd = text_of(o, "sourceCwd");
    f->source_user_dir = text_of(o, "sourceUserDir");
    f->metadata = json_object_get(jdoc_obj(o, "metadata"));
    f->gzip_bytes = jdoc_int(o, "gzipBytes", -1);
    f->generation = jdoc_int(o, "generation", -1);
    f->origin = origin_in(o);
    if (device != NULL && uuid_is_valid(device))
        snprintf(f->device, sizeof(f->device), "%s", device);
    return 0;
}

/* Which key does a later one call retired, that is none here?  (An older one has no say.) */
static void note_retired(const struct keyring *ring, const struct json_object *o,
                         struct sealed_facts *f)
{
    struct json_object *ids = jdoc_array(o, "retired");

    for (size_t i = 0; i < keyring_n(ring); i++) {
        const char *id = keyring_at(ring, i)->id_hex;
        if (strcmp(id, f->key_id) == 0)
            return;
        for (size_t k = 0; ids != NULL && k < json_object_array_length(ids); k++) {
            const char *named = json_object_get_string(json_object_array_get_idx(ids, k));
            if (named != NULL && strcmp(named, id) == 0 && !keyring_is_retired(ring, id))
                snprintf(f->lacking, sizeof(f->lacking), "%s", id);
        }
    }
}

/* Is it what the server says it is?  It can't forge one, but it can mix them up. */
static int judge(const struct keyring *ring, const char *wire_id, const struct sealed_facts *f,
                 const struct seal_header *h, struct ct_err *err)
{
    unsigned char ids_key[KEY_ID_BYTES];
    const struct key *ids;
    char opaque[UUID_SIZE];

    if (f->generation != h->generation)
        return err_set(err, ERR_CORRUPT, "the session's sealed description lies about its age");
    hash_unhex(f->ids_key, ids_key, KEY_ID_BYTES);
    ids = keyring_find(ring, ids_key);
    if (ids == NULL) {
        err_set(err, ERR_REFUSED, "sealed, key %s not on this device", f->ids_key);
        snprintf(err->reason, sizeof(err->reason), "%s", KEY_MISSING);
        return -1;
    }
    key_opaque_id(ids, f->session_id, opaque);
    if (strcmp(opaque, wire_id) != 0)
        return err_set(err, ERR_CORRUPT, "the server's description of session %s is another's",
                       wire_id);
    return 0;
}

static int open_text(const struct keyring *ring, const char *wire_id, const struct buf *text,
                     const struct seal_header *h, struct sealed_facts *ret, struct ct_err *err)
{
    struct sealed_facts f = {0};
    struct json_object *o;
    int rc;

    if (jdoc_parse(text->data, text->len, &o, err) != 0)
        return err_prefix(err, "the session's sealed description");
    rc = read_facts(o, &f, err);
    if (rc == 0)
        rc = judge(ring, wire_id, &f, h, err);
    hash_hex(h->key_id, KEY_ID_BYTES, f.key_id);
    if (rc == 0)
        note_retired(ring, o, &f);
    json_object_put(o);
    if (rc == 0)
        *ret = f;
    else
        sealed_facts_clear(&f);
    return rc;
}

/* What it is may be told by the bundle, to whoever has the key. */
static int refuse_bare(const struct keyring *ring, const struct buf *sealed, struct ct_err *err)
{
    char hex[KEY_ID_HEX];
    struct seal_header h;
    int is_key_here;

    seal_parse_header(sealed->data, sealed->len, &h, NULL);
    is_key_here = keyring_find(ring, h.key_id) != NULL;
    hash_hex(h.key_id, KEY_ID_BYTES, hex);
    if (is_key_here)
        err_set(err, ERR_REFUSED,
                "sealed, and its description was lost with the server's database");
    else
        err_set(err, ERR_REFUSED, "sealed, key %s not on this device", hex);
    snprintf(err->reason, sizeof(err->reason), "%s", is_key_here ? SEALED_BARE : KEY_MISSING);
    return -1;
}

/* Base64, then the seal, down to the JSON text. */
static int open_seal(const struct keyring *ring, const struct json_object *metadata,
                     struct buf *ret_text, struct seal_header *ret, struct ct_err *err)
{
    struct buf sealed = {0};
    int rc = decode(metadata, &sealed, err);

    if (rc == 0 && is_bare(&sealed)) {
        rc = refuse_bare(ring, &sealed, err);
    } else if (rc == 0) {
        rc = unseal(ring, &sealed, ret_text, ret, err);
        if (rc != 0 && strcmp(err->reason, KEY_MISSING) != 0)
            err_prefix(err, "the session's sealed description");
    }
    buf_free(&sealed);
    return rc;
}

int sealed_open(const struct keyring *ring, const char *wire_id, const struct json_object *metadata,
                struct sealed_facts *ret, struct ct_err *err)
{
    struct buf text = {0};
    struct seal_header h;
    struct ct_err e = {0};
    int rc = open_seal(ring, metadata, &text, &h, &e);

    if (rc == 0)
        rc = open_text(ring, wire_id, &text, &h, ret, &e);
    if (rc == 0)
        judge_key(ring, metadata, ret);
    buf_free(&text);
    if (rc != 0 && err != NULL)
        *err = e;
    return rc;
}

int sealed_ids_key(const struct keyring *ring, const struct json_object *metadata,
                   char ret[KEY_ID_HEX], struct ct_err *err)
{
    struct sealed_facts f = {0};
    struct buf text = {0};
    struct json_object *o = NULL;
    struct seal_header h;
    struct ct_err e = {0};
    int rc = open_seal(ring, metadata, &text, &h, &e);

    if (rc == 0)
        rc = jdoc_parse(text.data, text.len, &o, &e);
    if (rc == 0)
        rc = read_facts(o, &f, &e);
    if (rc == 0)
        memcpy(ret, f.ids_key, KEY_ID_HEX);
    sealed_facts_clear(&f);
    json_object_put(o);
    buf_free(&text);
    if (rc != 0 && err != NULL)
        *err = e;
    return rc;
}

void sealed_facts_clear(struct sealed_facts *f)
{
    free(f->source_machine);
    free(f->source_cwd);
    free(f->source_user_dir);
    json_object_put(f->metadata);
    memset(f, 0, sizeof(*f));
}
