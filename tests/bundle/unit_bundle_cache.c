#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bundle/pack/pack.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/config/keyring.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "tests/scratch.h"

#include "tests/bundle/bundle_lab.h"

/* The same session packed without a cache gives the same bundle and the same metadata. */
static void assert_as_without_cache(struct lab *l)
{
    const char *cache = l->opts.cache_dir;
    char sha256[HASH_SHA256_HEX], id[HASH_SHA256_HEX];
    char *metadata = str_dup(jdoc_text(l->r.metadata));

    memcpy(sha256, l->r.sha256, sizeof(sha256));
    memcpy(id, l->r.content_id, sizeof(id));
    l->opts.cache_dir = NULL;
    lab_must_pack(l);
    assert_string_equal(l->r.content_id, id);
    assert_string_equal(l->r.sha256, sha256);
    assert_string_equal(jdoc_text(l->r.metadata), metadata);
    l->opts.cache_dir = cache;
    free(metadata);
}

static void an_append_costs_what_is_new(void **state)
{
    struct lab *l = lab_new();
    struct buf b = lab_transcript(5 * MIB + 300000, 1);

    (void)state;
    l->opts.cache_dir = l->cache;
    lab_put_transcript(l, &b, 4 * MIB + 12345);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    assert_as_without_cache(l);
    lab_put_transcript(l, &b, 4 * MIB + 99999);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 4 * MIB);
    /* Every byte is read and checked, but only once. */
    assert_true(l->r.read_bytes < 5 * MIB);
    assert_as_without_cache(l);
    lab_put_transcript(l, &b, b.len);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 4 * MIB);
    assert_as_without_cache(l);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 5 * MIB);
    buf_free(&b);
    lab_free(l);
}

static void a_transcript_of_whole_blocks_goes_on_as_well(void **state)
{
    struct lab *l = lab_new();
    struct buf b = {0};

    (void)state;
    /* Lines of 64 bytes, so that a block ends with one. */
    while (b.len < 3 * MIB)
        buf_addstr(&b,
                   "{\"type\":\"user\",\"message\":{\"content\":\"0123456789abcdef0123456\"}}\n");
    assert_int_equal(strchr(b.data, '\n') - b.data + 1, 64);
    l->opts.cache_dir = l->cache;
    lab_put_transcript(l, &b, 2 * MIB);
    lab_must_pack(l);
    assert_as_without_cache(l);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 2 * MIB);
    assert_as_without_cache(l);
    lab_put_transcript(l, &b, 3 * MIB);
    lab_must_pack(l);
    assert_int_equal(jdoc_int(l->r.metadata, "messageCount", -1), 3 * MIB / 64);
    assert_as_without_cache(l);
    buf_free(&b);
    lab_free(l);
}

static void a_rewritten_transcript_starts_over(void **state)
{
    struct lab *l = lab_new();
    struct buf b = lab_transcript(3 * MIB, 1), c = lab_transcript(3 * MIB, 2);

    (void)state;
    l->opts.cache_dir = l->cache;
    lab_put_transcript(l, &b, b.len);
    lab_must_pack(l);
    memcpy(b.data + 100, c.data + 100, 40); /* within the first line's text */
    b.data[100] = b.data[100] == 'x' ? 'y' : 'x';
    lab_put_transcript(l, &b, b.len);
    lab_must_pack(l);
    assert_as_without_cache(l);
    lab_put_transcript(l, &c, c.len);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    assert_as_without_cache(l);
    lab_must_pack(l); /* and from there it goes on as any other */
    assert_int_equal(l->r.reused_bytes, 3 * MIB);
    assert_true(l->r.read_bytes < 4 * MIB);
    assert_as_without_cache(l);
    lab_put_transcript(l, &c, MIB / 2);
    lab_must_pack(l);
    assert_as_without_cache(l);
    buf_free(&b);
    buf_free(&c);
    lab_free(l);
}

