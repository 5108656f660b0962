#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "ipc/ipc.h"

#include "tests/ctctl/ctctl_room.h"

/* ---- the command line --------------------------------------------------------------------------
 */

static void wrong_usage_is_64_with_a_hint(void **state)
{
    static const struct {
        const char *line, *hint;
    } bad[] = {
        {"sttus", "did you mean \"status\"?"},
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
        {"pause 90", "15m"},
        {"pause 2y", "at most a year"},
        {"delete --older-than 6m", "minutes or months"},
        {"delete --older-than 1h30m", "minutes or months"},
        {"delete --older-than 6", "6mo"},
        {"push", "did you mean \"sync\"?"},
        {"pause 1h 2h", "one duration"},
        {"resume now", "resume"},
        {"sync --timeout 5", "--wait"},
        {"sync --wait=yes", "takes no value"},
        {"login hunter2", "never stands on the command line"},
        {"login --password-stdin --register", "--email"},
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
        int rc = room_run(r, bad[i].line);
        if (rc != 64)
            fail_msg("ctctl %s ends with %d: %s", bad[i].line, rc, r->err.data);
        room_has(&r->err, bad[i].hint);
        assert_int_equal(r->out.len, 0);
        assert_int_equal(r->asked.len, 0);
    }
}

static void help_goes_to_stdout_and_is_0(void **state)
{
    struct room *r = *state;

    assert_int_equal(room_run(r, "--help"), 0);
    room_has(&r->out, "usage: ctctl");
    assert_int_equal(r->err.len, 0);
    assert_int_equal(room_run(r, "sync --help"), 0);
    room_has(&r->out, "usage: ctctl sync [ID...]");
    assert_int_equal(room_run(r, "help sync"), 0);
    room_has(&r->out, "usage: ctctl sync [ID...]");
    assert_int_equal(room_run(r, "--version"), 0);
    room_has(&r->out, "ctctl 0");
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
        assert_int_equal(room_run(r, lines[i]), 69);
        room_has(&r->err, "the daemon is not running");
        room_has(&r->err, "codeteleportd");
        assert_int_equal(r->out.len, 0);
    }
    assert_int_equal(room_run(r, "status --json"), 69);
    o = room_document(r);
    assert_string_equal(jdoc_str(jdoc_obj(o, "error"), "code"), "no_daemon");
    json_object_put(o);
}

static void a_faulty_configuration_is_78_with_file_and_line(void **state)
{
    struct room *r = *state;

    room_write(r, "config/codeteleport/codeteleportd.conf", "\nrotos = [];\n", 0600);
    room_log_in(r);
    assert_int_equal(room_run(r, "list --cloud"), 78);
    room_has(&r->err, "codeteleportd.conf:2");
    room_has(&r->err, "roots");
    /* The socket came from the environment: the daemon can be asked all the same. */
    room_answers(r, "status", 0, "{\"daemon\":{\"state\":\"idle\"}}");
    assert_int_equal(room_run(r, "status"), 0);
}

/* ---- the daemon's verbs ------------------------------------------------------------------------
 */

static void status_is_the_default_and_json_is_what_the_daemon_said(void **state)
{
    struct room *r = *state;
    struct json_object *o;

    room_answers(
        r, "status", 0,
        "{\"daemon\":{\"state\":\"auth_required\"},\"sessions\":{\"pending\":3},\"extra\":[1]}");
    assert_int_equal(room_run(r, ""), 0);
    room_has(&r->out, "NOT SAFE: not logged in. Run: ctctl login");
    room_lacks(&r->out, "\033");
    assert_int_equal(room_run(r, "--json"), 0);
    o = room_document(r);
    assert_string_equal(jdoc_str(jdoc_obj(o, "daemon"), "state"), "auth_required");
    assert_int_equal(json_object_array_length(jdoc_array(o, "extra")), 1);
    json_object_put(o);
}

static void list_follows_pages_and_stops_at_the_limit(void **state)
{
    struct room *r = *state;
    struct json_object *o;

    room_answers(
        r, "list", 0,
        "{\"sessions\":[{\"sessionId\":\"" ID1 "\",\"state\":\"synced\",\"title\":\"One\"},"
        "{\"sessionId\":\"" ID2 "\",\"state\":\"pending\",\"title\":\"Two\"}],\"next\":\"2\"}");
    room_answers(r, "list", 0,
                 "{\"sessions\":[{\"sessionId\":\"" ID3
                 "\",\"state\":\"failed\",\"title\":\"Three\"}],"
                 "\"next\":null}");
    assert_int_equal(room_run(r, "list --json"), 0);
    o = room_document(r);
    assert_int_equal(json_object_get_type(o), json_type_array);
    assert_int_equal(json_object_array_length(o), 3);
    json_object_put(o);
    room_has(&r->asked, "\"cursor\":\"2\"");
    r->answers[0].n_asked = r->answers[1].n_asked = 0;
    assert_int_equal(room_run(r, "list --limit 1"), 0);
    room_has(&r->out, "3f2a9c1b  safe");
    room_lacks(&r->out, "Two");
    room_has(&r->asked, "\"limit\":1");
    room_lacks(&r->asked, "cursor");
}

static void list_filters_by_machine_and_survives_a_cursor_that_never_ends(void **state)
{
    struct room *r = *state;
    struct json_object *o;

    room_answers(r, "list", 0,
                 "{\"sessions\":[{\"sessionId\":\"" ID1 "\",\"deviceName\":\"a\"},"
                 "{\"sessionId\":\"" ID2 "\",\"deviceName\":\"b\"}],\"next\":\"same\"}");
    assert_int_equal(room_run(r, "list --machine b --json"), 0);
    o = room_document(r);
    assert_int_equal(json_object_array_length(o), 2); /* from two pages */
    assert_string_equal(jdoc_str(json_object_array_get_idx(o, 0), "sessionId"), ID2);
    json_object_put(o);
}

