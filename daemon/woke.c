#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/account/login_view.h"

void daemon_woke(struct daemon *d)
{
    /* What was connected before is most likely dead, and the network may be back. */
    http_engine_rest(d->engine);
    pause_woke(d);
    login_view_try_now(d->login);
    cloud_try_now(d->cloud);
    if (d->books != NULL)
        uploader_try_now(d->books->uploader);
    control_event(d, "state", NULL, 0, 0, "resumed from suspend");
}
