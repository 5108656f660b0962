#ifndef COMMON_DATA_JSCAN_H
#define COMMON_DATA_JSCAN_H

#include <stddef.h>
#include <stdint.h>

/*
 * A push tokenizer for one JSON text (RFC 8259, strict, UTF-8 checked) of any length that comes in
 * pieces of any size.  Constant memory: strings that nobody wants are walked over, wanted ones are
 * kept up to a limit.  The whole state is the struct itself, without pointers, so that it can be
 * written down and taken up later by the same build.
 */

#define JSCAN_DEPTH 512 /* deeper nesting counts as damage */
#define JSCAN_KEY 48    /* longest member name that can be told apart */
#define JSCAN_TEXT 4096 /* most bytes of a string value that can be asked for */

enum jscan_type {
    JSCAN_OBJECT,
    JSCAN_ARRAY,
    JSCAN_STRING,
    JSCAN_NUMBER,
    JSCAN_TRUE,
    JSCAN_FALSE,
    JSCAN_NULL,
};

/* All members but at, key, key_len and depth are for jscan.c alone. */
struct jscan {
    uint64_t at;    /* where in the text the byte is that made it call back */
    uint64_t fed;   /* bytes that came before the piece under way */
    uint32_t depth; /* containers open around the present place */
    uint32_t key_len;
    char key[JSCAN_KEY + 1]; /* of the last member begun, unescaped, "" if it was too long */

    uint8_t state;
    uint8_t is_key;
    uint8_t is_cut;
    uint8_t utf8_left, utf8_lo, utf8_hi;
    uint8_t literal, literal_at;
    uint8_t hex_left;
    uint16_t code, high;
    uint32_t text_max, text_len;
    char text[JSCAN_TEXT + 8];
    uint8_t stack[JSCAN_DEPTH / 8];
};

struct jscan_ops {
    /* A value begins, in an object under s->key.  For a string, return how many bytes of it are
     * wanted, at most JSCAN_TEXT; 0: none, and string() is not called.  So for a number, where
     * number() is not NULL.  For others it is ignored.
     */
    size_t (*begin)(void *arg, const struct jscan *s, enum jscan_type type);

    /* A wanted string ended: ${len} bytes of UTF-8 and a NUL.  A NUL and a lone surrogate in it
     * have become U+FFFD.  ${is_cut}: there was more. */
    void (*string)(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut);

    /* An object or array ends; s->depth still counts it. */
    void (*close)(void *arg, const struct jscan *s);

    /* May be NULL.  A number ended of which begin() wanted something: its text, and a NUL. */
    void (*number)(void *arg, const struct jscan *s, const char *text, size_t len, int is_cut);
};

/* Wants nothing: for who asks only whether a text is one whole object. */
extern const struct jscan_ops jscan_no_ops;

/**
 * jscan_init(s):
 * Get ready for a new text.
 */
void jscan_init(struct jscan *s);

/**
 * jscan_feed(s, ops, arg, p, n):
 * Take the next ${n} bytes.  Once it has failed, further bytes are ignored.
 */
void jscan_feed(struct jscan *s, const struct jscan_ops *ops, void *arg, const char *p, size_t n);

/**
 * jscan_plain(p, n):
 * Return how many bytes at ${p} are ASCII that stands for itself inside a string.
 */
size_t jscan_plain(const char *p, size_t n);

/**
 * jscan_is_bad(s):
 * Return whether what came is not the beginning of a JSON object.
 */
int jscan_is_bad(const struct jscan *s);

/**
 * jscan_is_object(s):
 * Return whether what came is one whole, valid JSON object (and white space around it).
 */
int jscan_is_object(const struct jscan *s);

#endif
