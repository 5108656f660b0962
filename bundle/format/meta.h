#ifndef BUNDLE_FORMAT_META_H
#define BUNDLE_FORMAT_META_H

#include <stddef.h>

#include <json-c/json.h>

#include "agents/agent.h"
#include "common/base/err.h"
#include "common/base/uuid.h"

/* What meta.json says, checked.  Strings live in its document. */
struct meta {
    char session_id[UUID_SIZE];
    const struct agent *agent;
    int format_version;
    const char *source_cwd;      /* absolute, POSIX or Windows */
    const char *source_user_dir; /* the same */
    const char *git_branch;      /* NULL: not said.  Any text: escape it for a terminal */
    const char *content_id;      /* NULL: not said, as by a stock client */
    const char *data_dir;        /* the agent's data folder there; NULL: where it is by default */
    const char *project; /* the name of the session's folder in it; NULL: as of source_cwd */
    const char *transcript_file; /* its file's name there, NULL: the usual one */
    const char *memory_cwd; /* the folder whose memory came along, above source_cwd or, of a session
                               that was moved, elsewhere; NULL: it is that of source_cwd, or of one
                               that nothing names */
    int is_profile;         /* what belongs to no session */
};

/**
 * meta_parse(p, n, ret, ret_document, err):
 * Read and check meta.json.  What ${ret} points to lives in ${ret_document}, which the caller puts.
 */
int meta_parse(const char *p, size_t n, struct meta *ret, struct json_object **ret_document,
               struct ct_err *err);

/**
 * meta_is_path(s), meta_is_branch(s):
 * Return whether ${s} would do as a source folder, or as a git branch, so that whoever writes
 * meta.json writes nothing that can't be read back.
 */
int meta_is_path(const char *s);
int meta_is_branch(const char *s);

#endif
