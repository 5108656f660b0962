#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/web/web_impl.h"

#define MAX_HELD (32LL * 1024 * 1024)
#define FILE_BYTES (64 * 1024) /* are read and sent at a time */
#define ASK_EVERY_MS 2000      /* whether to go on with that */

struct web_req *web_req_new(struct web *w, struct MHD_Connection *con, const char *target)
{
    struct web_req *r = str_calloc(1, sizeof(*r));
    const union MHD_ConnectionInfo *info;

    r->web = w;
    r->con = con;
    r->target = str_dup(target);
    r->method = "";
    r->route = "-";
    r->started_ms = now_mono_ms();
    r->file = -1;
    info = MHD_get_connection_info(con, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    web_peer(r, r->client);
    r->guarded = info != NULL ? info->socket_context : NULL;
    return r;
}

void web_req_free(struct web_req *r)
{
    atomic_fetch_sub(&r->web->held, r->held);
    if (r->response != NULL)
        MHD_destroy_response(r->response);
    for (int i = 0; i < r->n_headers; i++) {
        free(r->headers[i].name);
        free(r->headers[i].value);
    }
    str_wipe(r->target, strlen(r->target));
    free(r->target);
    free(r->piece);
    if (r->file >= 0)
        close(r->file);
    free(r->note);
    free(r);
}

/* The headers that decide where a body ends, who asks and what is signed. */
static const char *const single[] = {"Host",          "Content-Length", "Transfer-Encoding",
                                     "Authorization", "Content-Type",   "Content-MD5"};
#define N_SINGLE (sizeof(single) / sizeof(single[0]))

struct head {
    int counts[N_SINGLE];
    int is_bad;
};

/* RFC 9110: what methods and names of headers are made of. */
static int is_token(const char *s, size_t n)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz";

    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\0' || strchr(allowed, s[i]) == NULL)
            return 0;
    }
    return n > 0;
}

/* The library passes on a blank before the colon, NUL and other control characters. */
static int is_decent_value(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7F)
            return 0;
    }
    return 1;
}

static enum MHD_Result look_at_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                      size_t name_len, const char *value, size_t value_len)
{
    struct head *h = cls;

    (void)kind;
    if (!is_token(name, name_len) || (value != NULL && !is_decent_value(value, value_len)))
        h->is_bad = 1;
    for (size_t i = 0; i < N_SINGLE; i++) {
        if (strcasecmp(name, single[i]) == 0)
            h->counts[i]++;
    }
    return MHD_YES;
}

/* A path on this server; not another's address, which only a proxy is asked for. */
static int is_decent_target(const char *s)
{
    if (s[0] != '/')
        return 0;
    for (; *s != '\0'; s++) {
        if (*s <= ' ' || *s > '~')
            return 0;
    }
    return 1;
}

int web_req_check(struct web_req *r, const char *version)
{
    const char *coding = web_header(r, "Transfer-Encoding");
    struct head h = {0};

    MHD_get_connection_values_n(r->con, MHD_HEADER_KIND, look_at_header, &h);
    for (size_t i = 0; i < N_SINGLE; i++) {
        if (h.counts[i] > 1)
            return 400;
    }
    if (h.is_bad || !is_token(r->method, strlen(r->method)) || !is_decent_target(r->target))
        return 400;
    if (h.counts[0] == 0 && strcmp(version, "HTTP/1.0") != 0)
        return 400;
    if (h.counts[1] != 0 && (h.counts[2] != 0 || web_length(r) < 0))
        return 400;
    return coding != NULL && strcasecmp(coding, "chunked") != 0 ? 400 : 0;
}

struct joining {
    const char *name;
    struct buf list;
};

static enum MHD_Result join(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct joining *j = cls;

    (void)kind;
    if (strcasecmp(name, j->name) == 0 && value != NULL)
        buf_printf(&j->list, "%s%s", j->list.len > 0 ? "," : "", value);
    return MHD_YES;
}

char *web_header_list(struct web_req *r, const char *name)
{
    struct joining j = {.name = name};

    MHD_get_connection_values(r->con, MHD_HEADER_KIND, join, &j);
    return j.list.data != NULL ? buf_steal(&j.list) : str_dup("");
}

const char *web_method(struct web_req *r)
{
    return r->method;
}

