#ifndef AGENTS_CLAUDE_REBUILD_INSIDE_H
#define AGENTS_CLAUDE_REBUILD_INSIDE_H

#include "agents/claude/allow.h"
#include "agents/rebuild.h"
#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/map.h"
#include "common/data/jtree.h"

/*
 * One file on its way home, for the files of this folder that do it.
 */

/* A part of what is to come that nobody may move. */
struct exact {
    size_t begin, end;
};

struct rebuild {
    struct rebuild_opts opts;
    const struct allow_entry *entry; /* NULL: of one's own, and in no table */
    int is_records;                  /* of a transcript, each line for itself; else see entry */
    struct buf in;                   /* the line, or the document */
    struct hash *paste;              /* of a paste, which comes as it is */
    char paste_name[HASH_SHA256_HEX];
    int is_too_long; /* what is left of the line comes as it is, or goes */
    int has_put;

    struct jtree tree; /* of in */
    struct buf out;    /* what is to come of it... */
    struct exact *exact;
    size_t n_exact, cap_exact; /* ...and where it is exact */
    struct buf word;           /* scratch */

    struct map
        *gone; /* uuid of a record that was left out: the one before it (a string, "": none) */
    struct map *calls; /* ids of calls that became text */
};

/**
 * rebuild_record(r, row):
 * Build the record of r->tree anew in r->out, as ${row} allows.  Return 0, or -1 if nothing comes.
 */
int rebuild_record(struct rebuild *r, const struct allow_record *row);

/**
 * rebuild_object(r, value, members):
 * Build the object anew.  Return 0, or -1 if it is none or lacks what it needs.
 */
int rebuild_object(struct rebuild *r, uint32_t value, const struct allow_member *members);

/**
 * rebuild_own(r):
 * Write one's own record to r->out: as it is, but for what was signed (which is exact), for calls,
 * which become text, and for links to what was left out.
 */
void rebuild_own(struct rebuild *r);

/**
 * rebuild_note_uses(r, type, subtype):
 * Note in r->opts.used what the record says of agents, skills and instructions that were used.
 */
void rebuild_note_uses(struct rebuild *r, const char *type, const char *subtype);

/**
 * rebuild_is_call(r, block):
 * Return whether the block of a message is a call that becomes text; its tool's name is in r->word.
 */
int rebuild_is_call(struct rebuild *r, uint32_t block);

/**
 * rebuild_call(r, block), rebuild_result(r, block):
 * If the block of a message is a call that becomes text, or the result of one, append that text's
 * blocks to r->out (of a result, perhaps none) and return 1; else 0.
 */
int rebuild_call(struct rebuild *r, uint32_t block);
int rebuild_result(struct rebuild *r, uint32_t block);

/**
 * rebuild_link(r, value, ret):
 * The record that the link ${value} leads to, without those that were left out: NULL if it is as it
 * was, "" for none.
 */
const char *rebuild_link(struct rebuild *r, uint32_t value);

/**
 * rebuild_leave_out(r):
 * The record of r->tree does not come: whatever follows it follows the one before it.
 */
void rebuild_leave_out(struct rebuild *r);

/**
 * rebuild_add_exact(r, p, n), rebuild_add_quoted(r, s):
 * Append what nobody may move; a string in quotes.
 */
void rebuild_add_exact(struct rebuild *r, const char *p, size_t n);
void rebuild_add_quoted(struct rebuild *r, const char *s);

/**
 * rebuild_may_rewind(r, path):
 * Return whether /rewind may touch the file that a record calls ${path}.
 */
int rebuild_may_rewind(struct rebuild *r, const char *path);

/**
 * rebuild_are_below(r):
 * Return whether all files of the snapshot in r->tree may be rewound, and are named as they are.
 */
int rebuild_are_below(struct rebuild *r);

/**
 * rebuild_slug(opts, slug):
 * The name of a plan: a stranger's gets a fresh one.  The caller frees it.
 */
char *rebuild_slug(const struct rebuild_opts *opts, const char *slug);

#endif
