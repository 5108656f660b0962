#include <string.h>

#include "bundle/format/entry.h"

#define EXTRA_DIGITS 40

int entry_is_other(const char *name)
{
    return strncmp(name, ENTRY_OTHERS, strlen(ENTRY_OTHERS)) == 0;
}

int entry_is_extra(const char *name)
{
    const char *digits = name + strlen(ENTRY_EXTRAS);

    return strncmp(name, ENTRY_EXTRAS, strlen(ENTRY_EXTRAS)) == 0 &&
           strlen(digits) == EXTRA_DIGITS && strspn(digits, "0123456789abcdef") == EXTRA_DIGITS;
}
