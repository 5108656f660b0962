#include "net/network.h"

#include "daemon/daemon.h"

static void on_changed(void *arg)
{
    struct daemon *d = arg;

    login_try_now(d->login);
    if (d->uploader != NULL)
        uploader_try_now(d->uploader);
}

void daemon_mind_network(struct daemon *d)
{
    struct uploader_stats st = {0};

    if (d->uploader != NULL)
        uploader_stats(d->uploader, &st);
    if (d->network == NULL)
        d->network = network_new(d->base, on_changed, d);
    network_listen(d->network, login_is_offline(d->login) || st.failures > 0);
}
