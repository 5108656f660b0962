#include <sys/wait.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/cli.h"
#include "ipc/ipc.h"

#include "tests/ctctl/ctctl_room.h"

static struct answer *look_up(struct room *r, const char *what)
{
    struct answer *last = NULL;

    /* Of several for the same, each is given once, the last one for ever. */
    for (size_t i = 0; i < r->n_answers; i++) {
        if (strcmp(r->answers[i].what, what) != 0)
            continue;
        last = &r->answers[i];
        if (last->n_asked == 0)
            break;
    }
    if (last != NULL)
        last->n_asked++;
    return last;
}

void room_answers(struct room *r, const char *what, int status, const char *body)
{
    assert_true(r->n_answers < 24);
    r->answers[r->n_answers++] = (struct answer){what, status, body, 0};
}

static void on_gone(void *arg)
{
    struct room *r = arg;

    r->is_held_gone = 1;
}

void room_on_request(void *arg, struct ipc_request *rq, const char *method,
                     struct json_object *params)
{
    struct room *r = arg;
    struct answer *a = look_up(r, method);
    struct json_object *o = NULL;
    struct ct_err e;

    buf_printf(&r->asked, "%s %s\n", method, params != NULL ? jdoc_text(params) : "-");
    if (a == NULL) {
        ipc_fail_code(rq, IPC_NO_METHOD, "there is no such method");
    } else if (a->status < 0) {
        err_set(&e, (enum err_code) - a->status, "%s", a->body);
        ipc_fail(rq, &e);
    } else if (a->body == NULL) {
        r->held = rq;
        ipc_request_on_gone(rq, on_gone, r);
    } else {
        assert_int_equal(jdoc_parse(a->body, strlen(a->body), &o, NULL), 0);
        if (strcmp(method, "subscribe") == 0)
            ipc_subscribe(rq);
        ipc_reply(rq, o);
    }
}

static const char *method_of(struct evhttp_request *rq)
{
    switch (evhttp_request_get_command(rq)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    default:
        return "OTHER";
    }
}

static void on_http(struct evhttp_request *rq, void *arg)
{
    struct room *r = arg;
    struct evbuffer *in = evhttp_request_get_input_buffer(rq), *out = evbuffer_new();
    const char *auth = evhttp_find_header(evhttp_request_get_input_headers(rq), "Authorization");
    char *what = str_printf("%s %s", method_of(rq), evhttp_request_get_uri(rq) + strlen("/v1"));
    struct answer *a = look_up(r, what);

    buf_printf(&r->asked, "%s [%s] %.*s\n", what, auth != NULL ? auth : "",
               (int)evbuffer_get_length(in), evbuffer_pullup(in, -1));
    evbuffer_add_printf(out, "%s",
                        a != NULL ? a->body : "{\"error\":\"not_found\",\"message\":\"no\"}");
    evhttp_add_header(evhttp_request_get_output_headers(rq), "Content-Type", "application/json");
    evhttp_send_reply(rq, a != NULL ? a->status : 404, "-", out);
    evbuffer_free(out);
    free(what);
}

void room_write(struct room *r, const char *name, const char *text, mode_t mode)
{
    char *path = path_join(r->dir, name), *dir = path_parent(path);
    struct ct_err e;

    assert_int_equal(path_make_dirs(dir, 0700, &e), 0);
    assert_int_equal(file_replace(path, text, strlen(text), mode, &e), 0);
    free(dir);
    free(path);
}

char *room_read(struct room *r, const char *name)
{
    char *path = path_join(r->dir, name);
    struct buf b = {0};

    (void)file_read(path, 1 << 20, &b, NULL);
    free(path);
    return buf_steal(&b);
}

int room_setup(void **state)
{
    struct room *r = str_calloc(1, sizeof(*r));
    struct evhttp_bound_socket *bound;
    struct sockaddr_in addr;
    socklen_t n = sizeof(addr);
    struct ct_err e;

    strcpy(r->dir, "/tmp/unit_ctctl.XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    r->socket = path_join(r->dir, "run/control.sock");
    r->out_path = path_join(r->dir, "stdout");
    r->err_path = path_join(r->dir, "stderr");
    r->base = event_base_new();
    assert_int_equal(ipc_server_new(r->base, r->socket, room_on_request, r, &r->server, &e), 0);
    r->http = evhttp_new(r->base);
    evhttp_set_allowed_methods(r->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_DELETE);
    evhttp_set_gencb(r->http, on_http, r);
    bound = evhttp_bind_socket_with_handle(r->http, "127.0.0.1", 0);
    assert_non_null(bound);
    assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&addr, &n),
                     0);
    r->url = str_printf("http://127.0.0.1:%d/v1", ntohs(addr.sin_port));
    room_write(r, "config/codeteleport/codeteleportd.conf",
               "allow_plain_http = true;\ndevice_name = \"testbox\";\n", 0600);
    *state = r;
    return 0;
}

