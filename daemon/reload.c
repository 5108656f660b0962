#include <stdlib.h>
#include <string.h>

#include "agents/roots.h"
#include "common/base/log.h"
#include "common/base/path.h"

#include "daemon/system/confine.h"
#include "daemon/session/credscan.h"
#include "daemon/daemon.h"
#include "daemon/session/exclusion.h"
#include "daemon/account/login_view.h"
#include "daemon/account/sealing.h"

struct http_policy daemon_policy(const struct config *c)
{
    struct http_policy p = {
        .ca_file = c->ca_file,
        .proxy = c->proxy,
        .allow_plain_http = c->allow_plain_http,
        .max_upload_rate = c->max_upload_rate,
    };

    return p;
}

static void is_for_next_start(const char *key)
{
    log_warn("reload key=%s action=\"takes effect at the next start\"", key);
}

static void keep(const char *key, char **now, char **wanted)
{
    char *t;

    if (strcmp(*now != NULL ? *now : "", *wanted != NULL ? *wanted : "") != 0)
        is_for_next_start(key);
    t = *now;
    *now = *wanted;
    *wanted = t;
}

static int same_list(const struct strlist *a, const struct strlist *b)
{
    if (a->n != b->n)
        return 0;
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->v[i], b->v[i]) != 0)
            return 0;
    }
    return 1;
}

/* What the new configuration names, and the sandbox bars: then all of it counts at once. */
static void restart_for(struct daemon *d, const struct config *fresh)
{
    for (size_t i = 0; i < fresh->roots.n; i++)
        restart_if_barred(d, fresh->roots.v[i]);
    if (!same_list(&d->config->agents, &fresh->agents))
        restart_begin(d, fresh->roots.v[fresh->roots.n - 1]);
    if (fresh->ca_file != NULL)
        restart_if_barred(d, fresh->ca_file);
    if (fresh->scan_secrets != CONFIG_SCAN_OFF && fresh->scan_rules != NULL)
        restart_if_barred(d, fresh->scan_rules);
}

/* What takes effect at the next start stays as it is until then. */
static void hold(const struct config *now, struct config *fresh)
{
    if (now->rescan_ms != fresh->rescan_ms)
        is_for_next_start("rescan");
    if (now->sandbox != fresh->sandbox)
        is_for_next_start("sandbox");
    if (memcmp(&now->allowed_ports, &fresh->allowed_ports, sizeof(fresh->allowed_ports)) != 0)
        is_for_next_start("allowed_ports");
    if (now->polling != fresh->polling)
        is_for_next_start("polling");
    if (now->allow_plain_http != fresh->allow_plain_http)
        is_for_next_start("allow_plain_http");
    fresh->allow_plain_http = now->allow_plain_http;
    fresh->allowed_ports = now->allowed_ports;
}

/* The same, for what is owned: the two change places. */
static void hold_owned(struct config *now, struct config *fresh)
{
    struct strlist roots = now->roots, agents = now->root_agents;

    if (!same_list(&now->roots, &fresh->roots))
        is_for_next_start("roots");
    now->roots = fresh->roots;
    fresh->roots = roots;
    now->root_agents = fresh->root_agents;
    fresh->root_agents = agents;
    keep("state_dir", &now->state_dir, &fresh->state_dir);
    keep("shared_dir", &now->shared_dir, &fresh->shared_dir);
    keep("socket", &now->socket, &fresh->socket);
    keep("ca_file", &now->ca_file, &fresh->ca_file);
    keep("key_command", &now->key_command, &fresh->key_command);
}

static void apply(struct daemon *d)
{
    struct http_policy policy = daemon_policy(d->config);

    http_engine_set_policy(d->engine, &policy);
    daemon_mind_metered(d);
    if (!d->is_verbose)
        log_set_level((enum log_level)d->config->log);
    sessions_set_clocks(d);
    if (d->books != NULL) {
        uploader_set_concurrency(d->books->uploader, (int)d->config->concurrency);
        uploader_set_kept_limit(d->books->uploader, d->config->kept_bytes);
    }
    rules_configure(d->rules, d->config);
    exclusion_apply(d);
    sealing_refresh(d->sealing);
    login_view_refresh(d->login);
    profile_refresh(d);
}

static int load(struct daemon *d, struct config **ret, struct ct_err *err)
{
    char *file;

    *ret = NULL;
    if (config_load(d->config_path, ret, err) != 0 || roots_find(*ret, err) != 0) {
        config_free(*ret);
        file = config_file(d->config_path);
        restart_if_barred(d, file);
        free(file);
        return -1;
    }
    restart_for(d, *ret);
    if (credscan_configure(d, *ret, err) == 0)
        return 0;
    config_free(*ret);
    return -1;
}

int daemon_reload(struct daemon *d, struct ct_err *err)
{
    struct config *fresh;

    if (load(d, &fresh, err) != 0) {
        log_error("reload-failed error=\"%s\" action=\"the old configuration stays\"", err->msg);
        return -1;
    }
    hold(d->config, fresh);
    hold_owned(d->config, fresh);
    config_free(d->config);
    d->config = fresh;
    apply(d);
    log_info("reloaded");
    return 0;
}
