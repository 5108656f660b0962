#include <sys/resource.h>

#include "common/sys/secret_impl.h"

void secret_no_dumps(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
}