const char *web_target(struct web_req *r)
{
    return r->target;
}

const char *web_header(struct web_req *r, const char *name)
{
    return MHD_lookup_connection_value(r->con, MHD_HEADER_KIND, name);
}

int64_t web_length(struct web_req *r)
{
    const char *s = web_header(r, "Content-Length");
    unsigned long long n;

    if (s == NULL || str_parse_u64(s, &n) != 0 || n > INT64_MAX)
        return -1;
    return (int64_t)n;
}

/* An IPv4 address that comes as IPv6, as on a socket for both, is written as IPv4. */
static void write_v6(const struct in6_addr *a, char buf[WEB_ADDRESS_SIZE])
{
    if (IN6_IS_ADDR_V4MAPPED(a))
        inet_ntop(AF_INET, a->s6_addr + 12, buf, WEB_ADDRESS_SIZE);
    else
        inet_ntop(AF_INET6, a, buf, WEB_ADDRESS_SIZE);
}

void web_address_of(const struct sockaddr *sa, char buf[WEB_ADDRESS_SIZE])
{
    if (sa != NULL && sa->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, buf, WEB_ADDRESS_SIZE);
    else if (sa != NULL && sa->sa_family == AF_INET6)
        write_v6(&((const struct sockaddr_in6 *)sa)->sin6_addr, buf);
    else
        snprintf(buf, WEB_ADDRESS_SIZE, "unknown");
}

void web_peer(struct web_req *r, char buf[WEB_ADDRESS_SIZE])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->con, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    if (r->web->is_unix)
        snprintf(buf, WEB_ADDRESS_SIZE, "unix");
    else
        web_address_of(info != NULL ? info->client_addr : NULL, buf);
}

