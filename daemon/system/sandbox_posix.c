#include "daemon/system/sandbox.h"

/* No sandbox that a process can enter by itself. */

int sandbox_abi(void)
{
    return 0;
}

int sandbox_enter(const struct sandbox_rules *rules, int abi, struct ct_err *err)
{
    (void)rules;
    (void)abi;
    return err_set(err, ERR_FAIL, "this system offers no sandbox");
}

int sandbox_blocks(const char *path)
{
    (void)path;
    return 0;
}
