#include <sys/stat.h>

#include <ctype.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/agent.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/strlist.h"
#include "common/data/jdoc.h"
#include "ctctl/read/find.h"
#include "ctctl/read/reading.h"
#include "ctctl/web/errand.h"
#include "ctctl/web/pieces.h"

#include "ctctl/web/site_impl.h"

#define ASKINGS_MAX 12
#define WORD_MAX 1024

/* A request that waits for an errand. */
struct asking {
    struct site *site;
    struct evhttp_request *req;
    struct evhttp_connection *connection;
    struct errand *errand;
    struct event *left; /* whoever asked has hung up */
    int fd;             /* where a transcript goes, or -1 */
    struct asking *next;
};

/* ---- waiting -----------------------------------------------------------------------------------
 */

static void drop(struct asking *a)
{
    struct asking **p = &a->site->askings;

    while (*p != a)
        p = &(*p)->next;
    *p = a->next;
    a->site->n_askings--;
    if (a->left != NULL)
        event_free(a->left);
    if (a->fd >= 0)
        close(a->fd);
    free(a);
}

/* Whoever asked is gone: a tab was closed, another page was chosen.  evhttp does not look for that
 * while it waits for our answer; the answer of an errand that was ended finds nobody. */
static void on_left(evutil_socket_t fd, short what, void *arg)
{
    struct asking *a = arg;

    (void)fd;
    (void)what;
    errand_stop(a->errand);
}

static void watch_for_leaving(struct asking *a)
{
    struct bufferevent *b = evhttp_connection_get_bufferevent(a->connection);

    if ((event_base_get_features(a->site->base) & EV_FEATURE_EARLY_CLOSE) == 0)
        return; /* then it ends by itself */
    a->left = event_new(a->site->base, bufferevent_getfd(b), EV_CLOSED, on_left, a);
    if (a->left != NULL)
        event_add(a->left, NULL);
}

/* The connection is no more. */
static void on_gone(struct evhttp_connection *connection, void *arg)
{
    struct asking *a = arg;

    (void)connection;
    errand_cancel(a->errand);
    drop(a);
}

static void release(struct asking *a)
{
    evhttp_connection_set_closecb(a->connection, NULL, NULL);
}

/* Run ctctl with ${words}; with ${fd}, what it prints goes there.  ${f} answers, and drops. */
static void begin(struct site *s, struct evhttp_request *req, const struct strlist *words, int fd,
                  errand_f *f)
{
    struct asking *a = str_calloc(1, sizeof(*a));
    char **argv = str_calloc(words->n + 1, sizeof(*argv));
    struct ct_err e;
    int rc;

    a->site = s;
    a->req = req;
    a->connection = evhttp_request_get_connection(req);
    a->fd = fd;
    a->next = s->askings;
    s->askings = a;
    for (size_t i = 0; i < words->n; i++)
        argv[i] = words->v[i];
    if (s->n_askings++ >= ASKINGS_MAX)
        rc = err_set(&e, ERR_RETRY, "too much is asked at once; try again in a moment");
    else
        rc = errand_start(s->base, argv, fd, f, a, &a->errand, &e);
    if (rc == 0) {
        evhttp_connection_set_closecb(a->connection, on_gone, a);
        watch_for_leaving(a);
    } else {
        drop(a);
        site_refuse(req, 503, &e);
    }
    free(argv);
}

void asks_close(struct site *s)
{
    for (struct asking *a = s->askings, *next; a != NULL; a = next) {
        next = a->next;
        release(a);
        errand_cancel(a->errand);
        drop(a);
    }
    for (size_t i = 0; i < SITE_OPENED; i++) {
        if (s->opened[i].fd >= 0)
            close(s->opened[i].fd);
        s->opened[i].fd = -1;
    }
}

/* ---- what a verb says --------------------------------------------------------------------------
 */

