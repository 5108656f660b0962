#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
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

#include "common/buf.h"
#include "common/file.h"
#include "common/jdoc.h"
#include "common/log.h"
#include "common/now.h"
#include "common/path.h"
#include "common/str.h"
#include "ctctl/cli.h"
#include "ipc/ipc.h"

/*
 * Each test runs the whole program in a child, against a daemon and an API that this process plays:
 * what a method or a path answers is put into a table first, what was asked is looked up after.
 */

#define LIMIT_MS 60000
#define ID1 "3f2a9c1b-1111-4111-8111-111111111111"
#define ID2 "3f2a9c1b-2222-4222-8222-222222222222"
#define ID3 "77777777-3333-4333-8333-333333333333"

struct answer {
    const char *what; /* a method, or "GET /path?query" below /v1 */
    int status; /* of the API; 0: a method that succeeds, -1: that fails with the body as err */
    const char *body;
    int n_asked;
};

struct room {
    char dir[64];
    char *socket, *url, *out_path, *err_path;
    struct event_base *base;
    struct ipc_server *server;
    struct evhttp *http;
    struct answer answers[24];
    size_t n_answers;
    struct buf asked; /* a line for each: what it was and its parameters or body */
    struct buf out, err;
    struct ipc_request *held; /* the method that never answers */
    int is_held_gone;
    const char *stdin_text;
};

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

static void answers(struct room *r, const char *what, int status, const char *body)
{
    assert_true(r->n_answers < 24);
    r->answers[r->n_answers++] = (struct answer){what, status, body, 0};
}

static void on_gone(void *arg)
{
    struct room *r = arg;

    r->is_held_gone = 1;
}

static void on_request(void *arg, struct ipc_request *rq, const char *method,
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

static void write_file(struct room *r, const char *name, const char *text, mode_t mode)
{
    char *path = path_join(r->dir, name), *dir = path_parent(path);
    struct ct_err e;

    assert_int_equal(path_make_dirs(dir, 0700, &e), 0);
    assert_int_equal(file_replace(path, text, strlen(text), mode, &e), 0);
    free(dir);
    free(path);
}

/* What ${name} below the room's folder holds; "" if it is not there.  The caller frees it. */
static char *read_room_file(struct room *r, const char *name)
{
    char *path = path_join(r->dir, name);
    struct buf b = {0};

    (void)file_read(path, 1 << 20, &b, NULL);
    free(path);
    return buf_steal(&b);
}

static int setup(void **state)
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
    assert_int_equal(ipc_server_new(r->base, r->socket, on_request, r, &r->server, &e), 0);
    r->http = evhttp_new(r->base);
    evhttp_set_allowed_methods(r->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_DELETE);
    evhttp_set_gencb(r->http, on_http, r);
    bound = evhttp_bind_socket_with_handle(r->http, "127.0.0.1", 0);
    assert_non_null(bound);
    assert_int_equal(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&addr, &n),
                     0);
    r->url = str_printf("http://127.0.0.1:%d/v1", ntohs(addr.sin_port));
    write_file(r, "config/codeteleport/codeteleportd.conf",
               "allow_plain_http = true;\ndevice_name = \"testbox\";\n", 0600);
    *state = r;
    return 0;
}

static int teardown(void **state)
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

static void log_in_here(struct room *r)
{
    char *text = str_printf("{\"token\":\"ctk_live_secret\",\"apiUrl\":\"%s\",\"deviceName\":"
                            "\"testbox\",\"agent\":\"kept\"}",
                            r->url);

    write_file(r, "cred/config.json", text, 0600);
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
    unsetenv("http_proxy");
    if (getenv("CODETELEPORT_API_URL") == NULL)
        setenv("CODETELEPORT_API_URL", r->url, 1);
    free(config);
    free(state_home);
    free(cred);
    exit(cli_main(argc, argv)); /* and not _exit(): leaks are looked for at the end */
}

