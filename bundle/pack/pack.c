#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/pack/cache.h"
#include "bundle/pack/cache_trim.h"
#include "bundle/pack/content.h"
#include "bundle/pack/content_id.h"
#include "bundle/pack/manifest.h"
#include "bundle/pack/out.h"
#include "bundle/pack/pack_meta.h"
#include "bundle/pack/survey.h"
#include "bundle/format/entry.h"
#include "bundle/format/tarhead.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "bundle/pack/pack.h"

#define SETTLED_MS (INT64_C(24) * 3600 * 1000)

/* The writing of one bundle. */
struct packing {
    struct survey *v;
    const struct pack_opts *opts;
    struct out *out;
    int64_t mtime_s;
};

/* SHA-256 over the sorted names, lengths and digests.  Without meta.json, which speaks of the
 * machine. */
static void content_id(const struct snapshot *s, char ret[HASH_SHA256_HEX])
{
    struct hash *h = hash_new(HASH_SHA256);

    for (size_t i = 0; i < s->n; i++) {
        const struct content *c = &s->contents[i];
        content_id_mix(h, c->entry, c->length, c->digest);
    }
    hash_final_hex(h, ret);
}

/* ---- writing ------------------------------------------------------------------------------------
 */

static int add_padding(struct packing *p, int64_t length, struct ct_err *err)
{
    static const char zeros[TARHEAD_UNIT];
    size_t over = (size_t)(length % TARHEAD_UNIT);

    return over == 0 ? 0 : out_add(p->out, zeros, TARHEAD_UNIT - over, err);
}

static int add_header(struct packing *p, const char *entry, int64_t length, int is_executable,
                      struct ct_err *err)
{
    struct buf head = {0};
    int rc = tarhead_add(entry, length, p->mtime_s, is_executable, &head, err);

    if (rc == 0)
        rc = out_add(p->out, head.data, head.len, err);
    buf_free(&head);
    return rc;
}

static int add_meta(struct packing *p, const char *id, struct ct_err *err)
{
    struct buf meta = {0};
    int rc;

    pack_meta_document(p->v, id, &meta);
    rc = add_header(p, ENTRY_META, (int64_t)meta.len, 0, err);
    if (rc == 0)
        rc = out_add(p->out, meta.data, meta.len, err);
    if (rc == 0)
        rc = add_padding(p, (int64_t)meta.len, err);
    buf_free(&meta);
    return rc;
}

/* Read a block once more: it must still be what the content id says. */
static int read_again(struct packing *p, const struct content *c, int fd, int64_t block, size_t n,
                      struct ct_err *err)
{
    unsigned char d[HASH_SHA256_BYTES];

    if (content_read(c, fd, p->v->raw, n, block * CONTENT_BLOCK, err) != 0)
        return -1;
    p->v->read_bytes += (int64_t)n;
    hash_sha256(p->v->raw, n, d);
    if (memcmp(d, c->blocks + block * HASH_SHA256_BYTES, sizeof(d)) != 0)
        return err_set(err, ERR_RETRY, "a file changed under our hands");
    return 0;
}

static int add_block(struct packing *p, const struct content *c, int fd, int64_t block,
                     struct ct_err *err)
{
    const unsigned char *digest = c->blocks + block * HASH_SHA256_BYTES;
    size_t n = survey_block_bytes(c, block), kept = 0;
    int is_member = survey_is_member(c, block);

    if (p->opts->cancel != NULL && atomic_load(p->opts->cancel) != 0)
        return err_set(err, ERR_CANCELLED, "cancelled");
    if (is_member)
        kept = cache_get(p->v->cache, digest, p->v->member, compress_bound());
    if ((kept == 0 || c->must_verify) && read_again(p, c, fd, block, n, err) != 0)
        return -1;
    if (kept > 0)
        return out_member(p->out, p->v->member, kept, (int64_t)n, err);
    return is_member ? out_block(p->out, p->v->raw, n, err) : out_add(p->out, p->v->raw, n, err);
}

static int add_content(struct packing *p, const struct content *c, struct ct_err *err)
{
    int64_t blocks = survey_blocks(c);
    int fd, rc;

    if (add_header(p, c->entry, c->length, c->is_executable, err) != 0)
        return -1;
    fd = content_open(p->v->s, c, err);
    if (fd < 0)
        return -1;
    rc = 0;
    for (int64_t b = 0; rc == 0 && b < blocks; b++)
        rc = add_block(p, c, fd, b, err);
    close(fd);
    return rc == 0 ? add_padding(p, c->length, err) : -1;
}

static int add_all(struct packing *p, const char *id, struct ct_err *err)
{
    static const char end[2 * TARHEAD_UNIT];
    const struct snapshot *s = p->v->s;

    if (add_meta(p, id, err) != 0 || add_content(p, content_transcript(s), err) != 0)
        return -1;
    for (size_t i = 0; i < s->n; i++) {
        if (s->contents[i].kind != AGENT_TRANSCRIPT && add_content(p, &s->contents[i], err) != 0)
            return -1;
    }
    return out_add(p->out, end, sizeof(end), err);
}

