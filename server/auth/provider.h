#ifndef SERVER_AUTH_PROVIDER_H
#define SERVER_AUTH_PROVIDER_H

#include <json-c/json.h>

#include "common/base/err.h"
#include "common/base/strlist.h"
#include "net/http.h"

#include "server/settings/settings.h"

/*
 * Sites where people can show who they are: one row each.  A browser is sent there and comes back
 * with a code, for which the server learns whose it is.
 */
#define PROVIDER_SUBJECT_SIZE 256

struct provider_person {
    const char *issuer;                  /* of the settings */
    char subject[PROVIDER_SUBJECT_SIZE]; /* what they are called there, which never changes */
    struct strlist emails;               /* verified there, the first one counts */
    int proves_email; /* that counts as shown here: it joins an account with this address */
    int is_limited;   /* the site's own settings let only some in, beside allowed_emails: */
    int is_member;    /* this is one of them */
};

/* What goes along.  All but redirect_uri are digests of a secret that the browser keeps. */
struct provider_trip {
    const char *redirect_uri;
    const char *state;
    const char *verifier, *challenge; /* RFC 7636 */
    const char *nonce;
};

/* What sites said of themselves, for some minutes: nobody waits for that once more, and it is not
 * asked for by each that comes.  One for the life of the server; from any thread. */
struct provider_memory;

struct provider {
    const char *name; /* in paths, the cookie and the log */
    const char *word; /* for people */
    int (*is_configured)(const struct settings *s);
    /* Where to send a browser; the caller frees it. */
    int (*authorize)(const struct settings *s, struct provider_memory *m,
                     const struct provider_trip *trip, char **ret_url, struct ct_err *err);
    /* Whose code is it?  ERR_AUTH if it is not good. */
    int (*fetch)(const struct settings *s, struct provider_memory *m, const char *code,
                 const struct provider_trip *trip, struct provider_person *ret, struct ct_err *err);
};

/* All but is_configured may block for up to half a minute. */
extern const struct provider provider_github, provider_oidc;

/**
 * provider_of(route):
 * The one whose route "/v1/auth/NAME" or below that is; NULL: none.
 */
const struct provider *provider_of(const char *route);

/**
 * provider_person_clear(p):
 * Free what it holds.
 */
void provider_person_clear(struct provider_person *p);

/**
 * provider_call(s, word, req, ret, err):
 * Ask the site, called ${word} in errors.  ${ret} is the document that came with a 200; else
 * ERR_GONE with 404, ERR_AUTH with 400 or 401, or ERR_FAIL.
 */
int provider_call(const struct settings *s, const char *word, struct http_req *req,
                  struct json_object **ret, struct ct_err *err);

/**
 * provider_memory_new(), provider_memory_free(m):
 * An empty one; free it, NULL is harmless.
 */
struct provider_memory *provider_memory_new(void);
void provider_memory_free(struct provider_memory *m);

/**
 * provider_recall(m, url), provider_remember(m, url, document):
 * The public document at ${url} that was remembered in the last five minutes, the caller's, or
 * NULL; remember it.
 */
struct json_object *provider_recall(struct provider_memory *m, const char *url);
void provider_remember(struct provider_memory *m, const char *url, struct json_object *document);

/**
 * provider_field(b, name, value):
 * Add "name=value" of a form or query, escaped.
 */
void provider_field(struct buf *b, const char *name, const char *value);

/**
 * provider_is_token(s):
 * Can it be a header line and nothing more?
 */
int provider_is_token(const char *s);

/**
 * provider_wipe(s):
 * Free a secret; NULL is harmless.
 */
void provider_wipe(char *s);

#endif