static int finish(struct room *r, pid_t pid)
{
    int64_t end = now_mono_ms() + LIMIT_MS;
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

static pid_t start(struct room *r, const char *line)
{
    char *words = str_printf("ctctl %s", line), *save = NULL;
    char *argv[16] = {0};
    int argc = 0, in;
    pid_t pid;

    for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    write_file(r, "stdin", r->stdin_text != NULL ? r->stdin_text : "", 0600);
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

static int run(struct room *r, const char *line)
{
    buf_reset(&r->asked);
    buf_addstr(&r->asked, "");
    return finish(r, start(r, line));
}

static void has(const struct buf *b, const char *text)
{
    if (strstr(b->data, text) == NULL)
        fail_msg("no \"%s\" in: %s", text, b->data);
}

static void lacks(const struct buf *b, const char *text)
{
    if (strstr(b->data, text) != NULL)
        fail_msg("there is \"%s\" in: %s", text, b->data);
}

/* stdout is one JSON document on one line. */
static struct json_object *document(struct room *r)
{
    struct json_object *o = NULL;

    assert_int_equal(jdoc_parse(r->out.data, r->out.len, &o, NULL), 0);
    assert_ptr_equal(strchr(r->out.data, '\n'), r->out.data + r->out.len - 1);
    return o;
}

/* ---- the command line --------------------------------------------------------------------------
 */

static void wrong_usage_is_64_with_a_hint(void **state)
{
    static const struct {
        const char *line, *hint;
    } bad[] = {
        {"statsu", "did you mean \"status\"?"},
        {"--sokcet x", "did you mean --socket?"},
        {"list --clod", "did you mean --cloud?"},
        {"list --limit 0", "--limit"},
        {"list --limit x", "--limit"},
        {"list --limit", "wants a value"},
        {"list --cloud --local", "exclude each other"},
        {"list extra", "options only"},
        {"status extra", "ctctl status --help"},
        {"show", "ctctl list"},
        {"show a b", "ctctl show --help"},
        {"versions", "ctctl versions --help"},
        {"delete", "ctctl delete --help"},
        {"pause 90", "90m"},
        {"pause 1h 2h", "one duration"},
        {"resume now", "resume"},
        {"sync --timeout 5", "--wait"},
        {"sync --wait=yes", "takes no value"},
        {"login hunter2", "never stands on the command line"},
        {"login --password-stdin", "--email"},
        {"login --token --register", "--token"},
        {"tokens frob", "revoke"},
        {"devices revoke", "revoke"},
        {"pull", "ctctl list --cloud"},
        {"pull a b", "one session"},
        {"pull --all abc", "no ID"},
        {"pull --all --update", "--update"},
        {"pull abc --map /a=/b", "--all"},
        {"pull --all --map a", "OLD=NEW"},
        {"pull abc --force --as-copy", "not both"},
        {"import", "one file"},
        {"export abc", "-o FILE"},
        {"verify", "--all"},
        {"teleport", "no verb"},
    };
    struct room *r = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int rc = run(r, bad[i].line);
        if (rc != 64)
            fail_msg("ctctl %s ends with %d: %s", bad[i].line, rc, r->err.data);
        has(&r->err, bad[i].hint);
        assert_int_equal(r->out.len, 0);
        assert_int_equal(r->asked.len, 0);
    }
}

static void help_goes_to_stdout_and_is_0(void **state)
{
    struct room *r = *state;

    assert_int_equal(run(r, "--help"), 0);
    has(&r->out, "usage: ctctl");
    assert_int_equal(r->err.len, 0);
    assert_int_equal(run(r, "sync --help"), 0);
    has(&r->out, "usage: ctctl sync [ID...]");
    assert_int_equal(run(r, "help sync"), 0);
    has(&r->out, "usage: ctctl sync [ID...]");
    assert_int_equal(run(r, "--version"), 0);
    has(&r->out, "ctctl 0");
    assert_int_equal(r->asked.len, 0);
}

static void without_a_daemon_it_is_69_with_the_command_that_starts_it(void **state)
{
    static const char *const lines[] = {"",     "status", "list",   "show abc",
                                        "sync", "pause",  "resume", "watch"};
    struct room *r = *state;
    struct json_object *o;

    ipc_server_free(r->server);
    r->server = NULL;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(run(r, lines[i]), 69);
        has(&r->err, "the daemon is not running");
        has(&r->err, "codeteleportd");
        assert_int_equal(r->out.len, 0);
    }
    assert_int_equal(run(r, "status --json"), 69);
    o = document(r);
    assert_string_equal(jdoc_str(jdoc_obj(o, "error"), "code"), "no_daemon");
    json_object_put(o);
}

static void a_faulty_configuration_is_78_with_file_and_line(void **state)
{
    struct room *r = *state;

    write_file(r, "config/codeteleport/codeteleportd.conf", "\nrotos = [];\n", 0600);
    log_in_here(r);
    assert_int_equal(run(r, "list --cloud"), 78);
    has(&r->err, "codeteleportd.conf:2");
    has(&r->err, "roots");
    /* The socket came from the environment: the daemon can be asked all the same. */
    answers(r, "status", 0, "{\"daemon\":{\"state\":\"idle\"}}");
    assert_int_equal(run(r, "status"), 0);
}

