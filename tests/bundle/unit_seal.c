/* Sealed objects: the known answers of the format, and that nothing that was changed is opened. */
#include "tests/unit.h"

#include "bundle/seal/cobble.h"
#include "bundle/seal/seal.h"
#include "bundle/seal/sealed.h"
#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/data/hkdf.h"

static int into_buf(void *arg, const void *p, size_t n, struct ct_err *err)
{
    (void)err;
    buf_add(arg, p, n);
    return 0;
}

static unsigned char *sequence(size_t n)
{
    unsigned char *p = malloc(n + 1);

    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(31 * i + 7);
    return p;
}

static void fill_key(unsigned char key[32], int from)
{
    for (int i = 0; i < 32; i++)
        key[i] = (unsigned char)(from + i);
}

/* A ring with the keys 00..1f and, if ${n} is 2, 01..20. */
static struct keyring *ring_of(int n)
{
    struct keyring *r = keyring_new();
    unsigned char mk[KEY_BYTES];

    for (int i = 0; i < n; i++) {
        fill_key(mk, i);
        assert_non_null(keyring_add(r, mk, 0, 0));
    }
    return r;
}

/* ---- Cobblestone-256 -------------------------------------------------------------------------
 */

static void cobble_known_answers(void **state)
{
    static const struct {
        size_t n, len;
        const char *sha256;
    } known[] = {
        {0, 72, "b8233995c9d4d1ae95a211e4ea7b8746678cc2a5c2890384325954f0a5ba251a"},
        {16383, 16455, "0c6178f9880c29059b43d9c95bee3bdca9e1629272c17129ce4f2db292c5cd00"},
        {16384, 16472, "50aa02be3f08d12aac3fd35105aac398d8085334ff6a0eb5d863f1534e8452ad"},
        {32769, 32873, "83321a3b022bb2bc42e26e953f8603d1e08d46e78de57cc78a14e3b9da7bd6a3"},
    };
    unsigned char key[32], salt[32];
    char hex[HASH_SHA256_HEX];

    (void)state;
    fill_key(key, 0);
    fill_key(salt, 0x20);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        unsigned char *p = sequence(known[i].n);
        struct cobble_writer *w;
        struct buf out = {0};
        assert_int_equal(cobble_writer_new(key, salt, "csync-test", 10, into_buf, &out, &w, NULL),
                         0);
        assert_int_equal(cobble_writer_add(w, p, known[i].n, NULL), 0);
        assert_int_equal(cobble_writer_end(w, NULL), 0);
        assert_int_equal(out.len, known[i].len);
        assert_int_equal(cobble_size((int64_t)known[i].n), known[i].len);
        hash_sha256_hex(out.data, out.len, hex);
        assert_string_equal(hex, known[i].sha256);
        cobble_writer_free(w);
        buf_free(&out);
        free(p);
    }
}

/* ---- sealed objects --------------------------------------------------------------------------
 */

static struct buf seal(const struct keyring *r, enum seal_kind kind, const void *p, size_t n,
                       size_t piece)
{
    struct seal_header h = {.kind = kind, .generation = 7};
    struct buf out = {0};
    struct sealer *s;

    memset(h.object_id, 0xAB, sizeof(h.object_id));
    assert_int_equal(sealer_new(keyring_current(r), &h, into_buf, &out, &s, NULL), 0);
    for (size_t at = 0; at < n; at += piece)
        assert_int_equal(sealer_add(s, (const char *)p + at, n - at < piece ? n - at : piece, NULL),
                         0);
    assert_int_equal(sealer_end(s, NULL), 0);
    sealer_free(s);
    assert_int_equal(out.len, seal_size((int64_t)n));
    return out;
}

/* In pieces of ${piece}; what came out is in ${out} even if it fails. */
static int unseal(const struct keyring *r, const void *p, size_t n, size_t piece, struct buf *out,
                  struct ct_err *err)
{
    struct unsealer *u = unsealer_new(r, SEAL_BUNDLE, into_buf, out);
    int rc = 0;

