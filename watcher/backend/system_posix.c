#include "watcher/backend/backend.h"

/* Without inotify. */
const struct backend *backend_system(void)
{
    return backend_polling();
}
