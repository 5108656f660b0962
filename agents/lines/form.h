#ifndef AGENTS_FORM_H
#define AGENTS_FORM_H

#include <stddef.h>
#include <stdint.h>

#include "agents/record.h"

/*
 * The records of most agents, read by tables: a row says where in the line a value stands (how
 * deep, and within which containers) and which member of struct record it is.  Members may come in
 * any order, so what a record is stands in bits of record.known until it ends.
 */

/* What ${in} holds is open, when a value of ${type} and ${key} comes at ${depth}: ${bit} is set.
 * It is cleared when a container is closed; the bit of any other value stays. */
struct form_way {
    uint32_t depth, in;
    enum jscan_type type;
    const char *key;
    uint32_t bit;
};

/* How a value is taken. */
enum {
    FORM_CUT = 1 << 0,   /* what is too long for its place is cut, and not left out */
    FORM_FIRST = 1 << 1, /* the first one counts, where there are several */
    FORM_ADD = 1 << 2,   /* to the number that is there */
    FORM_MONEY = 1 << 3, /* in millionths; what is none is -1 */
    FORM_TOTAL = 1 << 4, /* of the session so far, and not of this message */
};

/* A string or a number that is kept. */
struct form_place {
    uint32_t depth, in;
    const char *key;
    size_t at, size; /* FORM_AT() */
    int how;
};

#define FORM_AT(member) offsetof(struct record, member), sizeof(((struct record *)NULL)->member)

/* What a kept string says.  ${word} NULL: any; "*_x": any other that ends so. */
struct form_word {
    uint32_t depth;
    const char *key, *word;
    uint32_t bits;
};

struct record_form {
    const struct form_way *ways;
    const struct form_place *strings, *numbers;
    const struct form_word *words;
    size_t n_ways, n_strings, n_numbers, n_words;
    uint32_t usage; /* the bit of the container of tokens: they begin at 0 in each */

    /* Closed at this depth within ${item_in}: a tool call, a block. */
    uint32_t item_depth, item_in;
    void (*end_item)(struct record_reader *rr);

    /* The record ends: say what it is, and leave out what is not its. */
    void (*settle)(struct record_reader *rr);
};

#define FORM_TABLE(name, table) .name = (table), .n_##name = sizeof(table) / sizeof((table)[0])

/**
 * form_ops:
 * The record_ops of an agent that has a record_form.
 */
extern const struct jscan_ops form_ops;

/**
 * form_count(text, len, is_cut, ret):
 * Read a count of tokens.  Return 0, or -1 for what is none.
 */
int form_count(const char *text, size_t len, int is_cut, int64_t *ret);

/**
 * form_take_file(rr, is_edit), form_take_call(rr):
 * End a tool call: note the path in block.file_path if it writes there; note the id in
 * block.notebook_path, by which it may come again, or count the call.  Both are empty then.
 */
void form_take_file(struct record_reader *rr, int is_edit);
void form_take_call(struct record_reader *rr);

#endif
