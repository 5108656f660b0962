#include <stdlib.h>
#include <string.h>

#include "bundle/seal/sealed.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/cloud/sessions.h"

#include "ctctl/key/key_account.h"

static int is_here(const struct keyring *ring, const char *id_hex)
{
    unsigned char id[KEY_ID_BYTES];

    return hash_unhex(id_hex, id, sizeof(id)) == 0 && keyring_find(ring, id) != NULL;
}

static void count(struct key_use **all, size_t *n, const struct keyring *ring, const char *id)
{
    struct key_use *u;

    for (size_t i = 0; i < *n; i++) {
        if (strcmp((*all)[i].id, id) == 0) {
            (*all)[i].sessions++;
            return;
        }
    }
    *all = str_realloc(*all, *n + 1, sizeof(**all));
    u = &(*all)[(*n)++];
    memset(u, 0, sizeof(*u));
    snprintf(u->id, sizeof(u->id), "%s", id);
    u->sessions = 1;
    u->is_here = is_here(ring, id);
}

void key_account_add(struct key_account *a, const struct keyring *ring,
                     const struct json_object *item)
{
    const struct json_object *metadata = jdoc_obj(item, "metadata");
    struct seal_header header;
    char hex[KEY_ID_HEX];

    if (!sealed_is(metadata)) {
        a->plain++;
        return;
    }
    a->sealed++;
    if (sealed_peek(metadata, &header, NULL) != 0)
        return;
    hash_hex(header.key_id, sizeof(header.key_id), hex);
    count(&a->seals, &a->n_seals, ring, hex);
    if (a->newest[0] == '\0')
        memcpy(a->newest, hex, sizeof(hex));
    if (keyring_find(ring, header.key_id) == NULL || sealed_ids_key(ring, metadata, hex, NULL) != 0)
        return;
    a->opened++;
    count(&a->firsts, &a->n_firsts, ring, hex);
}

int key_account_look(struct ctx *c, const struct keyring *ring, struct key_account *ret,
                     struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;

    memset(ret, 0, sizeof(*ret));
    if (sessions_cloud(c, &every, &answer, err) != 0)
        return -1;
    list = jdoc_array(answer, "sessions");
    for (size_t i = 0; i < json_object_array_length(list); i++)
        key_account_add(ret, ring, json_object_array_get_idx(list, i));
    json_object_put(answer);
    return 0;
}

void key_account_clear(struct key_account *a)
{
    free(a->seals);
    free(a->firsts);
    memset(a, 0, sizeof(*a));
}

size_t key_account_n_missing(const struct key_account *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_seals; i++)
        n += !a->seals[i].is_here;
    for (size_t i = 0; i < a->n_firsts; i++) {
        int is_counted = a->firsts[i].is_here;
        for (size_t j = 0; j < a->n_seals && !is_counted; j++)
            is_counted = strcmp(a->seals[j].id, a->firsts[i].id) == 0;
        n += !is_counted;
    }
    return n;
}

const char *key_account_first(const struct key_account *a)
{
    const struct key_use *best = NULL;

    for (size_t i = 0; i < a->n_firsts; i++) {
        if (best == NULL || a->firsts[i].sessions > best->sessions)
            best = &a->firsts[i];
    }
    return best != NULL ? best->id : NULL;
}

enum key_verdict key_account_judge(const struct key_account *a, const struct keyring *ring)
{
    const char *first = key_account_first(a);

    if (a->sealed == 0)
        return KEY_FITS;
    if (first == NULL)
        return KEY_IS_FOREIGN;
    return is_here(ring, first) ? KEY_FITS : KEY_FIRST_IS_AWAY;
}
