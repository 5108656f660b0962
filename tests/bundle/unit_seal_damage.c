/*
 * What was sealed and then changed, cut, mixed up or exchanged is refused before any plain byte of
 * the chunk in question comes out, and nothing of a bundle is installed.
 */
#include "tests/unit.h"

#include "bundle/open/open.h"
#include "bundle/seal/seal.h"
#include "bundle/seal/sealed.h"
#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/str.h"
#include "tests/scratch.h"

#include "tests/bundle/bundle_lab.h"

#define HEAD (SEAL_HEADER_BYTES + COBBLE_HEAD) /* before the first chunk */
#define SESSION "6f9619ff-8b86-4011-b42d-00c04fc964ff"

static int into_buf(void *arg, const void *p, size_t n, struct ct_err *err)
{
    (void)err;
    buf_add(arg, p, n);
    return 0;
}

/* A ring with the keys from..from+1f, for ${n} values of from. */
static struct keyring *ring_from(int from, int n)
{
    struct keyring *r = keyring_new();
    unsigned char mk[KEY_BYTES];

    for (int i = 0; i < n; i++) {
        for (int k = 0; k < KEY_BYTES; k++)
            mk[k] = (unsigned char)(from + i + k);
        assert_non_null(keyring_add(r, mk, 0, 0));
    }
    return r;
}

static struct buf seal_with(const struct key *key, enum seal_kind kind, int64_t generation,
                            const void *p, size_t n)
{
    struct seal_header h = {.kind = kind, .generation = generation};
    struct buf out = {0};
    struct sealer *s;

    memset(h.object_id, 0xAB, sizeof(h.object_id));
    assert_int_equal(sealer_new(key, &h, into_buf, &out, &s, NULL), 0);
    assert_int_equal(sealer_add(s, p, n, NULL), 0);
    assert_int_equal(sealer_end(s, NULL), 0);
    sealer_free(s);
    return out;
}

static struct buf plain_of(size_t n)
{
    struct buf b = {0};

    for (size_t i = 0; i < n; i++)
        buf_addc(&b, (char)(31 * i + i / 251));
    return b;
}

/* What came out stays in ${out}, also on failure. */
static int unseal(struct unsealer *u, const struct buf *in, struct ct_err *err)
{
    int rc = unsealer_add(u, in->data, in->len, err);

    if (rc == 0)
        rc = unsealer_end(u, err);
    if (rc != 0) /* it keeps failing, and says the same */
        assert_int_equal(unsealer_end(u, NULL), -1);
    unsealer_free(u);
    return rc;
}

/* ${in} is refused, and no more comes out of it than ${whole} first chunks of ${plain}. */
static void refused(const struct keyring *r, const struct buf *in, const struct buf *plain,
                    size_t whole)
{
    struct buf out = {0};
    struct ct_err err = {0};

    assert_int_equal(unseal(unsealer_new(r, SEAL_BUNDLE, into_buf, &out), in, &err), -1);
    assert_true(err.code == ERR_CORRUPT || err.code == ERR_REFUSED);
    assert_true(err.msg[0] != '\0');
    assert_int_equal(out.len, whole * COBBLE_CHUNK);
    if (out.len > 0)
        assert_memory_equal(out.data, plain->data, out.len);
    buf_free(&out);
}

/* ---- objects ---------------------------------------------------------------------------------
 */

