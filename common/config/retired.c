#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/config/keyring_file.h"

#include "common/config/retired.h"

#define FILE_MAX (64 << 20)
#define MAC_BYTES 32
#define MAC_HEX (2 * MAC_BYTES + 1)

char *retired_path(void)
{
    char *ring = keyring_path(), *dir = path_parent(ring), *path = path_join(dir, "retired");

    free(dir);
    free(ring);
    return path;
}

/* ---- blocks ------------------------------------------------------------------------------------
 */

static void mac_of(const struct key *under, const char *block, size_t n, char ret[MAC_HEX])
{
    unsigned char mac[MAC_BYTES];
    char digest[HASH_SHA256_HEX], *info;

    hash_sha256_hex(block, n, digest);
    info = str_printf("codeteleport/1 retired %s", digest);
    key_derive(under->mk, info, mac, sizeof(mac));
    hash_hex(mac, sizeof(mac), ret);
    free(info);
}

void retired_block(const struct keyring *ring, const struct key *under,
                   const struct strlist *digests, struct buf *ret)
{
    size_t from = ret->len;
    char mac[MAC_HEX];

    buf_printf(ret, "under %s\n", under->id_hex);
    for (size_t i = 0; i < keyring_n(ring); i++) {
        if (keyring_at(ring, i) != under)
            buf_printf(ret, "key %s\n", keyring_at(ring, i)->id_hex);
    }
    for (size_t i = 0; i < digests->n; i++)
        buf_printf(ret, "has %s\n", digests->v[i]);
    mac_of(under, ret->data + from, ret->len - from, mac);
    buf_printf(ret, "mac %s\n", mac);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* The length of the line at ${p}, with its newline; 0: there is none. */
static size_t line_len(const char *p)
{
    const char *end = strchr(p, '\n');

    return end != NULL ? (size_t)(end - p) + 1 : strlen(p);
}

/* The value of the line at ${p} if that begins with ${word}: ${n} hexadecimal digits. */
static int takes(const char *p, const char *word, char *ret, size_t n)
{
    size_t w = strlen(word);

    if (strncmp(p, word, w) != 0 || strspn(p + w, "0123456789abcdef") != n || p[w + n] != '\n')
        return 0;
    memcpy(ret, p + w, n);
    ret[n] = '\0';
    return 1;
}

static const struct key *find(const struct keyring *ring, const char *id_hex)
{
    unsigned char id[KEY_ID_BYTES];

    return hash_unhex(id_hex, id, sizeof(id)) == 0 ? keyring_find(ring, id) : NULL;
}

/* What is to be done with what a block says. */
struct reader {
    const struct keyring *ring;
    void (*key)(void *arg, const char *id_hex);
    void (*has)(void *arg, const char *digest);
    void *arg;
};

static void tell(const struct reader *r, const char *block, size_t n, int is_good)
{
    char value[HASH_SHA256_HEX];

    for (size_t at = 0; at < n; at += line_len(block + at)) {
        if (takes(block + at, "key ", value, KEY_ID_HEX - 1))
            r->key(r->arg, value);
        else if (is_good && takes(block + at, "has ", value, HASH_SHA256_HEX - 1))
            r->has(r->arg, value);
    }
}

/* Read the block at ${p}; return where it ends.  ${ret_good}: it is whole, and as it was made. */
static const char *read_block(const struct reader *r, const char *p, int *ret_good)
{
    char under[KEY_ID_HEX] = "", mac[MAC_HEX], right[MAC_HEX], value[HASH_SHA256_HEX];
    const char *from = p;
    const struct key *k;
    int is_whole = 0;

    *ret_good = 0;
    if (!takes(p, "under ", under, KEY_ID_HEX - 1))
        return p + line_len(p); /* whatever that is */
    p += line_len(p);
    while (takes(p, "key ", value, KEY_ID_HEX - 1) || takes(p, "has ", value, HASH_SHA256_HEX - 1))
        p += line_len(p);
    is_whole = takes(p, "mac ", mac, MAC_HEX - 1);
    k = find(r->ring, under);
    if (k != NULL) {
        mac_of(k, from, (size_t)(p - from), right);
        *ret_good = is_whole && strcmp(mac, right) == 0;
        tell(r, from, (size_t)(p - from), *ret_good);
    }
    return is_whole ? p + line_len(p) : p;
}

static void ignore(void *arg, const char *value)
{
    (void)arg;
    (void)value;
}

int retired_check(const struct keyring *ring, const char *text, struct ct_err *err)
{
    const struct reader r = {ring, ignore, ignore, NULL};
    int is_good = 1;

    for (const char *p = text; *p != '\0' && is_good;)
        p = read_block(&r, p, &is_good);
    if (is_good && text[0] != '\0')
        return 0;
    return err_set(err, ERR_REFUSED,
                   "that is no list of what retired keys have sealed, or not of a key that is on "
                   "this device; bring the key first: ctctl key import");
}

static void add_key(void *arg, const char *id_hex)
{
    keyring_retire(arg, id_hex);
}

static void add_digest(void *arg, const char *digest)
{
    keyring_vouch(arg, digest);
}

static int read_file(struct buf *ret, struct ct_err *err)
{
    char *path = retired_path();
    struct ct_err e = {0};
    int rc = file_read(path, FILE_MAX, ret, &e);

    if (rc != 0 && e.code == ERR_GONE)
        rc = 0;
    else if (rc != 0)
        err_set(err, ERR_CONFIG, "the list of retired keys can't be read: %.400s", e.msg);
    free(path);
    return rc;
}

int retired_load(struct keyring *ring, struct ct_err *err)
{
    const struct reader r = {ring, add_key, add_digest, ring};
    struct buf text = {0};
    int rc = read_file(&text, err), is_good;

    if (rc == 0 && text.len > 0) {
        for (const char *p = text.data; *p != '\0';)
            p = read_block(&r, p, &is_good);
    }
    buf_free(&text);
    return rc;
}

int retired_append(const char *text, struct ct_err *err)
{
    char *path = retired_path(), *dir = path_parent(path);
    struct buf all = {0};
    int rc = path_make_private(dir, err) == 0 ? read_file(&all, err) : -1;

    if (rc == 0 && (all.len == 0 || strstr(all.data, text) == NULL)) {
        buf_addstr(&all, text);
        rc = file_replace(path, all.data, all.len, 0600, err);
    }
    buf_free(&all);
    free(dir);
    free(path);
    return rc;
}
