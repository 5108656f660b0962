#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/conf.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "api/api.h"

#include "server/settings/settings_impl.h"
#include "server/web/web.h"

static const char *const registrations[] = {"auto", "closed", "invite", "open", NULL};
static const char *const tls_modes[] = {"on", "off", NULL};
static const char *const storages[] = {"embedded", "s3", NULL};
static const char *const styles[] = {"path", "virtual", NULL};
static const char *const levels[] = {"error", "warn", "info", "debug", NULL};

#define AT(member) offsetof(struct settings, member)

static const struct conf_key keys[] = {
    {"data", CONF_PATH, AT(data), 0, 0, NULL},
    {"listen", CONF_STRING, AT(listen), 0, 0, NULL},
    {"objects", CONF_STRING, AT(objects), 0, 0, NULL},
    {"share", CONF_STRING, AT(share), 0, 0, NULL},
    {"public_share_url", CONF_STRING, AT(public_share_url), 0, 0, NULL},
    {"metrics", CONF_STRING, AT(metrics), 0, 0, NULL},
    {"public_objects_url", CONF_STRING, AT(public_objects_url), 0, 0, NULL},
    {"certificate", CONF_PATH, AT(certificate), 0, 0, NULL},
    {"key", CONF_PATH, AT(key), 0, 0, NULL},
    {"registration", CONF_CHOICE, AT(registration), 0, 0, registrations},
    {"tls", CONF_CHOICE, AT(tls), 0, 0, tls_modes},
    {"dashboard", CONF_BOOL, AT(dashboard), 0, 0, NULL},
    {"trusted_proxy", CONF_LIST, AT(trusted_proxy), 0, 0, NULL},
    {"versions_per_session", CONF_INT, AT(versions_per_session), 1, 10000, NULL},
    {"max_bytes_per_user", CONF_BYTES, AT(max_bytes_per_user), 0, 1LL << 60, NULL},
    {"max_bytes", CONF_BYTES, AT(max_bytes), 0, 1LL << 60, NULL},
    {"min_free_space", CONF_BYTES, AT(min_free_space), 0, 1LL << 60, NULL},
    {"max_token_days", CONF_INT, AT(max_token_days), 0, 3650, NULL},
    {"sign_in_days", CONF_INT, AT(sign_in_days), 0, 3650, NULL},
    {"stop_patience", CONF_INT, AT(stop_patience), 0, 86400, NULL},
    {"max_connections", CONF_INT, AT(max_connections), 16, 100000, NULL},
    {"max_connections_per_address", CONF_INT, AT(max_connections_per_address), 1, 100000, NULL},
    {"public_api_url", CONF_STRING, AT(public_api_url), 0, 0, NULL},
    {"github_client_id", CONF_STRING, AT(github_client_id), 0, 0, NULL},
    {"github_client_secret", CONF_SECRET, AT(github_client_secret), 0, 0, NULL},
    {"github_client_secret_file", CONF_PATH, AT(github_client_secret_file), 0, 0, NULL},
    {"github_url", CONF_STRING, AT(github_url), 0, 0, NULL},
    {"github_api_url", CONF_STRING, AT(github_api_url), 0, 0, NULL},
    {"github_token", CONF_SECRET, AT(github_token), 0, 0, NULL},
    {"github_token_file", CONF_PATH, AT(github_token_file), 0, 0, NULL},
    {"github_organization", CONF_STRING, AT(github_organization), 0, 0, NULL},
    {"oidc_issuer", CONF_STRING, AT(oidc_issuer), 0, 0, NULL},
    {"oidc_client_id", CONF_STRING, AT(oidc_client_id), 0, 0, NULL},
    {"oidc_client_secret", CONF_SECRET, AT(oidc_client_secret), 0, 0, NULL},
    {"oidc_client_secret_file", CONF_PATH, AT(oidc_client_secret_file), 0, 0, NULL},
    {"oidc_joins_by_email", CONF_BOOL, AT(oidc_joins_by_email), 0, 0, NULL},
    {"allowed_emails", CONF_LIST, AT(allowed_emails), 0, 0, NULL},
    {"log", CONF_CHOICE, AT(log), 0, 0, levels},
    {"storage", CONF_CHOICE, AT(storage), 0, 0, storages},
    {"s3_endpoint", CONF_STRING, AT(s3_endpoint), 0, 0, NULL},
    {"s3_region", CONF_STRING, AT(s3_region), 0, 0, NULL},
    {"s3_bucket", CONF_STRING, AT(s3_bucket), 0, 0, NULL},
    {"s3_key_id", CONF_STRING, AT(s3_key_id), 0, 0, NULL},
    {"s3_secret", CONF_SECRET, AT(s3_secret), 0, 0, NULL},
    {"s3_secret_file", CONF_PATH, AT(s3_secret_file), 0, 0, NULL},
    {"s3_checksums", CONF_BOOL, AT(s3_checksums), 0, 0, NULL},
    {"s3_style", CONF_CHOICE, AT(s3_style), 0, 0, styles},
    {"database", CONF_STRING, AT(database), 0, 0, NULL},
    {"database_token", CONF_SECRET, AT(database_token), 0, 0, NULL},
    {"database_token_file", CONF_PATH, AT(database_token_file), 0, 0, NULL},
    {"ca_file", CONF_PATH, AT(ca_file), 0, 0, NULL},
    {"allow_plain_http", CONF_BOOL, AT(allow_plain_http), 0, 0, NULL},
};