static void every_bit_of_an_object_counts(void **state)
{
    struct keyring *r = ring_from(0, 1);
    struct buf plain = plain_of(300), s;

    (void)state;
    s = seal_with(keyring_current(r), SEAL_BUNDLE, 7, plain.data, plain.len);
    for (size_t bit = 0; bit < 8 * s.len; bit++) {
        s.data[bit / 8] ^= (char)(1 << bit % 8);
        refused(r, &s, &plain, 0);
        s.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    buf_free(&s);
    buf_free(&plain);
    keyring_free(r);
}

static void chunks_before_a_changed_one_come_out_and_none_after_it(void **state)
{
    struct keyring *r = ring_from(0, 1);
    struct buf plain = plain_of(2 * COBBLE_CHUNK + 50), s;

    (void)state;
    s = seal_with(keyring_current(r), SEAL_BUNDLE, 7, plain.data, plain.len);
    for (size_t at = HEAD; at < s.len; at += at % COBBLE_SEALED < HEAD ? 1 : 41) {
        char bit = (char)(1 << at % 8);
        s.data[at] ^= bit;
        refused(r, &s, &plain, (at - HEAD) / COBBLE_SEALED);
        s.data[at] ^= bit;
    }
    buf_free(&s);
    buf_free(&plain);
    keyring_free(r);
}

static void every_truncation_is_noticed(void **state)
{
    struct keyring *r = ring_from(0, 1);
    static const size_t sizes[] = {0, 300, COBBLE_CHUNK, COBBLE_CHUNK + 100};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buf plain = plain_of(sizes[i]), s, cut;
        s = seal_with(keyring_current(r), SEAL_BUNDLE, 7, plain.data, plain.len);
        for (cut = s; cut.len-- > 0;)
            refused(r, &cut, &plain, cut.len < HEAD ? 0 : (cut.len - HEAD) / COBBLE_SEALED);
        buf_addc(&s, 'x');
        refused(r, &s, &plain, (s.len - HEAD) / COBBLE_SEALED);
        buf_free(&s);
        buf_free(&plain);
    }
    keyring_free(r);
}

/* The object's chunks in the order of ${order}, digits. */
static struct buf in_order(const struct buf *s, const char *order)
{
    struct buf out = {0};

    buf_add(&out, s->data, HEAD);
    for (; *order != '\0'; order++) {
        size_t at = HEAD + (size_t)(*order - '0') * COBBLE_SEALED;
        buf_add(&out, s->data + at, s->len - at < COBBLE_SEALED ? s->len - at : COBBLE_SEALED);
    }
    return out;
}

static void chunks_count_in_their_order_and_once(void **state)
{
    static const struct {
        const char *order;
        size_t whole; /* chunks in their place before something is wrong */
    } cases[] = {
        {"1023", 0}, {"2103", 0}, {"3120", 0}, {"0213", 1},  {"0321", 1},
        {"0132", 2}, {"0012", 1}, {"0113", 2}, {"01223", 3}, {"01233", 3},
        {"0122", 3}, {"123", 0},  {"023", 1},  {"013", 2},   {"012", 3},
        {"0", 1},    {"", 0},     {"3", 0},    {"33", 0},    {"30123", 0},
    };
    struct keyring *r = ring_from(0, 1);
    struct buf plain = plain_of(3 * COBBLE_CHUNK + 50), s, mixed;

    (void)state;
    s = seal_with(keyring_current(r), SEAL_BUNDLE, 7, plain.data, plain.len);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mixed = in_order(&s, cases[i].order);
        refused(r, &mixed, &plain, cases[i].whole);
        buf_free(&mixed);
    }
    buf_free(&s);
    buf_free(&plain);
    keyring_free(r);
}

static void a_chunk_of_another_object_does_not_fit(void **state)
{
    struct keyring *r = ring_from(0, 1);
    struct buf plain = plain_of(COBBLE_CHUNK + 50), a, b;

    (void)state;
    a = seal_with(keyring_current(r), SEAL_BUNDLE, 7, plain.data, plain.len);
    b = seal_with(keyring_current(r), SEAL_BUNDLE, 7, plain.data, plain.len);
    assert_memory_not_equal(a.data + SEAL_HEADER_BYTES, b.data + SEAL_HEADER_BYTES, COBBLE_SALT);
    memcpy(a.data + HEAD + COBBLE_SEALED, b.data + HEAD + COBBLE_SEALED, 50 + COBBLE_TAG);
    refused(r, &a, &plain, 1);
    memcpy(a.data + HEAD, b.data + HEAD, COBBLE_SEALED);
    refused(r, &a, &plain, 0);
    memcpy(a.data + SEAL_HEADER_BYTES, b.data + SEAL_HEADER_BYTES, COBBLE_HEAD);
    assert_memory_equal(a.data, b.data, a.len); /* now it is the other one */
    buf_free(&a);
    buf_free(&b);
    buf_free(&plain);
    keyring_free(r);
}

