#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/data/jdoc.h"

#include "server/store/sigv4.h"

/*
 * Our signatures, for another implementation to compare with: each line of the input is a request
 * as JSON, each line of the output its presigned URL, its URL and headers, or the verdict on it.
 */

static const struct sigv4_cred cred = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                       "auto"};

/* The members of ${o} as names and values; how many. */
static int take(const struct json_object *o, struct sigv4_header *to)
{
    int n = 0;

    if (o == NULL)
        return 0;
    json_object_object_foreach((struct json_object *)(uintptr_t)o, name, value)
    {
        to[n].name = name;
        to[n++].value = json_object_get_string(value);
    }
    return n;
}

static void sign(const struct json_object *o, int in_headers)
{
    struct sigv4_request req = {.method = jdoc_str(o, "method"),
                                .base_url = jdoc_str(o, "base"),
                                .path = jdoc_str(o, "path"),
                                .now_ms = jdoc_int(o, "now", 0),
                                .expires_s = 300};
    struct strlist lines = {0};
    char *url;

    req.n_headers = take(jdoc_obj(o, "headers"), req.headers);
    req.n_query = take(jdoc_obj(o, "query"), req.query);
    url = in_headers ? sigv4_authorize(&cred, &req, &lines) : sigv4_presign(&cred, &req);
    printf("%s", url);
    for (size_t i = 0; i < lines.n; i++)
        printf("\t%s", lines.v[i]);
    putchar('\n');
    strlist_free(&lines);
    free(url);
}

static const char *header(void *arg, const char *name)
{
    json_object_object_foreach(jdoc_obj(arg, "headers"), key, value)
    {
        if (strcasecmp(key, name) == 0)
            return json_object_get_string(value);
    }
    return NULL;
}

static void verify(struct json_object *o)
{
    struct sigv4_check check = {.method = jdoc_str(o, "method"),
                                .target = jdoc_str(o, "target"),
                                .header = header,
                                .arg = o,
                                .must_sign = "host",
                                .now_ms = jdoc_int(o, "now", 0)};

    printf("%d\n", (int)sigv4_verify(&cred, &check));
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, stdin)) > 0) {
        struct json_object *o;
        struct ct_err err;
        const char *op;
        if (jdoc_parse(line, (size_t)n, &o, &err) != 0) {
            fprintf(stderr, "%s\n", err.msg);
            return 1;
        }
        op = jdoc_str(o, "op");
        if (strcmp(op, "verify") == 0)
            verify(o);
        else
            sign(o, strcmp(op, "authorize") == 0);
        json_object_put(o);
    }
    free(line);
    return 0;
}
