#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "net/http.h"

#include "server/settings/email.h"
#include "server/settings/settings_impl.h"

/* An origin, perhaps with a path, without a slash at its end. */
static int check_url(char **member, const char *otherwise, const char *name, struct ct_err *err)
{
    const struct http_policy policy = {.allow_plain_http = 1};
    size_t n;

    if (*member == NULL)
        *member = str_dup(otherwise);
    for (n = strlen(*member); n > 0 && (*member)[n - 1] == '/'; n--)
        (*member)[n - 1] = '\0';
    if (http_url_allowed(*member, &policy, err) != 0)
        return err_prefix(err, "%s", name);
    if (strpbrk(*member, "?#@") != NULL)
        return err_set(err, ERR_CONFIG, "%s has to be an address without query or user", name);
    return 0;
}

/* "al@example.org", or "@example.org" for all of a domain; as email_normal() writes them. */
static int check_emails(struct settings *s, struct ct_err *err)
{
    struct strlist clean = {0};

    for (size_t i = 0; i < s->allowed_emails.n; i++) {
        const char *text = s->allowed_emails.v[i];
        char *whole = str_printf("%s%s", text[0] == '@' ? "x" : "", text), *email;
        int rc = email_normal(whole, &email, NULL);
        free(whole);
        if (rc != 0) {
            strlist_free(&clean);
            return err_set(err, ERR_CONFIG,
                           "allowed_emails has to hold addresses, or domains such as "
                           "\"@example.org\"");
        }
        strlist_add(&clean, text[0] == '@' ? email + 1 : email);
        free(email);
    }
    strlist_free(&s->allowed_emails);
    s->allowed_emails = clean;
    return 0;
}

/* As it calls itself, to the letter: a slash at its end is part of the name. */
static int check_oidc(const struct settings *s, struct ct_err *err)
{
    const struct http_policy policy = {.allow_plain_http = 1};

    if ((s->oidc_issuer == NULL) != (s->oidc_client_id == NULL))
        return err_set(err, ERR_CONFIG,
                       "oidc_issuer and oidc_client_id belong together: set both or neither");
    if (s->oidc_issuer == NULL)
        return 0;
    if (http_url_allowed(s->oidc_issuer, &policy, err) != 0)
        return err_prefix(err, "oidc_issuer");
    return strpbrk(s->oidc_issuer, "?#@") == NULL
               ? 0
               : err_set(err, ERR_CONFIG, "oidc_issuer has to be an address without query or user");
}

int settings_github_check(struct settings *s, const char *config, struct ct_err *err)
{
    if (settings_find_secret(&s->github_token, s->github_token_file, config, "github_token",
                             "CODETELEPORT_GITHUB_TOKEN", err) != 0)
        return -1;
    if (settings_find_secret(&s->github_client_secret, s->github_client_secret_file, config,
                             "github_client_secret", "CODETELEPORT_GITHUB_CLIENT_SECRET", err) != 0)
        return -1;
    if (settings_find_secret(&s->oidc_client_secret, s->oidc_client_secret_file, config,
                             "oidc_client_secret", "CODETELEPORT_OIDC_CLIENT_SECRET", err) != 0 ||
        check_oidc(s, err) != 0)
        return -1;
    if (check_url(&s->github_url, "https://github.com", "github_url", err) != 0 ||
        check_url(&s->github_api_url, "https://api.github.com", "github_api_url", err) != 0 ||
        check_emails(s, err) != 0)
        return -1;
    return 0;
}

int settings_check_serving(const struct settings *s, struct ct_err *err)
{
    if (s->github_client_id != NULL &&
        (s->github_client_secret == NULL || s->github_client_secret[0] == '\0'))
        return err_set(err, ERR_CONFIG,
                       "github_client_id needs github_client_secret (or github_client_secret_file, "
                       "or CODETELEPORT_GITHUB_CLIENT_SECRET in the environment)");
    return 0;
}
