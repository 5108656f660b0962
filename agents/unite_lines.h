#ifndef AGENTS_UNITE_LINES_H
#define AGENTS_UNITE_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "agents/unite.h"

/*
 * The lines of one transcript: where each lies, and what it is.  Ids are known by 64 bits of their
 * SHA-256; 0 is none.
 */
enum unite_flag {
    UNITE_BAD = 1,      /* no JSON object, and not empty */
    UNITE_NEWS = 2,     /* conversation */
    UNITE_BOUNDARY = 4, /* a compaction: Claude Code may read nothing of what stands before it */
    UNITE_SHARED = 8,   /* the other transcript has it too; a record of its own otherwise */
    UNITE_OUT = 16,     /* written */
    UNITE_PATH = 32,    /* somebody is on the way to it */
};

struct unite_line {
    int64_t at, len; /* without its newline */
    uint64_t id;     /* 0: it is none of the tree */
    uint64_t parent; /* of one of the tree; else the record that it belongs to */
    int64_t ms;      /* its time, -1: none */
    size_t last;     /* of the first line with an id: the last one with it */
    unsigned flags;
};

struct unite_slot {
    uint64_t id;
    size_t line;
};

struct unite_lines {
    const struct unite_side *side;
    struct unite_line *v;
    size_t n, room;
    struct unite_slot *slots; /* the first line of each id; open addressing */
    size_t n_slots, n_ids;
    int has_unnamed; /* there is conversation without an id */
};

#define UNITE_NONE SIZE_MAX

/**
 * unite_lines_read(agent, side, cancel, ret, err):
 * Read them, records of ${agent}.  The caller ends ${ret} with unite_lines_clear(); it borrows
 * ${side}.
 */
int unite_lines_read(const struct agent *agent, const struct unite_side *side,
                     const _Atomic int *cancel, struct unite_lines *ret, struct ct_err *err);
void unite_lines_clear(struct unite_lines *l);

/**
 * unite_lines_find(l, id):
 * Return the first line with ${id}, or UNITE_NONE.
 */
size_t unite_lines_find(const struct unite_lines *l, uint64_t id);

/**
 * unite_lines_digest(l, i, ret, err):
 * Digest the bytes of line ${i}.
 */
int unite_lines_digest(const struct unite_lines *l, size_t i, unsigned char ret[32],
                       struct ct_err *err);

#endif
