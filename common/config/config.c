#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/conf.h"
#include "common/config/state_dir.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "common/config/config.h"

static const char *const log_choices[] = {"error", "warn", "info", "debug", NULL};
static const char *const metadata_choices[] = {"basic", "full", NULL};
static const char *const scan_choices[] = {"off", "warn", NULL};
static const char *const encryption_choices[] = {"off", "on", "require", NULL};
static const char *const workers_choices[] = {"auto", "one", "two", NULL};
static const char *const sandbox_choices[] = {"off", "on", "require", NULL};

#define AT(member) offsetof(struct config, member)
#define SAID_PROFILE "profile" /* in the shared folder */
#define SAID_AGENTS "agents"
#define SAID_MAX 256
#define DAY_MS (24LL * 3600 * 1000)
#define MIN_UPLOAD_RATE (8LL << 10) /* for each of the uploads at once */

static const struct conf_key keys[] = {
    {"roots", CONF_PATHS, AT(roots), 0, 0, NULL},
    {"agents", CONF_LIST, AT(agents), 0, 0, NULL},
    {"exclude", CONF_PATHS, AT(exclude), 0, 0, NULL},
    {"include", CONF_PATHS, AT(include), 0, 0, NULL},
    {"state_dir", CONF_PATH, AT(state_dir), 0, 0, NULL},
    {"socket", CONF_PATH, AT(socket), 0, 0, NULL},
    {"ca_file", CONF_PATH, AT(ca_file), 0, 0, NULL},
    {"proxy", CONF_SECRET, AT(proxy), 0, 0, NULL},
    {"device_name", CONF_STRING, AT(device_name), 0, 0, NULL},
    {"allow_plain_http", CONF_BOOL, AT(allow_plain_http), 0, 0, NULL},
    {"quiet", CONF_SECONDS, AT(quiet_ms), 10, DAY_MS, NULL},
    {"longest_wait", CONF_SECONDS, AT(wait_ms), 10, DAY_MS, NULL},
    {"distance", CONF_SECONDS, AT(distance_ms), 0, DAY_MS, NULL},
    {"turn_quiet", CONF_SECONDS, AT(turn_quiet_ms), 10, DAY_MS, NULL},
    {"rescan", CONF_SECONDS, AT(rescan_ms), 0, 7 * DAY_MS, NULL},
    {"concurrency", CONF_INT, AT(concurrency), 1, 16, NULL},
    {"notify_after", CONF_SECONDS, AT(notify_after_ms), 0, 30 * DAY_MS, NULL},
    {"pause_on_metered", CONF_BOOL, AT(pause_on_metered), 0, 0, NULL},
    {"max_upload_rate", CONF_BYTES, AT(max_upload_rate), 0, 1LL << 50, NULL},
    {"spool_limit", CONF_BYTES, AT(spool_bytes), 1LL << 20, 1LL << 50, NULL},
    {"cache_limit", CONF_BYTES, AT(cache_bytes), 0, 1LL << 50, NULL},
    {"kept_limit", CONF_BYTES, AT(kept_bytes), 1LL << 20, 1LL << 50, NULL},
    {"profile", CONF_BOOL, AT(profile), 0, 0, NULL},
    {"amend", CONF_BOOL, AT(amend), 0, 0, NULL},
    {"pace", CONF_BOOL, AT(pace), 0, 0, NULL},
    {"metadata", CONF_CHOICE, AT(metadata), 0, 0, metadata_choices},
    {"encryption", CONF_CHOICE, AT(encryption), 0, 0, encryption_choices},
    {"key_command", CONF_STRING, AT(key_command), 0, 0, NULL},
    {"scan_secrets", CONF_CHOICE, AT(scan_secrets), 0, 0, scan_choices},
    {"scan_rules", CONF_PATH, AT(scan_rules), 0, 0, NULL},
    {"workers", CONF_CHOICE, AT(workers), 0, 0, workers_choices},
    {"sandbox", CONF_CHOICE, AT(sandbox), 0, 0, sandbox_choices},
    {"allowed_ports", CONF_NUMBERS, AT(allowed_ports), 1, 65535, NULL},
    {"polling", CONF_BOOL, AT(polling), 0, 0, NULL},
    {"log", CONF_CHOICE, AT(log), 0, 0, log_choices},
};