static void show_tells_what_is_known_and_an_unknown_id_is_1(void **state)
{
    struct room *r = *state;

    room_answers(
        r, "show", 0,
        "{\"sessionId\":\"" ID1 "\",\"title\":\"A \\u001b[1mtitle\",\"state\":\"failed\","
        "\"projectPath\":\"/src/x\",\"sizeBytes\":1200000,\"messageCount\":7,\"version\":4,"
        "\"reason\":\"too large\",\"attempts\":2,\"nextAttemptAt\":null,\"skipped\":[{\"path\":"
        "\"a/link\",\"reason\":\"symbolic link\"}],\"duplicates\":[\"/other/place\"],"
        "\"rewritten\":true}");
    assert_int_equal(room_run(r, "show 3f2a"), 0);
    room_has(&r->asked, "{\"id\":\"3f2a\"}");
    room_has(&r->out, ID1);
    room_has(&r->out, "too large");
    room_has(&r->out, "a/link: symbolic link");
    room_has(&r->out, "/other/place");
    room_has(&r->out, "rewritten");
    room_lacks(&r->out, "\033");
    r->n_answers = 0;
    room_answers(r, "show", -ERR_GONE, "no session begins with \"x\"");
    assert_int_equal(room_run(r, "show x"), 1);
    room_has(&r->err, "no session begins");
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
        room_answers(r, "sync", 0, ends[i].answer);
        assert_int_equal(room_run(r, "sync --wait"), ends[i].status);
        room_has(&r->asked, "{\"ids\":[],\"wait\":true}");
        room_has(&r->err, ends[i].says);
        assert_int_equal(r->out.len == 0, ends[i].status == 77); /* no "Saved 0 sessions" */
        assert_int_equal(room_run(r, "sync --wait --json 3f2a"), ends[i].status);
        room_has(&r->asked, "{\"ids\":[\"3f2a\"],\"wait\":true}");
        o = room_document(r);
        assert_true(jdoc_has(o, "confirmed"));
        json_object_put(o);
    }
    r->n_answers = 0;
    room_answers(r, "sync", 0, "{\"requested\":5}");
    assert_int_equal(room_run(r, "sync"), 0);
    room_has(&r->asked, "\"wait\":false");
    room_has(&r->out, "5 sessions");
}

static void sync_whose_time_runs_out_is_75_and_hangs_up(void **state)
{
    struct room *r = *state;
    int64_t end = now_mono_ms() + ROOM_LIMIT_MS;
    struct timeval tv = {0, 5000};

    room_answers(r, "sync", 0, NULL);
    assert_int_equal(room_run(r, "sync --wait --timeout 1"), 75);
    room_has(&r->err, "1 s");
    while (!r->is_held_gone) {
        event_base_loopexit(r->base, &tv);
        event_base_loop(r->base, EVLOOP_ONCE);
        assert_true(now_mono_ms() < end);
    }
}

static void a_daemon_that_dies_meanwhile_is_69(void **state)
{
    struct room *r = *state;
    int64_t end = now_mono_ms() + ROOM_LIMIT_MS;
    struct timeval tv = {0, 5000};
    pid_t pid;

    room_answers(r, "sync", 0, NULL);
    pid = room_start(r, "sync --wait");
    while (r->held == NULL) {
        event_base_loopexit(r->base, &tv);
        event_base_loop(r->base, EVLOOP_ONCE);
        assert_true(now_mono_ms() < end);
    }
    ipc_server_free(r->server);
    r->server = NULL;
    assert_int_equal(room_finish(r, pid), 69);
}

static void pause_sends_seconds_and_resume_ends_it(void **state)
{
    struct room *r = *state;

    room_answers(r, "pause", 0, "{}");
    room_answers(r, "resume", 0, "{}");
    assert_int_equal(room_run(r, "pause 1h30m"), 0);
    room_has(&r->asked, "pause {\"seconds\":5400}");
    assert_int_equal(room_run(r, "pause"), 0);
    room_has(&r->asked, "pause {}");
    assert_int_equal(room_run(r, "resume --json"), 0);
    json_object_put(room_document(r));
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
        room_answers(r, "resume", -(int)cases[i].code, "because of \033[2J this");
        assert_int_equal(room_run(r, "resume"), cases[i].status);
        room_has(&r->err, "because of");
        room_lacks(&r->err, "\033");
        assert_int_equal(room_run(r, "resume --json"), cases[i].status);
        o = room_document(r);
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

    room_answers(r, "subscribe", 0, "{}");
    for (int json = 0; json <= 1; json++) {
        int64_t end = now_mono_ms() + ROOM_LIMIT_MS;
        struct timeval tv = {0, 5000};
        struct ct_err e;
        pid_t pid = room_start(r, json ? "watch --json" : "watch");
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
        assert_int_equal(room_finish(r, pid), 69);
        assert_non_null(strchr(r->out.data, '\n'));
        assert_ptr_equal(strchr(strchr(r->out.data, '\n') + 1, '\n'), r->out.data + r->out.len - 1);
        room_has(&r->out, "confirmed");
        room_has(&r->out, json ? "\"version\":3" : "version 3, 1.2 MB");
        assert_int_equal(ipc_server_new(r->base, r->socket, room_on_request, r, &r->server, &e), 0);
    }
}

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
    };

    unsetenv("CODETELEPORT_API_URL");
    log_init("unit_ctctl_verbs", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("ctctl verbs", tests, NULL, NULL);
}
