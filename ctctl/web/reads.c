#include <sys/stat.h>

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/agent.h"
#include "common/base/file.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/read/reading.h"
#include "ctctl/web/pieces.h"
#include "ctctl/web/waits.h"

#include "ctctl/web/site_impl.h"

#define HEAD_BYTES (64 << 10)

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

/* The page need not have seen the list yet, nor a server say so: then the transcript tells itself.
 */
static const struct agent *whose(const struct agent *said, int fd)
{
    char *p;
    ssize_t n;

    if (said != NULL)
        return said;
    p = str_calloc(1, HEAD_BYTES);
    n = file_pread_all(fd, p, HEAD_BYTES, 0);
    said = n > 0 ? agent_by_head(p, (size_t)n) : agent_unnamed();
    str_wipe(p, HEAD_BYTES);
    free(p);
    return said;
}

static void on_fetched(void *arg, int status, const struct buf *out, const struct buf *said)
{
    struct asking *a = arg;
    int fd = a->fd;
    struct ct_err e;

    (void)out;
    waits_release(a);
    if (status == 0) {
        a->fd = -1;
        tell_opened(a->site, a->req, whose(a->agent, fd), fd, 0);
    } else {
        err_set(&e, ERR_FAIL, "%.400s", said->data != NULL ? said->data : "it could not be read");
        site_refuse(a->req, 502, &e);
    }
    waits_drop(a);
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
static void fetch(struct site *s, struct evhttp_request *req, const char *id, const char *version,
                  const struct agent *agent)
{
    struct strlist words = {0};
    struct ct_err e;
    int fd = nameless(s, &e);

    if (fd < 0) {
        site_refuse(req, 500, &e);
        return;
    }
    asks_begin_words(s, &words);
    strlist_add(&words, "cat");
    strlist_add(&words, "--raw");
    strlist_add(&words, "--cloud");
    if (version != NULL) {
        strlist_add(&words, "--version");
        strlist_add(&words, version);
    }
    strlist_add(&words, "--");
    strlist_add(&words, id);
    waits_begin(s, req, &words, agent, fd, on_fetched);
    strlist_free(&words);
}

/* What is here, else the newest in the cloud; with a version, that. */
void reads_open(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query)
{
    const char *id = evhttp_find_header(query, "id");
    const char *version = evhttp_find_header(query, "version");
    const char *part = evhttp_find_header(query, "part");
    const char *name = evhttp_find_header(query, "agent"); /* as the list says */
    const struct agent *agent, *said = name != NULL ? agent_find(name) : NULL;
    char found[UUID_SIZE];
    struct ct_err e;
    int fd;

    if (id == NULL || !asks_is_id(id) || (version != NULL && !asks_is_number(version))) {
        err_set(&e, ERR_REFUSED, "that is the id of no session");
        site_refuse(req, 400, &e);
    } else if (part != NULL) {
        if (reading_open_further(s->c, id, part, &agent, &fd, &e) == 0)
            tell_opened(s, req, agent, fd, 1);
        else
            site_refuse(req, 404, &e);
    } else if (version != NULL) {
        fetch(s, req, id, version, said);
    } else if (reading_open(s->c, id, found, &agent, &fd, &e) == 0) {
        tell_opened(s, req, agent, fd, 1);
    } else if (e.code == ERR_GONE) {
        fetch(s, req, id, NULL, said);
    } else {
        site_refuse(req, 500, &e);
    }
}

static void add_part(void *arg, const char *name)
{
    json_object_array_add(arg, jdoc_new_str(name));
}

/* What subagents said in files of their own, by name. */
void reads_parts(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query)
{
    struct json_object *o = json_object_new_object(), *list = json_object_new_array();
    const char *id = evhttp_find_header(query, "id");
    struct ct_err e;

    json_object_object_add(o, "parts", list);
    err_set(&e, ERR_REFUSED, "that is the id of no session");
    if (id != NULL && asks_is_id(id) && reading_further(s->c, id, add_part, list, &e) == 0)
        site_answer(req, 200, o);
    else
        site_refuse(req, e.code == ERR_GONE ? 404 : 400, &e);
    json_object_put(o);
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

void reads_turns(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query)
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
void reads_image(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query)
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

void reads_close(struct site *s)
{
    for (size_t i = 0; i < SITE_OPENED; i++) {
        if (s->opened[i].fd >= 0)
            close(s->opened[i].fd);
        s->opened[i].fd = -1;
    }
}
