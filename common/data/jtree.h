#ifndef COMMON_DATA_JTREE_H
#define COMMON_DATA_JTREE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/data/jscan.h"

/*
 * One JSON text (RFC 8259, as strict as jscan) in memory, as places in the text: for whoever has to
 * write parts of it again to the byte.  A line of a transcript, say.
 */

#define JTREE_VALUES_MAX (1 << 20)   /* values in one text */
#define JTREE_TEXT_MAX (1024U << 20) /* bytes of one */
#define JTREE_NONE UINT32_MAX

/* A value; its children (members or items) follow in order, by next. */
struct jvalue {
    uint32_t begin, end;   /* its place in the text; a string's with its quotes */
    uint32_t key, key_end; /* of a member: its name without quotes, as it is spelled; else 0, 0 */
    uint32_t child, next;  /* JTREE_NONE: none */
    enum jscan_type type;
};

struct jtree {
    const char *text; /* borrowed */
    size_t n;
    struct jvalue *values; /* 0 is the whole text */
    size_t n_values, cap;
};

/**
 * jtree_parse(t, text, n):
 * Read ${text}, which has to stay while ${t} is used.  Zeroed is empty; a second call takes the
 * place of the first.  Return 0, or -1 if it is not one whole JSON object or array, or is nested
 * deeper than JSCAN_DEPTH, or beyond the limits above.  Free with jtree_free().
 */
int jtree_parse(struct jtree *t, const char *text, size_t n);
void jtree_free(struct jtree *t);

/**
 * jtree_member(t, object, name):
 * Return the member called ${name}: of several the last one, as everywhere.  JTREE_NONE if there is
 * none or ${object} is no object (or JTREE_NONE).
 */
uint32_t jtree_member(const struct jtree *t, uint32_t object, const char *name);

/**
 * jtree_is(t, value, word), jtree_is_true(t, value):
 * Return whether it is that string; whether it is true.  JTREE_NONE is neither.
 */
int jtree_is(const struct jtree *t, uint32_t value, const char *word);
int jtree_is_true(const struct jtree *t, uint32_t value);

/**
 * jtree_string(t, value, ret), jtree_key(t, value, ret):
 * Empty ${ret}, and append what the string or the member's name says.  Return 0, or -1 if it is no
 * string or says what no text in memory can: a NUL, or half a surrogate pair.
 */
int jtree_string(const struct jtree *t, uint32_t value, struct buf *ret);
int jtree_key(const struct jtree *t, uint32_t value, struct buf *ret);

/**
 * jtree_quote(ret, p, n):
 * Append ${n} bytes of UTF-8 as a JSON string, spelled as JavaScript does.
 */
void jtree_quote(struct buf *ret, const char *p, size_t n);

#endif
