#ifndef BUNDLE_RELOCATE_RELOCATE_H
#define BUNDLE_RELOCATE_RELOCATE_H

#include <stddef.h>

#include "common/base/err.h"

/*
 * Paths in JSON text, moved from the machine that they come from to this one: a few roots (working
 * folder, home folder, places in the agent's data folder) and nothing else.  The longest root is
 * tried first, what was replaced is never searched again, every other byte stays.
 *
 * A root counts where a path can begin and its name ends there: not in the middle of another path,
 * not before a character of a name (/home/al in /home/alice, /home/al-2, /home/al.bak).  White
 * space, quotes, slashes, backslashes, other punctuation and a full stop at the end of a sentence
 * end it.
 *
 * Behind * or _ a root counts only as Markdown's emphasis: **"/home/al/x.c"** without the quotes.
 * A glob begins the same way ("*" and "/home/al" is any home/al, not this one), and globs are in
 * commands that may be read again, so what can't be told stays: one to three marks, behind white
 * space, an opening bracket, a cell's edge, or (two or more) a quote; closed by as many behind a
 * name.  What ends in a slash before the mark is taken for a glob, and so is one mark in quotes.
 *
 * Its characters may be spelled as JSON can: \/ and \uXXXX (surrogate pairs too), at any depth of
 * JSON within JSON; in a file:// URL also as %XX.  The new root is written so that the text stays
 * JSON: at the same depth, with \/ where the old one had it, with \uXXXX where the old one had
 * that, with %XX in a URL.
 *
 * A root of Windows (C:\Users\a, the drive's letter in either case; \\server\share; \ or /) becomes
 * one of POSIX, and the separators in the rest of that path become slashes: that is what Claude
 * Code needs to find the folder and the files again.  The rest goes up to the first character that
 * no file name of Windows has, or white space, unless the path fills a string from its beginning.
 */
struct relocation;

#define RELOCATION_MORE 8

struct relocation_pair {
    char *source, *target;
};

struct relocation_roots {
    const char *source_cwd, *target_cwd;   /* absolute; both NULL: the working folder stays */
    const char *source_home, *target_home; /* the same for the home folder */
    const struct relocation_pair *more;    /* further ones, at most RELOCATION_MORE */
    size_t n_more;
};

/**
 * relocation_new(roots, ret, err):
 * Prepare.  Sources are absolute paths of POSIX or Windows, targets of POSIX; slashes at their ends
 * do not count.  A source that is a whole file system ("/", "C:\") or a server alone is no root and
 * changes nothing. ERR_REFUSED if one is not absolute, not UTF-8, has control characters or is
 * longer than 4096 bytes.
 */
int relocation_new(const struct relocation_roots *roots, struct relocation **ret,
                   struct ct_err *err);
void relocation_free(struct relocation *r);

/**
 * relocation_is_idle(r):
 * Return whether nothing would ever be changed.
 */
int relocation_is_idle(const struct relocation *r);

/**
 * relocation_path(r, path):
 * Return the plain ${path} (no JSON), moved if it is one of the roots or lies below it, else a
 * copy.  The caller frees it.
 */
char *relocation_path(const struct relocation *r, const char *path);

/**
 * relocation_cwd(r), relocation_home(r):
 * Return the folders here that the two become, as they were given; NULL: none.  Borrowed.
 */
const char *relocation_cwd(const struct relocation *r);
const char *relocation_home(const struct relocation *r);

/* One text on its way through. */
struct relocator;

/* Where it goes; return 0, or -1 with ${err} set, which ends it. */
typedef int (*relocate_fn)(void *arg, const void *p, size_t n, struct ct_err *err);

/**
 * relocator_new(r, out, arg):
 * Begin a text.  ${r} stays the caller's and has to outlive it.
 */
struct relocator *relocator_new(const struct relocation *r, relocate_fn out, void *arg);
void relocator_free(struct relocator *t);

/**
 * relocator_feed(t, p, n, err), relocator_end(t, err):
 * The next ${n} bytes, in whatever pieces; the end of the text.  Memory does not depend on the
 * text.
 */
int relocator_feed(struct relocator *t, const void *p, size_t n, struct ct_err *err);
int relocator_end(struct relocator *t, struct ct_err *err);

/**
 * relocator_exact(t, p, n, err):
 * The next ${n} bytes stay as they are, whatever they say; no path goes on over them.
 */
int relocator_exact(struct relocator *t, const void *p, size_t n, struct ct_err *err);

#endif