/* ---- the daemon's verbs ------------------------------------------------------------------------
 */

static void status_is_the_default_and_json_is_what_the_daemon_said(void **state)
{
    struct room *r = *state;
    struct json_object *o;

    answers(
        r, "status", 0,
        "{\"daemon\":{\"state\":\"auth_required\"},\"sessions\":{\"pending\":3},\"extra\":[1]}");
    assert_int_equal(run(r, ""), 0);
    has(&r->out, "NOT SAFE: not logged in. Run: ctctl login");
    lacks(&r->out, "\033");
    assert_int_equal(run(r, "--json"), 0);
    o = document(r);
    assert_string_equal(jdoc_str(jdoc_obj(o, "daemon"), "state"), "auth_required");
    assert_int_equal(json_object_array_length(jdoc_array(o, "extra")), 1);
    json_object_put(o);
}

static void list_follows_pages_and_stops_at_the_limit(void **state)
{
    struct room *r = *state;
    struct json_object *o;

    answers(r, "list", 0,
            "{\"sessions\":[{\"sessionId\":\"" ID1 "\",\"state\":\"synced\",\"title\":\"One\"},"
            "{\"sessionId\":\"" ID2 "\",\"state\":\"pending\",\"title\":\"Two\"}],\"next\":\"2\"}");
    answers(r, "list", 0,
            "{\"sessions\":[{\"sessionId\":\"" ID3 "\",\"state\":\"failed\",\"title\":\"Three\"}],"
            "\"next\":null}");
    assert_int_equal(run(r, "list --json"), 0);
    o = document(r);
    assert_int_equal(json_object_get_type(o), json_type_array);
    assert_int_equal(json_object_array_length(o), 3);
    json_object_put(o);
    has(&r->asked, "\"cursor\":\"2\"");
    r->answers[0].n_asked = r->answers[1].n_asked = 0;
    assert_int_equal(run(r, "list --limit 1"), 0);
    has(&r->out, "3f2a9c1b  safe");
    lacks(&r->out, "Two");
    has(&r->asked, "\"limit\":1");
    lacks(&r->asked, "cursor");
}

static void list_filters_by_machine_and_survives_a_cursor_that_never_ends(void **state)
{
    struct room *r = *state;
    struct json_object *o;

    answers(r, "list", 0,
            "{\"sessions\":[{\"sessionId\":\"" ID1 "\",\"deviceName\":\"a\"},"
            "{\"sessionId\":\"" ID2 "\",\"deviceName\":\"b\"}],\"next\":\"same\"}");
    assert_int_equal(run(r, "list --machine b --json"), 0);
    o = document(r);
    assert_int_equal(json_object_array_length(o), 2); /* from two pages */
    assert_string_equal(jdoc_str(json_object_array_get_idx(o, 0), "sessionId"), ID2);
    json_object_put(o);
}

static void show_tells_what_is_known_and_an_unknown_id_is_1(void **state)
{
    struct room *r = *state;

    answers(r, "show", 0,
            "{\"sessionId\":\"" ID1 "\",\"title\":\"A \\u001b[1mtitle\",\"state\":\"failed\","
            "\"projectPath\":\"/src/x\",\"sizeBytes\":1200000,\"messageCount\":7,\"version\":4,"
            "\"reason\":\"too large\",\"attempts\":2,\"nextAttemptAt\":null,\"skipped\":[{\"path\":"
            "\"a/link\",\"reason\":\"symbolic link\"}],\"duplicates\":[\"/other/place\"],"
            "\"rewritten\":true}");
    assert_int_equal(run(r, "show 3f2a"), 0);
    has(&r->asked, "{\"id\":\"3f2a\"}");
    has(&r->out, ID1);
    has(&r->out, "too large");
    has(&r->out, "a/link: symbolic link");
    has(&r->out, "/other/place");
    has(&r->out, "rewritten");
    lacks(&r->out, "\033");
    r->n_answers = 0;
    answers(r, "show", -ERR_GONE, "no session begins with \"x\"");
    assert_int_equal(run(r, "show x"), 1);
    has(&r->err, "no session begins");
}

