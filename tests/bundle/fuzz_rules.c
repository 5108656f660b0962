/* Whatever is said to be a file of rules is read or refused; rules that were read find something or
 * nothing in the file itself, and come to an end. */
#include <stdint.h>
#include <stdlib.h>

#include "bundle/leak/leak.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void found(void *arg, const char *rule, int64_t line)
{
    (void)arg;
    if (rule[0] == '\0' || line < 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ct_err err = {0};
    struct leak_rules *r;
    struct leak_scan *s;

    if (leak_rules_parse("f", (const char *)data, size, &r, &err) != 0) {
        if (err.code != ERR_CONFIG || err.msg[0] == '\0')
            abort();
        return 0;
    }
    s = leak_scan_new(r, "a/b.jsonl", 1, found, NULL);
    leak_scan_feed(s, data, size);
    leak_scan_end(s);
    leak_scan_free(s);
    leak_rules_free(r);
    return 0;
}