int room_teardown(void **state)
{
    struct room *r = *state;
    char *rm = str_printf("rm -rf '%s'", r->dir);

    if (r->held != NULL)
        ipc_fail_code(r->held, IPC_INTERNAL, "the end");
    ipc_server_free(r->server);
    evhttp_free(r->http);
    event_base_free(r->base);
    assert_int_equal(system(rm), 0);
    buf_free(&r->asked);
    buf_free(&r->out);
    buf_free(&r->err);
    free(rm);
    free(r->socket);
    free(r->url);
    free(r->out_path);
    free(r->err_path);
    free(r);
    return 0;
}

void room_log_in(struct room *r)
{
    char *text = str_printf("{\"token\":\"ctk_live_secret\",\"apiUrl\":\"%s\",\"deviceName\":"
                            "\"testbox\",\"agent\":\"kept\"}",
                            r->url);

    room_write(r, "cred/config.json", text, 0600);
    free(text);
}

/* ---- running the program ----------------------------------------------------------------------
 */

static void child(struct room *r, int in, char **argv, int argc)
{
    char *config = path_join(r->dir, "config"), *state_home = path_join(r->dir, "state");
    char *cred = path_join(r->dir, "cred");
    int out = open(r->out_path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    int err = open(r->err_path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    if (out < 0 || err < 0 || setsid() < 0)
        _exit(99);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    setenv("HOME", r->dir, 1);
    setenv("XDG_CONFIG_HOME", config, 1);
    setenv("XDG_STATE_HOME", state_home, 1);
    setenv("CODETELEPORT_CONFIG_DIR", cred, 1);
    setenv("CTCTL_SOCKET", r->socket, 1);
    unsetenv("CODETELEPORT_CA_FILE");
    unsetenv("CODETELEPORT_CONFIG_FILE");
    unsetenv("http_proxy");
    if (getenv("CODETELEPORT_API_URL") == NULL)
        setenv("CODETELEPORT_API_URL", r->url, 1);
    free(config);
    free(state_home);
    free(cred);
    exit(cli_main(argc, argv)); /* and not _exit(): leaks are looked for at the end */
}

int room_finish(struct room *r, pid_t pid)
{
    int64_t end = now_mono_ms() + ROOM_LIMIT_MS;
    struct timeval tv = {0, 5000};
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        event_base_loopexit(r->base, &tv);
        event_base_loop(r->base, EVLOOP_ONCE);
        assert_true(now_mono_ms() < end);
    }
    buf_reset(&r->out);
    buf_reset(&r->err);
    assert_int_equal(file_read(r->out_path, 1 << 20, &r->out, NULL), 0);
    assert_int_equal(file_read(r->err_path, 1 << 20, &r->err, NULL), 0);
    buf_addstr(&r->out, "");
    buf_addstr(&r->err, "");
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

pid_t room_start(struct room *r, const char *line)
{
    char *words = str_printf("ctctl %s", line), *save = NULL;
    char *argv[16] = {0};
    int argc = 0, in;
    pid_t pid;

    for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    room_write(r, "stdin", r->stdin_text != NULL ? r->stdin_text : "", 0600);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        char *path = path_join(r->dir, "stdin");
        in = open(path, O_RDONLY);
        free(path);
        child(r, in, argv, argc);
    }
    assert_true(pid > 0);
    free(words);
    return pid;
}

int room_run(struct room *r, const char *line)
{
    buf_reset(&r->asked);
    buf_addstr(&r->asked, "");
    return room_finish(r, room_start(r, line));
}

void room_has(const struct buf *b, const char *text)
{
    if (strstr(b->data, text) == NULL)
        fail_msg("no \"%s\" in: %s", text, b->data);
}

void room_lacks(const struct buf *b, const char *text)
{
    if (strstr(b->data, text) != NULL)
        fail_msg("there is \"%s\" in: %s", text, b->data);
}

struct json_object *room_document(struct room *r)
{
    struct json_object *o = NULL;

    assert_int_equal(jdoc_parse(r->out.data, r->out.len, &o, NULL), 0);
    assert_ptr_equal(strchr(r->out.data, '\n'), r->out.data + r->out.len - 1);
    return o;
}