static void a_missing_key_and_a_wrong_one_are_told_apart(void **state)
{
    struct keyring *r = ring_from(0, 1), *other = ring_from(1, 1);
    struct key fake = *keyring_current(other);
    struct buf s, out = {0};
    struct ct_err err;

    (void)state;
    s = seal_with(keyring_current(r), SEAL_BUNDLE, 7, "hello", 5);
    assert_int_equal(unseal(unsealer_new(other, SEAL_BUNDLE, into_buf, &out), &s, &err), -1);
    assert_int_equal(err.code, ERR_REFUSED);
    assert_string_equal(err.reason, KEY_MISSING);
    assert_string_equal(err.msg, "sealed, key 54205523f9681711ea3597ae1f41871d not on this device");
    assert_int_equal(unseal(unsealer_new(NULL, SEAL_BUNDLE, into_buf, &out), &s, &err), -1);
    assert_string_equal(err.reason, KEY_MISSING);
    buf_free(&s);
    memcpy(fake.id, keyring_current(r)->id, KEY_ID_BYTES);
    s = seal_with(&fake, SEAL_BUNDLE, 7, "hello", 5);
    assert_int_equal(unseal(unsealer_new(r, SEAL_BUNDLE, into_buf, &out), &s, &err), -1);
    assert_int_equal(err.code, ERR_REFUSED);
    assert_string_equal(err.reason, KEY_WRONG);
    assert_int_equal(out.len, 0);
    buf_free(&s);
    keyring_free(r);
    keyring_free(other);
}

