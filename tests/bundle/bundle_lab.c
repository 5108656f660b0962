#include <sys/stat.h>

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "bundle/pack/pack.h"
#include "bundle/pack/snapshot.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "tests/scratch.h"

#include "tests/bundle/bundle_lab.h"

struct lab *lab_new(void)
{
    struct lab *l = str_calloc(1, sizeof(*l));

    l->dir = scratch_new();
    l->root = scratch_path(l->dir, "root");
    l->spool = scratch_path(l->dir, "spool");
    l->cache = scratch_path(l->dir, "cache");
    l->bundle = scratch_path(l->spool, "bundle");
    assert_int_equal(mkdir(l->root, 0700), 0);
    assert_int_equal(mkdir(l->spool, 0700), 0);
    l->take.root = l->root;
    l->take.session_id = A;
    l->take.user_dir = "/home/alice";
    l->take.cancel = &l->cancel;
    l->opts.cache_bytes = 64 * MIB;
    l->opts.spool_path = l->bundle;
    l->opts.cancel = &l->cancel;
    return l;
}

void lab_free(struct lab *l)
{
    pack_result_clear(&l->r);
    free(l->root);
    free(l->spool);
    free(l->cache);
    free(l->bundle);
    scratch_free(l->dir);
    free(l);
}

void lab_put(struct lab *l, const char *path, const char *text)
{
    char *p = scratch_path(l->root, "%s", path);

    scratch_puts(p, text);
    free(p);
}

void lab_append(struct lab *l, const char *path, const char *text)
{
    char *p = scratch_path(l->root, "%s", path);

    scratch_append(p, text);
    free(p);
}

struct snapshot *lab_take(struct lab *l)
{
    struct snapshot *s = NULL;

    if (snapshot_take(&l->take, &s, &l->err) != 0)
        fail_msg("snapshot: %s", l->err.msg);
    return s;
}

int lab_pack(struct lab *l, struct snapshot *s)
{
    pack_result_clear(&l->r);
    return pack_write(s, &l->opts, &l->r, &l->err);
}

void lab_must_pack(struct lab *l)
{
    struct snapshot *s = lab_take(l);

    if (lab_pack(l, s) != 0)
        fail_msg("pack: %s", l->err.msg);
    snapshot_free(s);
}

struct buf lab_read(const struct lab *l, const char *wanted, struct buf *ret_content)
{
    struct archive *a = archive_read_new();
    struct archive_entry *e;
    struct buf names = {0};

    assert_int_equal(archive_read_support_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_read_support_format_tar(a), ARCHIVE_OK);
    assert_int_equal(archive_read_open_filename(a, l->bundle, 65536), ARCHIVE_OK);
    while (archive_read_next_header(a, &e) == ARCHIVE_OK) {
        char piece[4096];
        la_ssize_t n;
        buf_printf(&names, "%s %lld\n", archive_entry_pathname(e),
                   (long long)archive_entry_size(e));
        assert_int_equal(archive_entry_filetype(e), AE_IFREG);
        assert_int_equal(archive_entry_perm(e), 0600);
        while ((n = archive_read_data(a, piece, sizeof(piece))) > 0) {
            if (wanted != NULL && strcmp(wanted, archive_entry_pathname(e)) == 0)
                buf_add(ret_content, piece, (size_t)n);
        }
        assert_int_equal(n, 0);
    }
    assert_int_equal(archive_read_free(a), ARCHIVE_OK);
    return names;
}

void lab_has(const struct lab *l, const char *entry, const char *text)
{
    struct buf content = {0}, names = lab_read(l, entry, &content);

    buf_add(&content, "", 0);
    if (strcmp(content.data, text) != 0)
        fail_msg("%s is not in as expected; there are:\n%s", entry, names.data);
    buf_free(&content);
    buf_free(&names);
}

void lab_names(const struct lab *l, const char *want)
{
    struct buf names = lab_read(l, NULL, NULL);
    const char *rest = strchr(names.data, '\n') + 1;

    assert_int_equal(strncmp(names.data, "meta.json ", 10), 0);
    assert_string_equal(rest, want);
    buf_free(&names);
}

int lab_files_in(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;

    if (d == NULL)
        return 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2;
}

struct buf lab_transcript(size_t n, unsigned int seed)
{
    struct buf b = {0};

    for (int i = 0; b.len < n; i++) {
        seed = seed * 1103515245U + 12345U;
        buf_printf(&b,
                   "{\"type\":\"%s\",\"uuid\":\"%08x\",\"cwd\":\"/home/alice/app\",\"timestamp\":"
                   "\"2026-01-01T%02d:%02d:%02d.000Z\",\"message\":{\"id\":\"m%d\",\"content\":\"",
                   i % 2 == 0 ? "user" : "assistant", seed, i / 3600 % 24, i / 60 % 60, i % 60, i);
        for (int k = 0; k < 40; k++) {
            seed = seed * 1103515245U + 12345U;
            buf_printf(&b, "%x ", seed >> 16);
        }
        buf_addstr(&b, "\"}}\n");
    }
    return b;
}

void lab_put_transcript(struct lab *l, const struct buf *b, size_t n)
{
    char *p = scratch_path(l->root, TRANSCRIPT);

    scratch_write(p, b->data, n);
    scratch_age(p, 60);
    free(p);
}
