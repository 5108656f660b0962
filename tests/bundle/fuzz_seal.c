/*
 * A sealed object with anything done to it opens to a beginning of what was sealed, in whole
 * chunks, and to all of it only if nothing was done.  Whatever else comes is refused; so is any
 * text as a key unless it is one, and as a keyring.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/seal/cobble.h"
#include "bundle/seal/seal.h"
#include "bundle/seal/sealed.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/config/keyring_file.h"
#include "common/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char mk[KEY_BYTES] = {1, 2, 3};

static int into(void *arg, const void *p, size_t n, struct ct_err *err)
{
    (void)err;
    buf_add(arg, p, n);
    return 0;
}

static int unseal(const struct keyring *ring, const void *p, size_t n, size_t piece,
                  struct buf *ret)
{
    struct unsealer *u = unsealer_new(ring, SEAL_BUNDLE, into, ret);
    int rc = 0;

    for (size_t at = 0; rc == 0 && at < n; at += piece)
        rc = unsealer_add(u, (const char *)p + at, n - at < piece ? n - at : piece, NULL);
    if (rc == 0)
        rc = unsealer_end(u, NULL);
    unsealer_free(u);
    return rc;
}

/* The first bytes say where to change what was made of the rest, and how. */
static void damaged(const struct keyring *ring, const uint8_t *data, size_t size)
{
    struct seal_header h = {.kind = SEAL_BUNDLE, .generation = 7};
    struct buf plain = {0}, object = {0}, got = {0};
    struct sealer *s;
    size_t at, chunks = data[0] % 3;

    for (size_t i = 0; i < chunks * (COBBLE_CHUNK / sizeof(mk)); i++)
        buf_add(&plain, mk, sizeof(mk));
    buf_add(&plain, data + 4, size - 4);
    if (sealer_new(keyring_current(ring), &h, into, &object, &s, NULL) != 0 ||
        sealer_add(s, plain.data, plain.len, NULL) != 0 || sealer_end(s, NULL) != 0)
        abort();
    sealer_free(s);
    at = ((size_t)data[1] << 8 | data[2]) % object.len;
    if (data[3] == 0)
        object.len = at;
    else
        object.data[at] = (char)(object.data[at] ^ data[3]);
    if (unseal(ring, object.data, object.len, 1 + (size_t)data[1] * 97, &got) == 0)
        abort();
    if (got.len > plain.len || (got.len > 0 && memcmp(got.data, plain.data, got.len) != 0) ||
        got.len % COBBLE_CHUNK != 0)
        abort();
    buf_free(&got);
    buf_free(&object);
    buf_free(&plain);
}

static void as_key(const uint8_t *data, size_t size)
{
    char *text = str_printf("%.*s", (int)size, (const char *)data), again[KEY_TEXT_SIZE];
    unsigned char key[KEY_BYTES], back[KEY_BYTES];
    struct keyring *ring;

    if (key_parse(text, key, NULL) == 0) {
        ring = keyring_new();
        key_text(keyring_add(ring, key, 0, 0), again);
        if (key_parse(again, back, NULL) != 0 || memcmp(key, back, KEY_BYTES) != 0)
            abort();
        keyring_free(ring);
    }
    free(text);
}

static void as_keyring(const uint8_t *data, size_t size)
{
    int fd = memfd_create("keyring", MFD_CLOEXEC);
    char *path = str_printf("/proc/self/fd/%d", fd);
    struct keyring *ring = NULL;
    struct ct_err err = {0};

    if (fd < 0 || fchmod(fd, 0600) != 0 || file_write_all(fd, data, size) != 0)
        abort();
    if (keyring_load(path, &ring, &err) == 0)
        keyring_free(ring);
    else if (err.code != ERR_CONFIG)
        abort();
    free(path);
    close(fd);
}

static void as_metadata(const struct keyring *ring, const uint8_t *data, size_t size)
{
    struct json_object *o = NULL;
    struct sealed_facts f;
    struct seal_header h;

    if (jdoc_parse((const char *)data, size, &o, NULL) != 0)
        return;
    sealed_peek(o, &h, NULL);
    if (sealed_open(ring, "00000000-0000-8000-8000-000000000000", o, &f, NULL) == 0)
        abort();
    json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keyring *ring = keyring_new();
    struct buf got = {0};

    keyring_add(ring, mk, 0, 0);
    if (unseal(ring, data, size, 1 + size / 3, &got) == 0 || got.len != 0)
        abort();
    if (size >= 4)
        damaged(ring, data, size);
    as_key(data, size);
    as_keyring(data, size);
    as_metadata(ring, data, size);
    buf_free(&got);
    keyring_free(ring);
    return 0;
}
