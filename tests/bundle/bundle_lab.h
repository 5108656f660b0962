#ifndef TESTS_BUNDLE_BUNDLE_LAB_H
#define TESTS_BUNDLE_BUNDLE_LAB_H

#include <stddef.h>

#include "bundle/pack/pack.h"
#include "bundle/pack/snapshot.h"
#include "common/base/buf.h"

/*
 * What the tests of bundle/ share: one data folder with a spool and a cache beside it.
 */
#define A "11111111-2222-4333-8444-555555555555"
#define B "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define MIB (1 << 20)
#define LINE "{\"type\":\"user\",\"cwd\":\"/home/alice/app\",\"message\":{\"content\":\"hello\"}}\n"
#define TRANSCRIPT "projects/-home-alice-app/" A ".jsonl"

struct lab {
    char *dir, *root, *spool, *cache, *bundle;
    _Atomic int cancel;
    struct snapshot_opts take;
    struct pack_opts opts;
    struct pack_result r;
    struct ct_err err;
};

/**
 * lab_new(), lab_free(l):
 * Make the folders, empty, for bundles of the session A without a cache; remove them.
 */
struct lab *lab_new(void);
void lab_free(struct lab *l);

/**
 * lab_put(l, path, text), lab_append(l, path, text):
 * Write a file below the data folder, with the folders above it; append to it.
 */
void lab_put(struct lab *l, const char *path, const char *text);
void lab_append(struct lab *l, const char *path, const char *text);

/**
 * lab_take(l), lab_pack(l, s), lab_must_pack(l):
 * Take a snapshot; pack it and return what pack_write() does; both, or fail the test.
 */
struct snapshot *lab_take(struct lab *l);
int lab_pack(struct lab *l, struct snapshot *s);
void lab_must_pack(struct lab *l);

/**
 * lab_read(l, wanted, ret_content):
 * Return the bundle's entries as lines "name length", and add the content of ${wanted} (or NULL) to
 * ${ret_content}.
 */
struct buf lab_read(const struct lab *l, const char *wanted, struct buf *ret_content);

/**
 * lab_has(l, entry, text), lab_names(l, want):
 * Fail the test unless ${entry} of the bundle holds ${text}; unless its entries but meta.json are
 * ${want}.
 */
void lab_has(const struct lab *l, const char *entry, const char *text);
void lab_names(const struct lab *l, const char *want);

/**
 * lab_files_in(dir):
 * Return how many names there are in ${dir}.
 */
int lab_files_in(const char *dir);

/**
 * lab_transcript(n, seed):
 * Return a transcript of about ${n} bytes that differ with ${seed}, line by line.
 */
struct buf lab_transcript(size_t n, unsigned int seed);

/**
 * lab_put_transcript(l, b, n):
 * Make the first ${n} bytes of ${b} the session's transcript, a minute old.
 */
void lab_put_transcript(struct lab *l, const struct buf *b, size_t n);

#endif
