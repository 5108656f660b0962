#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/pack/origin.h"
#include "common/base/str.h"

#include "bundle/pack/survey.h"

/* Smaller files share members: their headers carry a time that changes with every turn, and a
 * member each would cost more than it saves. */
#define SMALL_BYTES (32 << 10)
#define NEWS_PIECE (16 << 10)

int64_t survey_blocks(const struct content *c)
{
    return (c->length + CONTENT_BLOCK - 1) / CONTENT_BLOCK;
}

size_t survey_block_bytes(const struct content *c, int64_t block)
{
    int64_t left = c->length - block * CONTENT_BLOCK;

    return (size_t)(left < CONTENT_BLOCK ? left : CONTENT_BLOCK);
}

int survey_is_member(const struct content *c, int64_t block)
{
    if (survey_block_bytes(c, block) == CONTENT_BLOCK)
        return 1;
    return c->kind != AGENT_TRANSCRIPT && c->length >= SMALL_BYTES;
}

/* The reading of one content. */
struct reading {
    struct survey *v;
    struct content *c;
    int fd;
    struct hash *sum;     /* over the digests of the blocks so far */
    int64_t stored_bytes; /* how much of it v->stored had; -1: it had none */
    int64_t scan_from;    /* the saved scan has seen this many blocks; 0: there is none */
    unsigned char scan_digest[HASH_SHA256_BYTES];
};

static int next_block(struct reading *r, int64_t block, size_t *ret, struct ct_err *err)
{
    struct survey *v = r->v;
    size_t n = survey_block_bytes(r->c, block);

    if (v->cancel != NULL && atomic_load(v->cancel) != 0)
        return err_set(err, ERR_CANCELLED, "cancelled");
    if (content_read(r->c, r->fd, r->v->raw, n, block * CONTENT_BLOCK, err) != 0)
        return -1;
    v->read_bytes += (int64_t)n;
    *ret = n;
    return 0;
}

/* If the first ${bytes} of the content end in this block: their digest, in the way that a content
 * of that length has one. */
static int digest_of_first(const struct reading *r, int64_t bytes, int64_t block, size_t n,
                           unsigned char ret[HASH_SHA256_BYTES])
{
    int64_t in = bytes - block * CONTENT_BLOCK;
    unsigned char d[HASH_SHA256_BYTES];
    struct hash *h;

    if (in <= 0 || in > (int64_t)n)
        return 0;
    hash_sha256(r->v->raw, (size_t)in, d);
    h = hash_copy(r->sum);
    hash_update(h, d, sizeof(d));
    hash_final(h, ret);
    return 1;
}

/* What it began with when it was last bundled, and when it was last stored. */
static void note_before(struct reading *r, int64_t block, size_t n)
{
    unsigned char d[HASH_SHA256_BYTES];

    if (r->c->kind == AGENT_TRANSCRIPT &&
        digest_of_first(r, r->v->previous_bytes, block, n, r->v->previous_digest))
        r->v->is_previous_there = 1;
    if (r->stored_bytes > 0 && digest_of_first(r, r->stored_bytes, block, n, d))
        manifest_meet(r->v->stored, r->c->entry, d);
}

/* Of what came since there is news, or none: nothing is read beyond the first. */
static void note_news(struct reading *r, int64_t block, size_t n)
{
    int64_t in = r->v->previous_bytes - block * CONTENT_BLOCK;
    size_t piece;

    if (r->v->previous_bytes <= 0)
        return;
    for (size_t at = in > 0 ? (size_t)in : 0; in < (int64_t)n && at < n; at += piece) {
        piece = n - at < NEWS_PIECE ? n - at : NEWS_PIECE;
        if (news_count(r->v->news) > 0)
            return;
        news_feed(r->v->news, r->v->raw + at, piece);
    }
}

