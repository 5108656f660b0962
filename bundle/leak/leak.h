#ifndef BUNDLE_LEAK_LEAK_H
#define BUNDLE_LEAK_LEAK_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * Credentials in text, found by rules.  A rule file is TOML, in the part of gitleaks' format that
 * makes sense for text without commits:
 *
 *   [[rules]]         id, description, regex (PCRE2, on bytes), secretGroup, entropy, keywords,
 *                     path; tags are ignored
 *   [rules.allowlist], [[rules.allowlists]], and for all rules [allowlist], [[allowlists]]:
 *                     description, regexes, regexTarget ("secret" or "match"), stopwords, paths
 *   title, description
 *
 * Everything else is refused, by file and line: a rule that does not do what it says is worse than
 * none.  A secret is the group secretGroup, else the first group that matched, else the match.
 *
 * It lies in this room because what is scanned is what a bundle would hold, and daemon and client
 * both do it.
 */
struct leak_rules;

/**
 * leak_rules_load(path, ret, err):
 * Read the rules in ${path}; NULL: our own, a short set (scan-rules.json).  ERR_CONFIG with the
 * file and the rule.  The caller ends with leak_rules_free(); others who keep it meanwhile call
 * leak_rules_keep() and free it too.
 */
int leak_rules_load(const char *path, struct leak_rules **ret, struct ct_err *err);
struct leak_rules *leak_rules_keep(struct leak_rules *r);
void leak_rules_free(struct leak_rules *r);

/**
 * leak_rules_parse(name, p, n, ret, err):
 * The same from memory; ${name} is for errors.
 */
int leak_rules_parse(const char *name, const char *p, size_t n, struct leak_rules **ret,
                     struct ct_err *err);

/**
 * leak_rules_about(r, id):
 * Return the description of the rule ${id}, "" if it has none.
 */
const char *leak_rules_about(const struct leak_rules *r, const char *id);

/* One text, from its beginning or from the beginning of a line.  Memory is constant; lines may be
 * of any length, and in them JSON's \n, \t and \" count as what they stand for. */
struct leak_scan;

/**
 * leak_scan_new(r, path, line, found, arg):
 * Begin with the text of ${path}, at its line number ${line}.  ${found} is called with the rule's
 * id and the line for each, once for each pair, in the order of lines for each rule.
 */
struct leak_scan *leak_scan_new(struct leak_rules *r, const char *path, int64_t line,
                                void (*found)(void *arg, const char *rule, int64_t line),
                                void *arg);
void leak_scan_free(struct leak_scan *s);

/**
 * leak_scan_feed(s, p, n), leak_scan_end(s):
 * The next ${n} bytes; that was all.  Afterwards leak_scan_gave_up() names a rule whose regex took
 * too many steps somewhere, so that it was not applied there, or is NULL.
 */
void leak_scan_feed(struct leak_scan *s, const void *p, size_t n);
void leak_scan_end(struct leak_scan *s);
const char *leak_scan_gave_up(const struct leak_scan *s);

#endif
