#ifndef DAEMON_ACCOUNT_CLOUD_IMPL_H
#define DAEMON_ACCOUNT_CLOUD_IMPL_H

#include "api/client.h"
#include "common/base/hash.h"
#include "common/config/keyring.h"
#include "common/base/map.h"
#include "common/base/strlist.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/account/sealing.h"
#include "uploader/probe.h"

/*
 * What cloud.c (asking) and cloud_item.c (what an item of the list tells) share.
 */
/* A session of the list, by the id that the server has for it. */
struct listed {
    int64_t version;
    int is_other;                 /* made by another device */
    char sha256[HASH_SHA256_HEX]; /* of its object, "": not told */
    int64_t own_version; /* the newest among heads that this very device made, as the server says by
                            the token, or 0 */
    char own_sha256[HASH_SHA256_HEX];
    int64_t generation; /* of what is sealed and could be opened, with: */
    unsigned char object_id[SEAL_OBJECT_ID_BYTES];
    char content_id[HASH_SHA256_HEX];
    char key_id[KEY_ID_HEX];
};

struct cloud {
    struct daemon *d;
    struct map *listed; /* sessions without a confirmed version here -> struct listed; a session in
                           clear and the same session sealed are two, each with an id of its own */
    struct map *in_clear; /* those that the list being read has in clear */
    struct clear_view {
        int64_t others;     /* in clear, and not in the books */
        int64_t late;       /* in clear, and newer than what was when sealing began */
        int64_t newest_ms;  /* the newest in clear, by the server's clock */
        char which[128];    /* of ${late} */
    } clear, clear_now;     /* of the last whole list, and of the one being read */
    int64_t clear_until_ms; /* the newest in clear when sealing began; -1: not known yet */
    struct map *seen;       /* every id of the list being read */
    struct map *absent;     /* confirmed ones that it doesn't have, by the server's id -> their real
                               one; the server is asked which of them were deleted */
    struct map *rollbacks;  /* see cloud_rollbacks() */
    struct map *described;  /* sessions that go up once more, for what described them was lost */
    struct map *since;      /* sessions confirmed or adopted since its reading began */
    int64_t unreadable;     /* sealed ones that can't be opened here, and why not */
    int64_t unreadable_now; /* ... in the list being read */
    int64_t opened_now;     /* sealed ones in it that could be */
    char foreign_key[KEY_ID_HEX]; /* what one of those that could not was sealed with */
    struct ct_err unreadable_err;
    int is_known;    /* all of the list was read since the books were opened */
    int was_lost;    /* the server could not be reached since */
    int64_t read_ms; /* when all of it was read last (monotonic clock), 0: never */
    int64_t offset;
    struct http_call *call; /* the list, or NULL */
    struct api_request *request;
    struct strlist asks;  /* sessions whose versions are to be asked for, from ${next_ask} on */
    struct map *is_asked; /* the same, to find them in */
    size_t next_ask;
    struct http_call *ask; /* of the next one, or NULL */
    struct probe *probe;   /* ... or whether what the list says of it is there */
    struct api_request *ask_request;
    struct strlist doubts; /* sessions whose own version is to be found (cloud_verify.c), each with
                              its mark, ... */
    size_t next_doubt;     /* ... from here on */
    struct http_call *doubt;
    int is_looked_late;   /* who looks is told once that is known */
    int is_telling;       /* the server is asked which of ${absent} were deleted: the same */
    struct map *doubtful; /* as cloud_is_doubtful(): ${c}, or ${doubtful} if the list that is being
                             read will tell */
    struct api_request *doubt_request;
    struct event *retry;
    struct event *soon;       /* go on with ${asks} */
    char cursor[65];          /* of what was read last, also before a restart; "": there is none */
    int is_reset;             /* the server's database is another one than before: put back, say */
    int64_t looked_ms;        /* when that was (monotonic clock), 0: never */
    struct looker *lookers;   /* who waits for the answer of a look */
    struct event *look_timer; /* ... and no longer than this */
    int failures;
    struct ct_err err; /* the last of them */
};

/**
 * cloud_begin_list(c), cloud_see_item(c, item), cloud_end_list(c):
 * The list is read from its beginning; go by one item of it; all of it was read.
 */
void cloud_begin_list(struct cloud *c);
void cloud_see_item(struct cloud *c, struct json_object *item);
void cloud_end_list(struct cloud *c);

/**
 * cloud_settle(c):
 * Something of the list's was answered: if nothing of it is under way, no session is in doubt any
 * more, unless it came into that after the list was begun.
 */
void cloud_settle(struct cloud *c);

/**
 * cloud_untold(c):
 * The list, or what was asked after it, did not come whole: who was in doubt stays so, until the
 * next one.
 */
void cloud_untold(struct cloud *c);

/**
 * cloud_begin_look(c):
 * What changed since the cursor is asked for: from here on the books are younger.
 */
void cloud_begin_look(struct cloud *c);

/**
 * cloud_get(c, path, done), cloud_go_on(c):
 * Begin a request in the place of the list's; that place is free: go on with what waits.
 */
int cloud_get(struct cloud *c, const char *path,
              void (*done)(void *arg, const struct http_res *res, const struct ct_err *err));
void cloud_go_on(struct cloud *c);

/**
 * cloud_look_event(c), cloud_set_cursor(c, answer), cloud_recall_cursor(c), cloud_looked(c,
 * is_fresh):
 * Make the event for c->look_timer; take over the cursor of an answer; or the one that the books
 * have; all was read, or (0) nothing could be: tell those who look.
 */
struct event *cloud_look_event(struct cloud *c);
void cloud_set_cursor(struct cloud *c, const struct json_object *answer);
void cloud_recall_cursor(struct cloud *c);
void cloud_looked(struct cloud *c, int is_fresh);

/**
 * cloud_see_tombstone(c, o), cloud_see_there(c, o):
 * ${o} is a session that was deleted; that is there after all.
 */
void cloud_see_tombstone(struct cloud *c, const struct json_object *o);
void cloud_see_there(struct cloud *c, const struct json_object *o);

/**
 * cloud_is_gone(c, ss):
 * The server was put back from a backup, or somebody deleted that version: it is saved anew.
 */
void cloud_is_gone(struct cloud *c, const struct state_session *ss);

/**
 * cloud_verify(c, ss, item), cloud_verify_stop(c):
 * Make sure that the server still has the version that is in the books, though it is no head any
 * more; ask no more.
 */
void cloud_verify(struct cloud *c, const struct state_session *ss, struct json_object *item);
void cloud_verify_stop(struct cloud *c);

/**
 * cloud_lose_absent(c), cloud_forget_absent(c):
 * All of these were seen: what is absent without a word is saved anew.  They could not be seen.
 */
void cloud_lose_absent(struct cloud *c);
void cloud_forget_absent(struct cloud *c);

#endif
