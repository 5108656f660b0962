#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/here/system.h"
#include "ctctl/ui/jout.h"
#include "ctctl/web/pages.h"
#include "ctctl/web/site.h"

#include "ctctl/web/site_impl.h"

#define HEADERS_MAX 16384
#define BODY_MAX 4096
#define PATIENCE_S 60

/* ---- answers -----------------------------------------------------------------------------------
 */

void site_send(struct evhttp_request *req, int code, const char *type, struct evbuffer *b)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(req);

    for (size_t i = 0; i < page_headers_n; i++)
        evhttp_add_header(out, page_headers[i].name, page_headers[i].value);
    evhttp_add_header(out, "Content-Type", type);
    evhttp_send_reply(req, code, NULL, b);
}

void site_answer(struct evhttp_request *req, int code, struct json_object *o)
{
    struct evbuffer *b = evbuffer_new();
    struct buf text = {0};

    jout_add(&text, o, 0);
    evbuffer_add(b, text.data, text.len);
    site_send(req, code, "application/json", b);
    str_wipe(text.data, text.len);
    buf_free(&text);
    evbuffer_free(b);
}

void site_refuse(struct evhttp_request *req, int code, const struct ct_err *err)
{
    struct json_object *o = json_object_new_object(), *e = json_object_new_object();

    jdoc_set_str(e, "code", err_name(err->code));
    jdoc_set_str(e, "message", err->msg);
    json_object_object_add(o, "error", e);
    site_answer(req, code, o);
    json_object_put(o);
}

/* ---- connections -------------------------------------------------------------------------------
 */

/* One was accepted; evhttp gives its descriptor to what we return. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    struct site *s = arg;

    crowd_came(s->crowd);
    return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
}

static void trust(struct site *s, struct evhttp_request *req)
{
    struct evhttp_connection *c = evhttp_request_get_connection(req);

    crowd_trust(s->crowd, bufferevent_getfd(evhttp_connection_get_bufferevent(c)));
}

/* What libevent has to say is nothing for a person. */
static void on_log(int severity, const char *text)
{
    (void)severity;
    (void)text;
}

/* ---- requests ----------------------------------------------------------------------------------
 */

static void refuse(struct evhttp_request *req, enum gate_verdict verdict)
{
    struct ct_err e;

    if (verdict == GATE_ELSEWHERE)
        err_set(&e, ERR_REFUSED, "this is for the page of ctctl web only");
    else
        err_set(&e, ERR_AUTH, "this page has no key to this ctctl web; start it again: ctctl web");
    site_refuse(req, verdict == GATE_ELSEWHERE ? 403 : 401, &e);
}

static void send_page(struct evhttp_request *req, const char *path)
{
    const struct page *page = page_find(pages, pages_n, path);
    struct evbuffer *b;
    struct ct_err e;

    if (page == NULL) {
        err_set(&e, ERR_GONE, "there is nothing here");
        site_refuse(req, 404, &e);
        return;
    }
    b = evbuffer_new();
    evbuffer_add_reference(b, page->data, page->size, NULL, NULL);
    site_send(req, 200, page->type, b);
    evbuffer_free(b);
}

static void forget_link(struct site *s)
{
    if (s->link == NULL)
        return;
    unlink(s->link);
    free(s->link);
    s->link = NULL;
}

/* The link has been followed: by the browser that was started, or, the second time, by somebody
 * who should not have it; who of them is which nobody knows. */
static void enter(struct site *s, struct evhttp_request *req, const struct gate_request *r)
{
    const char *token = NULL;
    enum gate_verdict verdict = gate_enter(s->gate, r, &token);
    struct json_object *o;

    if (verdict != GATE_OPEN) {
        refuse(req, verdict);
        if (verdict == GATE_USED) {
            s->is_used_twice = 1;
            event_base_loopexit(s->base, NULL);
        }
        return;
    }
    forget_link(s);
    o = json_object_new_object();
    jdoc_set_str(o, "token", token);
    jdoc_set_str(o, "version", PACKAGE_VERSION);
    site_answer(req, 200, o);
    json_object_put(o);
}

static void wait_anew(struct site *s)
{
    struct timeval tv = {.tv_sec = s->idle_s};

    event_add(s->idle, &tv);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    static const char api[] = "/api/";
    struct site *s = arg;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
    struct evkeyvalq *in = evhttp_request_get_input_headers(req);
    int is_post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;
    const struct gate_request r = {
        .host = evhttp_find_header(in, "Host"),
        .origin = evhttp_find_header(in, "Origin"),
        .fetch_site = evhttp_find_header(in, "Sec-Fetch-Site"),
        .link = evhttp_find_header(in, "X-Codeteleport-Link"),
        .token = evhttp_find_header(in, "X-Codeteleport-Token"),
    };
    enum gate_verdict verdict;

    if (path == NULL || path[0] == '\0')
        path = "/";
    if (is_post && strcmp(path, "/api/enter") == 0) {
        enter(s, req, &r);
        return;
    }
    verdict =
        strncmp(path, api, sizeof(api) - 1) == 0 ? gate_ask(s->gate, &r) : gate_page(s->gate, &r);
    if (verdict != GATE_OPEN) {
        refuse(req, verdict);
    } else if (strncmp(path, api, sizeof(api) - 1) == 0) {
        wait_anew(s);
        trust(s, req);
        asks_do(s, req, path + sizeof(api) - 1);
    } else {
        send_page(req, path);
    }
}

/* ---- beginning and end -------------------------------------------------------------------------
 */

