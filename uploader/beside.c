#include <stdio.h>
#include <string.h>

#include "common/data/jdoc.h"

#include "uploader/beside.h"

static struct json_object *row(struct json_object *rows, size_t i)
{
    return rows != NULL && i < json_object_array_length(rows) ? json_object_array_get_idx(rows, i)
                                                              : NULL;
}

#define BASES 3

struct base {
    int64_t version;
    const char *sha256;
};

static void bases_of(const struct queue_item *q, struct base ret[BASES])
{
    ret[0] = (struct base){q->base_version, q->base_sha256};
    ret[1] = (struct base){q->before_version, q->before_sha256};
    ret[2] = (struct base){q->facts.own_version, q->facts.own_sha256};
}

/* A number alone says nothing to a server that may have given it anew. */
static int counts(const struct base *b, int is_exact)
{
    return b->version > 0 && (!is_exact || b->sha256[0] != '\0');
}

int beside_goes_on(const struct queue_item *q, unsigned features)
{
    const struct base base = {q->base_version, q->base_sha256};

    return counts(&base, (features & API_HAS_BASE_CHECKSUMS) != 0);
}

static void name(struct json_object *list, const struct base *b, int is_exact)
{
    if (counts(b, is_exact) && json_object_array_length(list) < API_BASES_MAX)
        json_object_array_add(list, api_base_json(b->version, b->sha256, is_exact));
}

struct json_object *beside_bases(const struct queue_item *q, unsigned features)
{
    int is_exact = (features & API_HAS_BASE_CHECKSUMS) != 0;
    struct json_object *list = json_object_new_array();
    struct base bases[BASES];

    bases_of(q, bases);
    for (int i = 0; i < BASES; i++)
        name(list, &bases[i], is_exact);
    for (size_t i = 0; row(q->merged, i) != NULL; i++) {
        const char *sum = jdoc_str(row(q->merged, i), "sha256");
        struct base b = {jdoc_int(row(q->merged, i), "version", 0), sum != NULL ? sum : ""};
        name(list, &b, is_exact);
    }
    for (size_t i = 0; is_exact && row(q->facts.also, i) != NULL; i++) {
        if (json_object_array_length(list) < API_BASES_MAX)
            json_object_array_add(list, json_object_get(row(q->facts.also, i)));
    }
    if (json_object_array_length(list) > 0 || features & API_HAS_HEADS)
        return list;
    json_object_put(list);
    return NULL;
}

int beside_has_sums(const struct queue_item *q)
{
    struct base bases[BASES];
    int n = q->facts.also != NULL || q->merged != NULL;

    bases_of(q, bases);
    for (int i = 0; i < BASES; i++)
        n += bases[i].version > 0;
    return n > 0;
}

static void take(struct queue_beside *b, const struct api_head *h)
{
    b->version = h->version;
    snprintf(b->device, sizeof(b->device), "%s", h->device);
    b->messages = h->messages;
}

/* Those of ${rows} but ${version}. */
static int count(struct json_object *rows, int64_t version, struct queue_beside *ret)
{
    struct api_head h;
    int n = 0;

    for (size_t i = 0; rows != NULL && i < json_object_array_length(rows); i++) {
        if (!api_head_read(row(rows, i), &h) || !h.is_head || h.version == version)
            continue;
        n++;
        if (!h.is_own && h.version > ret->version)
            take(ret, &h);
    }
    return n;
}

static void begin(struct queue_beside *b)
{
    memset(b, 0, sizeof(*b));
    b->is_told = 1;
    b->messages = -1;
}

int beside_of_upload(struct json_object *heads, struct queue_beside *ret)
{
    begin(ret);
    return count(heads, 0, ret);
}

int beside_of_confirm(struct json_object *answer, int64_t version, struct json_object *reserved,
                      struct queue_beside *ret)
{
    int64_t current = jdoc_int(answer, "currentVersion", 0);
    struct api_head h;
    int n;

    begin(ret);
    ret->is_told = current > 0;
    if (current <= 0)
        return -1;
    n = count(jdoc_array(answer, "heads"), version, ret);
    if (current == version)
        return n;
    /* The current one is no row of that answer; its upload's had it, unless it came between. */
    ret->version = current;
    ret->device[0] = '\0';
    ret->messages = -1;
    for (size_t i = 0; row(reserved, i) != NULL; i++) {
        if (api_head_read(row(reserved, i), &h) && h.version == current)
            take(ret, &h);
    }
    return n + 1;
}

int beside_is_merged(const struct queue_item *q, int64_t version, const char *sha256)
{
    for (size_t i = 0; row(q->merged, i) != NULL; i++) {
        const char *sum = jdoc_str(row(q->merged, i), "sha256");
        if (jdoc_int(row(q->merged, i), "version", 0) == version &&
            (sha256[0] == '\0' || sum == NULL || strcmp(sum, sha256) == 0))
            return 1;
    }
    return 0;
}