static void override(char **member, const char *value)
{
    if (value == NULL)
        return;
    free(*member);
    *member = str_dup(value);
}

int settings_is_wildcard(const char *host_port)
{
    return strncmp(host_port, "0.0.0.0:", 8) == 0 || strncmp(host_port, "[::]:", 5) == 0;
}

/* Where clients reach something: an origin and nothing more. */
int settings_check_origin(char *url, const char *name, struct ct_err *err)
{
    size_t n = strlen(url);
    const char *host;

    while (n > 0 && url[n - 1] == '/')
        url[--n] = '\0';
    host = strstr(url, "://");
    if (!api_url_is_http(url) || host == NULL || host[3] == '\0' ||
        strpbrk(host + 3, "/?#@") != NULL)
        return err_set(err, ERR_CONFIG, "%s has to be https://HOST[:PORT]", name);
    return 0;
}

static int check_public_urls(struct settings *s, struct ct_err *err)
{
    if (s->public_objects_url == NULL && settings_is_wildcard(s->objects))
        return err_set(err, ERR_CONFIG,
                       "objects listens on every address, so clients can't know which to use: "
                       "set public_objects_url");
    if (s->public_api_url == NULL && (s->github_client_id != NULL || s->oidc_issuer != NULL) &&
        settings_is_wildcard(s->listen))
        return err_set(err, ERR_CONFIG,
                       "listen is every address, so nobody can know which to send people back to "
                       "after a sign-in: set public_api_url");
    if (s->public_objects_url != NULL &&
        settings_check_origin(s->public_objects_url, "public_objects_url", err) != 0)
        return -1;
    if (s->public_api_url != NULL &&
        settings_check_origin(s->public_api_url, "public_api_url", err) != 0)
        return -1;
    return settings_share_check(s, err);
}

/* In the one spelling that a peer's address is compared in. */
static int check_proxies(struct settings *s, struct ct_err *err)
{
    struct strlist clean = {0};
    char *range;

    for (size_t i = 0; i < s->trusted_proxy.n; i++) {
        if (web_range_check(s->trusted_proxy.v[i], &range, err) != 0) {
            strlist_free(&clean);
            return err_prefix(err, "trusted_proxy");
        }
        strlist_add(&clean, range);
        free(range);
    }
    strlist_free(&s->trusted_proxy);
    s->trusted_proxy = clean;
    return 0;
}

/* A listener's place; whoever reaches a UNIX socket does so through a proxy with a name. */
static int check_place(const struct settings *s, const char *place, const char *name,
                       const char *public_url, struct ct_err *err)
{
    char *host, *port;

    if (web_unix_path(place) != NULL) {
        if (public_url == NULL)
            return err_set(err, ERR_CONFIG,
                           "%s is a UNIX socket, so clients can't know how to reach the proxy in "
                           "front of it: set %s",
                           name,
                           strcmp(name, "listen") == 0    ? "public_api_url"
                           : strcmp(name, "objects") == 0 ? "public_objects_url"
                                                          : "public_share_url");
        return s->tls == SETTINGS_TLS_OFF
                   ? 0
                   : err_set(err, ERR_CONFIG, "a UNIX socket as %s goes with tls = \"off\"", name);
    }
    if (web_split(place, &host, &port, err) != 0)
        return err_prefix(err, "%s", name);
    free(host);
    free(port);
    return 0;
}