static void sync_says_how_it_ended_by_its_status(void **state)
{
    static const struct {
        const char *answer;
        int status;
        const char *says;
    } ends[] = {
        {"{\"requested\":2,\"confirmed\":2,\"unchanged\":1,\"failed\":[],\"state\":\"idle\"}", 0,
         ""},
        {"{\"requested\":1,\"confirmed\":0,\"unchanged\":0,\"failed\":[{\"sessionId\":\"" ID1
         "\",\"reason\":\"too large\",\"cure\":\"make it smaller\"}],\"state\":\"idle\"}",
         1, "3f2a9c1b could not be saved: too large. What to do: make it smaller"},
        {"{\"requested\":1,\"confirmed\":0,\"unchanged\":0,\"failed\":[],\"state\":\"auth_"
         "required\"}",
         77, "ctctl login"},
        {"{\"requested\":1,\"confirmed\":0,\"unchanged\":0,\"failed\":[],\"state\":"
         "\"account_changed\"}",
         77, "ctctl login"},
    };
    struct room *r = *state;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct json_object *o;
        r->n_answers = 0;
        answers(r, "sync", 0, ends[i].answer);
        assert_int_equal(run(r, "sync --wait"), ends[i].status);
        has(&r->asked, "{\"ids\":[],\"wait\":true}");
        has(&r->err, ends[i].says);
        assert_int_equal(r->out.len == 0, ends[i].status == 77); /* no "Saved 0 sessions" */
        assert_int_equal(run(r, "sync --wait --json 3f2a"), ends[i].status);
        has(&r->asked, "{\"ids\":[\"3f2a\"],\"wait\":true}");
        o = document(r);
        assert_true(jdoc_has(o, "confirmed"));
        json_object_put(o);
    }
    r->n_answers = 0;
    answers(r, "sync", 0, "{\"requested\":5}");
    assert_int_equal(run(r, "sync"), 0);
    has(&r->asked, "\"wait\":false");
    has(&r->out, "5 sessions");
}

static void sync_whose_time_runs_out_is_75_and_hangs_up(void **state)
{
    struct room *r = *state;
    int64_t end = now_mono_ms() + LIMIT_MS;
    struct timeval tv = {0, 5000};

    answers(r, "sync", 0, NULL);
    assert_int_equal(run(r, "sync --wait --timeout 1"), 75);
    has(&r->err, "1 s");
    while (!r->is_held_gone) {
        event_base_loopexit(r->base, &tv);
        event_base_loop(r->base, EVLOOP_ONCE);
        assert_true(now_mono_ms() < end);
    }
}

static void a_daemon_that_dies_meanwhile_is_69(void **state)
{
    struct room *r = *state;
    int64_t end = now_mono_ms() + LIMIT_MS;
    struct timeval tv = {0, 5000};
    pid_t pid;

    answers(r, "sync", 0, NULL);
    pid = start(r, "sync --wait");
    while (r->held == NULL) {
        event_base_loopexit(r->base, &tv);
        event_base_loop(r->base, EVLOOP_ONCE);
        assert_true(now_mono_ms() < end);
    }
    ipc_server_free(r->server);
    r->server = NULL;
    assert_int_equal(finish(r, pid), 69);
}

static void pause_sends_seconds_and_resume_ends_it(void **state)
{
    struct room *r = *state;

    answers(r, "pause", 0, "{}");
    answers(r, "resume", 0, "{}");
    assert_int_equal(run(r, "pause 1h30m"), 0);
    has(&r->asked, "pause {\"seconds\":5400}");
    assert_int_equal(run(r, "pause"), 0);
    has(&r->asked, "pause {}");
    assert_int_equal(run(r, "resume --json"), 0);
    json_object_put(document(r));
}

static void the_daemons_errors_have_their_status(void **state)
{
    static const struct {
        enum err_code code;
        int status;
    } cases[] = {
        {ERR_AUTH, 77},   {ERR_RETRY, 75},   {ERR_CONFIG, 78}, {ERR_GONE, 1},
        {ERR_REFUSED, 1}, {ERR_CONFLICT, 1}, {ERR_BUG, 1},     {ERR_NOSPACE, 1},
    };
    struct room *r = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json_object *o;
        r->n_answers = 0;
        answers(r, "resume", -(int)cases[i].code, "because of \033[2J this");
        assert_int_equal(run(r, "resume"), cases[i].status);
        has(&r->err, "because of");
        lacks(&r->err, "\033");
        assert_int_equal(run(r, "resume --json"), cases[i].status);
        o = document(r);
        assert_string_equal(jdoc_str(jdoc_obj(o, "error"), "code"), err_name(cases[i].code));
        json_object_put(o);
    }
}

