#ifndef AGENTS_TURNS_H
#define AGENTS_TURNS_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/*
 * A conversation as a person reads it: what of a transcript somebody said, did or saw, in the order
 * in which it was written down.  No words are passed over: what is none of the rest is a note.
 */
enum turn_kind {
    TURN_PROMPT,   /* what a person typed */
    TURN_ANSWER,   /* what the model said */
    TURN_THINKING, /* what it thought */
    TURN_CALL,     /* a tool that it used: the text has the arguments as JSON */
    TURN_RESULT,   /* what that, or a command, printed */
    TURN_SUMMARY,  /* what a compaction left of the conversation before it */
    TURN_NOTE,     /* what else may reach the model, or was written down: reminders, attachments */
};

/* A picture that belongs to a turn. */
struct turn_image {
    const char *type; /* as the record names it ("image/png"), of any content */
    const char *data; /* base64, of any content */
};

#define TURN_IMAGES_MAX 64 /* of one turn; what is more is passed over */

/* Strings are borrowed for the call, and have any content; a NUL in them has become U+FFFD. */
struct turn {
    enum turn_kind kind;
    const char *text;
    const char *tool;   /* of a call: its name, else NULL */
    const char *brief;  /* of a call: the argument that says most, or NULL */
    const char *at;     /* RFC 3339, or NULL */
    const char *record; /* the identity of its record, or NULL */
    const char *cwd;    /* the folder that it was said in, or NULL */
    const char *once;   /* where the same can come again: what it is known by, or NULL */
    int part;           /* the how manieth of that record */
    int is_aside;       /* a subagent's */
    const struct turn_image *images; /* in the order in which the text has "[image]" for them */
    size_t n_images;
};

typedef void turns_f(void *arg, const struct turn *t);

/* An agent that tells the turns of one record: what of a turn is the same for all stays in ${turn}.
 */
struct teller {
    turns_f *f;
    void *arg;
    struct turn turn;
};

/**
 * teller_say(x, kind, text):
 * Tell the next turn; none if ${text} is NULL.
 */
void teller_say(struct teller *x, enum turn_kind kind, const char *text);

/**
 * teller_call(x, name, arguments, keys):
 * Tell that a tool was used.  ${name} and ${arguments} may be NULL; of the arguments the first of
 * ${keys} (with a NULL at the end) that is a string says most.
 */
void teller_call(struct teller *x, const char *name, struct json_object *arguments,
                 const char *const *keys);

struct agent;

/* The turns of a transcript that comes in pieces. */
struct turns;

#define TURNS_LINE_MAX (64 << 20)  /* bytes; a longer line is not read */
#define TURNS_VALUES_MAX (1 << 20) /* JSON values in a line; nor is one with more */

/**
 * turns_new(agent, f, arg):
 * Begin; ${f} is called with each turn.  Memory is that of the longest line.
 */
struct turns *turns_new(const struct agent *agent, turns_f *f, void *arg);

/**
 * turns_only(t, is_wanted, arg):
 * Read only the lines, of ${n} bytes at ${p}, that ${is_wanted} says yes to.
 */
void turns_only(struct turns *t, int (*is_wanted)(void *arg, const char *p, size_t n), void *arg);

/**
 * turns_feed(t, p, n), turns_end(t):
 * Take the next ${n} bytes; take a last line that has no newline.  Then the next transcript may be
 * fed.
 */
void turns_feed(struct turns *t, const void *p, size_t n);
void turns_end(struct turns *t);

/**
 * turns_unread(t):
 * Return how many lines could not be read: damaged, too long, nested too deeply.
 */
int64_t turns_unread(const struct turns *t);

void turns_free(struct turns *t);

/**
 * turns_word(kind):
 * Return what JSON calls it: "prompt", "answer", "thinking", "call", "result", "summary",
 * "note".
 */
const char *turns_word(enum turn_kind kind);

#endif
