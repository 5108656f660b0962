#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "agents/body.h"

#define PATH_LONGEST 1024 /* what goes on beyond that is no path, but something encoded */
#define PIECE 4096
#define WINDOW 512 /* looked at in one go */

struct body {
    struct hash *hash;
    char piece[PIECE]; /* gathered: most words are short */
    size_t used;
    int is_begun;
    int is_escaped;   /* a backslash came */
    int is_in_word;   /* what came last is part of a word */
    size_t path_left; /* a path is passed over, so many bytes of it at most; 0: none */
};

struct body *body_new(void)
{
    struct body *b = str_calloc(1, sizeof(*b));

    b->hash = hash_new(HASH_SHA256);
    return b;
}

void body_free(struct body *b)
{
    if (b == NULL)
        return;
    hash_free(b->hash);
    free(b);
}

static void flush(struct body *b)
{
    hash_update(b->hash, b->piece, b->used);
    b->used = 0;
}

static void put(struct body *b, const char *p, size_t n)
{
    if (n > PIECE - b->used)
        flush(b);
    if (n > PIECE) {
        hash_update(b->hash, p, n);
        return;
    }
    memcpy(b->piece + b->used, p, n);
    b->used += n;
}

/* Does a word end at ${c}? */
static int is_border(char c)
{
    return c == '\0' || (unsigned char)c <= ' ' || strchr("\"'`()[]{}<>,;:=|&\\", c) != NULL;
}

void body_begin(struct body *b, const char *name)
{
    b->is_begun = 1;
    put(b, name, strlen(name) + 1);
    b->is_escaped = b->is_in_word = 0;
    b->path_left = 0;
}

/* A slash, however it is spelled. */
static void slash(struct body *b)
{
    if (b->path_left > 0) {
        b->path_left--;
        return;
    }
    put(b, "/", 1);
    if (!b->is_in_word)
        b->path_left = PATH_LONGEST;
    b->is_in_word = 1;
}

/* What stands behind a backslash. */
static void escaped(struct body *b, char c)
{
    const char both[2] = {'\\', c};

    b->is_escaped = 0;
    if (c == '/') {
        slash(b);
        return;
    }
    put(b, both, sizeof(both));
    b->path_left = 0;
    b->is_in_word = c == 'u'; /* digits follow */
}

/* Walk to the end of a path. */
static size_t pass_path(struct body *b, const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && b->path_left > 0 && p[i] != '\\' && !is_border(p[i])) {
        b->path_left--;
        i++;
    }
    if (i < n && is_border(p[i]) && p[i] != '\\')
        b->path_left = 0;
    return i;
}

/* Take what is neither slash nor backslash as it is. */
static size_t take_words(struct body *b, const char *p, size_t n)
{
    size_t all = n < WINDOW ? n : WINDOW;
    const char *next = memchr(p, '\\', all);
    size_t run = next != NULL ? (size_t)(next - p) : all;

    next = memchr(p, '/', run);
    if (next != NULL)
        run = (size_t)(next - p);
    if (run > 0) {
        put(b, p, run);
        b->is_in_word = !is_border(p[run - 1]);
    }
    return run;
}

void body_feed(struct body *b, const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (b->is_escaped)
            escaped(b, p[i++]);
        else if (p[i] == '\\') {
            b->is_escaped = 1;
            i++;
        } else if (p[i] == '/') {
            slash(b);
            i++;
        } else if (b->path_left > 0)
            i += pass_path(b, p + i, n - i);
        else
            i += take_words(b, p + i, n - i);
    }
}

void body_clear(struct body *b)
{
    if (!b->is_begun)
        return;
    b->is_begun = 0;
    b->used = 0;
    hash_free(b->hash);
    b->hash = hash_new(HASH_SHA256);
}

void body_final(struct body *b, unsigned char ret[HASH_SHA256_BYTES])
{
    flush(b);
    hash_final(b->hash, ret);
    b->is_begun = 0;
    b->hash = hash_new(HASH_SHA256);
}
