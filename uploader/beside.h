#ifndef UPLOADER_BESIDE_H
#define UPLOADER_BESIDE_H

#include <json-c/json.h>

#include "api/api.h"
#include "uploader/queue.h"

/*
 * What a bundle contains, as the server is told; and what the server has that the bundle does not
 * contain, as its answers tell.  Pure.
 */

/**
 * beside_bases(item, features):
 * Return baseVersions: what is certain to be in the bundle.  While it waited, the one before it may
 * have been confirmed.  To a server with heads an empty list says that nothing is certain, so that
 * what is there stays current; NULL for another one then.
 */
struct json_object *beside_bases(const struct queue_item *item, unsigned features);

/**
 * beside_goes_on(item, features):
 * Return whether it is known which version the bundle goes on from.
 */
int beside_goes_on(const struct queue_item *item, unsigned features);

/**
 * beside_is_offshoot(item, row):
 * Return whether the version of ${row} builds on nothing but what the bundle has in it: what it has
 * beyond that may be no news.
 */
int beside_is_offshoot(const struct queue_item *item, struct json_object *row);

/**
 * beside_is_merged(item, version, sha256):
 * Return whether the bundle has that version in it by a merge; ${sha256} "": not known.
 */
int beside_is_merged(const struct queue_item *item, int64_t version, const char *sha256);

/**
 * beside_has_sums(item):
 * Return whether beside_bases() would be another for a server that takes checksums.
 */
int beside_has_sums(const struct queue_item *item);

/**
 * beside_of_upload(heads, ret), beside_of_confirm(answer, version, reserved, ret):
 * The heads of an answer to upload; the answer that confirmed ${version}, after those of its upload
 * (${reserved}, may be NULL).  Return how many versions the bundle lacks, whosoever they are; what
 * is only pinned is none of them.  -1: the answer does not tell.
 */
int beside_of_upload(struct json_object *heads, struct queue_beside *ret);
int beside_of_confirm(struct json_object *answer, int64_t version, struct json_object *reserved,
                      struct queue_beside *ret);

/* How a version of this device stands at the server. */
enum beside_standing {
    BESIDE_STANDS,  /* as current, as a head, or pinned */
    BESIDE_COVERED, /* what has a higher number is said to contain it: see beside_lists() */
    BESIDE_GONE,    /* it is not there, or its number was given anew */
    BESIDE_UNTOLD   /* a server without heads */
};

/**
 * beside_standing(item, version, sha256), beside_lists(answer, version, sha256):
 * How that version, whose object has this digest ("": not known), stands in an item of the list;
 * return whether an answer to `versions` has it.
 */
enum beside_standing beside_standing(struct json_object *item, int64_t version, const char *sha256);
int beside_lists(struct json_object *answer, int64_t version, const char *sha256);

/**
 * beside_mark(item, version, sha256, ret):
 * Write a digest of what that item tells beside that version: the same as long as what contains it
 * is the same.
 */
void beside_mark(struct json_object *item, int64_t version, const char *sha256,
                 char ret[HASH_SHA256_HEX]);

/**
 * beside_newest(versions, after, item, ret):
 * Of a server without heads: fill ${ret} with the newest of the listed ${versions} with a number
 * above ${after} and return 1; 0 if there is none, or it is what ${item} goes on from, or has its
 * very bytes.
 */
int beside_newest(struct json_object *versions, int64_t after, const struct queue_item *item,
                  struct api_head *ret);

#endif
