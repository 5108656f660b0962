#ifndef BUNDLE_RELOCATE_RELOCATE_EDGE_H
#define BUNDLE_RELOCATE_RELOCATE_EDGE_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/relocate/relocate_lex.h"

/*
 * Where in a text a path can begin, and where the last name of a root ends.
 */

/* A root to be moved. */
struct root {
    char *source;
    uint32_t *chars; /* the same in characters */
    size_t n_chars;
    int is_windows; /* a drive's or a share's */
    int is_share;   /* \\\\server\\share\\... */
    char *target;
};

/* A root that was found, and how it is spelled. */
struct hit {
    const struct root *root;
    size_t start, end;      /* what is to be replaced: a root of POSIX but for its first slash */
    unsigned int slash;     /* backslashes before each slash */
    unsigned int backslash; /* of a Windows separator; 0: none was there */
    unsigned int level;     /* depth of JSON within JSON, 1 or more */
    int is_ascii;           /* other characters are spelled \uXXXX */
    int is_url;             /* of file://, spelled %XX */
    int is_whole;           /* the string begins here */
    char mark;              /* * or _, of Markdown, so many times before it... */
    unsigned int marks;     /* ...and that has to be closed; 0: none */
};

/**
 * edge_before(w, at, hit):
 * Return whether a path can begin at ${at}, and fill what is seen from before of how ${hit} (which
 * names its root) is spelled: slash, level, is_url, is_whole, and mark, marks: then edge_closes()
 * has to say so too.
 */
int edge_before(const struct window *w, size_t at, struct hit *hit);

/**
 * edge_behind(w, at):
 * Does the name before ${at} end there?
 */
enum match edge_behind(const struct window *w, size_t at);

/**
 * edge_closes(w, at, hit):
 * Is the emphasis that ${hit} began with closed behind ${at}, as Markdown would: by as many of the
 * same mark, behind a name, before the line ends (of a single mark: the word), within 1024 bytes?
 */
enum match edge_closes(const struct window *w, size_t at, const struct hit *hit);

#endif