static void watch_prints_one_line_for_each_event_until_the_daemon_ends(void **state)
{
    static const char *const texts[] = {
        "{\"event\":\"changed\",\"at\":\"2026-11-24T12:00:00Z\",\"sessionId\":\"" ID1
        "\",\"title\":\"A\\nB\"}",
        "{\"event\":\"confirmed\",\"at\":\"2026-11-24T12:00:01Z\",\"sessionId\":\"" ID1
        "\",\"version\":3,\"sizeBytes\":1200000}",
    };
    struct room *r = *state;

    answers(r, "subscribe", 0, "{}");
    for (int json = 0; json <= 1; json++) {
        int64_t end = now_mono_ms() + LIMIT_MS;
        struct timeval tv = {0, 5000};
        struct ct_err e;
        pid_t pid = start(r, json ? "watch --json" : "watch");
        while (ipc_subscribers(r->server) == 0) {
            event_base_loopexit(r->base, &tv);
            event_base_loop(r->base, EVLOOP_ONCE);
            assert_true(now_mono_ms() < end);
        }
        for (size_t i = 0; i < 2; i++) {
            struct json_object *o = NULL;
            assert_int_equal(jdoc_parse(texts[i], strlen(texts[i]), &o, NULL), 0);
            ipc_publish(r->server, o);
            json_object_put(o);
        }
        for (int i = 0; i < 5; i++) {
            event_base_loopexit(r->base, &tv);
            event_base_loop(r->base, EVLOOP_ONCE);
        }
        ipc_server_free(r->server);
        r->server = NULL;
        assert_int_equal(finish(r, pid), 69);
        assert_non_null(strchr(r->out.data, '\n'));
        assert_ptr_equal(strchr(strchr(r->out.data, '\n') + 1, '\n'), r->out.data + r->out.len - 1);
        has(&r->out, "confirmed");
        has(&r->out, json ? "\"version\":3" : "version 3, 1.2 MB");
        assert_int_equal(ipc_server_new(r->base, r->socket, on_request, r, &r->server, &e), 0);
    }
}

/* ---- the cloud's verbs -------------------------------------------------------------------------
 */

static void without_credentials_it_is_77(void **state)
{
    static const char *const lines[] = {"list --cloud", "versions " ID1, "devices", "tokens",
                                        "delete " ID1 " --yes"};
    struct room *r = *state;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(run(r, lines[i]), 77);
        has(&r->err, "ctctl login");
        assert_int_equal(r->asked.len, 0);
    }
    log_in_here(r);
    answers(r, "GET /devices", 401, "{\"error\":\"unauthorized\",\"message\":\"revoked\"}");
    assert_int_equal(run(r, "devices"), 77);
    r->n_answers = 0;
    answers(r, "GET /devices", 403, "{\"error\":\"forbidden\",\"message\":\"over the limit\"}");
    assert_int_equal(run(r, "devices"), 77);
    has(&r->err, "over the limit");
    r->n_answers = 0;
    answers(r, "GET /devices", 503, "{\"error\":\"busy\",\"message\":\"later\"}");
    assert_int_equal(run(r, "devices"), 75);
}

static void list_cloud_is_the_apis_answer_from_all_pages(void **state)
{
    struct room *r = *state;
    struct json_object *o, *list;

    log_in_here(r);
    answers(r, "GET /sessions?limit=100&offset=0", 200,
            "{\"sessions\":[{\"id\":\"" ID1 "\",\"sourceMachine\":\"m\",\"sourceCwd\":\"/src/x\","
            "\"sizeBytes\":5,\"metadata\":{\"projectName\":\"x\"},\"extra\":1},{\"id\":\"" ID2
            "\",\"sourceCwd\":\"/src/y\"}],\"total\":3}");
    answers(r, "GET /sessions?limit=100&offset=2", 200,
            "{\"sessions\":[{\"id\":\"" ID3 "\"}],\"total\":3}");
    assert_int_equal(run(r, "list --cloud --json"), 0);
    has(&r->asked, "[Bearer ctk_live_secret]");
    o = document(r);
    list = jdoc_array(o, "sessions");
    assert_int_equal(json_object_array_length(list), 3);
    assert_int_equal(jdoc_int(o, "total", 0), 3);
    assert_int_equal(jdoc_int(json_object_array_get_idx(list, 0), "extra", 0), 1);
    json_object_put(o);
    assert_int_equal(run(r, "list --cloud --project x"), 0);
    has(&r->out, "3f2a9c1b");
    lacks(&r->out, "77777777");
    answers(r, "GET /sessions?limit=100&offset=0&machine=a%2Fb", 200,
            "{\"sessions\":[],\"total\":0}");
    assert_int_equal(run(r, "list --cloud --machine a/b"), 0);
    has(&r->asked, "machine=a%2Fb");
    lacks(&r->err, "ctk_live");
}