static int check(struct settings *s, struct ct_err *err)
{
    if (check_place(s, s->listen, "listen", s->public_api_url, err) != 0 ||
        check_place(s, s->objects, "objects", s->public_objects_url, err) != 0 ||
        (s->share != NULL && check_place(s, s->share, "share", s->public_share_url, err) != 0))
        return -1;
    if (s->metrics != NULL &&
        (web_unix_path(s->metrics) != NULL || !web_host_is_loopback(s->metrics)))
        return err_set(
            err, ERR_CONFIG,
            "metrics has to be a loopback address, such as \"127.0.0.1:9464\": who reads "
            "it is not asked for a password");
    if ((s->certificate == NULL) != (s->key == NULL))
        return err_set(err, ERR_CONFIG, "certificate and key belong together: set both or neither");
    if (s->tls == SETTINGS_TLS_OFF &&
        (!web_host_is_loopback(s->listen) || !web_host_is_loopback(s->objects) ||
         (s->share != NULL && !web_host_is_loopback(s->share))))
        return err_set(err, ERR_CONFIG,
                       "tls = \"off\" is for loopback addresses only (behind a proxy that speaks "
                       "TLS)");
    return check_proxies(s, err) != 0 ? -1 : check_public_urls(s, err);
}

static int check_parts(struct settings *s, const char *config, struct ct_err *err)
{
    return settings_places_check(s, config, err) != 0 ? -1 : settings_github_check(s, config, err);
}

static int read_all(const char *path, struct settings *s, int must_exist, struct ct_err *err)
{
    size_t n = sizeof(keys) / sizeof(keys[0]);

    if (conf_read(path, keys, n, s, must_exist, err) != 0 ||
        conf_environment(SETTINGS_VARIABLES, keys, n, s, err) != 0)
        return -1;
    return check_parts(s, path, err);
}

static int read_file(const char *path, struct settings *s, struct ct_err *err)
{
    char *standard, *dir, *server_conf;
    int rc;

    if (path != NULL)
        return read_all(path, s, 1, err);
    standard = path_config_file();
    dir = path_parent(standard);
    server_conf = path_join(dir, "server.conf");
    rc = read_all(server_conf, s, 0, err);
    free(server_conf);
    free(dir);
    free(standard);
    return rc;
}

/* Who installed it decides who may register where the file does not say: the package's unit says
 * nobody, for other users of its machine are others too. */
static int take_environment(struct settings *s, struct ct_err *err)
{
    const char *word = getenv("CODETELEPORT_REGISTRATION");
    int i = 0;

    if (word == NULL || word[0] == '\0')
        return 0;
    while (registrations[i] != NULL && strcmp(registrations[i], word) != 0)
        i++;
    if (registrations[i] == NULL)
        return err_set(err, ERR_CONFIG,
                       "CODETELEPORT_REGISTRATION has to be auto, closed, invite or open");
    s->registration = i;
    return 0;
}

int settings_load(const struct settings_args *args, struct settings **ret, struct ct_err *err)
{
    struct settings *s = str_calloc(1, sizeof(*s));
    char *expanded = args->data != NULL ? path_expand(args->data) : NULL;

    s->data = path_data_dir("codeteleport-server");
    s->listen = str_dup("127.0.0.1:8787");
    s->objects = str_dup("127.0.0.1:8788");
    s->dashboard = 1;
    s->versions_per_session = 20;
    s->s3_checksums = 1;
    s->min_free_space = 100 * 1000 * 1000;
    s->stop_patience = 10;
    s->max_connections = 4096;
    s->max_connections_per_address = 1024;
    s->log = LOG_LEVEL_INFO;
    s->ready_file = args->ready_file != NULL ? path_expand(args->ready_file) : NULL;
    if (take_environment(s, err) != 0 || read_file(args->file, s, err) != 0)
        goto err0;
    override(&s->data, expanded);
    override(&s->listen, args->listen);
    override(&s->objects, args->objects);
    if (check(s, err) != 0)
        goto err0;
    free(expanded);
    *ret = s;
    return 0;

err0:
    free(expanded);
    settings_free(s);
    return -1;
}