/* In each block, and across the border to the one before. */
static void note_cites(struct survey *v, size_t n)
{
    char both[2 * SURVEY_EDGE];
    size_t next = n < SURVEY_EDGE ? n : SURVEY_EDGE;

    memcpy(both, v->edge, v->edge_bytes);
    memcpy(both + v->edge_bytes, v->raw, next);
    v->s->agent->cites(both, v->edge_bytes + next, v->s->session_id, &v->cites);
    v->s->agent->cites(v->raw, n, v->s->session_id, &v->cites);
}

/* The block was the one before. */
static void keep_edge(struct survey *v, size_t n)
{
    size_t kept = n < SURVEY_EDGE ? n : SURVEY_EDGE;

    memcpy(v->edge, v->raw + n - kept, kept);
    v->edge_bytes = kept;
}

/* All that is learnt from the transcript's bytes, in their order. */
static void scan(struct survey *v, size_t n)
{
    note_cites(v, n);
    transcript_feed(v->facts, v->raw, n);
}

static void keep_block(struct reading *r, int64_t block, size_t n)
{
    const unsigned char *digest = r->c->blocks + block * HASH_SHA256_BYTES;

    if (r->v->cache == NULL || !survey_is_member(r->c, block))
        return;
    if (cache_has(r->v->cache, digest)) {
        r->v->reused_bytes += (int64_t)n;
        return;
    }
    cache_put(r->v->cache, digest, r->v->member,
              compress_member(r->v->compress, r->v->raw, n, r->v->member));
}

static void digest_so_far(const struct reading *r, unsigned char ret[HASH_SHA256_BYTES])
{
    hash_final(hash_copy(r->sum), ret);
}

/* ---- the scan goes on where it stopped ----------------------------------------------------------
 */

static void find_scan(struct reading *r)
{
    int64_t blocks;

    if (r->c->kind == AGENT_TRANSCRIPT &&
        cache_scan(r->v->cache, &blocks, r->scan_digest) != NULL &&
        blocks <= r->c->length / CONTENT_BLOCK)
        r->scan_from = blocks;
}

static void scan_anew(struct survey *v)
{
    transcript_free(v->facts);
    v->facts = transcript_new(v->s->agent);
    strlist_free(&v->cites);
    v->edge_bytes = 0;
}

/* The state of the scan: how long that of the facts is, that, and the names that were cited. */
static void add_state(const struct survey *v, struct buf *ret)
{
    struct buf facts = {0};
    uint64_t bytes;

    transcript_save(v->facts, &facts);
    bytes = facts.len;
    buf_add(ret, &bytes, sizeof(bytes));
    buf_add(ret, facts.data, facts.len);
    for (size_t i = 0; i < v->cites.n; i++)
        buf_add(ret, v->cites.v[i], strlen(v->cites.v[i]) + 1);
    buf_free(&facts);
}

/* Take it up again.  Return 0, or -1 if it is damaged or another version's. */
static int take_state(struct survey *v, const struct buf *state)
{
    struct transcript *t;
    const char *end = state->data + state->len, *p;
    uint64_t bytes;

    if (state->len < sizeof(bytes))
        return -1;
    memcpy(&bytes, state->data, sizeof(bytes));
    if (bytes > state->len - sizeof(bytes))
        return -1;
    p = state->data + sizeof(bytes) + bytes;
    if (p < end && end[-1] != '\0')
        return -1;
    t = transcript_load(v->s->agent, state->data + sizeof(bytes), (size_t)bytes);
    if (t == NULL)
        return -1;
    transcript_free(v->facts);
    v->facts = t;
    strlist_free(&v->cites);
    for (; p < end; p += strlen(p) + 1)
        strlist_add(&v->cites, p);
    return 0;
}

/* ${blocks} blocks have been read: is their content what the saved scan saw?  If not, those that it
 * was to spare us have to be read once more. */
