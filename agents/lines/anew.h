#ifndef AGENTS_ANEW_H
#define AGENTS_ANEW_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "agents/rebuild.h"
#include "common/base/buf.h"
#include "common/base/map.h"

/*
 * A transcript of JSON lines on its way home, for the agents whose tables say what may come.  One's
 * own comes line by line as it is, but for its paths; a block that bears a signature is not touched
 * at all, for the API refuses one that says something else.  Of what others wrote each record is
 * made anew, of what the agent's tables name.  Records hang on one another: what hung on one that
 * is left out hangs on what that hung on.
 */

enum anew_kind {
    ANEW_TEXT, /* a string */
    ANEW_WORD, /* a name of something, and nothing else: no spaces, no quotes */
    ANEW_NUMBER,
    ANEW_YES_OR_NO,
    ANEW_NUMBERS, /* numbers, and objects of such, three deep */
    ANEW_VALUE,   /* an object, whatever is in it: it is shown, and sent to the model */
    ANEW_OBJECT,  /* of the members ${of} */
    ANEW_LIST,    /* of strings and of such objects; or one string */
    ANEW_BLOCKS,  /* of objects of the ${types}; or one string */
};

struct anew_type;

/* A member that may come; the last of a list has no key. */
struct anew_member {
    const char *key;
    enum anew_kind kind;
    const struct anew_member *of;
    const struct anew_type *types;
};

#define TAKE_TEXT(key) \
    { \
        key, ANEW_TEXT, NULL, NULL \
    }
#define TAKE_WORD(key) \
    { \
        key, ANEW_WORD, NULL, NULL \
    }
#define TAKE_NUMBER(key) \
    { \
        key, ANEW_NUMBER, NULL, NULL \
    }
#define TAKE_YES_OR_NO(key) \
    { \
        key, ANEW_YES_OR_NO, NULL, NULL \
    }
#define TAKE_NUMBERS(key) \
    { \
        key, ANEW_NUMBERS, NULL, NULL \
    }
#define TAKE_VALUE(key) \
    { \
        key, ANEW_VALUE, NULL, NULL \
    }
#define TAKE_OBJECT(key, of) \
    { \
        key, ANEW_OBJECT, of, NULL \
    }
#define TAKE_LIST(key, of) \
    { \
        key, ANEW_LIST, of, NULL \
    }
#define TAKE_BLOCKS(key, types) \
    { \
        key, ANEW_BLOCKS, NULL, types \
    }
#define TAKE_END \
    { \
        NULL, 0, NULL, NULL \
    }

/* Objects that differ by their member "type"; the last of a list has none. */
struct anew_type {
    const char *type;
    const struct anew_member *members;
};

struct anew_rules {
    const char *id, *parent; /* of a record, and of the one that it hangs on */

    /* Where one's own bears signatures: the list of blocks in "message", and their member.  NULL:
     * it bears none. */
    const char *content, *signature;

    /* The object, one or two deep, that has the "cwd"; NULL: the record. */
    const char *cwd_in;

    /* Make the record ${in} of somebody else anew: a new object, or NULL if it does not come.
     * ${type} is its member of that name, NULL if it has none; so below. */
    struct json_object *(*make)(struct rebuild *r, struct json_object *in, const char *type);

    /* Is it conversation?  Asked of what is left out. */
    int (*is_said)(const struct json_object *in, const char *type);

    /* What of one's own acts by itself: make the line anew, or return NULL: it comes as it is.
     * NULL: nothing does. */
    struct json_object *(*make_own)(struct rebuild *r, const char *p, size_t n);

    /* A record more at the end of one's own transcript, or NULL; what make_own() keeps in r->own
     * for it, and how that is freed.  NULL, both: nothing. */
    struct json_object *(*end_own)(struct rebuild *r);
    void (*free_own)(void *own);

    /* Instead of all that, for a file that is one document: put what comes of it, whoever wrote it.
     * Contract of rebuild_end(). */
    int (*make_document)(const struct rebuild_opts *opts, const char *p, size_t n,
                         struct ct_err *err);
};

struct rebuild {
    struct rebuild_opts opts;
    const struct anew_rules *rules;
    int has_begun; /* something came of it that a transcript begins with */
    struct buf line;
    int is_overlong;  /* the line under way was let through, or is left out */
    struct map *gone; /* id of a record that was left out -> what it hung on (owned), "": nothing */
    struct map *next; /* ... -> the first that hung on it and came (owned) */
    void *own;        /* the rules' */
};

/**
 * anew_new(opts, rules):
 * Begin; for rebuild_new() of a row.  ${rules} is borrowed.
 */
struct rebuild *anew_new(const struct rebuild_opts *opts, const struct anew_rules *rules);

/* The members of a row. */
void anew_free(struct rebuild *r);
int anew_feed(struct rebuild *r, const void *p, size_t n, struct ct_err *err);
int anew_end(struct rebuild *r, struct ct_err *err);

/* For make(). */

/**
 * anew_take(from, members, to):
 * Copy what ${members} name, in the order of ${from}.
 */
void anew_take(struct json_object *from, const struct anew_member *members, struct json_object *to);

/**
 * anew_add_base(r, in, out):
 * Add the id, what the record hangs on now, and its "timestamp".
 */
void anew_add_base(struct rebuild *r, struct json_object *in, struct json_object *out);

/**
 * anew_cwd(r, in):
 * Return where ${in}'s "cwd" is here, at or below the folder that was chosen; where nothing is
 * installed, as it is.  The caller frees it.
 */
char *anew_cwd(const struct rebuild *r, const struct json_object *in);

/**
 * anew_id(o, key):
 * Return the member ${key} if it is an id, else "".  Borrowed.
 */
const char *anew_id(const struct json_object *o, const char *key);

/**
 * anew_link(r, id):
 * Return what the record ${id}, that another one names, is among what comes: itself, the first that
 * hung on it, or what it hung on; "" for nothing.  Borrowed.
 */
const char *anew_link(const struct rebuild *r, const char *id);

/**
 * anew_is_word(s):
 * Return whether that is ANEW_WORD.
 */
int anew_is_word(const char *s);

#endif
