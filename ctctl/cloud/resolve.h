#ifndef CTCTL_CLOUD_RESOLVE_H
#define CTCTL_CLOUD_RESOLVE_H

#include <json-c/json.h>

#include "ctctl/ctx/ctx.h"

/*
 * Which session in the cloud a person means.  One may have two lives there: in clear, under its own
 * id, and sealed, under an opaque one, as when the account's first key came after the first
 * uploads.
 */
struct resolved {
    char *id;                   /* as people know it; the opaque one if it can't be opened here */
    char *sealed_id;            /* what the server calls its sealed life, or NULL */
    char *plain_id;             /* and the one in clear, or NULL */
    struct json_object *sealed; /* an item (ctctl/cloud/item.h) of the newest version, or NULL */
    struct json_object *plain;
};

/* The lives to choose from. */
enum resolve_life {
    WHICH_ANY,   /* the one that holds the newer state; the sealed one if that is the same */
    WHICH_FIRST, /* the sealed one, unless there is only one in clear */
    WHICH_PLAIN, /* the one in clear */
};

/**
 * resolve_session(c, word, ret, err):
 * Find the session that ${word} means: its whole id, the opaque one, or the beginning of either.
 * ERR_GONE if there is none, with what sealed sessions there are that can't be looked into;
 * ERR_CONFLICT if there are several.  The caller ends ${ret} with resolve_clear().
 *
 * A whole id on a device without keys is believed without asking the server.
 */
int resolve_session(struct ctx *c, const char *word, struct resolved *ret, struct ct_err *err);
void resolve_clear(struct resolved *w);

/**
 * resolve_look(c, w, err):
 * Ask the server for the item of what was believed.  ERR_GONE if it is not there.
 */
int resolve_look(struct ctx *c, struct resolved *w, struct ct_err *err);

/**
 * resolve_life(w, life, err):
 * Return what the server calls that life, borrowed; NULL with ERR_GONE if it has none of that kind.
 */
const char *resolve_life(const struct resolved *w, enum resolve_life life, struct ct_err *err);

/**
 * resolve_version(c, w, version, is_plain, err):
 * As resolve_life(), for a version that is to be fetched: the life in clear if it is asked for by
 * name; the first one for a version by its number, and where the configuration requires what is
 * sealed; else any.  Says on stderr what becomes of the other one if that is newer.
 */
const char *resolve_version(struct ctx *c, const struct resolved *w, int64_t version, int is_plain,
                            struct ct_err *err);

/**
 * resolve_is_newer(a, b):
 * Return whether the state that the item ${a} describes is newer than that of ${b}: by the time of
 * the last record, then by the number of records, as far as both say so.
 */
int resolve_is_newer(const struct json_object *a, const struct json_object *b);

/**
 * resolve_best(c, list):
 * Return an array of the items of ${list}, the API's list, in their order, but of two lives of one
 * session only the one that resolve_version() would choose; the caller owns it.
 */
struct json_object *resolve_best(struct ctx *c, struct json_object *list);

/**
 * resolve_gone(c, err):
 * If ${err} is ERR_GONE and there are sealed sessions that can't be opened here, say that in it:
 * the one that was asked for may be among them.  Return -1.
 */
int resolve_gone(struct ctx *c, struct ct_err *err);

#endif