    memset(err, 0, sizeof(*err));
    for (size_t at = 0; at < n && rc == 0; at += piece)
        rc = unsealer_add(u, (const char *)p + at, n - at < piece ? n - at : piece, err);
    if (rc == 0)
        rc = unsealer_end(u, err);
    else
        assert_int_equal(unsealer_end(u, err), -1); /* it keeps failing */
    unsealer_free(u);
    return rc;
}

static void what_was_sealed_is_opened_in_pieces_of_any_size(void **state)
{
    static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 32768, 50000};
    static const size_t pieces[] = {1, 47, 48, 49, 104, 16384, 16400, 16401, 40000, 1 << 20};
    struct keyring *r = ring_of(2);
    struct ct_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        unsigned char *p = sequence(sizes[i]);
        for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
            struct buf s = seal(r, SEAL_BUNDLE, p, sizes[i], pieces[j]), out = {0};
            assert_int_equal(unseal(r, s.data, s.len, pieces[j], &out, &err), 0);
            assert_int_equal(out.len, sizes[i]);
            if (out.len > 0)
                assert_memory_equal(out.data, p, out.len);
            buf_free(&s);
            buf_free(&out);
        }
        free(p);
    }
    keyring_free(r);
}

static void the_header_is_that_of_the_specification(void **state)
{
    struct keyring *r = ring_of(1);
    struct buf s = seal(r, SEAL_BUNDLE, "x", 1, 1);
    char hex[2 * SEAL_HEADER_BYTES + 1];
    struct seal_header h;

    (void)state;
    hash_hex(s.data, SEAL_HEADER_BYTES, hex);
    assert_string_equal(hex, "43545331"
                             "01010100"
                             "54205523f9681711ea3597ae1f41871d"
                             "abababababababababababababababab"
                             "0000000000000007");
    assert_true(seal_is_sealed(s.data, 4));
    assert_false(seal_is_sealed(s.data, 3));
    assert_int_equal(seal_parse_header(s.data, s.len, &h, NULL), 0);
    assert_int_equal(h.generation, 7);
    assert_int_equal(h.kind, SEAL_BUNDLE);
    buf_free(&s);
    keyring_free(r);
}

static void padme_rounds_up_by_little(void **state)
{
    static const int64_t known[][2] = {
        {0, 16384},         {16384, 16384},     {16385, 17408},     {100000, 100352},
        {1000000, 1015808}, {1 << 20, 1 << 20}, {1048577, 1081344}, {1000000000, 1006632960}};

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(seal_padded(known[i][0]), known[i][1]);
    for (int64_t n = 16384; n < INT64_C(1) << 40; n = n * 9 / 8 + 1) {
        assert_true(seal_padded(n) >= n);
        assert_true(seal_padded(n) <= n + n / 8);
        assert_int_equal(seal_padded(seal_padded(n)), seal_padded(n));
    }
}

/* ---- the description of a session ------------------------------------------------------------
 */

#define SESSION "6f9619ff-8b86-4011-b42d-00c04fc964ff"

static struct sealed_facts facts(void)
{
    struct sealed_facts f = {.session_id = SESSION,
                             .source_machine = strdup("toaster"),
                             .source_cwd = strdup("/home/u/secret-project"),
                             .source_user_dir = strdup("/home/u"),
                             .metadata = json_object_new_object(),
                             .gzip_bytes = 12345,
                             .generation = 3};

    json_object_object_add(f.metadata, "title", json_object_new_string("Sell the company"));
    memset(f.content_id, 'a', HASH_SHA256_HEX - 1);
    memset(f.object_id, 0x11, sizeof(f.object_id));
    return f;
}