static int begin_seal(struct packing *p, struct pack_result *r, struct ct_err *err)
{
    struct seal_header h = {.kind = SEAL_BUNDLE, .is_padded = 1, .generation = p->opts->generation};

    if (p->opts->key == NULL)
        return 0;
    hash_random(h.object_id, sizeof(h.object_id));
    memcpy(r->object_id, h.object_id, sizeof(h.object_id));
    return out_seal(p->out, p->opts->key, &h, err);
}

static int write_bundle(struct survey *v, const struct pack_opts *opts, struct pack_result *r,
                        struct ct_err *err)
{
    struct packing p = {.v = v, .opts = opts};
    struct transcript_facts facts;
    int rc;

    if (out_new(opts->spool_path, opts->spool_room_bytes, &p.out, err) != 0)
        return -1;
    transcript_facts(v->facts, &facts);
    if (facts.has_times && facts.ended_ms > 0)
        p.mtime_s = facts.ended_ms / 1000;
    rc = begin_seal(&p, r, err);
    if (rc == 0)
        rc = add_all(&p, r->content_id, err);
    if (rc == 0)
        rc = out_publish(p.out, err);
    if (rc == 0) {
        r->size_bytes = out_size(p.out);
        r->gzip_bytes = out_gzip_bytes(p.out);
        r->raw_bytes = out_raw_bytes(p.out);
        out_digests(p.out, r->sha256, r->md5);
    }
    out_free(p.out);
    return rc;
}

/* ---- */

static int is_rewritten(const struct survey *v, const struct pack_opts *opts)
{
    char digest[HASH_SHA256_HEX];

    if (opts->previous_bytes <= 0 || opts->previous_digest == NULL)
        return 0;
    if (!v->is_previous_there)
        return 1;
    hash_hex(v->previous_digest, sizeof(v->previous_digest), digest);
    return strcmp(digest, opts->previous_digest) != 0;
}

static void write_manifest(const struct snapshot *s, struct buf *ret)
{
    for (size_t i = 0; i < s->n; i++)
        manifest_add(ret, s->contents[i].entry, s->contents[i].length, s->contents[i].digest);
}

static int survey_and_write(struct survey *v, const struct pack_opts *opts, struct pack_result *r,
                            struct ct_err *err)
{
    const struct content *t;

    if (survey_run(v, err) != 0)
        return -1;
    content_id(v->s, r->content_id);
    t = content_transcript(v->s);
    r->transcript_bytes = t->length;
    hash_hex(t->digest, sizeof(t->digest), r->transcript_digest);
    r->is_rewritten = is_rewritten(v, opts);
    r->has_news = r->is_rewritten || opts->previous_bytes <= 0 || news_count(v->news) > 0;
    r->is_same = opts->known_id != NULL && strcmp(opts->known_id, r->content_id) == 0;
    if (!r->is_same && write_bundle(v, opts, r, err) != 0)
        return -1;
    r->contains_stored = manifest_is_met(v->stored);
    write_manifest(v->s, &r->manifest);
    r->read_bytes = v->read_bytes;
    r->reused_bytes = v->reused_bytes;
    r->metadata = pack_meta_new(v, r->is_rewritten);
    return 0;
}

/* Has it no version yet, and does nobody work on it?  Most such sessions never get a second one,
 * which is all that kept blocks are good for. */
static int is_settled(const struct snapshot *s, const struct pack_opts *opts)
{
    int64_t written_ms = content_transcript(s)->mtime_ns / 1000000;

    return opts->previous_bytes <= 0 && now_wall_ms() - written_ms > SETTLED_MS;
}

int pack_write(struct snapshot *s, const struct pack_opts *opts, struct pack_result *ret,
               struct ct_err *err)
{
    struct pack_result result;
    struct survey *v = str_calloc(1, sizeof(*v));
    int rc;

    memset(&result, 0, sizeof(result));
    v->s = s;
    v->cancel = opts->cancel;
    v->previous_bytes = opts->previous_bytes;
    v->stored = manifest_load(opts->stored, opts->stored_bytes);
    if (!is_settled(s, opts))
        v->cache = cache_open(opts->cache_dir, opts->cache_bytes, s->session_id, opts->key);
    rc = survey_and_write(v, opts, &result, err);
    /* What was compressed is of use even if this bundle came to nothing. */
    cache_close(v->cache, rc == 0);
    if (rc == 0)
        *ret = result;
    manifest_free(v->stored);
    survey_free(v);
    free(v);
    return rc;
}

void pack_result_clear(struct pack_result *r)
{
    json_object_put(r->metadata);
    buf_free(&r->manifest);
    r->metadata = NULL;
}

void pack_settle_cache(const char *cache_dir, const struct key *key)
{
    cache_settle(cache_dir, key);
}

int64_t pack_give_up_cache(const char *cache_dir)
{
    return cache_trim_all(cache_dir);
}

void pack_forget_cache(const char *cache_dir, const char *session_id)
{
    cache_trim_forget(cache_dir, session_id);
}