static void defaults(struct config *c)
{
    c->quiet_ms = 5000;
    c->wait_ms = 120000;
    c->distance_ms = 15000;
    c->turn_quiet_ms = 1000;
    c->rescan_ms = 30LL * 60 * 1000;
    c->concurrency = 2;
    c->notify_after_ms = 60LL * 60 * 1000;
    c->pause_on_metered = 1;
    c->spool_bytes = 10LL << 30;
    c->cache_bytes = 1LL << 30;
    c->kept_bytes = 2LL << 30;
    c->profile = -1;
    c->amend = 1;
    c->pace = 1;
    c->metadata = CONFIG_METADATA_BASIC;
    c->encryption = CONFIG_ENCRYPTION_ON;
    c->sandbox = CONFIG_SANDBOX_ON;
    c->log = LOG_LEVEL_INFO;
}

/* What was answered at log-in, where the configuration says nothing. */
static int said_profile(const struct config *c)
{
    char *path = path_join(c->shared_dir, SAID_PROFILE);
    struct buf b = {0};
    int said = -1;

    if (file_read(path, SAID_MAX, &b, NULL) == 0 && b.len > 0)
        said = strcmp(b.data, "true\n") == 0;
    buf_free(&b);
    free(path);
    return said;
}

/* The same of agents, as words. */
static void said_agents(struct config *c)
{
    char *path = path_join(c->shared_dir, SAID_AGENTS), *next = NULL;
    struct buf b = {0};

    if (file_read(path, SAID_MAX, &b, NULL) == 0 && b.len > 0) {
        buf_addc(&b, '\0');
        for (char *w = strtok_r(b.data, " \n", &next); w != NULL; w = strtok_r(NULL, " \n", &next))
            strlist_add_once(&c->agents, w);
    }
    buf_free(&b);
    free(path);
}

static int say(const struct config *c, const char *name, const char *text, struct ct_err *err)
{
    char *path = path_join(c->shared_dir, name);
    int rc = path_make_private(c->shared_dir, err);

    if (rc == 0)
        rc = file_replace(path, text, strlen(text), 0600, err);
    free(path);
    return rc;
}

int config_say_profile(const struct config *c, int yes, struct ct_err *err)
{
    return say(c, SAID_PROFILE, yes ? "true\n" : "false\n", err);
}

int config_say_agents(const struct config *c, const char *agents, struct ct_err *err)
{
    char *text = str_printf("%s\n", agents);
    int rc = say(c, SAID_AGENTS, text, err);

    free(text);
    return rc;
}

static void fill_in(struct config *c)
{
    const char *ca = getenv("CODETELEPORT_CA_FILE");

    if (c->roots.n == 0) {
        char *root = path_claude_root();
        strlist_add(&c->roots, root);
        free(root);
    }
    c->shared_dir = c->state_dir != NULL ? str_dup(c->state_dir) : state_dir_shared();
    if (c->profile < 0)
        c->profile = said_profile(c);
    if (c->agents.n == 0)
        said_agents(c);
    if (c->state_dir == NULL)
        c->state_dir = state_dir_find();
    if (c->socket == NULL)
        c->socket = path_socket(c->state_dir);
    if (c->ca_file == NULL && ca != NULL && ca[0] != '\0')
        c->ca_file = path_expand(ca);
}

int config_allows_port(const struct config *c, long long port)
{
    for (size_t i = 0; i < c->allowed_ports.n; i++) {
        if (c->allowed_ports.v[i] == port)
            return 1;
    }
    return c->allowed_ports.n == 0;
}

/* Of a proxy's URL, as curl reads it; where it says none, curl has a default. */
static long long proxy_port(const char *url)
{
    const char *host = strstr(url, "://") + 3, *at = strrchr(host, '@'), *colon;

    if (at != NULL)
        host = at + 1;
    colon = strchr(host[0] == '[' ? host + strcspn(host, "]") : host, ':');
    if (colon != NULL)
        return strtoll(colon + 1, NULL, 10);
    return strncmp(url, "https://", 8) == 0 ? 443 : 1080;
}