static void a_description_comes_back_as_it_was(void **state)
{
    struct keyring *r = ring_of(2);
    struct sealed_facts f = facts(), g;
    struct json_object *sealed;
    struct seal_header h;
    char id[UUID_SIZE];

    (void)state;
    assert_int_equal(sealed_make(r, &f, &sealed, NULL), 0);
    assert_true(sealed_is(sealed));
    assert_int_equal(json_object_object_length(sealed), 1);
    assert_null(strstr(json_object_to_json_string(sealed), "toaster"));
    assert_int_equal(sealed_peek(sealed, &h, NULL), 0);
    assert_int_equal(h.generation, 3);
    assert_memory_equal(h.key_id, keyring_current(r)->id, KEY_ID_BYTES);
    assert_int_equal(keyring_opaque_id(r, SESSION, id), 0);
    assert_int_equal(sealed_open(r, id, sealed, &g, NULL), 0);
    assert_string_equal(g.session_id, f.session_id);
    assert_string_equal(g.source_machine, f.source_machine);
    assert_string_equal(g.source_cwd, f.source_cwd);
    assert_string_equal(g.source_user_dir, f.source_user_dir);
    assert_string_equal(g.content_id, f.content_id);
    assert_int_equal(g.gzip_bytes, f.gzip_bytes);
    assert_int_equal(g.generation, f.generation);
    assert_memory_equal(g.object_id, f.object_id, SEAL_OBJECT_ID_BYTES);
    assert_string_equal(g.ids_key, keyring_first(r)->id_hex);
    assert_string_equal(g.key_id, keyring_current(r)->id_hex);
    assert_true(json_object_equal(g.metadata, f.metadata));
    sealed_facts_clear(&f);
    sealed_facts_clear(&g);
    json_object_put(sealed);
    keyring_free(r);
}

/* What a server that lost its database knows of it: the header of the bundle. */
static void a_lost_description_is_told_from_a_damaged_one(void **state)
{
    struct seal_header h = {.kind = SEAL_BUNDLE, .is_padded = 1, .generation = 7}, peeked;
    struct keyring *r = ring_of(1), *none = keyring_new();
    unsigned char raw[SEAL_HEADER_BYTES + 1] = {0};
    struct sealed_facts g;

    (void)state;
    memcpy(h.key_id, keyring_first(r)->id, KEY_ID_BYTES);
    for (size_t n = sizeof(raw) - 2; n <= sizeof(raw); n++) {
        for (int kind = SEAL_BUNDLE; kind <= SEAL_METADATA; kind++) {
            int is_bare = n == SEAL_HEADER_BYTES && kind == SEAL_BUNDLE;
            struct json_object *o = json_object_new_object();
            struct ct_err err = {0};
            char *text;
            h.kind = (enum seal_kind)kind;
            seal_header_write(&h, raw);
            text = hash_base64(raw, n);
            json_object_object_add(o, "sealed", json_object_new_string(text));
            assert_int_equal(sealed_open(r, SESSION, o, &g, &err), -1);
            assert_int_equal(err.code, is_bare ? ERR_REFUSED : ERR_CORRUPT);
            assert_string_equal(err.reason, is_bare ? SEALED_BARE : "");
            if (is_bare) {
                assert_int_equal(sealed_peek(o, &peeked, NULL), 0);
                assert_int_equal(peeked.generation, 7);
                assert_int_equal(sealed_open(none, SESSION, o, &g, &err), -1);
                assert_string_equal(err.reason, KEY_MISSING);
            }
            free(text);
            json_object_put(o);
        }
    }
    keyring_free(r);
    keyring_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cobble_known_answers),
        cmocka_unit_test(what_was_sealed_is_opened_in_pieces_of_any_size),
        cmocka_unit_test(the_header_is_that_of_the_specification),
        cmocka_unit_test(padme_rounds_up_by_little),
        cmocka_unit_test(a_description_comes_back_as_it_was),
        cmocka_unit_test(a_lost_description_is_told_from_a_damaged_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
