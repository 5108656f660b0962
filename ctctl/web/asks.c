#include <ctype.h>
#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/base/strlist.h"
#include "common/data/jdoc.h"
#include "ctctl/read/find.h"
#include "ctctl/web/waits.h"

#include "ctctl/web/site_impl.h"

#define WORD_MAX 1024

int asks_is_id(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || (n > 0 && s[n] == '-'))
        n++;
    return n > 0 && n <= 64 && s[n] == '\0';
}

int asks_is_number(const char *s)
{
    unsigned long long n;

    return str_parse_u64(s, &n) == 0 && n > 0 && n <= INT32_MAX;
}

void asks_begin_words(const struct site *s, struct strlist *words)
{
    strlist_add(words, "ctctl");
    if (s->c->socket != NULL) {
        strlist_add(words, "--socket");
        strlist_add(words, s->c->socket);
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

    waits_release(a);
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
    waits_drop(a);
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

static int fits(enum kind kind, const char *s)
{
    switch (kind) {
    case KIND_ID:
        return asks_is_id(s);
    case KIND_NUMBER:
        return asks_is_number(s);
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

static void do_verb(struct site *s, struct evhttp_request *req, const struct route *route,
                    const struct evkeyvalq *query)
{
    struct strlist words = {0};
    struct ct_err e;
    int rc = 0;

    asks_begin_words(s, &words);
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
        waits_begin(s, req, &words, NULL, -1, on_verb);
    } else {
        err_set(&e, ERR_REFUSED, "%s is asked in a way that it does not know", route->path);
        site_refuse(req, 400, &e);
    }
    strlist_free(&words);
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
        reads_open(s, req, &query);
    } else if (!is_post && strcmp(path, "parts") == 0) {
        reads_parts(s, req, &query);
    } else if (!is_post && strcmp(path, "turns") == 0) {
        reads_turns(s, req, &query);
    } else if (!is_post && strcmp(path, "image") == 0) {
        reads_image(s, req, &query);
    } else {
        err_set(&e, ERR_GONE, "there is nothing here");
        site_refuse(req, 404, &e);
    }
    evhttp_clear_headers(&query);
}
