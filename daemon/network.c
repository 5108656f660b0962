#include "net/metered.h"
#include "net/network.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/account/login_view.h"

static void on_changed(void *arg)
{
    struct daemon *d = arg;

    login_view_try_now(d->login);
    cloud_try_now(d->cloud);
    if (d->books != NULL)
        uploader_try_now(d->books->uploader);
}

void daemon_mind_network(struct daemon *d)
{
    struct uploader_stats st = {0};
    const struct ct_err *err;

    if (d->books != NULL)
        uploader_stats(d->books->uploader, &st);
    if (d->network == NULL)
        d->network = network_new(d->base, on_changed, d);
    network_listen(d->network, login_view_is_offline(d->login) || st.failures > 0 ||
                                   cloud_failures(d->cloud, &err) > 0);
}

static void on_metered(void *arg, int is_metered)
{
    struct daemon *d = arg;

    d->is_metered = is_metered;
    if (d->books != NULL)
        uploader_set_metered(d->books->uploader, is_metered);
}

void daemon_mind_metered(struct daemon *d)
{
    if (d->config->pause_on_metered) {
        if (d->metered == NULL)
            d->metered = metered_new(d->base, on_metered, d);
        return;
    }
    metered_free(d->metered);
    d->metered = NULL;
    on_metered(d, 0);
}

void daemon_network_end(struct daemon *d)
{
    metered_free(d->metered);
    network_free(d->network);
    d->metered = NULL;
    d->network = NULL;
}
