#ifndef CTCTL_WEB_GATE_H
#define CTCTL_WEB_GATE_H

/*
 * Who may ask.  Everybody on this machine can reach a port of 127.0.0.1, and every page that the
 * browser shows can send requests to it.  So a request has to be meant for this very address, come
 * from none but our own page, and bear a secret that no other page and no other user has.
 */
struct gate;

enum gate_verdict {
    GATE_OPEN,
    GATE_NO_SECRET, /* none, or not the one */
    GATE_ELSEWHERE, /* from another page, or for another name (DNS rebinding) */
    GATE_USED,      /* the link was followed before: somebody else has it */
};

/* What of a request counts; a header that did not come is NULL. */
struct gate_request {
    const char *host, *origin, *fetch_site; /* Host, Origin, Sec-Fetch-Site */
    const char *link, *token;               /* X-Codeteleport-Link, -Token */
};

#define GATE_SECRET_HEX 65 /* 32 bytes of randomness, in hexadecimal, with its NUL */

/**
 * gate_new(port), gate_free(g):
 * A gate in front of http://127.0.0.1:${port}, with new secrets; gate_free() wipes them.
 */
struct gate *gate_new(int port);
void gate_free(struct gate *g);

/**
 * gate_link(g), gate_address(g):
 * The secret of the link, which counts once; the address, without a slash at its end.  Borrowed.
 */
const char *gate_link(const struct gate *g);
const char *gate_address(const struct gate *g);

/**
 * gate_page(g, r):
 * May this request have a file of the pages, which hold no secret?  Another page may lead here; it
 * may not take a file of ours into itself.
 */
enum gate_verdict gate_page(const struct gate *g, const struct gate_request *r);

/**
 * gate_enter(g, r, ret_token):
 * Take the link and give the token for it: ${ret_token} is borrowed.
 */
enum gate_verdict gate_enter(struct gate *g, const struct gate_request *r, const char **ret_token);

/**
 * gate_ask(g, r):
 * May this request ask for data, or have something done?
 */
enum gate_verdict gate_ask(const struct gate *g, const struct gate_request *r);

#endif