static void versions_takes_a_prefix_and_refuses_an_ambiguous_one(void **state)
{
    struct room *r = *state;
    struct json_object *o;

    log_in_here(r);
    answers(r, "GET /sessions?limit=100&offset=0", 200,
            "{\"sessions\":[{\"id\":\"" ID1 "\"},{\"id\":\"" ID2 "\"},{\"id\":\"" ID3
            "\"}],\"total\":3}");
    answers(
        r, "GET /sessions/" ID3 "/versions", 200,
        "{\"sessionId\":\"" ID3 "\",\"currentVersion\":9,\"versions\":[{\"version\":9,"
        "\"sizeBytes\":1000,\"checksum\":\"sha256:aa\",\"createdAt\":\"2026-11-24T12:00:00Z\"}],"
        "\"limit\":20}");
    assert_int_equal(run(r, "versions 7777 --json"), 0);
    o = document(r);
    assert_int_equal(jdoc_int(o, "currentVersion", 0), 9);
    json_object_put(o);
    assert_int_equal(run(r, "versions 777"), 0);
    has(&r->out, "sha256:aa");
    assert_int_equal(run(r, "versions 3f2a"), 1);
    has(&r->err, "several");
    assert_int_equal(run(r, "versions ffff"), 1);
    has(&r->err, "no session");
}

static void delete_marks_first_and_asks_nobody_only_with_yes(void **state)
{
    struct room *r = *state;
    const char *mark, *deletion;

    log_in_here(r);
    answers(r, "GET /sessions/" ID1 "/versions", 200,
            "{\"sessionId\":\"" ID1 "\",\"currentVersion\":1,\"versions\":[],\"limit\":2}");
    answers(r, "DELETE /sessions/" ID1, 200, "{\"ok\":true}");
    answers(r, "DELETE /sessions/" ID1 "/versions/3", 200, "{\"ok\":true}");
    answers(r, "exclude", 0, "{\"sessionId\":\"" ID1 "\"}");
    assert_int_equal(run(r, "delete " ID1), 64);
    has(&r->err, "--yes");
    lacks(&r->asked, "DELETE");
    assert_int_equal(run(r, "delete " ID1 " --yes"), 0);
    mark = strstr(r->asked.data, "exclude {\"id\":\"" ID1 "\"}");
    deletion = strstr(r->asked.data, "DELETE /sessions/" ID1);
    assert_non_null(mark);
    assert_non_null(deletion);
    assert_true(mark < deletion);
    assert_int_equal(run(r, "delete " ID1 " --version 3 --yes"), 0);
    lacks(&r->asked, "exclude");
    has(&r->asked, "/versions/3 ");
}

static void delete_stops_when_the_mark_fails_and_goes_on_without_a_daemon(void **state)
{
    struct room *r = *state;

    log_in_here(r);
    answers(r, "GET /sessions/" ID1 "/versions", 200,
            "{\"sessionId\":\"" ID1 "\",\"versions\":[]}");
    answers(r, "DELETE /sessions/" ID1, 200, "{\"ok\":true}");
    answers(r, "exclude", -ERR_NOSPACE, "the disk is full");
    assert_int_equal(run(r, "delete --yes " ID1), 1);
    lacks(&r->asked, "DELETE");
    ipc_server_free(r->server);
    r->server = NULL;
    assert_int_equal(run(r, "delete --yes " ID1), 0);
    has(&r->err, "may be uploaded again");
    has(&r->asked, "DELETE");
}

static void tokens_and_devices_are_listed_and_revoked(void **state)
{
    struct room *r = *state;

    log_in_here(r);
    answers(
        r, "GET /auth/tokens", 200,
        "{\"tokens\":[{\"id\":\"aaaa-1\",\"name\":\"old\",\"last4\":\"wxyz\",\"current\":false},"
        "{\"id\":\"aabb-2\",\"name\":\"testbox\",\"current\":true}]}");
    answers(r, "DELETE /auth/tokens/aaaa-1", 200, "{\"ok\":true}");
    answers(r, "GET /devices", 200,
            "{\"devices\":[{\"id\":\"d1\",\"name\":\"testbox\",\"sessionCount\":4}]}");
    assert_int_equal(run(r, "tokens"), 0);
    has(&r->out, "wxyz");
    has(&r->out, "testbox (this machine)");
    assert_int_equal(run(r, "tokens revoke aa"), 1);
    has(&r->err, "several");
    assert_int_equal(run(r, "tokens revoke aaa"), 0);
    has(&r->asked, "DELETE /auth/tokens/aaaa-1");
    assert_int_equal(run(r, "tokens revoke aabb"), 64);
    lacks(&r->asked, "DELETE");
    assert_int_equal(run(r, "devices list --json"), 0);
    json_object_put(document(r));
}

