#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/fd.h"
#include "common/base/file.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "ctctl/key/loopback.h"

#define MAX_REQUEST 16384
#define PATIENCE_S 5 /* with one connection, which may be a browser's that says nothing yet */

struct loopback {
    int fd4, fd6; /* fd6 may be -1 */
    int port;
};

static int listen_on(int family, const void *addr, socklen_t size)
{
    int fd = fd_socket(family), one = 1;

    if (fd < 0)
        return -1;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, addr, size) != 0 || listen(fd, 8) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int loopback_new(struct loopback **ret, struct ct_err *err)
{
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t n = sizeof(a4);
    struct loopback *l;
    int fd = listen_on(AF_INET, &a4, sizeof(a4));

    if (fd < 0 || getsockname(fd, (struct sockaddr *)&a4, &n) != 0) {
        if (fd >= 0)
            close(fd);
        return err_sys(err, "can't listen on 127.0.0.1 for the browser");
    }
    l = str_calloc(1, sizeof(*l));
    l->fd4 = fd;
    l->port = ntohs(a4.sin_port);
    /* A browser may take "localhost" for ::1; where somebody else has that port, it goes on to
     * 127.0.0.1 when nobody there answers as we do. */
    a6.sin6_port = a4.sin_port;
    l->fd6 = listen_on(AF_INET6, &a6, sizeof(a6));
    *ret = l;
    return 0;
}

void loopback_free(struct loopback *l)
{
    if (l == NULL)
        return;
    close(l->fd4);
    if (l->fd6 >= 0)
        close(l->fd6);
    free(l);
}

int loopback_port(const struct loopback *l)
{
    return l->port;
}

/* ---- one request ------------------------------------------------------------------------------
 */

/* Read the head of a request; what is longer or slower than a browser's is cut. */
static void read_head(int fd, struct buf *b)
{
    struct timeval tv = {.tv_sec = PATIENCE_S};
    int64_t until_ms = now_mono_ms() + PATIENCE_S * 1000;
    ssize_t n;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    buf_addstr(b, "");
    while (b->len < MAX_REQUEST && strstr(b->data, "\r\n\r\n") == NULL &&
           now_mono_ms() < until_ms) {
        n = read(fd, buf_reserve(b, 2048), 2047);
        if (n <= 0)
            return;
        b->len += (size_t)n;
        b->data[b->len] = '\0';
    }
}

/* The member ${key} of a query that ends at a space, decoded; NULL if it is not there. */
static char *member(const char *query, const char *key)
{
    size_t n = strlen(key), o = 0;
    char *out;

    while (strncmp(query, key, n) != 0 || query[n] != '=') {
        query += strcspn(query, "& \r\n");
        if (*query != '&')
            return NULL;
        query++;
    }
    query += n + 1;
    out = str_calloc(1, strcspn(query, "& \r\n") + 1);
    while (*query != '&' && *query != ' ' && *query != '\r' && *query != '\n' && *query != '\0') {
        if (*query == '%' && str_hex_digit(query[1]) >= 0 && str_hex_digit(query[2]) >= 0) {
            out[o++] = (char)(str_hex_digit(query[1]) * 16 + str_hex_digit(query[2]));
            query += 3;
        } else {
            out[o++] = *query == '+' ? ' ' : *query;
            query++;
        }
    }
    out[o] = '\0';
    return out;
}

static void answer(int fd, const char *status, const char *text)
{
    /* The address holds a token: it goes out of sight and out of the history. */
    char *page = str_printf("<!doctype html><meta charset=\"utf-8\"><title>CodeTeleport</title>"
                            "<script>history.replaceState(null, '', '/')</script>"
                            "<body style=\"font: 18px sans-serif; margin: 4em\"><p>%s</p>\n",
                            text);
    char *all = str_printf("HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\n"
                           "Content-Length: %zu\r\nCache-Control: no-store\r\n"
                           "Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n%s",
                           status, strlen(page), page);

    (void)!file_write_all(fd, all, strlen(all));
    shutdown(fd, SHUT_WR);
    free(all);
    free(page);
}

static void wipe(char *s)
{
    if (s != NULL)
        str_wipe(s, strlen(s));
    free(s);
}

/* Return 1 when the wait is over one way or the other, with the outcome in ${rc}. */
static int judge(int fd, const char *query, const char *state, struct loopback_answer *ret, int *rc,
                 struct ct_err *err)
{
    char *token = member(query, "token"), *error = member(query, "error");
    char *came = member(query, "state"), *clean;
    int over = 1;

    if (came != NULL && strcmp(came, state) != 0) {
        answer(fd, "400 Bad Request", "This is not the answer that ctctl waits for.");
        over = 0;
    } else if (error != NULL) {
        answer(fd, "200 OK", "The sign-in did not succeed; the terminal says more.");
        clean = str_printable(error);
        *rc = err_set(err, ERR_AUTH, "the sign-in did not succeed: %.200s", clean);
        free(clean);
    } else if (token == NULL || token[0] == '\0') {
        answer(fd, "400 Bad Request", "Something is missing here.");
        over = 0;
    } else {
        answer(fd, "200 OK", "You are signed in. Close this window and go back to the terminal.");
        ret->token = str_dup(token);
        ret->has_state = came != NULL;
        *rc = 0;
    }
    wipe(token);
    free(error);
    free(came);
    return over;
}

static int serve(int fd, const char *state, struct loopback_answer *ret, int *rc,
                 struct ct_err *err)
{
    static const char wanted[] = "GET /callback?";
    struct buf b = {0};
    int over = 0;

    read_head(fd, &b);
    if (strncmp(b.data, wanted, sizeof(wanted) - 1) == 0)
        over = judge(fd, b.data + sizeof(wanted) - 1, state, ret, rc, err);
    else if (b.len > 0)
        answer(fd, "404 Not Found", "There is nothing here.");
    str_wipe(b.data, b.len);
    buf_free(&b);
    return over;
}

int loopback_wait(struct loopback *l, const char *state, int64_t timeout_ms,
                  struct loopback_answer *ret, struct ct_err *err)
{
    struct pollfd p[2] = {{.fd = l->fd4, .events = POLLIN}, {.fd = l->fd6, .events = POLLIN}};
    int64_t until_ms = now_mono_ms() + timeout_ms, left;
    int fd, rc = -1, over = 0;

    while (!over && (left = until_ms - now_mono_ms()) > 0) {
        if (poll(p, 2, left < INT32_MAX ? (int)left : INT32_MAX) <= 0)
            continue;
        for (int i = 0; i < 2 && !over; i++) {
            if (p[i].fd < 0 || (p[i].revents & POLLIN) == 0)
                continue;
            fd = fd_accept(p[i].fd);
            if (fd < 0)
                continue;
            over = serve(fd, state, ret, &rc, err);
            close(fd);
        }
    }
    if (!over)
        return err_set(err, ERR_RETRY, "nobody signed in in the browser in time");
    return rc;
}

void loopback_answer_clear(struct loopback_answer *a)
{
    wipe(a->token);
    a->token = NULL;
}
