#ifndef DAEMON_SESSION_GROWTH_H
#define DAEMON_SESSION_GROWTH_H

#include <stddef.h>
#include <stdint.h>

/*
 * How many bytes of a session are new: each file counts what it has more than it had when it was
 * last bundled, or all of it once it is shorter.  A file is a hash of its name here; two with one
 * hash would make a figure wrong and nothing else.
 */
struct growth_file;

struct growth {
    struct growth_file *files; /* open addressing */
    size_t n, n_slots;
    int64_t bytes; /* not yet taken */
};

/**
 * growth_knows(g, file):
 * Return whether ${file} was noted before.
 */
int growth_knows(const struct growth *g, uint64_t file);

/**
 * growth_note(g, file, before_bytes, now_bytes):
 * ${file} has ${now_bytes}; ${before_bytes} when it was last bundled, which matters only if it was
 * not noted before.
 */
void growth_note(struct growth *g, uint64_t file, int64_t before_bytes, int64_t now_bytes);

/**
 * growth_take(g):
 * Return what is new; it counts no more.
 */
int64_t growth_take(struct growth *g);

/**
 * growth_free(g):
 * Free what it holds.
 */
void growth_free(struct growth *g);

#endif
