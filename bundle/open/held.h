#ifndef BUNDLE_OPEN_HELD_H
#define BUNDLE_OPEN_HELD_H

#include "agents/news.h"
#include "bundle/open/open.h"

/*
 * What a bundle holds, so that two of them can be compared: does one hold all that the other holds?
 */
struct held {
    struct news *news; /* of its transcript and what others had more; NULL: nothing is here */
    struct open_result opened;
};

/**
 * held_look(path, unseal, session_id, cancel, ret, err):
 * Read the bundle of that session to its last byte; nothing is written.  Errors as of opener_new()
 * and opener_extract().  ${cancel} may be NULL.  The caller ends ${ret} with held_clear().
 */
int held_look(const char *path, const struct unseal_opts *unseal, const char *session_id,
              const _Atomic int *cancel, struct held *ret, struct ct_err *err);
void held_clear(struct held *h);

/**
 * held_vouch(h, trust):
 * Say who vouches for it; until then nobody does.
 */
void held_vouch(struct held *h, enum trust trust);

/**
 * held_of_the_moment(kind):
 * Return whether such files only tell how something stands now, and are written anew.
 */
int held_of_the_moment(enum agent_kind kind);

/**
 * held_files_lacking(a, b, is_lacking, arg):
 * Return how many files of ${b} that are kept for good ${a} lacks, or has shorter.  Of transcripts
 * their lines are counted; of what else holds paths of its machine (JSON) the length says nothing.
 * If somebody vouches for less in ${a}, a file there has to be the same to the byte, for a name and
 * a length are anybody's to write; of JSON its being there is enough.
 * ${is_lacking} (may be NULL) has the last word on each of these.
 */
size_t held_files_lacking(const struct open_result *a, const struct open_result *b,
                          int (*is_lacking)(void *arg, const struct open_entry *e), void *arg);

#endif
