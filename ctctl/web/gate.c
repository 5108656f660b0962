#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"

#include "ctctl/web/gate.h"

#define SECRET_BYTES 32

struct gate {
    char address[32];
    char link[GATE_SECRET_HEX], token[GATE_SECRET_HEX];
    int is_entered;
};

static void make_secret(char out[GATE_SECRET_HEX])
{
    unsigned char p[SECRET_BYTES];

    hash_random(p, sizeof(p));
    hash_hex(p, sizeof(p), out);
    str_wipe(p, sizeof(p));
}

struct gate *gate_new(int port)
{
    struct gate *g = str_calloc(1, sizeof(*g));

    snprintf(g->address, sizeof(g->address), "http://127.0.0.1:%d", port);
    make_secret(g->link);
    make_secret(g->token);
    return g;
}

void gate_free(struct gate *g)
{
    if (g == NULL)
        return;
    str_wipe(g, sizeof(*g));
    free(g);
}

const char *gate_link(const struct gate *g)
{
    return g->link;
}

const char *gate_address(const struct gate *g)
{
    return g->address;
}

/* In a time that does not tell how much of it was right. */
static int is_secret(const char *came, const char *secret)
{
    return came != NULL && strlen(came) == GATE_SECRET_HEX - 1 &&
           hash_equal(came, secret, GATE_SECRET_HEX - 1);
}

/* A name that leads here is not enough: whoever owns that name has a page of the same origin. */
static int is_for_us(const struct gate *g, const struct gate_request *r)
{
    return r->host != NULL && strcmp(r->host, g->address + strlen("http://")) == 0;
}

static int is_from_us(const struct gate *g, const struct gate_request *r)
{
    return (r->origin == NULL || strcmp(r->origin, g->address) == 0) &&
           (r->fetch_site == NULL || strcmp(r->fetch_site, "same-origin") == 0);
}

enum gate_verdict gate_page(const struct gate *g, const struct gate_request *r)
{
    return is_for_us(g, r) && (r->origin == NULL || strcmp(r->origin, g->address) == 0)
               ? GATE_OPEN
               : GATE_ELSEWHERE;
}

enum gate_verdict gate_enter(struct gate *g, const struct gate_request *r, const char **ret_token)
{
    if (!is_for_us(g, r) || !is_from_us(g, r))
        return GATE_ELSEWHERE;
    if (!is_secret(r->link, g->link))
        return GATE_NO_SECRET;
    if (g->is_entered)
        return GATE_USED;
    g->is_entered = 1;
    *ret_token = g->token;
    return GATE_OPEN;
}

enum gate_verdict gate_ask(const struct gate *g, const struct gate_request *r)
{
    if (!is_for_us(g, r) || !is_from_us(g, r))
        return GATE_ELSEWHERE;
    return g->is_entered && is_secret(r->token, g->token) ? GATE_OPEN : GATE_NO_SECRET;
}