static void another_kind_id_or_generation_is_refused(void **state)
{
    struct keyring *r = ring_from(0, 1);
    unsigned char id[SEAL_OBJECT_ID_BYTES];
    struct buf s = seal_with(keyring_current(r), SEAL_BUNDLE, 7, "hello", 5), out = {0};
    struct unsealer *u;
    struct ct_err err;

    (void)state;
    assert_int_equal(unseal(unsealer_new(r, SEAL_METADATA, into_buf, &out), &s, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    s.data[6] = SEAL_METADATA; /* a header that lies is no way round it */
    assert_int_equal(unseal(unsealer_new(r, SEAL_METADATA, into_buf, &out), &s, &err), -1);
    assert_string_equal(err.reason, KEY_WRONG);
    s.data[6] = SEAL_BUNDLE;
    memset(id, 0xAB, sizeof(id));
    id[15] ^= 1;
    u = unsealer_new(r, SEAL_BUNDLE, into_buf, &out);
    unsealer_expect(u, id, 0);
    assert_int_equal(unseal(u, &s, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    for (int64_t generation = 6; generation <= 8; generation += 2) {
        u = unsealer_new(r, SEAL_BUNDLE, into_buf, &out);
        unsealer_expect(u, NULL, generation);
        assert_int_equal(unseal(u, &s, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
    }
    assert_int_equal(out.len, 0);
    id[15] ^= 1;
    u = unsealer_new(r, SEAL_BUNDLE, into_buf, &out);
    unsealer_expect(u, id, 7);
    assert_int_equal(unseal(u, &s, &err), 0);
    assert_string_equal(out.data, "hello");
    buf_free(&out);
    buf_free(&s);
    keyring_free(r);
}

static void a_header_of_the_future_is_refused_as_such(void **state)
{
    static const struct {
        int at, value;
    } cases[] = {{4, 2}, {5, 2}, {6, 0}, {6, 3}, {7, 2}, {7, 0x80}};
    struct keyring *r = ring_from(0, 1);
    struct buf s = seal_with(keyring_current(r), SEAL_BUNDLE, 7, "hello", 5);
    struct seal_header h;
    struct ct_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char was = s.data[cases[i].at];
        s.data[cases[i].at] = (char)cases[i].value;
        assert_int_equal(seal_parse_header(s.data, s.len, &h, &err), -1);
        assert_int_equal(err.code, ERR_REFUSED);
        assert_non_null(strstr(err.msg, "install a newer one"));
        s.data[cases[i].at] = was;
    }
    s.data[40] = (char)0x80;
    assert_int_equal(seal_parse_header(s.data, s.len, &h, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    buf_free(&s);
    keyring_free(r);
}

/* ---- bundles ---------------------------------------------------------------------------------
 */

/* Extract it as an install would, and return whether that came to its end.  Where it did not,
 * nothing is in the stage: the object is of one chunk. */
static int opens(const struct keyring *r, const struct buf *s, const struct lab *l,
                 const char *stage)
{
    const struct open_opts opts = {.unseal = {.ring = r, .must_be_sealed = 1, .generation = 7}};
    struct open_result result;
    struct ct_err err = {0};
    struct opener *o;
    int rc;

    scratch_write(l->bundle, s->data, s->len);
    rc = opener_new(l->bundle, &opts, &o, &err);
    if (rc == 0) {
        rc = opener_extract(o, stage, NULL, &result, &err);
        if (rc == 0)
            open_result_free(&result);
        opener_free(o);
    }
    if (rc == 0)
        return 1;
    assert_true(err.code == ERR_CORRUPT || err.code == ERR_REFUSED);
    assert_int_equal(lab_files_in(stage), 0);
    return 0;
}

static void nothing_comes_of_a_bundle_with_any_bit_changed_or_any_end_missing(void **state)
{
    struct keyring *r = ring_from(0, 1);
    struct lab *l = lab_new();
    char *stage = scratch_path(l->dir, "stage");
    struct buf gz, s, cut;

    (void)state;
    assert_int_equal(mkdir(stage, 0700), 0);
    lab_put(l, TRANSCRIPT, LINE);
    lab_must_pack(l);
    gz = scratch_read(l->bundle);
    s = seal_with(keyring_current(r), SEAL_BUNDLE, 7, gz.data, gz.len);
    assert_true(s.len < COBBLE_CHUNK);
    for (size_t bit = 0; bit < 8 * s.len; bit++) {
        s.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(opens(r, &s, l, stage));
        s.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (cut = s; cut.len-- > 0;)
        assert_false(opens(r, &cut, l, stage));
    assert_true(opens(r, &s, l, stage));
    assert_int_equal(lab_files_in(stage), 1);
    buf_free(&gz);
    buf_free(&s);
    free(stage);
    lab_free(l);
    keyring_free(r);
}

/* ---- descriptions ----------------------------------------------------------------------------
 */

static struct sealed_facts facts(void)
{
    struct sealed_facts f = {.session_id = SESSION, .gzip_bytes = 12345, .generation = 3};

    f.source_machine = str_dup("toaster");
    f.source_cwd = str_dup("/home/u/p");
    f.source_user_dir = str_dup("/home/u");
    f.metadata = json_object_new_object();
    memset(f.content_id, 'a', HASH_SHA256_HEX - 1);
    return f;
}

static struct json_object *wrapped(const struct buf *s)
{
    struct json_object *o = json_object_new_object();
    char *text = hash_base64(s->data, s->len);

    json_object_object_add(o, "sealed", json_object_new_string(text));
    free(text);
    return o;
}

static struct buf unwrapped(struct json_object *o)
{
    const char *text = json_object_get_string(json_object_object_get(o, "sealed"));
    struct buf s = {0};

    assert_int_equal(hash_unbase64(text, strlen(text), &s), 0);
    return s;
}

static void description_refused(const struct keyring *r, const char *id, struct json_object *o,
                                enum err_code code, const char *reason)
{
    struct sealed_facts g;
    struct ct_err err = {0};

    assert_int_equal(sealed_open(r, id, o, &g, &err), -1);
    if (code != ERR_NONE)
        assert_int_equal(err.code, code);
    if (reason != NULL)
        assert_string_equal(err.reason, reason);
}

static void a_description_counts_for_its_session_alone_and_is_not_altered(void **state)
{
    struct keyring *r = ring_from(0, 2), *late = ring_from(1, 1), *none = keyring_new();
    struct sealed_facts f = facts();
    struct json_object *sealed, *o;
    char id[UUID_SIZE];
    struct buf s;

    (void)state;
    assert_int_equal(sealed_make(none, &f, &sealed, NULL), -1);
    assert_int_equal(sealed_make(r, &f, &sealed, NULL), 0);
    keyring_opaque_id(r, SESSION, id);
    description_refused(r, "7ed70f71-f65b-8dbe-9ffc-f41c26eb5b6d", sealed, ERR_CORRUPT, "");
    description_refused(none, id, sealed, ERR_REFUSED, KEY_MISSING);
    /* It can be read, but whose it is nobody can say. */
    description_refused(late, id, sealed, ERR_REFUSED, KEY_MISSING);
    s = unwrapped(sealed);
    for (size_t bit = 0; bit < 8 * s.len; bit += bit < (size_t)8 * HEAD ? 1 : 9) {
        s.data[bit / 8] ^= (char)(1 << bit % 8);
        o = wrapped(&s);
        description_refused(r, id, o, ERR_NONE, NULL);
        json_object_put(o);
        s.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    buf_free(&s);
    json_object_put(sealed);
    sealed_facts_clear(&f);
    keyring_free(r);
    keyring_free(late);
    keyring_free(none);
}

static void a_description_that_lies_about_its_generation_is_refused(void **state)
{
    struct keyring *r = ring_from(0, 1);
    struct sealed_facts f = facts(), g;
    struct buf s, text = {0}, again;
    struct json_object *sealed, *o;
    char id[UUID_SIZE];
    struct ct_err err;

    (void)state;
    assert_int_equal(sealed_make(r, &f, &sealed, NULL), 0);
    keyring_opaque_id(r, SESSION, id);
    s = unwrapped(sealed);
    assert_int_equal(unseal(unsealer_new(r, SEAL_METADATA, into_buf, &text), &s, &err), 0);
    assert_int_equal(text.len % SEALED_STEP, 0);
    for (int64_t generation = 2; generation <= 4; generation++) {
        again = seal_with(keyring_current(r), SEAL_METADATA, generation, text.data, text.len);
        o = wrapped(&again);
        if (generation == 3) {
            assert_int_equal(sealed_open(r, id, o, &g, NULL), 0);
            sealed_facts_clear(&g);
        } else {
            description_refused(r, id, o, ERR_CORRUPT, "");
        }
        json_object_put(o);
        buf_free(&again);
    }
    buf_free(&text);
    buf_free(&s);
    json_object_put(sealed);
    sealed_facts_clear(&f);
    keyring_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_an_object_counts),
        cmocka_unit_test(chunks_before_a_changed_one_come_out_and_none_after_it),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(chunks_count_in_their_order_and_once),
        cmocka_unit_test(a_chunk_of_another_object_does_not_fit),
        cmocka_unit_test(a_missing_key_and_a_wrong_one_are_told_apart),
        cmocka_unit_test(another_kind_id_or_generation_is_refused),
        cmocka_unit_test(a_header_of_the_future_is_refused_as_such),
        cmocka_unit_test(nothing_comes_of_a_bundle_with_any_bit_changed_or_any_end_missing),
        cmocka_unit_test(a_description_counts_for_its_session_alone_and_is_not_altered),
        cmocka_unit_test(a_description_that_lies_about_its_generation_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
