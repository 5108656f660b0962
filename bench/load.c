#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "net/http.h"

/*
 * A load on a server on this machine: load MODE API-URL TOKENS-FILE CONNECTIONS SECONDS.  Prints
 * one line: how many a second, and the median and the 99th percentile of what each took.
 *
 *   list    GET /sessions, 100 of them, for one user after another
 *   push    a new session: upload and confirm (timed), the PUT of 1 kB in between (not timed)
 */

#define BODY_BYTES 1024

struct load {
    const char *mode, *api;
    char **token;
    size_t n_tokens;
    int64_t until_ms;
    char body[BODY_BYTES];
    char sha256[HASH_SHA256_HEX];
    char *md5;
};

struct one {
    struct load *load;
    struct http_pool *pool;
    pthread_t thread;
    size_t turn;
    int64_t *took_us;
    size_t n, cap, failed;
};

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The answer's JSON, or NULL if it was no 2xx. */
static struct json_object *ask(struct one *o, const char *method, const char *url,
                               const struct strlist *headers, const char *body, int64_t len)
{
    struct http_req req = HTTP_REQ_INIT;
    struct json_object *answer = NULL;
    struct http_res res = {0};
    struct ct_err err;

    req.method = method;
    req.url = url;
    req.headers = headers;
    req.body = body;
    req.body_len = len;
    req.max_answer = 4 << 20;
    if (http_pool_perform(o->pool, &req, &res, &err) != 0) {
        fprintf(stderr, "load: %s\n", err.msg);
        return NULL;
    }
    if (res.status / 100 == 2)
        answer = res.body.len == 0 ? json_object_new_object() : NULL;
    if (res.status / 100 == 2 && answer == NULL)
        jdoc_parse(res.body.data, res.body.len, &answer, &err);
    if (answer == NULL)
        fprintf(stderr, "load: %s: %d %.200s\n", method, res.status, res.body.data);
    http_res_free(&res);
    return answer;
}

/* As one user after the other. */
static struct json_object *ask_api(struct one *o, const char *method, const char *path,
                                   const char *body)
{
    struct load *l = o->load;
    struct strlist headers = {0};
    char *url = str_printf("%s%s", l->api, path);
    char *line = str_printf("Authorization: Bearer %s", l->token[o->turn % l->n_tokens]);
    struct json_object *answer;

    strlist_add(&headers, line);
    strlist_add(&headers, "Content-Type: application/json");
    answer = ask(o, method, url, &headers, body, body != NULL ? (int64_t)strlen(body) : -1);
    strlist_free(&headers);
    free(line);
    free(url);
    return answer;
}

static int list(struct one *o, int64_t *took_us)
{
    int64_t begun = now_us();
    struct json_object *answer = ask_api(o, "GET", "/sessions?limit=100", NULL);
    int ok = answer != NULL;

    *took_us = now_us() - begun;
    json_object_put(answer);
    return ok ? 0 : -1;
}

static int put(struct one *o, const char *url)
{
    struct strlist headers = {0};
    char *line = str_printf("Content-MD5: %s", o->load->md5);
    struct json_object *answer;

    strlist_add(&headers, "Content-Type: application/gzip");
    strlist_add(&headers, line);
    answer = ask(o, "PUT", url, &headers, o->load->body, BODY_BYTES);
    strlist_free(&headers);
    free(line);
    json_object_put(answer);
    return answer != NULL ? 0 : -1;
}

static int push(struct one *o, int64_t *took_us)
{
    struct load *l = o->load;
    char id[UUID_SIZE], *body, *path;
    struct json_object *answer, *confirmed = NULL;
    int64_t begun = now_us();

    uuid_random(id);
    body = str_printf("{\"sessionId\":\"%s\",\"sourceMachine\":\"bench\",\"sourceCwd\":\"/home/al/"
                      "project\",\"sourceUserDir\":\"/home/al\",\"sizeBytes\":%d,\"checksum\":"
                      "\"sha256:%s\",\"md5\":\"%s\",\"metadata\":{\"messageCount\":12}}",
                      id, BODY_BYTES, l->sha256, l->md5);
    answer = ask_api(o, "POST", "/sessions/upload", body);
    free(body);
    *took_us = now_us() - begun;
    if (answer != NULL && put(o, jdoc_str(answer, "uploadUrl")) == 0) {
        path = str_printf("/sessions/%s/confirm", id);
        body = str_printf("{\"version\":%lld,\"checksum\":\"sha256:%s\"}",
                          (long long)jdoc_int(answer, "version", 0), l->sha256);
        begun = now_us();
        confirmed = ask_api(o, "POST", path, body);
        *took_us += now_us() - begun;
        free(body);
        free(path);
    }
    json_object_put(answer);
    json_object_put(confirmed);
    return confirmed != NULL ? 0 : -1;
}

