#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/base/uuid.h"

#include "agents/lines/names.h"

/* Locks, half-written files, and what desktops leave behind: the same in every folder. */
static const char *const anywhere[] = {"*.lock", "*.lock/", "*.tmp", "*.tmp.*", ".DS_Store"};

/* Does the component ${p} of ${n} bytes fit ${pattern}, that ends at '/' or its end? */
static int fits(const char *pattern, const char *p, size_t n)
{
    for (; *pattern != '\0' && *pattern != '/'; pattern++) {
        if (*pattern == '*') {
            for (size_t i = 0; i <= n; i++) {
                if (fits(pattern + 1, p + i, n - i))
                    return 1;
            }
            return 0;
        }
        if (*pattern == '%') {
            if (n < UUID_SIZE - 1 || !uuid_starts(p))
                return 0;
            p += UUID_SIZE - 1;
            n -= UUID_SIZE - 1;
        } else {
            if (n == 0 ||
                (*pattern == '#' ? strchr("0123456789abcdef", *p) == NULL : *p != *pattern))
                return 0;
            p++;
            n--;
        }
    }
    return n == 0;
}

enum names_match names_match(const char *pattern, const char *path)
{
    for (;;) {
        size_t n = strcspn(path, "/"), m = strcspn(pattern, "/");
        if (!fits(pattern, path, n))
            return NAMES_NO;
        path += n;
        pattern += m;
        if (*pattern == '\0')
            return *path == '\0' ? NAMES_YES : NAMES_NO;
        if (*path == '\0')
            return NAMES_NO; /* a file where a folder belongs */
        path++;
        pattern++;
        if (*pattern == '\0')
            return NAMES_YES;
        if (*path == '\0')
            return NAMES_INSIDE;
    }
}

/* The last component, with its slash if it is a folder. */
static int is_anywhere(const char *path)
{
    size_t n = strlen(path), at = n > 0 ? n - 1 : 0;

    while (at > 0 && path[at - 1] != '/')
        at--;
    for (size_t i = 0; i < sizeof(anywhere) / sizeof(anywhere[0]); i++) {
        if (names_match(anywhere[i], path + at) == NAMES_YES)
            return 1;
    }
    return 0;
}

enum agent_kind names_kind(const struct agent_place *places, const char *path)
{
    for (; places->name != NULL; places++) {
        if (names_match(places->name, path) == NAMES_YES)
            return places->kind;
    }
    return AGENT_NOTHING;
}

/* ${dir} ends in a slash. */
static int is_on_the_way(const struct agent_place *places, const char *dir)
{
    for (; places != NULL && places->name != NULL; places++) {
        if (names_match(places->name, dir) != NAMES_NO)
            return 1;
    }
    return 0;
}

int names_wants_dir(const struct agent_place *places, const char *path)
{
    char *dir = str_printf("%s/", path);
    int is_wanted = path[0] == '\0' || is_on_the_way(places, dir);

    free(dir);
    return is_wanted;
}

enum agent_fate names_fate(const struct agent_place *places, const struct agent_name *table,
                           const char *path)
{
    int is_inside = is_on_the_way(places, path);

    if (places != NULL && names_kind(places, path) != AGENT_NOTHING)
        return AGENT_OF_SESSION;
    for (; table->name != NULL; table++) {
        enum names_match m = names_match(table->name, path);
        if (m == NAMES_YES)
            return table->fate;
        is_inside |= m == NAMES_INSIDE;
    }
    if (is_anywhere(path))
        return AGENT_DERIVED;
    return is_inside ? AGENT_INSIDE : AGENT_UNKNOWN;
}