static int is_in(const struct queue_item *q, int64_t version)
{
    struct base bases[BASES];

    bases_of(q, bases);
    for (int i = 0; i < BASES; i++) {
        if (bases[i].version == version)
            return 1;
    }
    for (size_t i = 0; row(q->facts.also, i) != NULL; i++) {
        if (jdoc_int(row(q->facts.also, i), "version", 0) == version)
            return 1;
    }
    return beside_is_merged(q, version, "");
}

int beside_is_offshoot(const struct queue_item *q, struct json_object *r)
{
    struct json_object *bases = jdoc_array(r, "baseVersions");
    size_t n = bases != NULL ? json_object_array_length(bases) : 0;

    for (size_t i = 0; i < n; i++) {
        if (!is_in(q, json_object_get_int64(json_object_array_get_idx(bases, i))))
            return 0;
    }
    return n > 0;
}

/* Is it what ${q} goes on from, or has it the very bytes of that or of ${q}? */
static int is_base(const struct queue_item *q, const struct api_head *h)
{
    const char *sum = h->checksum[0] != '\0' ? h->checksum + strlen("sha256:") : "";
    struct base bases[BASES];

    if (sum[0] != '\0' && strcmp(sum, q->sha256) == 0)
        return 1;
    for (size_t i = 0; sum[0] != '\0' && row(q->facts.also, i) != NULL; i++) {
        const char *also = jdoc_str(row(q->facts.also, i), "checksum");
        if (also != NULL && strcmp(also, h->checksum) == 0)
            return 1;
    }
    if (beside_is_merged(q, h->version, sum))
        return 1;
    bases_of(q, bases);
    for (int i = 0; i < BASES; i++) {
        if (bases[i].version != h->version || h->version == 0)
            continue;
        if (sum[0] == '\0' || bases[i].sha256[0] == '\0' || strcmp(sum, bases[i].sha256) == 0)
            return 1;
    }
    return 0;
}

int beside_newest(struct json_object *versions, int64_t after, const struct queue_item *item,
                  struct api_head *ret)
{
    struct api_head newest = {0}, h;

    for (size_t i = 0; versions != NULL && i < json_object_array_length(versions); i++) {
        if (api_head_read(row(versions, i), &h) && h.version > after && h.version > newest.version)
            newest = h;
    }
    if (newest.version == 0 || is_base(item, &newest))
        return 0;
    newest.metadata = NULL;
    *ret = newest;
    return 1;
}

/* ---- how a version stands -----------------------------------------------------------------------
 */

static int is_it(const struct api_head *h, int64_t version, const char *sha256)
{
    return h->version == version && (h->checksum[0] == '\0' || sha256[0] == '\0' ||
                                     strcmp(h->checksum + strlen("sha256:"), sha256) == 0);
}

enum beside_standing beside_standing(struct json_object *item, int64_t version, const char *sha256)
{
    struct json_object *heads = jdoc_array(item, "heads");
    struct api_head current, h;

    if (!api_head_read(item, &current))
        return BESIDE_UNTOLD;
    if (is_it(&current, version, sha256))
        return BESIDE_STANDS;
    if (current.version == version)
        return BESIDE_GONE;
    for (size_t i = 0; row(heads, i) != NULL; i++) {
        if (api_head_read(row(heads, i), &h) && h.version == version)
            return is_it(&h, version, sha256) ? BESIDE_STANDS : BESIDE_GONE;
    }
    if (current.version < version)
        return BESIDE_GONE;
    return heads != NULL ? BESIDE_COVERED : BESIDE_UNTOLD;
}

int beside_lists(struct json_object *answer, int64_t version, const char *sha256)
{
    struct json_object *rows = jdoc_array(answer, "versions");
    struct api_head h;

    for (size_t i = 0; row(rows, i) != NULL; i++) {
        if (api_head_read(row(rows, i), &h) && is_it(&h, version, sha256))
            return 1;
    }
    return 0;
}

static void mark(struct hash *hash, int64_t version, const char *checksum)
{
    char text[API_CHECKSUM_SIZE + 24];

    hash_update(hash, text,
                (size_t)snprintf(text, sizeof(text), "%lld %s\n", (long long)version, checksum));
}

void beside_mark(struct json_object *item, int64_t version, const char *sha256,
                 char ret[HASH_SHA256_HEX])
{
    struct json_object *heads = jdoc_array(item, "heads");
    struct hash *hash = hash_new(HASH_SHA256);
    struct api_head h;

    mark(hash, version, sha256);
    if (api_head_read(item, &h))
        mark(hash, h.version, h.checksum);
    for (size_t i = 0; row(heads, i) != NULL; i++) {
        if (api_head_read(row(heads, i), &h))
            mark(hash, h.version, h.checksum);
    }
    hash_final_hex(hash, ret);
}
