#ifndef AGENTS_NAMES_H
#define AGENTS_NAMES_H

#include "agents/agent.h"

/*
 * Names in a data folder by patterns: '%' is a session's id, '#' a hexadecimal digit, '*' any run
 * of characters in one name, a slash at the end means the folder and all below it.
 */

enum names_match {
    NAMES_NO,
    NAMES_INSIDE, /* a folder on the way to what the pattern names */
    NAMES_YES,
};

/* The last of a table has no name. */
struct agent_name {
    const char *name;
    enum agent_fate fate;
};

/**
 * names_match(pattern, path):
 * Return whether ${path} (a folder's ends in a slash) fits ${pattern}.
 */
enum names_match names_match(const char *pattern, const char *path);

/* What a file of a session is; the last of a table has no name. */
struct agent_place {
    const char *name; /* of files, or of a folder of such */
    enum agent_kind kind;
};

/**
 * names_kind(places, path):
 * Return what the file ${path} is by the first row that fits, else AGENT_NOTHING.
 */
enum agent_kind names_kind(const struct agent_place *places, const char *path);

/**
 * names_wants_dir(places, path):
 * Return whether the folder at ${path} ("": the root) can hold, itself or below, a file of these.
 */
int names_wants_dir(const struct agent_place *places, const char *path);

/**
 * names_fate(places, table, path):
 * Return what becomes of ${path}: AGENT_OF_SESSION for what is of the ${places} (NULL: none), else
 * by the first row of ${table} that fits; AGENT_DERIVED for locks, half-written files and what
 * desktops leave behind, AGENT_INSIDE for a folder on the way to something that is named, else
 * AGENT_UNKNOWN.
 */
enum agent_fate names_fate(const struct agent_place *places, const struct agent_name *table,
                           const char *path);

#endif