/* {"exit": its exit status, "said": its words on stderr, "answer": its JSON, or null} */
static void on_verb(void *arg, int status, const struct buf *out, const struct buf *said)
{
    struct asking *a = arg;
    struct json_object *o = json_object_new_object();
    struct evbuffer *b = evbuffer_new();
    struct ct_err e;
    const char *head;

    release(a);
    if (status < 0) {
        err_set(&e, ERR_FAIL, "ctctl was ended before it had an answer");
        site_refuse(a->req, 500, &e);
    } else {
        jdoc_set_int(o, "exit", status);
        jdoc_set_str(o, "said", said->data != NULL ? said->data : "");
        head = jdoc_text(o);
        evbuffer_add(b, head, strlen(head) - 1);
        evbuffer_add_printf(b, ",\"answer\":");
        if (out->len > 0)
            evbuffer_add(b, out->data, out->len);
        else
            evbuffer_add_printf(b, "null");
        evbuffer_add_printf(b, "}");
        site_send(a->req, 200, "application/json", b);
    }
    evbuffer_free(b);
    json_object_put(o);
    drop(a);
}

/* What of a query may become a word of a command line, and which. */
enum kind { KIND_ID, KIND_NUMBER, KIND_FLAG, KIND_WORDS };

struct param {
    const char *key;
    enum kind kind;
    const char *option; /* NULL: it is a word itself */
    int is_needed;
};

#define PARAMS_MAX 4

static const struct route {
    const char *path;
    int is_post;
    const char *verb[3]; /* and the options that it always has */
    struct param params[PARAMS_MAX];
} routes[] = {
    {"status", 0, {"status"}, {{0}}},
    {"here", 0, {"list", "--local"}, {{0}}},
    {"cloud", 0, {"list", "--cloud"}, {{0}}},
    {"show", 0, {"show"}, {{"id", KIND_ID, NULL, 1}}},
    {"versions", 0, {"versions"}, {{"id", KIND_ID, NULL, 1}}},
    {"diff",
     0,
     {"diff"},
     {{"id", KIND_ID, NULL, 1}, {"a", KIND_NUMBER, NULL, 0}, {"b", KIND_NUMBER, NULL, 0}}},
    {"search", 0, {"search"}, {{"cloud", KIND_FLAG, "--cloud", 0}, {"w", KIND_WORDS, NULL, 1}}},
    {"sync", 1, {"sync"}, {{"id", KIND_ID, NULL, 1}}},
    {"pull", 1, {"pull"}, {{"id", KIND_ID, NULL, 1}, {"version", KIND_NUMBER, "--version", 0}}},
};

/* An id or its beginning; what a server calls a sealed one. */
static int is_id(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || (n > 0 && s[n] == '-'))
        n++;
    return n > 0 && n <= 64 && s[n] == '\0';
}

static int is_number(const char *s)
{
    unsigned long long n;

    return str_parse_u64(s, &n) == 0 && n > 0 && n <= INT32_MAX;
}

static int fits(enum kind kind, const char *s)
{
    switch (kind) {
    case KIND_ID:
        return is_id(s);
    case KIND_NUMBER:
        return is_number(s);
    case KIND_FLAG:
        return strcmp(s, "1") == 0;
    case KIND_WORDS:
        return s[0] != '\0' && strlen(s) <= WORD_MAX;
    }
    return 0;
}

/* Add what the query has of ${p}.  Options come first: "--" stands between them and the words. */
static int add_param(struct strlist *words, const struct param *p, const struct evkeyvalq *query)
{
    const struct evkeyval *kv;
    size_t n = 0;

    for (kv = query->tqh_first; kv != NULL; kv = kv->next.tqe_next) {
        if (strcmp(kv->key, p->key) != 0)
            continue;
        if (!fits(p->kind, kv->value) || ++n > (p->kind == KIND_WORDS ? FIND_WORDS_MAX : 1))
            return -1;
        if (p->option != NULL)
            strlist_add(words, p->option);
        if (p->kind != KIND_FLAG)
            strlist_add(words, kv->value);
    }
    return p->is_needed && n == 0 ? -1 : 0;
}