static void *run(void *arg)
{
    struct one *o = arg;
    int is_list = strcmp(o->load->mode, "list") == 0;

    while (now_mono_ms() < o->load->until_ms) {
        int64_t took_us;
        if ((is_list ? list(o, &took_us) : push(o, &took_us)) != 0) {
            if (++o->failed >= 10)
                break;
            continue;
        }
        if (o->n == o->cap) {
            o->cap = o->cap * 2 + 1024;
            o->took_us = str_realloc(o->took_us, o->cap, sizeof(*o->took_us));
        }
        o->took_us[o->n++] = took_us;
        o->turn++;
    }
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void report(struct one *all, int connections, double seconds)
{
    int64_t *took = NULL;
    size_t n = 0, failed = 0;

    for (int i = 0; i < connections; i++) {
        took = str_realloc(took, n + all[i].n + 1, sizeof(*took));
        if (all[i].n > 0)
            memcpy(took + n, all[i].took_us, all[i].n * sizeof(*took));
        n += all[i].n;
        failed += all[i].failed;
    }
    qsort(took, n, sizeof(*took), ascending);
    printf("%8.0f /s   p50 %8.2f ms   p99 %8.2f ms   n %zu   failed %zu\n", (double)n / seconds,
           n > 0 ? (double)took[n / 2] / 1000 : 0, n > 0 ? (double)took[n * 99 / 100] / 1000 : 0, n,
           failed);
    free(took);
}

static void read_tokens(const char *path, struct load *l)
{
    FILE *f = fopen(path, "r");
    char line[256];

    if (f == NULL) {
        perror(path);
        exit(1);
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        l->token = str_realloc(l->token, l->n_tokens + 1, sizeof(*l->token));
        l->token[l->n_tokens++] = str_dup(line);
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    struct http_policy policy = {.allow_plain_http = 1};
    struct load l = {0};
    unsigned char md5[HASH_MD5_BYTES];
    struct one *all;
    struct ct_err err;
    int connections, seconds;
    int64_t begun;

    if (argc != 6) {
        fputs("usage: load list|push API-URL TOKENS-FILE CONNECTIONS SECONDS\n", stderr);
        return 64;
    }
    l.mode = argv[1];
    l.api = argv[2];
    read_tokens(argv[3], &l);
    connections = atoi(argv[4]);
    seconds = atoi(argv[5]);
    memset(l.body, 'x', sizeof(l.body));
    hash_sha256_hex(l.body, sizeof(l.body), l.sha256);
    hash_md5(l.body, sizeof(l.body), md5);
    l.md5 = hash_base64(md5, sizeof(md5));
    all = str_calloc((size_t)connections, sizeof(*all));
    begun = now_us();
    l.until_ms = now_mono_ms() + seconds * 1000LL;
    for (int i = 0; i < connections; i++) {
        all[i].load = &l;
        all[i].turn = (size_t)i * 7919;
        if (http_pool_new(&policy, &all[i].pool, &err) != 0)
            return 1;
        if (pthread_create(&all[i].thread, NULL, run, &all[i]) != 0)
            return 1;
    }
    for (int i = 0; i < connections; i++)
        pthread_join(all[i].thread, NULL);
    report(all, connections, (double)(now_us() - begun) / 1e6);
    for (int i = 0; i < connections; i++) {
        http_pool_free(all[i].pool);
        free(all[i].took_us);
    }
    for (size_t i = 0; i < l.n_tokens; i++)
        free(l.token[i]);
    free(l.token);
    free(l.md5);
    free(all);
    return 0;
}
