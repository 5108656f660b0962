#include <string.h>

#include "bundle/seal/seal.h"

#define FORMAT 1
#define SUITE_COBBLESTONE_256 1
#define FLAG_PADDED 1

static const unsigned char magic[4] = {'C', 'T', 'S', '1'};

void seal_header_write(const struct seal_header *h, unsigned char out[SEAL_HEADER_BYTES])
{
    memcpy(out, magic, sizeof(magic));
    out[4] = FORMAT;
    out[5] = SUITE_COBBLESTONE_256;
    out[6] = (unsigned char)h->kind;
    out[7] = h->is_padded ? FLAG_PADDED : 0;
    memcpy(out + 8, h->key_id, KEY_ID_BYTES);
    memcpy(out + 24, h->object_id, SEAL_OBJECT_ID_BYTES);
    for (int i = 0; i < 8; i++)
        out[40 + i] = (unsigned char)((uint64_t)h->generation >> 8 * (7 - i));
}

int seal_is_sealed(const void *p, size_t n)
{
    return n >= sizeof(magic) && memcmp(p, magic, sizeof(magic)) == 0;
}

int seal_parse_header(const void *p, size_t n, struct seal_header *ret, struct ct_err *err)
{
    const unsigned char *s = p;
    uint64_t generation = 0;

    if (!seal_is_sealed(p, n))
        return err_set(err, ERR_CORRUPT, "it is not sealed");
    if (n < SEAL_HEADER_BYTES)
        return err_set(err, ERR_CORRUPT, "it is cut short");
    if (s[4] != FORMAT || s[5] != SUITE_COBBLESTONE_256 ||
        (s[6] != SEAL_BUNDLE && s[6] != SEAL_METADATA) || (s[7] & ~FLAG_PADDED) != 0)
        return err_set(err, ERR_REFUSED,
                       "it was sealed in a way that this version does not know (format %d.%d, kind "
                       "%d, flags %d); install a newer one",
                       s[4], s[5], s[6], s[7]);
    for (int i = 0; i < 8; i++)
        generation = generation << 8 | s[40 + i];
    if (generation > INT64_MAX)
        return err_set(err, ERR_CORRUPT, "its generation is out of range");
    memset(ret, 0, sizeof(*ret));
    ret->kind = s[6] == SEAL_BUNDLE ? SEAL_BUNDLE : SEAL_METADATA;
    ret->is_padded = (s[7] & FLAG_PADDED) != 0;
    memcpy(ret->key_id, s + 8, KEY_ID_BYTES);
    memcpy(ret->object_id, s + 24, SEAL_OBJECT_ID_BYTES);
    ret->generation = (int64_t)generation;
    return 0;
}

int64_t seal_size(int64_t plain_bytes)
{
    return SEAL_HEADER_BYTES + cobble_size(plain_bytes);
}

static int log2_floor(uint64_t v)
{
    int n = -1;

    for (; v > 0; v >>= 1)
        n++;
    return n;
}

/* As with a float whose mantissa has no more bits than its exponent: E = log2(L), S = log2(E) + 1,
 * and the last E - S bits become 0, rounding up. */
int64_t seal_padded(int64_t plain_bytes)
{
    int e, s;
    uint64_t mask;

    if (plain_bytes <= SEAL_FLOOR)
        return SEAL_FLOOR;
    e = log2_floor((uint64_t)plain_bytes);
    s = log2_floor((uint64_t)e) + 1;
    mask = (UINT64_C(1) << (e - s)) - 1;
    return (int64_t)(((uint64_t)plain_bytes + mask) & ~mask);
}

void seal_key(const unsigned char mk[KEY_BYTES], enum seal_kind kind, unsigned char ret[COBBLE_KEY])
{
    key_derive(mk, kind == SEAL_BUNDLE ? "codeteleport/1 bundle" : "codeteleport/1 metadata", ret,
               COBBLE_KEY);
}