static int resume_scan(struct reading *r, struct ct_err *err)
{
    unsigned char now[HASH_SHA256_BYTES], then[HASH_SHA256_BYTES], d[HASH_SHA256_BYTES];
    int64_t blocks;
    const struct buf *state = cache_scan(r->v->cache, &blocks, then);
    size_t n;

    digest_so_far(r, now);
    if (memcmp(now, then, sizeof(now)) == 0 && take_state(r->v, state) == 0)
        return 0;
    scan_anew(r->v);
    r->scan_from = 0; /* so that a better one is saved */
    for (int64_t b = 0; b < blocks; b++) {
        if (next_block(r, b, &n, err) != 0)
            return -1;
        hash_sha256(r->v->raw, n, d);
        if (memcmp(d, r->c->blocks + b * HASH_SHA256_BYTES, sizeof(d)) != 0)
            return err_set(err, ERR_RETRY, "the transcript changed under our hands");
        scan(r->v, n);
        keep_edge(r->v, n);
    }
    return 0;
}

static void save_scan(const struct reading *r, int64_t blocks)
{
    unsigned char d[HASH_SHA256_BYTES];
    struct buf state = {0};

    if (r->v->cache == NULL || blocks == 0 || blocks == r->scan_from)
        return;
    digest_so_far(r, d);
    add_state(r->v, &state);
    cache_set_scan(r->v->cache, blocks, d, &state);
    buf_free(&state);
}

/* ---- */

/* Does the session's agent write records as in a transcript there? */
static int is_beside(const struct content *c)
{
    size_t n = strlen(c->entry);

    return c->kind == AGENT_SIDECHAIN ||
           (c->kind == AGENT_SUBDIR && n > 6 && strcmp(c->entry + n - 6, ".jsonl") == 0);
}

static int read_blocks(struct reading *r, struct ct_err *err)
{
    int is_transcript = r->c->kind == AGENT_TRANSCRIPT;
    int64_t blocks = survey_blocks(r->c);
    size_t n;

    for (int64_t b = 0; b < blocks; b++) {
        unsigned char *digest = r->c->blocks + b * HASH_SHA256_BYTES;
        if (is_transcript && b > 0 && b == r->scan_from && resume_scan(r, err) != 0)
            return -1;
        if (is_transcript && b == r->c->length / CONTENT_BLOCK)
            save_scan(r, b);
        if (next_block(r, b, &n, err) != 0)
            return -1;
        hash_sha256(r->v->raw, n, digest);
        note_before(r, b, n);
        if (is_transcript) {
            note_news(r, b, n);
            if (b >= r->scan_from)
                scan(r->v, n);
            keep_edge(r->v, n);
        } else if (is_beside(r->c)) {
            transcript_feed(r->v->beside, r->v->raw, n);
        }
        hash_update(r->sum, digest, HASH_SHA256_BYTES);
        keep_block(r, b, n);
    }
    if (is_transcript && blocks > 0 && blocks == r->c->length / CONTENT_BLOCK) {
        if (blocks == r->scan_from && resume_scan(r, err) != 0)
            return -1;
        save_scan(r, blocks);
    }
    if (is_transcript && blocks > 0 && r->v->raw[survey_block_bytes(r->c, blocks - 1) - 1] != '\n')
        return err_set(err, ERR_RETRY, "the transcript changed under our hands");
    return 0;
}

static int read_content(struct survey *v, struct content *c, struct ct_err *err)
{
    struct reading r = {.v = v, .c = c};
    int rc;

    r.fd = content_open(v->s, c, err);
    if (r.fd < 0)
        return -1;
    free(c->blocks);
    c->blocks = str_calloc((size_t)survey_blocks(c) + 1, HASH_SHA256_BYTES);
    r.sum = hash_new(HASH_SHA256);
    r.stored_bytes = manifest_length(v->stored, c->entry);
    if (r.stored_bytes == 0)
        manifest_meet(v->stored, c->entry, NULL);
    find_scan(&r);
    rc = read_blocks(&r, err);
    if (is_beside(c)) /* where the next one begins */
        transcript_feed(v->beside, "\n", 1);
    c->must_verify = content_has_changed(c, r.fd);
    hash_final(r.sum, c->digest);
    c->is_as_stored = manifest_has(v->stored, c->entry, c->length, c->digest);
    close(r.fd);
    return rc;
}

