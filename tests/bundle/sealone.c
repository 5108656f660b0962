/*
 * Seal one bundle as the daemon would, for tests and developers.
 *
 *   sealone --key                                  add a key to this device's keyring
 *   sealone SESSION-ID BUNDLE OUT GENERATION MACHINE USER-DIR <JSON of packone
 *
 * The second one prints what an upload wants: {wireId, metadata, sizeBytes, checksum}.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/seal/sealed.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/config/keyring_file.h"
#include "common/base/str.h"

static int fail(const struct ct_err *err)
{
    fprintf(stderr, "sealone: %s: %s\n", err_name(err->code), err->msg);
    return 1;
}

static int add_key(void)
{
    char *path = keyring_path();
    struct keyring *ring;
    struct ct_err e;

    if (keyring_load(path, &ring, &e) != 0)
        return fail(&e);
    (void)keyring_generate(ring, now_wall_ms());
    if (keyring_save(path, ring, &e) != 0)
        return fail(&e);
    puts(keyring_current(ring)->id_hex);
    keyring_free(ring);
    free(path);
    return 0;
}

struct out {
    int fd;
    struct hash *hash;
    int64_t bytes;
};

static int put(void *arg, const void *p, size_t n, struct ct_err *err)
{
    struct out *o = arg;

    hash_update(o->hash, p, n);
    o->bytes += (int64_t)n;
    return file_write_all(o->fd, p, n) == 0 ? 0 : err_sys(err, "can't write");
}

static int seal(const struct keyring *ring, const struct buf *bundle, struct sealed_facts *f,
                struct out *o, struct ct_err *err)
{
    struct seal_header h = {.kind = SEAL_BUNDLE, .is_padded = 1, .generation = f->generation};
    struct sealer *s;
    int rc = -1;

    hash_random(f->object_id, sizeof(f->object_id));
    memcpy(h.object_id, f->object_id, sizeof(h.object_id));
    f->gzip_bytes = (int64_t)bundle->len;
    if (sealer_new(keyring_current(ring), &h, put, o, &s, err) != 0)
        return -1;
    if (sealer_add(s, bundle->data, bundle->len, err) == 0 &&
        sealer_pad(s, seal_padded((int64_t)bundle->len) - (int64_t)bundle->len, err) == 0)
        rc = sealer_end(s, err);
    sealer_free(s);
    return rc;
}

static void print(const struct keyring *ring, const struct sealed_facts *f,
                  struct json_object *metadata, struct out *o)
{
    struct json_object *ret = json_object_new_object();
    unsigned char digest[HASH_SHA256_BYTES];
    char wire[UUID_SIZE], hex[HASH_SHA256_HEX], *sum;

    keyring_opaque_id(ring, f->session_id, wire);
    hash_final(o->hash, digest);
    hash_hex(digest, sizeof(digest), hex);
    sum = str_printf("sha256:%s", hex);
    jdoc_set_str(ret, "wireId", wire);
    json_object_object_add(ret, "metadata", metadata);
    jdoc_set_int(ret, "sizeBytes", o->bytes);
    jdoc_set_str(ret, "checksum", sum);
    puts(jdoc_text(ret));
    json_object_put(ret);
    free(sum);
}

static int run(char **argv, struct ct_err *err)
{
    struct sealed_facts f = {
        .source_machine = argv[5], .source_user_dir = argv[6], .origin = TRUST_OWN};
    struct out o = {.hash = hash_new(HASH_SHA256)};
    struct buf text = {0}, bundle = {0};
    struct json_object *packed, *metadata;
    struct keyring *ring;
    char *path = keyring_path();
    const char *cwd;

    if (keyring_load(path, &ring, err) != 0 ||
        file_read_fd(STDIN_FILENO, "stdin", 1 << 20, &text, err) != 0 ||
        jdoc_parse(text.data, text.len, &packed, err) != 0 ||
        file_read(argv[2], 1 << 30, &bundle, err) != 0)
        return -1;
    f.metadata = jdoc_obj(packed, "metadata");
    cwd = jdoc_str(f.metadata, "cwd");
    f.source_cwd = str_dup(cwd != NULL ? cwd : "/");
    f.generation = strtoll(argv[4], NULL, 10);
    snprintf(f.session_id, sizeof(f.session_id), "%s", argv[1]);
    snprintf(f.content_id, sizeof(f.content_id), "%s", jdoc_str(packed, "contentId"));
    o.fd = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (o.fd < 0)
        return err_sys(err, "can't make %s", argv[3]);
    if (seal(ring, &bundle, &f, &o, err) != 0 || sealed_make(ring, &f, &metadata, err) != 0)
        return -1;
    close(o.fd);
    print(ring, &f, metadata, &o);
    free(f.source_cwd);
    json_object_put(packed);
    keyring_free(ring);
    buf_free(&bundle);
    buf_free(&text);
    free(path);
    return 0;
}

int main(int argc, char **argv)
{
    struct ct_err e = {0};

    if (argc == 2 && strcmp(argv[1], "--key") == 0)
        return add_key();
    if (argc != 7) {
        fprintf(stderr, "usage: sealone --key | SESSION-ID BUNDLE OUT GENERATION MACHINE DIR\n");
        return 64;
    }
    return run(argv, &e) == 0 ? 0 : fail(&e);
}
