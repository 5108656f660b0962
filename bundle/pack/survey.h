#ifndef BUNDLE_PACK_SURVEY_H
#define BUNDLE_PACK_SURVEY_H

#include <stdint.h>

#include "agents/transcript.h"
#include "agents/news.h"
#include "bundle/pack/cache.h"
#include "bundle/pack/compress.h"
#include "bundle/pack/content.h"
#include "bundle/pack/manifest.h"
#include "bundle/pack/origin.h"

/*
 * The first reading of a snapshot: every byte is hashed, the transcript is scanned for metadata,
 * and blocks that no cache knows are compressed into it, so that they need not be read again.
 */
#define SURVEY_EDGE 512 /* longer than any such name */

struct survey {
    struct snapshot *s;
    struct cache *cache; /* or NULL */
    const _Atomic int *cancel;
    int64_t previous_bytes; /* where the transcript of the last bundle ended; 0: no last bundle */

    struct manifest *stored; /* what a version held that this one may contain, or NULL; entries of
                                it are met as they are read */

    struct strlist cites;   /* files of other sessions that the transcript names */
    char edge[SURVEY_EDGE]; /* the end of the block before, for names that begin in it */
    size_t edge_bytes;

    struct transcript *facts;                         /* what the transcript says */
    struct transcript *beside;                        /* and the files of its agents */
    int is_previous_there;                            /* the transcript is still that long */
    unsigned char previous_digest[HASH_SHA256_BYTES]; /* of that many bytes of the present one */
    struct news *news;                                /* what the transcript has beyond them */
    int64_t read_bytes;
    int64_t reused_bytes; /* in blocks that the cache had already */
    char *raw;            /* a block as it was read, and compressed */
    unsigned char *member;
    struct compress *compress;
    char began_in[ORIGIN_SIZE]; /* where the session began, "" if nothing says */
    char cwd[ORIGIN_SIZE];      /* where it is: there, unless it was moved to where it lies */
};

/**
 * survey_run(v, err):
 * Read everything; plans and pastes that the transcript names join the snapshot, which is sorted
 * afterwards.  ERR_RETRY if something changed in a way that makes the snapshot worthless;
 * ERR_CANCELLED.  The caller frees with survey_free().
 */
int survey_run(struct survey *v, struct ct_err *err);
void survey_free(struct survey *v);

/**
 * survey_is_member(c, block):
 * Return whether the block of that number is a gzip member of its own in a bundle (and so worth
 * keeping): the complete blocks of a transcript, and all of any other file that is not small.
 */
int survey_is_member(const struct content *c, int64_t block);

/**
 * survey_block_bytes(c, block):
 * Return the length of that block.
 */
size_t survey_block_bytes(const struct content *c, int64_t block);

/**
 * survey_blocks(c):
 * Return how many blocks there are.
 */
int64_t survey_blocks(const struct content *c);

#endif
