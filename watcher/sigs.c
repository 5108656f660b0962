#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"

#include "watcher/sigs.h"
#include "common/base/hashset.h"

#define LEAST 64
#define PASS_BITS 8

/* Zero is no key. */
struct sig {
    uint64_t key;   /* hash of the path */
    uint64_t looks; /* hash of what it looks like, and in the low bits the pass that met it */
};

struct sigs {
    struct sig *slots;
    size_t n;
    size_t cap; /* a power of two, or 0 */
    uint64_t seed;
    uint64_t pass;
};

static uint64_t stir(uint64_t h)
{
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53ULL;
    return h ^ h >> 33;
}

struct sigs *sigs_new(void)
{
    struct sigs *s = str_calloc(1, sizeof(*s));

    hash_random(&s->seed, sizeof(s->seed));
    return s;
}

void sigs_free(struct sigs *s)
{
    if (s == NULL)
        return;
    free(s->slots);
    free(s);
}

static struct sig *slot_of(const struct sigs *s, uint64_t key)
{
    size_t i = (size_t)key & (s->cap - 1);

    while (s->slots[i].key != 0 && s->slots[i].key != key)
        i = (i + 1) & (s->cap - 1);
    return &s->slots[i];
}

/* Make a table of ${cap} with those that were met in this pass, or with ${all}. */
static void rebuild(struct sigs *s, size_t cap, int all)
{
    struct sig *old = s->slots;
    size_t n_old = s->cap;

    s->slots = str_calloc(cap, sizeof(*s->slots));
    s->cap = cap;
    s->n = 0;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].key == 0)
            continue;
        if (!all && (old[i].looks & ((1 << PASS_BITS) - 1)) != s->pass)
            continue;
        *slot_of(s, old[i].key) = old[i];
        s->n++;
    }
    free(old);
}

void sigs_begin(struct sigs *s)
{
    s->pass = (s->pass + 1) & ((1 << PASS_BITS) - 1);
}

enum sigs_verdict sigs_meet(struct sigs *s, const char *path, int64_t size_bytes, int64_t mtime_ns,
                            uint64_t inode)
{
    uint64_t key = stir(hashset_mix(s->seed, path, strlen(path))), looks;
    enum sigs_verdict verdict;
    struct sig *sig;

    if (key == 0)
        key = 1;
    looks = stir(s->seed ^ (uint64_t)size_bytes);
    looks = stir(looks ^ (uint64_t)mtime_ns);
    looks = stir(looks ^ inode) >> PASS_BITS << PASS_BITS;
    if ((s->n + 1) * 4 > s->cap * 3)
        rebuild(s, s->cap == 0 ? LEAST : 2 * s->cap, 1);
    sig = slot_of(s, key);
    if (sig->key == 0) {
        verdict = SIGS_NEW;
        sig->key = key;
        s->n++;
    } else {
        verdict = sig->looks >> PASS_BITS << PASS_BITS == looks ? SIGS_SAME : SIGS_CHANGED;
    }
    sig->looks = looks | s->pass;
    return verdict;
}

size_t sigs_end(struct sigs *s)
{
    size_t n = s->n, met = 0, cap = LEAST;

    for (size_t i = 0; i < s->cap; i++)
        met += s->slots[i].key != 0 && (s->slots[i].looks & ((1 << PASS_BITS) - 1)) == s->pass;
    if (met == n)
        return 0;
    while (met * 4 > cap * 3)
        cap *= 2;
    rebuild(s, cap, 0);
    return n - met;
}