static void begin_words(const struct site *s, struct strlist *words)
{
    strlist_add(words, "ctctl");
    if (s->c->socket != NULL) {
        strlist_add(words, "--socket");
        strlist_add(words, s->c->socket);
    }
}

static void do_verb(struct site *s, struct evhttp_request *req, const struct route *route,
                    const struct evkeyvalq *query)
{
    struct strlist words = {0};
    struct ct_err e;
    int rc = 0;

    begin_words(s, &words);
    for (size_t i = 0; i < 3 && route->verb[i] != NULL; i++)
        strlist_add(&words, route->verb[i]);
    strlist_add(&words, "--json");
    for (int is_word = 0; is_word < 2; is_word++) {
        if (is_word)
            strlist_add(&words, "--");
        for (size_t i = 0; rc == 0 && i < PARAMS_MAX && route->params[i].key != NULL; i++) {
            if ((route->params[i].option == NULL) == is_word)
                rc = add_param(&words, &route->params[i], query);
        }
    }
    if (rc == 0) {
        begin(s, req, &words, -1, on_verb);
    } else {
        err_set(&e, ERR_REFUSED, "%s is asked in a way that it does not know", route->path);
        site_refuse(req, 400, &e);
    }
    strlist_free(&words);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* Keep the transcript ${fd} open for the page, and tell it under which number. */
static void tell_opened(struct site *s, struct evhttp_request *req, const struct agent *agent,
                        int fd, int is_here)
{
    struct site_opened *o = &s->opened[0];
    struct json_object *answer;
    struct stat st;

    for (size_t i = 1; i < SITE_OPENED; i++) {
        if (s->opened[i].used < o->used)
            o = &s->opened[i];
    }
    if (o->fd >= 0)
        close(o->fd);
    o->agent = agent;
    o->fd = fd;
    o->handle = ++s->handles;
    o->used = ++s->uses;
    answer = json_object_new_object();
    jdoc_set_int(answer, "handle", o->handle);
    jdoc_set_bool(answer, "here", is_here);
    jdoc_set_int(answer, "size", fstat(fd, &st) == 0 ? (int64_t)st.st_size : 0);
    jdoc_set_int(answer, "pieceBytes", PIECES_BYTES);
    site_answer(req, 200, answer);
    json_object_put(answer);
}

static void on_fetched(void *arg, int status, const struct buf *out, const struct buf *said)
{
    struct asking *a = arg;
    int fd = a->fd;
    struct ct_err e;

    (void)out;
    release(a);
    if (status == 0) {
        a->fd = -1;
        tell_opened(a->site, a->req, agent_unnamed(), fd, 0);
    } else {
        err_set(&e, ERR_FAIL, "%.400s", said->data != NULL ? said->data : "it could not be read");
        site_refuse(a->req, 502, &e);
    }
    drop(a);
}

/* A file without a name, of this user alone, that goes with the program. */
static int nameless(const struct site *s, struct ct_err *err)
{
    char *path = str_printf("%s/web-XXXXXX", s->folder);
    int fd = mkstemp(path);

    if (fd < 0) {
        err_sys(err, "can't make a file in %s", s->folder);
    } else {
        unlink(path);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    free(path);
    return fd;
}

/* Have a child fetch, open and unseal it, so that the keys and what a stranger wrote are there. */
static void fetch(struct site *s, struct evhttp_request *req, const char *id, const char *version)
{
    struct strlist words = {0};
    struct ct_err e;
    int fd = nameless(s, &e);

    if (fd < 0) {
        site_refuse(req, 500, &e);
        return;
    }
    begin_words(s, &words);
    strlist_add(&words, "cat");
    strlist_add(&words, "--raw");
    strlist_add(&words, "--cloud");
    if (version != NULL) {
        strlist_add(&words, "--version");
        strlist_add(&words, version);
    }
    strlist_add(&words, "--");
    strlist_add(&words, id);
    begin(s, req, &words, fd, on_fetched);
    strlist_free(&words);
}

/* What is here, else the newest in the cloud; with a version, that. */
static void do_open(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query)
{
    const char *id = evhttp_find_header(query, "id");
    const char *version = evhttp_find_header(query, "version");
    const struct agent *agent;
    char found[UUID_SIZE];
    struct ct_err e;
    int fd;

    if (id == NULL || !is_id(id) || (version != NULL && !is_number(version))) {
        err_set(&e, ERR_REFUSED, "that is the id of no session");
        site_refuse(req, 400, &e);
    } else if (version != NULL) {
        fetch(s, req, id, version);
    } else if (reading_open(s->c, id, found, &agent, &fd, &e) == 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        tell_opened(s, req, agent, fd, 1);
    } else if (e.code == ERR_GONE) {
        fetch(s, req, id, NULL);
    } else {
        site_refuse(req, 500, &e);
    }
}

static int64_t number_of(const struct evkeyvalq *query, const char *key)
{
    const char *s = evhttp_find_header(query, key);
    unsigned long long n;

    return s != NULL && str_parse_u64(s, &n) == 0 && n <= INT32_MAX ? (int64_t)n : -1;
}

/* The transcript that the page calls by this handle, or NULL after having said that it is closed.
 */
static const struct site_opened *opened(struct site *s, struct evhttp_request *req,
                                        const struct evkeyvalq *query)
{
    int64_t handle = number_of(query, "handle");
    struct ct_err e;

    for (size_t i = 0; i < SITE_OPENED; i++) {
        if (s->opened[i].fd >= 0 && s->opened[i].handle == handle) {
            s->opened[i].used = ++s->uses;
            return &s->opened[i];
        }
    }
    err_set(&e, ERR_EXPIRED, "that transcript is no longer open");
    site_refuse(req, 410, &e);
    return NULL;
}

static void do_turns(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query)
{
    const struct site_opened *o = opened(s, req, query);
    struct json_object *answer;
    struct ct_err e;

    if (o == NULL)
        return;
    if (pieces_tell(o->agent, o->fd, number_of(query, "piece"), number_of(query, "turn"), &answer,
                    &e) != 0) {
        site_refuse(req, 400, &e);
        return;
    }
    site_answer(req, 200, answer);
    json_object_put(answer);
}

/* The bytes of a picture; none (204) if it can't be shown. */
static void do_image(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query)
{
    const struct site_opened *o = opened(s, req, query);
    struct evbuffer *b = evbuffer_new();
    const char *type = "image/png";
    struct buf image = {0};
    struct ct_err e;
    int is_there;

    if (o != NULL) {
        is_there =
            pieces_image(o->agent, o->fd, number_of(query, "piece"), number_of(query, "turn"),
                         number_of(query, "image"), &image, &type, &e) == 0;
        if (is_there)
            evbuffer_add(b, image.data, image.len);
        site_send(req, is_there ? 200 : 204, type, b);
    }
    buf_free(&image);
    evbuffer_free(b);
}

/* ---- all of them -------------------------------------------------------------------------------
 */

void asks_do(struct site *s, struct evhttp_request *req, const char *path)
{
    const char *text = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req));
    int is_post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;
    const struct route *route = NULL;
    struct evkeyvalq query = {0};
    struct ct_err e;

    for (size_t i = 0; route == NULL && i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].path, path) == 0 && routes[i].is_post == is_post)
            route = &routes[i];
    }
    if (evhttp_parse_query_str(text != NULL ? text : "", &query) != 0) {
        err_set(&e, ERR_REFUSED, "the query can't be read");
        site_refuse(req, 400, &e);
        return;
    }
    if (route != NULL) {
        do_verb(s, req, route, &query);
    } else if (!is_post && strcmp(path, "open") == 0) {
        do_open(s, req, &query);
    } else if (!is_post && strcmp(path, "turns") == 0) {
        do_turns(s, req, &query);
    } else if (!is_post && strcmp(path, "image") == 0) {
        do_image(s, req, &query);
    } else {
        err_set(&e, ERR_GONE, "there is nothing here");
        site_refuse(req, 404, &e);
    }
    evhttp_clear_headers(&query);
}