int web_address(const char *s, size_t n, char buf[WEB_ADDRESS_SIZE])
{
    char text[WEB_ADDRESS_SIZE];
    struct in6_addr v6;
    struct in_addr v4;

    while (n > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    if (n >= sizeof(text))
        return -1;
    memcpy(text, s, n);
    text[n] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        inet_ntop(AF_INET, &v4, buf, WEB_ADDRESS_SIZE);
    else if (inet_pton(AF_INET6, text, &v6) == 1)
        write_v6(&v6, buf);
    else
        return -1;
    return 0;
}

const char *web_network(const char *address, char *buf, size_t size)
{
    struct in6_addr v6;

    snprintf(buf, size, "%s", address);
    if (inet_pton(AF_INET6, address, &v6) == 1) {
        memset(v6.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &v6, buf, (socklen_t)size);
    }
    return buf;
}

const char *web_neighbourhood(const char *address, char *buf, size_t size)
{
    struct in6_addr v6;
    struct in_addr v4;
    char net[WEB_ADDRESS_SIZE];

    if (inet_pton(AF_INET6, address, &v6) == 1) {
        memset(v6.s6_addr + 6, 0, 10);
        snprintf(buf, size, "%s/48", inet_ntop(AF_INET6, &v6, net, sizeof(net)));
    } else if (inet_pton(AF_INET, address, &v4) == 1) {
        v4.s_addr &= htonl(0xFFFFFF00U);
        snprintf(buf, size, "%s/24", inet_ntop(AF_INET, &v4, net, sizeof(net)));
    } else {
        snprintf(buf, size, "%s/", address);
    }
    return buf;
}

void web_set_data(struct web_req *r, void *p)
{
    r->data = p;
}

void *web_data(struct web_req *r)
{
    return r->data;
}

void web_set_route(struct web_req *r, const char *route)
{
    r->route = route;
}

void web_set_client(struct web_req *r, const char *address)
{
    snprintf(r->client, sizeof(r->client), "%s", address);
}

void web_set_note(struct web_req *r, const char *note)
{
    free(r->note);
    r->note = str_dup(note);
}

int web_hold(struct web_req *r, size_t n)
{
    if (n <= WEB_SMALL)
        return 0;
    if (atomic_fetch_add(&r->web->held, (int64_t)n) + (int64_t)n > MAX_HELD) {
        atomic_fetch_sub(&r->web->held, (int64_t)n);
        return -1;
    }
    r->held += (int64_t)n;
    return 0;
}

int64_t web_held(const struct web_req *r)
{
    return r->held;
}

void web_answer_header(struct web_req *r, const char *name, const char *value)
{
    if (r->n_headers == WEB_MAX_HEADERS || r->response != NULL)
        return;
    r->headers[r->n_headers].name = str_dup(name);
    r->headers[r->n_headers++].value = str_dup(value);
}

static void set_response(struct web_req *r, int status, const char *type, struct MHD_Response *resp,
                         int64_t n)
{
    if (resp == NULL)
        abort();
    if (type != NULL)
        MHD_add_response_header(resp, "Content-Type", type);
    for (int i = 0; i < r->n_headers; i++)
        MHD_add_response_header(resp, r->headers[i].name, r->headers[i].value);
    r->response = resp;
    r->status = status;
    r->answer_bytes = n;
}

/* The cast is the library's: in neither ${mode} does it do anything but read. */
static void answer(struct web_req *r, int status, const char *type, const void *p, size_t n,
                   enum MHD_ResponseMemoryMode mode)
{
    if (r->response == NULL)
        set_response(r, status, type,
                     MHD_create_response_from_buffer(n, (void *)(uintptr_t)p, mode), (int64_t)n);
}

void web_answer(struct web_req *r, int status, const char *type, const void *p, size_t n)
{
    answer(r, status, type, p, n, MHD_RESPMEM_MUST_COPY);
}

void web_answer_static(struct web_req *r, int status, const char *type, const void *p, size_t n)
{
    answer(r, status, type, p, n, MHD_RESPMEM_PERSISTENT);
}

static int is_broken_off(struct web_req *r)
{
    const struct web_handler *h = &r->web->handler;
    int64_t now_ms = now_mono_ms();

    if (h->goes_on == NULL || now_ms - r->asked_ms < ASK_EVERY_MS)
        return 0;
    r->asked_ms = now_ms;
    return !h->goes_on(h->arg, r);
}

/* Kept only until the library takes it: who reads slowly waits with one piece, not with two. */
void web_req_read(struct web_req *r)
{
    if (is_broken_off(r)) {
        r->read_failed = 1;
        return;
    }
    r->piece = str_calloc(1, r->piece_len);
    r->read_failed = file_pread_all(r->file, r->piece, r->piece_len,
                                    (off_t)(r->file_offset + r->piece_at)) != (ssize_t)r->piece_len;
}

/*
 * The library asks for bytes from ${at} on, in its loop, which never reads from a disk: a thread of
 * the pool does, while the connection is suspended, and then the library asks again.
 */
static ssize_t on_read(void *cls, uint64_t at, char *buf, size_t max)
{
    struct web_req *r = cls;
    int64_t left = r->answer_bytes - (int64_t)at;

    if (r->piece_at == (int64_t)at && !r->read_failed && r->piece_len <= max) {
        memcpy(buf, r->piece, r->piece_len);
        free(r->piece);
        r->piece = NULL;
        r->piece_at = -1;
        return (ssize_t)r->piece_len;
    }
    if (r->piece_at >= 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    r->piece_at = (int64_t)at;
    r->piece_len = (int64_t)max < left ? max : (size_t)left;
    r->job = WEB_READ;
    return web_pool_add(&r->web->pool, r) == 0 ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
}

void web_answer_fd(struct web_req *r, int status, const char *type, int fd, int64_t offset,
                   int64_t n)
{
    if (r->response != NULL) {
        close(fd);
        return;
    }
    r->file = fd;
    r->file_offset = offset;
    r->piece_at = -1;
    r->asked_ms = now_mono_ms();
    set_response(r, status, type,
                 MHD_create_response_from_callback((uint64_t)n, FILE_BYTES, on_read, r, NULL), n);
}

int web_answered(struct web_req *r)
{
    return r->response != NULL;
}

void web_keep(struct web_req *r, int is_known)
{
    r->is_known |= is_known;
    web_guard_keep(&r->web->guard, r->guarded, is_known);
}

/* The library counts no time against a connection that is suspended. */
void web_busy(struct web_req *r, int busy)
{
    if (busy)
        web_guard_free_run(&r->web->guard, r->guarded);
    else
        web_guard_transfer(&r->web->guard, r->guarded, now_mono_ms(), 0);
}
