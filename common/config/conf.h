#ifndef COMMON_CONFIG_CONF_H
#define COMMON_CONFIG_CONF_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * A libconfig file read against a table of keys.  Every fault is reported with file and line: a
 * syntax error, an unknown key (with the known one that it resembles), a wrong type, a value out of
 * range.
 */

enum conf_type {
    CONF_STRING,  /* char *, freed and replaced */
    CONF_SECRET,  /* char * of secret_dup(), the same */
    CONF_PATH,    /* char *, expanded by path_expand() */
    CONF_BOOL,    /* int */
    CONF_INT,     /* long long, within min..max */
    CONF_SECONDS, /* long long, milliseconds; the file says seconds, whole or not */
    CONF_BYTES,   /* long long; the file says a number or "10 MB", "1 GiB" */
    CONF_CHOICE,  /* int, the index in choices */
    CONF_LIST,    /* struct strlist of strings, replaced; a string is a list of one */
    CONF_PATHS,   /* the same, each expanded by path_expand() */
    CONF_NUMBERS, /* struct conf_numbers, replaced: at least one, each within min..max */
};

#define CONF_MOST_NUMBERS 32

struct conf_numbers {
    long long v[CONF_MOST_NUMBERS];
    size_t n;
};

struct conf_key {
    const char *name;
    enum conf_type type;
    size_t offset;              /* of the member in the structure to fill */
    long long min, max;         /* in the unit of the member; 0, 0: no limit */
    const char *const *choices; /* NULL-terminated, for CONF_CHOICE */
};

/**
 * conf_read(path, keys, n, into, must_exist, err):
 * Set the members of ${into} that the file ${path} gives.  A missing file is no error unless
 * ${must_exist}.  All faults of the file are in the sentence of ${err} (ERR_CONFIG), one after
 * another, as many as fit.  On error ${into} may be half set; the caller frees it all the same.
 */
int conf_read(const char *path, const struct conf_key *keys, size_t n, void *into, int must_exist,
              struct ct_err *err);

/**
 * conf_environment(prefix, keys, n, into, err):
 * The same of the environment's variables whose names begin with ${prefix}: what follows is a key
 * in capitals.  Values stand without quotes, those of a list between commas.
 */
int conf_environment(const char *prefix, const struct conf_key *keys, size_t n, void *into,
                     struct ct_err *err);

#endif
