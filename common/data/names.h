#ifndef COMMON_DATA_NAMES_H
#define COMMON_DATA_NAMES_H

#include <stdint.h>

#include <json-c/json.h>

#include "common/base/err.h"

/*
 * What people call a session: a title and tags of their own, as one small document that goes with
 * its versions,
 *
 *   {"title": {"at", "by", "over", "text", "before": {...}},
 *    "tags": {"<word>": {"at", "by", "off"}}}
 *
 * with the time (milliseconds since 1970) and the machine of each.  What several machines said is
 * merged: of each the later word counts, and a title that gave way to one that was given without
 * knowing it ("over" says when the one was given that is known to be replaced) stays as "before".
 * Documents from elsewhere may be anything; what is no such thing in them counts as nothing.  All
 * of them are normalized, so that equal ones have equal text.
 */
#define NAMES_TITLE 200   /* characters */
#define NAMES_TAG 50      /* bytes */
#define NAMES_TAGS 32     /* that a session can have */
#define NAMES_ENTRIES 100 /* with those that were taken away; the oldest of these go */
#define NAMES_AHEAD_MS 86400000LL

/**
 * names_title(doc), names_has_tag(doc, tag), names_tags(doc):
 * Return the title, borrowed, or NULL; whether it has ${tag}; an array of its tags, which the
 * caller owns.  ${doc} may be NULL.
 */
const char *names_title(const struct json_object *doc);
int names_has_tag(const struct json_object *doc, const char *tag);
struct json_object *names_tags(const struct json_object *doc);

/**
 * names_set_title(doc, title, by, now_ms, err), names_set_tag(doc, tag, is_on, by, now_ms, err):
 * Change the normalized ${doc}; a ${title} of "" takes it away.  ERR_REFUSED if that is no title or
 * tag, or there are too many.
 */
int names_set_title(struct json_object *doc, const char *title, const char *by, int64_t now_ms,
                    struct ct_err *err);
int names_set_tag(struct json_object *doc, const char *tag, int is_on, const char *by,
                  int64_t now_ms, struct ct_err *err);

/**
 * names_merge(a, b, now_ms):
 * Return what both (each may be NULL) say together, normalized; the caller owns it.  What says that
 * it was said more than NAMES_AHEAD_MS after ${now_ms} doesn't count.
 */
struct json_object *names_merge(const struct json_object *a, const struct json_object *b,
                                int64_t now_ms);

/**
 * names_is_none(doc):
 * Return whether nothing was ever said.
 */
int names_is_none(const struct json_object *doc);

#endif