static void a_shrunken_or_changed_past_is_rewritten(void **state)
{
    struct lab *l = lab_new();
    struct buf b = lab_transcript(2 * MIB + 5000, 3);
    char digest[HASH_SHA256_HEX];

    (void)state;
    lab_put_transcript(l, &b, MIB + 777);
    lab_must_pack(l);
    assert_false(l->r.is_rewritten);
    assert_true(l->r.transcript_bytes <= MIB + 777);
    memcpy(digest, l->r.transcript_digest, sizeof(digest));
    l->opts.previous_bytes = l->r.transcript_bytes;
    l->opts.previous_digest = digest;
    lab_must_pack(l); /* the same */
    assert_false(l->r.is_rewritten);
    lab_put_transcript(l, &b, b.len); /* longer */
    lab_must_pack(l);
    assert_false(l->r.is_rewritten);
    assert_false(jdoc_has(l->r.metadata, "rewritten"));
    lab_put_transcript(l, &b, MIB + 5); /* shorter */
    lab_must_pack(l);
    assert_true(l->r.is_rewritten);
    assert_true(jdoc_bool(l->r.metadata, "rewritten", 0));
    b.data[MIB + 100] = b.data[MIB + 100] == 'x' ? 'y' : 'x'; /* other */
    lab_put_transcript(l, &b, b.len);
    lab_must_pack(l);
    assert_true(l->r.is_rewritten);
    buf_free(&b);
    lab_free(l);
}

/* Flip one byte of every file in the cache, at a place that goes with ${round}. */
static void damage_cache(const struct lab *l, int round)
{
    DIR *d = opendir(l->cache);
    const struct dirent *e;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        char *p = scratch_path(l->cache, "%s", e->d_name);
        struct stat st;
        if (e->d_name[0] != '.' && stat(p, &st) == 0 && st.st_size > 0) {
            struct buf b = scratch_read(p);
            size_t at = (size_t)round * 7919 % b.len;
            if (round % 5 == 4)
                b.len = at; /* or cut it off */
            else
                b.data[at] = (char)(b.data[at] ^ 0x40);
            scratch_write(p, b.data, b.len);
            buf_free(&b);
        }
        free(p);
    }
    closedir(d);
}

static void a_damaged_cache_costs_time_only(void **state)
{
    struct lab *l = lab_new();
    struct buf b = lab_transcript(2 * MIB + 5000, 4);
    char sha256[HASH_SHA256_HEX];

    (void)state;
    lab_put_transcript(l, &b, b.len);
    lab_must_pack(l);
    memcpy(sha256, l->r.sha256, sizeof(sha256));
    l->opts.cache_dir = l->cache;
    for (int round = 0; round < 60; round++) {
        lab_must_pack(l);
        assert_string_equal(l->r.sha256, sha256);
        damage_cache(l, round * 31 + 1);
    }
    lab_must_pack(l);
    assert_string_equal(l->r.sha256, sha256);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 2 * MIB);
    pack_forget_cache(l->cache, A);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    assert_string_equal(l->r.sha256, sha256);
    buf_free(&b);
    lab_free(l);
}

static void large_attachments_are_kept_too(void **state)
{
    struct lab *l = lab_new();
    struct buf b = lab_transcript(MIB + MIB / 2, 5);
    char *p = scratch_path(l->root, "projects/-home-alice-app/" A "/tool-results/big");

    (void)state;
    l->opts.cache_dir = l->cache;
    lab_put(l, TRANSCRIPT, LINE);
    scratch_write(p, b.data, b.len);
    lab_must_pack(l);
    lab_append(l, TRANSCRIPT, LINE);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, b.len);
    assert_as_without_cache(l);
    free(p);
    buf_free(&b);
    lab_free(l);
}

static int64_t bytes_in(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    struct stat st;
    int64_t n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            n += (int64_t)st.st_size;
    }
    closedir(d);
    return n;
}

static void the_cache_keeps_its_limit_and_drops_the_oldest(void **state)
{
    struct lab *l = lab_new();
    struct buf b = lab_transcript(2 * MIB + 100, 6);
    int64_t limit;
    char id[UUID_SIZE] = "00000000-2222-4333-8444-555555555555";

    (void)state;
    l->opts.cache_dir = l->cache;
    l->take.session_id = id;
    for (int i = 0; i < 6; i++) {
        char *p, *index;
        id[7] = (char)('0' + i);
        p = scratch_path(l->root, "projects/p/%s.jsonl", id);
        b.data[50] = (char)('0' + i); /* within the cwd, so that no two are the same */
        scratch_write(p, b.data, b.len);
        lab_must_pack(l);
        free(p);
        index = scratch_path(l->cache, "%s.index", id);
        if (i == 0)
            l->opts.cache_bytes = limit = bytes_in(l->cache) * 3 + 1000;
        assert_true(bytes_in(l->cache) <= l->opts.cache_bytes + 100);
        scratch_age(index, 1000 - i);
        free(index);
    }
    lab_must_pack(l); /* the last one was kept */
    assert_int_equal(l->r.reused_bytes, 2 * MIB);
    memcpy(id, "00000000", 8); /* the first one went */
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    assert_true(bytes_in(l->cache) <= limit + 100);
    buf_free(&b);
    lab_free(l);
}

