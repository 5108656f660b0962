#include "watcher/backend/backend.h"

/* Without inotify and FSEvents. */
const struct backend *backend_system(void)
{
    return backend_polling();
}
