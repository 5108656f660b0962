#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/sys/secret_impl.h"

void secret_no_dumps(void)
{
    struct rlimit none = {0, 0};

    /* The limit goes on to what we start; where cores are piped to a program only the flag counts.
     */
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}