/* A transcript without a cwd: perhaps a sidechain has one, or a prompt. */
static void find_cwd(struct survey *v)
{
    struct transcript_facts facts;

    transcript_facts(v->facts, &facts);
    if (facts.cwd != NULL && strlen(facts.cwd) < sizeof(v->began_in))
        memcpy(v->began_in, facts.cwd, strlen(facts.cwd) + 1);
    else if (facts.cwd == NULL)
        origin_elsewhere(v->s, v->began_in);
    memcpy(v->cwd, v->began_in, sizeof(v->cwd));
    if (facts.relocated != NULL && facts.relocated[0] == '/' &&
        strlen(facts.relocated) < sizeof(v->cwd) &&
        agent_is_named(v->s->agent, v->s->project, facts.relocated) &&
        !agent_is_named(v->s->agent, v->s->project, v->began_in))
        memcpy(v->cwd, facts.relocated, strlen(facts.relocated) + 1);
}

/* What other copies of the transcript say more can name plans and pastes, too. */
static int read_other(struct survey *v, const struct content *c, struct transcript *t,
                      struct ct_err *err)
{
    int fd = content_open(v->s, c, err), rc = fd < 0 ? -1 : 0;

    for (int64_t b = 0; rc == 0 && b < survey_blocks(c); b++) {
        size_t n = survey_block_bytes(c, b);
        rc = content_read(c, fd, v->raw, n, b * CONTENT_BLOCK, err);
        if (rc == 0)
            transcript_feed(t, v->raw, n);
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

static int add_of_others(struct survey *v, struct ct_err *err)
{
    struct transcript *t = transcript_new(v->s->agent);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < v->s->n; i++) {
        const struct content *c = &v->s->contents[i];
        if (c->records > 0)
            rc = read_other(v, c, t, err);
    }
    if (rc == 0)
        rc = content_add_plans(v->s, transcript_slugs(t), err);
    if (rc == 0)
        rc = content_add_pastes(v->s, transcript_pastes(t), err);
    transcript_free(t);
    return rc;
}

int survey_run(struct survey *v, struct ct_err *err)
{
    struct content *t = content_transcript(v->s);

    v->raw = str_realloc(NULL, CONTENT_BLOCK, 1);
    v->member = str_realloc(NULL, compress_bound(), 1);
    v->compress = compress_new();
    v->news = news_new(v->s->agent);
    scan_anew(v);
    if (read_content(v, t, err) != 0)
        return -1;
    v->beside = transcript_beside(v->facts);
    /* ${t} is not good any more once the snapshot grows. */
    if (content_add_plans(v->s, transcript_slugs(v->facts), err) != 0 ||
        content_add_pastes(v->s, transcript_pastes(v->facts), err) != 0 ||
        content_add_cited(v->s, &v->cites, err) != 0 || add_of_others(v, err) != 0)
        return -1;
    if (content_sort(v->s, err) != 0)
        return -1;
    for (size_t i = 0; i < v->s->n; i++) {
        struct content *c = &v->s->contents[i];
        if (c->kind != AGENT_TRANSCRIPT && read_content(v, c, err) != 0)
            return -1;
    }
    find_cwd(v);
    return 0;
}

void survey_free(struct survey *v)
{
    strlist_free(&v->cites);
    transcript_free(v->beside);
    transcript_free(v->facts);
    news_free(v->news);
    compress_free(v->compress);
    free(v->member);
    free(v->raw);
    v->beside = NULL;
    v->facts = NULL;
    v->news = NULL;
    v->compress = NULL;
    v->member = NULL;
    v->raw = NULL;
}