static int listen_here(struct site *s, int *ret_port, struct ct_err *err)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof(a);
    int fd = fd_socket(AF_INET);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0 || fd_no_wait(fd) != 0) {
        err_sys(err, "can't listen on 127.0.0.1 for the browser");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (evhttp_accept_socket(s->http, fd) != 0) {
        close(fd);
        return err_set(err, ERR_FAIL, "can't listen on 127.0.0.1 for the browser");
    }
    *ret_port = ntohs(a.sin_port);
    return 0;
}

/* A file that only this user can read: so the secret is in no command line, where all can see it.
 */
static int write_link(struct site *s, struct ct_err *err)
{
    unsigned char p[8];
    char name[2 * sizeof(p) + 1];
    char *page, *path;
    int fd, rc = 0;

    if (path_make_private(s->folder, err) != 0)
        return -1;
    hash_random(p, sizeof(p));
    hash_hex(p, sizeof(p), name);
    path = str_printf("%s/web-%s.html", s->folder, name);
    page = str_printf("<!doctype html>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"referrer\" content=\"no-referrer\">\n"
                      "<meta http-equiv=\"refresh\" content=\"0; url=%s/#link=%s\">\n"
                      "<title>Codeteleport</title>\n",
                      gate_address(s->gate), gate_link(s->gate));
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, page, strlen(page)) != 0)
        rc = err_sys(err, "can't write %s", path);
    if (fd >= 0 && close(fd) != 0 && rc == 0)
        rc = err_sys(err, "can't write %s", path);
    if (fd >= 0 && rc != 0)
        unlink(path);
    str_wipe(page, strlen(page));
    free(page);
    if (rc == 0)
        s->link = path;
    else
        free(path);
    return rc;
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopexit(((struct site *)arg)->base, NULL);
}

static void on_idle(evutil_socket_t fd, short what, void *arg)
{
    struct site *s = arg;

    (void)fd;
    (void)what;
    if (s->n_askings > 0) /* somebody waits */
        wait_anew(s);
    else
        event_base_loopexit(s->base, NULL);
}

static int begin(struct site *s, struct ct_err *err)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    int port = 0;

    event_set_log_callback(on_log);
    s->base = event_base_new();
    s->http = s->base != NULL ? evhttp_new(s->base) : NULL;
    if (s->http == NULL)
        return err_set(err, ERR_FAIL, "can't make an event loop");
    evhttp_set_max_headers_size(s->http, HEADERS_MAX);
    evhttp_set_max_body_size(s->http, BODY_MAX);
    evhttp_set_timeout(s->http, PATIENCE_S);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_gencb(s->http, on_request, s);
    evhttp_set_bevcb(s->http, on_connection, s);
    if (listen_here(s, &port, err) != 0)
        return -1;
    s->gate = gate_new(port);
    s->crowd = crowd_new(port);
    if (write_link(s, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        s->signals[i] = evsignal_new(s->base, numbers[i], on_signal, s);
        event_add(s->signals[i], NULL);
    }
    s->idle = evtimer_new(s->base, on_idle, s);
    wait_anew(s);
    return 0;
}

/* Errands that were called off are waited for; a second signal ends us at once. */
static void end(struct site *s)
{
    forget_link(s);
    waits_close(s);
    reads_close(s);
    if (s->http != NULL)
        evhttp_free(s->http);
    for (size_t i = 0; i < sizeof(s->signals) / sizeof(s->signals[0]); i++) {
        if (s->signals[i] != NULL)
            event_free(s->signals[i]);
    }
    if (s->idle != NULL)
        event_free(s->idle);
    if (s->base != NULL) {
        event_base_dispatch(s->base);
        event_base_free(s->base);
    }
    gate_free(s->gate);
    crowd_free(s->crowd);
    free(s->folder);
}

static void say_where(struct site *s, int is_started)
{
    struct json_object *o;

    if (s->c->json) {
        o = json_object_new_object();
        jdoc_set_str(o, "address", gate_address(s->gate));
        jdoc_set_str(o, "link", s->link);
        ctx_json(s->c, o);
        fflush(stdout);
        json_object_put(o);
    } else if (is_started) {
        ctx_say(s->c, "your sessions are at %s, for the browser that was started; Ctrl-C ends it",
                gate_address(s->gate));
        ctx_say(s->c, "if none shows them, open this file in one: %s", s->link);
    } else {
        ctx_say(s->c, "your sessions are at %s: open this file in your browser, once: %s",
                gate_address(s->gate), s->link);
        ctx_say(s->c, "Ctrl-C ends it");
    }
}

static char *runtime_folder(const struct ctx *c)
{
    char *socket = path_socket(c->config->state_dir);

    *strrchr(socket, '/') = '\0';
    return socket;
}

int site_run(struct ctx *c, const struct site_opts *opts, struct ct_err *err)
{
    struct site s = {.c = c, .idle_s = opts->idle_s};
    int rc = ctx_config(c, err);

    for (size_t i = 0; i < SITE_OPENED; i++)
        s.opened[i].fd = -1;
    if (rc == 0) {
        s.folder = runtime_folder(c);
        rc = begin(&s, err);
    }
    if (rc == 0) {
        say_where(&s, opts->has_browser && system_open_browser(s.link) == 0);
        event_base_dispatch(s.base);
        if (s.is_used_twice)
            rc = err_set(err, ERR_REFUSED,
                         "the link was followed a second time: somebody else may have it, so "
                         "nothing is shown any more; start again: ctctl web");
    }
    end(&s);
    return rc;
}