/* ---- log-in -------------------------------------------------------------------------------------
 */

static void expect_login(struct room *r, const char *verb)
{
    answers(r, verb, 200,
            "{\"token\":\"jwt.jwt.jwt\",\"user\":{\"id\":\"u1\",\"email\":\"a@example.org\"}}");
    answers(r, "POST /auth/token", 201, "{\"token\":\"ctk_live_new\",\"id\":\"t1\"}");
}

static void login_trades_the_password_for_a_token_and_saves_only_that(void **state)
{
    struct room *r = *state;
    struct stat st;
    char *path = path_join(r->dir, "cred/config.json"), *cred;

    expect_login(r, "POST /auth/login");
    answers(r, "account", 0, "{}");
    log_in_here(r); /* an old token, and a member that is not ours */
    r->stdin_text = "hunter2 with space\nnot this\n";
    assert_int_equal(run(r, "login --email a@example.org --password-stdin"), 0);
    has(&r->asked, "POST /auth/login [] {\"email\":\"a@example.org\",\"password\":\"hunter2 with "
                   "space\"}");
    has(&r->asked, "POST /auth/token [Bearer jwt.jwt.jwt] {\"name\":\"testbox\",\"expiresIn\":"
                   "\"never\"}");
    lacks(&r->asked, "\"accountId\""); /* the first account the daemon takes by itself */
    cred = read_room_file(r, "cred/config.json");
    assert_non_null(strstr(cred, "ctk_live_new"));
    assert_non_null(strstr(cred, "kept"));
    assert_null(strstr(cred, "hunter2"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    lacks(&r->out, "ctk_live");
    lacks(&r->out, "hunter2");
    lacks(&r->err, "hunter2");
    free(cred);
    free(path);
}

static void register_makes_an_account_and_a_taken_email_is_explained(void **state)
{
    struct room *r = *state;
    struct json_object *o;

    expect_login(r, "POST /auth/register");
    answers(r, "account", 0, "{}");
    r->stdin_text = "pw";
    assert_int_equal(run(r, "login --register --email a@example.org --password-stdin --json"), 0);
    o = document(r);
    assert_string_equal(jdoc_str(o, "email"), "a@example.org");
    assert_string_equal(jdoc_str(o, "apiUrl"), r->url);
    json_object_put(o);
    r->n_answers = 0;
    answers(r, "POST /auth/register", 409, "{\"error\":\"email_taken\",\"message\":\"taken\"}");
    assert_int_equal(run(r, "login --register --email a@example.org --password-stdin"), 1);
    has(&r->err, "without --register");
}

static void a_wrong_password_is_77_and_changes_nothing(void **state)
{
    struct room *r = *state;
    char *cred;

    answers(r, "POST /auth/login", 401, "{\"error\":\"unauthorized\",\"message\":\"wrong\"}");
    r->stdin_text = "pw";
    assert_int_equal(run(r, "login --email a@example.org --password-stdin"), 77);
    cred = read_room_file(r, "cred/config.json");
    assert_string_equal(cred, "");
    lacks(&r->asked, "account ");
    free(cred);
}

static void a_token_from_stdin_is_checked_before_it_is_kept(void **state)
{
    struct room *r = *state;
    char *cred;

    answers(r, "GET /auth/me", 200, "{\"id\":\"u1\",\"email\":\"a@example.org\",\"plan\":\"pro\"}");
    answers(r, "account", 0, "{}");
    r->stdin_text = "ctk_live_typed\n";
    assert_int_equal(run(r, "login --token"), 0);
    has(&r->asked, "GET /auth/me [Bearer ctk_live_typed]");
    cred = read_room_file(r, "cred/config.json");
    assert_non_null(strstr(cred, "ctk_live_typed"));
    free(cred);
    r->stdin_text = "bad token\r\nX: y";
    assert_int_equal(run(r, "login --token"), 1);
    assert_int_equal(r->asked.len, 0);
}

static void without_a_daemon_the_first_login_confirms_nothing(void **state)
{
    struct room *r = *state;
    char *host = path_host_name(), *name = str_printf("state/codeteleport/%s/account.json", host);
    char *record, *cred;

    ipc_server_free(r->server);
    r->server = NULL;
    expect_login(r, "POST /auth/login");
    r->stdin_text = "pw";
    assert_int_equal(run(r, "login --email a@example.org --password-stdin"), 0);
    record = read_room_file(r, name);
    assert_string_equal(record, "");
    cred = read_room_file(r, "cred/config.json");
    assert_non_null(strstr(cred, "ctk_live_new"));
    free(cred);
    free(record);
    free(name);
    free(host);
}

static void another_account_without_a_terminal_is_saved_and_left_to_be_confirmed(void **state)
{
    struct room *r = *state;
    char *cred;

    expect_login(r, "POST /auth/login");
    answers(r, "account", 0,
            "{\"apiUrl\":\"https://other/v1\",\"accountId\":\"u0\",\"email\":\"z@z\"}");
    r->stdin_text = "pw";
    assert_int_equal(run(r, "login --email a@example.org --password-stdin"), 0);
    has(&r->err, "account_changed");
    lacks(&r->asked, "\"accountId\"");
    cred = read_room_file(r, "cred/config.json");
    assert_non_null(strstr(cred, "ctk_live_new"));
    free(cred);
}

static void plain_http_beyond_loopback_is_refused_before_anything_is_sent(void **state)
{
    struct room *r = *state;

    r->stdin_text = "pw";
    assert_int_equal(run(r, "login --email a@b --password-stdin --api-url http://192.0.2.1"), 78);
    assert_int_equal(r->asked.len, 0);
}

static void logout_ends_the_token_at_the_server_and_forgets_it(void **state)
{
    struct room *r = *state;
    char *cred;

    log_in_here(r);
    answers(
        r, "GET /auth/tokens", 200,
        "{\"tokens\":[{\"id\":\"other\",\"current\":false},{\"id\":\"mine\",\"current\":true}]}");
    answers(r, "DELETE /auth/tokens/mine", 200, "{\"ok\":true}");
    assert_int_equal(run(r, "logout"), 0);
    has(&r->asked, "DELETE /auth/tokens/mine [Bearer ctk_live_secret]");
    cred = read_room_file(r, "cred/config.json");
    assert_null(strstr(cred, "ctk_live"));
    assert_non_null(strstr(cred, "kept"));
    free(cred);
    assert_int_equal(run(r, "logout --json"), 0);
    has(&r->out, "\"wasLoggedIn\":false");
    /* A server that can't say is no reason to stay logged in. */
    log_in_here(r);
    r->n_answers = 0;
    assert_int_equal(run(r, "logout"), 0);
    has(&r->err, "could not be revoked");
    cred = read_room_file(r, "cred/config.json");
    assert_null(strstr(cred, "ctk_live"));
    free(cred);
}

#define ROOM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(wrong_usage_is_64_with_a_hint),
        ROOM(help_goes_to_stdout_and_is_0),
        ROOM(without_a_daemon_it_is_69_with_the_command_that_starts_it),
        ROOM(a_faulty_configuration_is_78_with_file_and_line),
        ROOM(status_is_the_default_and_json_is_what_the_daemon_said),
        ROOM(list_follows_pages_and_stops_at_the_limit),
        ROOM(list_filters_by_machine_and_survives_a_cursor_that_never_ends),
        ROOM(show_tells_what_is_known_and_an_unknown_id_is_1),
        ROOM(sync_says_how_it_ended_by_its_status),
        ROOM(sync_whose_time_runs_out_is_75_and_hangs_up),
        ROOM(a_daemon_that_dies_meanwhile_is_69),
        ROOM(pause_sends_seconds_and_resume_ends_it),
        ROOM(the_daemons_errors_have_their_status),
        ROOM(watch_prints_one_line_for_each_event_until_the_daemon_ends),
        ROOM(without_credentials_it_is_77),
        ROOM(list_cloud_is_the_apis_answer_from_all_pages),
        ROOM(versions_takes_a_prefix_and_refuses_an_ambiguous_one),
        ROOM(delete_marks_first_and_asks_nobody_only_with_yes),
        ROOM(delete_stops_when_the_mark_fails_and_goes_on_without_a_daemon),
        ROOM(tokens_and_devices_are_listed_and_revoked),
        ROOM(login_trades_the_password_for_a_token_and_saves_only_that),
        ROOM(register_makes_an_account_and_a_taken_email_is_explained),
        ROOM(a_wrong_password_is_77_and_changes_nothing),
        ROOM(a_token_from_stdin_is_checked_before_it_is_kept),
        ROOM(without_a_daemon_the_first_login_confirms_nothing),
        ROOM(another_account_without_a_terminal_is_saved_and_left_to_be_confirmed),
        ROOM(plain_http_beyond_loopback_is_refused_before_anything_is_sent),
        ROOM(logout_ends_the_token_at_the_server_and_forgets_it),
    };

    unsetenv("CODETELEPORT_API_URL");
    log_init("unit_ctctl_verbs", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("ctctl verbs", tests, NULL, NULL);
}
