#ifndef BUNDLE_LEAK_LEAK_IMPL_H
#define BUNDLE_LEAK_LEAK_IMPL_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdatomic.h>

#include "bundle/leak/leak.h"
#include "bundle/leak/leak_words.h"
#include "common/base/strlist.h"

/* What is no secret after all. */
struct leak_allow {
    pcre2_code **regexes; /* on the secret, or on the whole match */
    size_t n_regexes;
    pcre2_code **paths;
    size_t n_paths;
    struct strlist stopwords; /* in the secret, in small letters */
    int is_on_match;
};

struct leak_rule {
    char *id;
    char *description;
    pcre2_code *regex;
    pcre2_code *path; /* of files that it is for, or NULL */
    uint32_t group;
    double entropy;
    int has_keywords;
    struct leak_allow *allows;
    size_t n_allows;
};

struct leak_rules {
    atomic_int refs;
    struct leak_rule *rules;
    size_t n;
    struct leak_allow *allows; /* for all rules */
    size_t n_allows;
    struct leak_words *words;
};

#endif