static int check_network(const struct config *c, const char *path, struct ct_err *err)
{
    static const char *const schemes[] = {"http://",    "https://",  "socks4://",
                                          "socks4a://", "socks5://", "socks5h://"};

    /* Below it, what each of several uploads gets is too little to be told from one that hangs. */
    if (c->max_upload_rate > 0 && c->max_upload_rate < MIN_UPLOAD_RATE * c->concurrency)
        return err_set(err, ERR_CONFIG,
                       "%s: max_upload_rate is bytes a second, 0 for no limit, else at least %lld "
                       "KiB for %lld uploads at once",
                       path, (MIN_UPLOAD_RATE * c->concurrency) >> 10, c->concurrency);
    if (c->proxy == NULL || c->proxy[0] == '\0')
        return 0;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (strncmp(c->proxy, schemes[i], strlen(schemes[i])) != 0)
            continue;
        if (config_allows_port(c, proxy_port(c->proxy)))
            return 0;
        return err_set(err, ERR_CONFIG,
                       "%s: the proxy is at port %lld, which allowed_ports does not name; add it",
                       path, proxy_port(c->proxy));
    }
    return err_set(err, ERR_CONFIG,
                   "%s: proxy has to be http://HOST:PORT (or https://, socks5h://), or \"\" for "
                   "none at all",
                   path);
}

/* The state would be watched, and written while it is watched; and "read-only" would be a lie. */
int config_check_roots(const struct config *c, struct ct_err *err)
{
    for (size_t i = 0; i < c->roots.n; i++) {
        if (path_is_below(c->roots.v[i], c->state_dir))
            return err_set(err, ERR_CONFIG,
                           "the root %s lies in state_dir %s, which is written to; choose "
                           "another state_dir",
                           c->roots.v[i], c->state_dir);
        if (path_is_below(c->state_dir, c->roots.v[i]))
            return err_set(err, ERR_CONFIG,
                           "state_dir %s lies in the watched folder %s; choose another",
                           c->state_dir, c->roots.v[i]);
        for (size_t j = 0; j < i; j++) {
            if (path_is_below(c->roots.v[i], c->roots.v[j]) ||
                path_is_below(c->roots.v[j], c->roots.v[i]))
                return err_set(err, ERR_CONFIG, "the roots %s and %s overlap; keep one",
                               c->roots.v[j], c->roots.v[i]);
        }
    }
    return 0;
}

/* The place that somebody chose, or NULL. */
static const char *chosen_file(const char *path)
{
    const char *v = getenv("CODETELEPORT_CONFIG_FILE");

    if (path != NULL)
        return path;
    return v != NULL && v[0] != '\0' ? v : NULL;
}

char *config_file(const char *path)
{
    const char *chosen = chosen_file(path);

    return chosen != NULL ? path_expand(chosen) : path_config_file();
}

int config_load(const char *path, struct config **ret, struct ct_err *err)
{
    char *file = config_file(path);
    struct config *c = str_calloc(1, sizeof(*c));

    defaults(c);
    if (conf_read(file, keys, sizeof(keys) / sizeof(keys[0]), c, chosen_file(path) != NULL, err) !=
        0)
        goto err0;
    fill_in(c);
    if (config_check_roots(c, err) != 0) {
        err_prefix(err, "%s", file);
        goto err0;
    }
    if (check_network(c, file, err) != 0)
        goto err0;
    free(file);
    *ret = c;
    return 0;

err0:
    config_free(c);
    free(file);
    return -1;
}

void config_free(struct config *c)
{
    if (c == NULL)
        return;
    strlist_free(&c->roots);
    strlist_free(&c->agents);
    strlist_free(&c->root_agents);
    strlist_free(&c->exclude);
    strlist_free(&c->include);
    free(c->state_dir);
    free(c->shared_dir);
    free(c->socket);
    free(c->ca_file);
    secret_free(c->proxy);
    free(c->device_name);
    free(c->key_command);
    free(c->scan_rules);
    free(c);
}
