#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/client.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "ctctl/doctor/doctor.h"

/* Signatures of presigned URLs live for five minutes. */
#define SKEW_MS (120 * 1000)

static int is_unknown(struct doctor *d, struct doctor_finding *f)
{
    if (d->has_config && d->is_logged_in)
        return 0;
    doctor_say(f, DOCTOR_SKIPPED, NULL, "not checked: the credentials say where the server is");
    return 1;
}

int doctor_is_barred(const struct doctor *d, struct doctor_finding *f)
{
    const char *why = !d->has_config || !d->is_logged_in ? "not logged in"
                      : !d->is_reachable                 ? "the server can't be reached"
                                                         : "the server does not take this log-in";

    if (d->is_accepted)
        return 0;
    doctor_say(f, DOCTOR_SKIPPED, NULL, "not checked: %s", why);
    return 1;
}

/* The host of ${url}, without brackets.  The caller frees it. */
static char *host_of(const char *url)
{
    char *origin = http_url_origin(url), *host, *end;

    if (origin == NULL)
        return str_dup("");
    host = strstr(origin, "://");
    host = host != NULL ? host + 3 : origin;
    end = strrchr(host, ':');
    if (end != NULL)
        *end = '\0';
    if (host[0] == '[') {
        host++;
        host[strcspn(host, "]")] = '\0';
    }
    host = str_dup(host);
    free(origin);
    return host;
}

void doctor_dns(struct doctor *d, struct doctor_finding *f)
{
    const struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST};
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char *host, address[NI_MAXHOST] = "?";
    int rc;

    if (is_unknown(d, f))
        return;
    host = host_of(d->c->cred->api_url);
    if (getaddrinfo(host, NULL, &numeric, &found) == 0) {
        doctor_say(f, DOCTOR_OK, NULL, "%s is an address; there is nothing to look up", host);
    } else if ((rc = getaddrinfo(host, NULL, &hints, &found)) != 0) {
        doctor_say(f, DOCTOR_BAD,
                   "see whether the network is up (ping, resolvectl status), or log "
                   "in to the right server: ctctl login --api-url URL",
                   "%s has no address: %s", host, gai_strerror(rc));
    } else {
        getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0,
                    NI_NUMERICHOST);
        doctor_say(f, DOCTOR_OK, NULL, "%s is %s", host, address);
    }
    if (found != NULL)
        freeaddrinfo(found);
    free(host);
}

/* Any answer will do: without a token the server says 401, and by whose clock. */
void doctor_tls(struct doctor *d, struct doctor_finding *f)
{
    struct api_request *rq;
    struct http_res res = {0};
    struct ct_err e = {0};
    const char *url;

    if (is_unknown(d, f))
        return;
    url = d->c->cred->api_url;
    api_request_new(url, NULL, "GET", "/auth/me", NULL, &rq);
    d->is_reachable = http_perform(&d->policy, &rq->http, &res, &e) == 0;
    api_request_free(rq);
    d->answer_ms = now_wall_ms();
    d->date_ms = res.date_ms;
    if (d->is_reachable && strncmp(url, "http://", 7) == 0)
        doctor_say(f, DOCTOR_NOTE, NULL, "%s answers, without TLS, which a loopback address may",
                   url);
    else if (d->is_reachable)
        doctor_say(f, DOCTOR_OK, NULL, "%s answers, and its certificate is good", url);
    else if (strstr(e.msg, "ertificate") != NULL || strstr(e.msg, "SSL") != NULL)
        doctor_say(f, DOCTOR_BAD,
                   d->policy.ca_file != NULL
                       ? "see that ca_file names the server's certificate authority, and that its "
                         "certificate is for this name; if both are so, somebody may sit in between"
                       : "if the server has a certificate authority of its own, name its file in "
                         "codeteleportd.conf: ca_file = \"/path/to/ca.pem\"; if not, somebody may "
                         "sit in between",
                   "%s", e.msg);
    else
        doctor_say(f, DOCTOR_BAD, "see whether the network is up and the server runs", "%s", e.msg);
    http_res_free(&res);
}

void doctor_clock(struct doctor *d, struct doctor_finding *f)
{
    int64_t off = d->answer_ms - d->date_ms;
    char t[64];

    if (!d->is_reachable || d->date_ms == 0) {
        doctor_say(f, DOCTOR_SKIPPED, NULL, "not checked: the server did not tell its time");
        return;
    }
    str_human_duration(llabs(off) / 1000, t, sizeof(t));
    if (off > SKEW_MS || off < -SKEW_MS)
        doctor_say(
            f, DOCTOR_BAD, "sudo timedatectl set-ntp true",
            "this machine's clock is %s %s the server's; signatures for uploads may count as "
            "expired",
            t, off < 0 ? "behind" : "ahead of");
    else
        doctor_say(f, DOCTOR_OK, NULL, "within %s of the server's",
                   off > -1000 && off < 1000 ? "a second" : t);
}

void doctor_login(struct doctor *d, struct doctor_finding *f)
{
    struct json_object *o;
    struct ct_err e;
    const char *email, *plan;

    if (!d->is_reachable) {
        doctor_is_barred(d, f);
        return;
    }
    if (ctx_cloud(d->c, "GET", "/auth/me", NULL, &o, &e) != 0) {
        doctor_say(f, DOCTOR_BAD, e.code == ERR_AUTH ? "ctctl login" : NULL, "%s", e.msg);
        return;
    }
    d->is_accepted = 1;
    email = jdoc_str(o, "email");
    plan = jdoc_str(o, "plan");
    doctor_say(f, DOCTOR_OK, NULL, "%s%s%s%s", email != NULL ? email : "accepted",
               plan != NULL ? " (" : "", plan != NULL ? plan : "", plan != NULL ? ")" : "");
    json_object_put(o);
}