static void a_cache_that_is_too_small_is_no_obstacle(void **state)
{
    struct lab *l = lab_new();
    struct buf b = lab_transcript(3 * MIB, 7);

    (void)state;
    l->opts.cache_dir = l->cache;
    l->opts.cache_bytes = MIB;
    lab_put_transcript(l, &b, b.len);
    lab_must_pack(l);
    assert_as_without_cache(l);
    l->opts.cache_bytes = 1;
    lab_must_pack(l);
    assert_as_without_cache(l);
    buf_free(&b);
    lab_free(l);
}

/* ---- sealed --------------------------------------------------------------------------------- */

/* Is there a file in the cache that holds ${bytes}? */
static int is_in_cache(const struct lab *l, const void *bytes, size_t n)
{
    DIR *d = opendir(l->cache);
    struct dirent *e;
    int is_found = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        char *path = path_join(l->cache, e->d_name);
        struct buf b = {0};
        if (e->d_name[0] != '.' && file_read(path, 64 * MIB, &b, NULL) == 0 && b.len >= n)
            is_found |= memmem(b.data, b.len, bytes, n) != NULL;
        buf_free(&b);
        free(path);
    }
    closedir(d);
    return is_found;
}

/* The head of each gzip member that the compressor makes. */
static const unsigned char gzip_head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0};

static void a_sealed_cache_saves_as_much_and_can_not_be_read(void **state)
{
    struct lab *l = lab_new();
    struct buf b = lab_transcript(3 * MIB + 300000, 4);
    struct keyring *ring = keyring_new();

    (void)state;
    l->opts.key = keyring_generate(ring, 1);
    l->opts.generation = 1;
    l->opts.cache_dir = l->cache;
    lab_put_transcript(l, &b, 2 * MIB + 12345);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    lab_put_transcript(l, &b, b.len);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 2 * MIB);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 3 * MIB);
    assert_false(is_in_cache(l, gzip_head, sizeof(gzip_head)));
    damage_cache(l, 0);
    lab_must_pack(l);
    buf_free(&b);
    keyring_free(ring);
    lab_free(l);
}

static void a_cache_of_another_key_or_of_none_is_removed(void **state)
{
    struct lab *l = lab_new();
    struct buf b = lab_transcript(2 * MIB + 300000, 5);
    struct keyring *ring = keyring_new();
    const struct key *first = keyring_generate(ring, 1), *second = keyring_generate(ring, 2);

    (void)state;
    l->opts.cache_dir = l->cache;
    lab_put_transcript(l, &b, b.len);
    lab_must_pack(l);
    assert_true(is_in_cache(l, gzip_head, sizeof(gzip_head)));
    pack_settle_cache(l->cache, NULL);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 2 * MIB);

    pack_settle_cache(l->cache, first);
    assert_false(is_in_cache(l, gzip_head, sizeof(gzip_head)));
    l->opts.generation = 1;
    l->opts.key = first;
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    l->opts.key = second;
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 2 * MIB);
    l->opts.key = NULL;
    lab_must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    buf_free(&b);
    keyring_free(ring);
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_append_costs_what_is_new),
        cmocka_unit_test(a_transcript_of_whole_blocks_goes_on_as_well),
        cmocka_unit_test(a_rewritten_transcript_starts_over),
        cmocka_unit_test(a_shrunken_or_changed_past_is_rewritten),
        cmocka_unit_test(a_damaged_cache_costs_time_only),
        cmocka_unit_test(large_attachments_are_kept_too),
        cmocka_unit_test(the_cache_keeps_its_limit_and_drops_the_oldest),
        cmocka_unit_test(a_cache_that_is_too_small_is_no_obstacle),
        cmocka_unit_test(a_sealed_cache_saves_as_much_and_can_not_be_read),
        cmocka_unit_test(a_cache_of_another_key_or_of_none_is_removed),
    };

    return cmocka_run_group_tests_name("bundle cache", tests, NULL, NULL);
}