/* Listening sockets, and what is opened or signed for as long as the server runs. */
static const char *const fixed[] = {"metrics",
                                    "share",
                                    "public_share_url",
                                    "data",
                                    "listen",
                                    "objects",
                                    "public_objects_url",
                                    "tls",
                                    "storage",
                                    "s3_style",
                                    "s3_endpoint",
                                    "s3_region",
                                    "s3_bucket",
                                    "s3_key_id",
                                    "s3_secret",
                                    "s3_checksums",
                                    "database",
                                    "database_token",
                                    "ca_file",
                                    "allow_plain_http"};

static const struct conf_key *key_named(const char *name)
{
    size_t i = 0;

    while (strcmp(keys[i].name, name) != 0)
        i++;
    return &keys[i];
}

/* Return whether it was another one. */
static int keep_text(char **member, const char *old, int is_secret)
{
    int same = *member == old || (*member != NULL && old != NULL && strcmp(*member, old) == 0);

    if (is_secret) {
        secret_free(*member);
        *member = secret_dup(old);
    } else {
        free(*member);
        *member = old != NULL ? str_dup(old) : NULL;
    }
    return !same;
}

static int keep_number(int *member, int old)
{
    int same = *member == old;

    *member = old;
    return !same;
}

const char *settings_keep(struct settings *s, const struct settings *old)
{
    const char *first = NULL;

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        const struct conf_key *k = key_named(fixed[i]);
        void *to = (char *)s + k->offset;
        const void *from = (const char *)old + k->offset;
        int differs = k->type == CONF_CHOICE || k->type == CONF_BOOL
                          ? keep_number(to, *(const int *)from)
                          : keep_text(to, *(char *const *)from, k->type == CONF_SECRET);
        if (differs && first == NULL)
            first = k->name;
    }
    return first;
}

void settings_free(struct settings *s)
{
    if (s == NULL)
        return;
    free(s->data);
    free(s->listen);
    free(s->objects);
    free(s->public_objects_url);
    free(s->share);
    free(s->public_share_url);
    free(s->metrics);
    free(s->certificate);
    free(s->key);
    free(s->ready_file);
    strlist_free(&s->trusted_proxy);
    free(s->s3_endpoint);
    free(s->s3_region);
    free(s->s3_bucket);
    free(s->s3_key_id);
    secret_free(s->s3_secret);
    free(s->s3_secret_file);
    free(s->database);
    secret_free(s->database_token);
    free(s->database_token_file);
    free(s->ca_file);
    free(s->public_api_url);
    free(s->github_client_id);
    secret_free(s->github_client_secret);
    free(s->github_client_secret_file);
    free(s->github_url);
    free(s->github_api_url);
    free(s->github_organization);
    secret_free(s->github_token);
    free(s->github_token_file);
    free(s->oidc_issuer);
    free(s->oidc_client_id);
    secret_free(s->oidc_client_secret);
    free(s->oidc_client_secret_file);
    strlist_free(&s->allowed_emails);
    free(s);
}

/* Does ${url}, "scheme://HOST[:PORT]" or NULL, name this machine by its loopback?  Nobody is asked
 * what a name means: another may be a proxy's. */
static int is_loopback_url(const char *url)
{
    const char *host = url != NULL ? strstr(url, "://") + strlen("://") : "localhost";
    size_t n = host[0] == '[' ? strcspn(host, "]") : strcspn(host, ":");
    char address[WEB_ADDRESS_SIZE];

    if (n == strlen("localhost") && strncmp(host, "localhost", n) == 0)
        return 1;
    if (web_address(host + (host[0] == '['), n - (host[0] == '['), address) != 0)
        return 0;
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* A proxy is there for others. */
static int is_for_this_machine_only(const struct settings *s)
{
    return web_host_is_loopback(s->listen) && web_host_is_loopback(s->objects) &&
           is_loopback_url(s->public_api_url) && is_loopback_url(s->public_objects_url) &&
           (s->share == NULL ||
            (web_host_is_loopback(s->share) && is_loopback_url(s->public_share_url))) &&
           s->trusted_proxy.n == 0;
}

enum settings_registration settings_registration(const struct settings *s)
{
    if (s->registration == SETTINGS_AUTO)
        return is_for_this_machine_only(s) ? SETTINGS_OPEN : SETTINGS_CLOSED;
    return (enum settings_registration)s->registration;
}

const char *settings_registration_name(const struct settings *s)
{
    return registrations[settings_registration(s)];
}
