#include <stdio.h>
#include <string.h>

#include "bundle/open/open.h"
#include "common/base/str.h"

#include "ctctl/cloud/bare.h"

/* The key that makes a session's opaque id is the ring's first, and another where rings were
 * joined. */
static const struct key *ids_key(const struct keyring *ring, const char *session_id,
                                 const char *wire_id)
{
    char opaque[UUID_SIZE];

    for (size_t i = 0; i < keyring_n(ring); i++) {
        key_opaque_id(keyring_at(ring, i), session_id, opaque);
        if (strcmp(opaque, wire_id) == 0)
            return keyring_at(ring, i);
    }
    return NULL;
}

static void read_facts(const struct keyring *ring, const struct opener *o, const char *sha256,
                       struct sealed_facts *f)
{
    const struct seal_header *h = opener_seal(o);
    const struct meta *m = opener_meta(o);

    snprintf(f->session_id, sizeof(f->session_id), "%s", m->session_id);
    snprintf(f->content_id, sizeof(f->content_id), "%s",
             m->content_id != NULL ? m->content_id : "");
    f->source_machine = str_dup("");
    f->source_cwd = str_dup(m->source_cwd);
    f->source_user_dir = str_dup(m->source_user_dir);
    memcpy(f->object_id, h->object_id, sizeof(f->object_id));
    f->generation = h->generation;
    hash_hex(h->key_id, KEY_ID_BYTES, f->key_id);
    f->is_retired = !keyring_vouches(ring, f->key_id, sha256);
    f->origin = TRUST_STRANGER;
}

int bare_describe(const struct keyring *ring, const char *path, const char *wire_id,
                  const char *sha256, struct sealed_facts *ret, struct ct_err *err)
{
    const struct open_opts opts = {.unseal = {.ring = ring, .must_be_sealed = 1},
                                   .trust = TRUST_STRANGER};
    struct sealed_facts f = {0};
    const struct key *ids;
    struct opener *o;

    if (opener_new(path, &opts, &o, err) != 0)
        return -1;
    ids = ids_key(ring, opener_meta(o)->session_id, wire_id);
    if (ids != NULL) {
        read_facts(ring, o, sha256, &f);
        snprintf(f.ids_key, sizeof(f.ids_key), "%s", ids->id_hex);
        *ret = f;
    }
    opener_free(o);
    return ids != NULL ? 0
                       : err_set(err, ERR_CORRUPT,
                                 "the server hands out another session's bundle for %s", wire_id);
}
