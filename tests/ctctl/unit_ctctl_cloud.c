#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ipc/ipc.h"

#include "tests/ctctl/ctctl_room.h"

/* ---- the cloud's verbs -------------------------------------------------------------------------
 */

static void without_credentials_it_is_77(void **state)
{
    static const char *const lines[] = {"list --cloud", "versions " ID1, "devices", "tokens",
                                        "delete " ID1 " --yes"};
    struct room *r = *state;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(room_run(r, lines[i]), 77);
        room_has(&r->err, "ctctl login");
        assert_int_equal(r->asked.len, 0);
    }
    room_log_in(r);
    room_answers(r, "GET /devices", 401, "{\"error\":\"unauthorized\",\"message\":\"revoked\"}");
    assert_int_equal(room_run(r, "devices"), 77);
    r->n_answers = 0;
    room_answers(r, "GET /devices", 403,
                 "{\"error\":\"forbidden\",\"message\":\"over the limit\"}");
    assert_int_equal(room_run(r, "devices"), 77);
    room_has(&r->err, "over the limit");
    r->n_answers = 0;
    room_answers(r, "GET /devices", 503, "{\"error\":\"busy\",\"message\":\"later\"}");
    assert_int_equal(room_run(r, "devices"), 75);
}

static void list_cloud_is_the_apis_answer_from_all_pages(void **state)
{
    struct room *r = *state;
    struct json_object *o, *list;

    room_log_in(r);
    room_answers(r, "GET /sessions?limit=100&offset=0", 200,
                 "{\"sessions\":[{\"id\":\"" ID1
                 "\",\"sourceMachine\":\"m\",\"sourceCwd\":\"/src/x\","
                 "\"sizeBytes\":5,\"metadata\":{\"projectName\":\"x\"},\"extra\":1},{\"id\":\"" ID2
                 "\",\"sourceCwd\":\"/src/y\"}],\"total\":3}");
    room_answers(r, "GET /sessions?limit=100&offset=2", 200,
                 "{\"sessions\":[{\"id\":\"" ID3 "\"}],\"total\":3}");
    assert_int_equal(room_run(r, "list --cloud --json"), 0);
    room_has(&r->asked, "[Bearer ctk_live_secret]");
    o = room_document(r);
    list = jdoc_array(o, "sessions");
    assert_int_equal(json_object_array_length(list), 3);
    assert_int_equal(jdoc_int(o, "total", 0), 3);
    assert_int_equal(jdoc_int(json_object_array_get_idx(list, 0), "extra", 0), 1);
    json_object_put(o);
    assert_int_equal(room_run(r, "list --cloud --project x"), 0);
    room_has(&r->out, "3f2a9c1b");
    room_lacks(&r->out, "77777777");
    /* The server can't choose by the machine of what is sealed. */
    assert_int_equal(room_run(r, "list --cloud --machine m"), 0);
    room_has(&r->out, "3f2a9c1b");
    room_lacks(&r->out, "77777777");
    assert_int_equal(room_run(r, "list --cloud --machine a/b"), 0);
    room_has(&r->err, "no session in the cloud is of that");
    room_lacks(&r->err, "ctk_live");
}

static void versions_takes_a_prefix_and_refuses_an_ambiguous_one(void **state)
{
    struct room *r = *state;
    struct json_object *o;

    room_log_in(r);
    room_answers(r, "GET /sessions?limit=100&offset=0", 200,
                 "{\"sessions\":[{\"id\":\"" ID1 "\"},{\"id\":\"" ID2 "\"},{\"id\":\"" ID3
                 "\"}],\"total\":3}");
    room_answers(
        r, "GET /sessions/" ID3 "/versions", 200,
        "{\"sessionId\":\"" ID3 "\",\"currentVersion\":9,\"versions\":[{\"version\":9,"
        "\"sizeBytes\":1000,\"checksum\":\"sha256:aa\",\"createdAt\":\"2026-11-24T12:00:00Z\"}],"
        "\"limit\":20}");
    assert_int_equal(room_run(r, "versions 7777 --json"), 0);
    o = room_document(r);
    assert_int_equal(jdoc_int(o, "currentVersion", 0), 9);
    json_object_put(o);
    assert_int_equal(room_run(r, "versions 777"), 0);
    room_has(&r->out, "sha256:aa");
    assert_int_equal(room_run(r, "versions 3f2a"), 1);
    room_has(&r->err, "several");
    assert_int_equal(room_run(r, "versions ffff"), 1);
    room_has(&r->err, "no session");
}

/* The list knows ID1, in clear. */
static void list_has_it(struct room *r)
{
    room_answers(r, "GET /sessions?limit=100&offset=0", 200,
                 "{\"sessions\":[{\"id\":\"" ID1 "\",\"currentVersion\":1}],\"total\":1}");
}

static void delete_marks_first_and_asks_nobody_only_with_yes(void **state)
{
    struct room *r = *state;
    const char *mark, *deletion;

    room_log_in(r);
    list_has_it(r);
    room_answers(r, "GET /sessions/" ID1 "/versions", 200,
                 "{\"sessionId\":\"" ID1 "\",\"currentVersion\":1,\"versions\":[],\"limit\":2}");
    room_answers(r, "DELETE /sessions/" ID1, 200, "{\"ok\":true}");
    room_answers(r, "DELETE /sessions/" ID1 "/versions/3", 200, "{\"ok\":true}");
    room_answers(r, "exclude", 0, "{\"sessionId\":\"" ID1 "\"}");
    assert_int_equal(room_run(r, "delete " ID1), 64);
    room_has(&r->err, "--yes");
    room_lacks(&r->asked, "DELETE");
    assert_int_equal(room_run(r, "delete " ID1 " --yes"), 0);
    mark = strstr(r->asked.data, "exclude {\"id\":\"" ID1 "\",\"deleted\":true}");
    deletion = strstr(r->asked.data, "DELETE /sessions/" ID1);
    assert_non_null(mark);
    assert_non_null(deletion);
    assert_true(mark < deletion);
    assert_int_equal(room_run(r, "delete " ID1 " --version 3 --yes"), 0);
    room_lacks(&r->asked, "exclude");
    room_has(&r->asked, "/versions/3 ");
}

static void delete_stops_when_the_mark_fails_and_goes_on_without_a_daemon(void **state)
{
    struct room *r = *state;

    room_log_in(r);
    list_has_it(r);
    room_answers(r, "GET /sessions/" ID1 "/versions", 200,
                 "{\"sessionId\":\"" ID1 "\",\"versions\":[]}");
    room_answers(r, "DELETE /sessions/" ID1, 200, "{\"ok\":true}");
    room_answers(r, "exclude", -ERR_NOSPACE, "the disk is full");
    assert_int_equal(room_run(r, "delete --yes " ID1), 1);
    room_lacks(&r->asked, "DELETE");
    ipc_server_free(r->server);
    r->server = NULL;
    assert_int_equal(room_run(r, "delete --yes " ID1), 0);
    room_has(&r->err, "may be uploaded again");
    room_has(&r->asked, "DELETE");
}

static void what_is_no_id_is_not_offered_on_the_command_line(void **state)
{
    struct room *r = *state;

    room_log_in(r);
    room_answers(r, "GET /sessions?limit=100&offset=0", 200,
                 "{\"sessions\":[{\"id\":\"$(touch x)\"},{\"id\":\"`id`\"},{\"id\":\"a b\"},"
                 "{\"id\":\"-rf\"},{\"id\":\"\"},{\"id\":\"\\u001b[2J\"},{\"id\":\"" ID1 "\"}],"
                 "\"total\":7}");
    for (const char *const *w = (const char *const[]){"$(", "`", "a", "-", "\033", NULL};
         *w != NULL; w++) {
        char line[64];
        snprintf(line, sizeof(line), "__complete pull %s", *w);
        assert_int_equal(room_run(r, line), 0);
        room_lacks(&r->out, "touch");
        room_lacks(&r->out, "`id`");
        room_lacks(&r->out, "a b");
        room_lacks(&r->out, "-rf");
        room_lacks(&r->out, "\033");
    }
    assert_int_equal(room_run(r, "__complete pull 3"), 0);
    room_has(&r->out, "3f2a");
}

static void tokens_and_devices_are_listed_and_revoked(void **state)
{
    struct room *r = *state;

    room_log_in(r);
    room_answers(
        r, "GET /auth/tokens", 200,
        "{\"tokens\":[{\"id\":\"aaaa-1\",\"name\":\"old\",\"last4\":\"wxyz\",\"current\":false},"
        "{\"id\":\"aabb-2\",\"name\":\"testbox\",\"current\":true}]}");
    room_answers(r, "DELETE /auth/tokens/aaaa-1", 200, "{\"ok\":true}");
    room_answers(r, "GET /devices", 200,
                 "{\"devices\":[{\"id\":\"d1\",\"name\":\"testbox\",\"sessionCount\":4}]}");
    assert_int_equal(room_run(r, "tokens"), 0);
    room_has(&r->out, "wxyz");
    room_has(&r->out, "testbox (this machine)");
    assert_int_equal(room_run(r, "tokens revoke aa"), 1);
    room_has(&r->err, "several");
    assert_int_equal(room_run(r, "tokens revoke aaa"), 64);
    room_has(&r->err, "add --yes");
    room_lacks(&r->asked, "DELETE");
    assert_int_equal(room_run(r, "tokens revoke aaa --yes"), 0);
    room_has(&r->asked, "DELETE /auth/tokens/aaaa-1");
    assert_int_equal(room_run(r, "tokens revoke aabb"), 64);
    room_lacks(&r->asked, "DELETE");
    assert_int_equal(room_run(r, "devices list --json"), 0);
    json_object_put(room_document(r));
}

/* ---- log-in -------------------------------------------------------------------------------------
 */

static void expect_login(struct room *r, const char *verb)
{
    room_answers(
        r, verb, 200,
        "{\"token\":\"jwt.jwt.jwt\",\"user\":{\"id\":\"u1\",\"email\":\"a@example.org\"}}");
    room_answers(r, "POST /auth/token", 201, "{\"token\":\"ctk_live_new\",\"id\":\"t1\"}");
}

static void login_trades_the_password_for_a_token_and_saves_only_that(void **state)
{
    struct room *r = *state;
    struct stat st;
    char *path = path_join(r->dir, "cred/config.json"), *cred;

    expect_login(r, "POST /auth/login");
    room_answers(r, "account", 0, "{}");
    room_log_in(r); /* an old token, and a member that is not ours */
    r->stdin_text = "hunter2 with space\nnot this\n";
    assert_int_equal(room_run(r, "login --email a@example.org --password-stdin"), 0);
    room_has(&r->asked,
             "POST /auth/login [] {\"email\":\"a@example.org\",\"password\":\"hunter2 with "
             "space\",\"deviceId\":\"");
    /* The machine's name does not leave: what is saved may be sealed some day. */
    room_has(&r->asked, "POST /auth/token [Bearer jwt.jwt.jwt] {\"name\":\"device-");
    room_lacks(&r->asked, "testbox");
    room_lacks(&r->asked, "\"accountId\""); /* the first account the daemon takes by itself */
    cred = room_read(r, "cred/config.json");
    assert_non_null(strstr(cred, "ctk_live_new"));
    assert_non_null(strstr(cred, "kept"));
    assert_null(strstr(cred, "hunter2"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    room_lacks(&r->out, "ctk_live");
    room_lacks(&r->out, "hunter2");
    room_lacks(&r->err, "hunter2");
    free(cred);
    free(path);
}

static void register_makes_an_account_and_a_taken_email_is_explained(void **state)
{
    struct room *r = *state;
    struct json_object *o;

    expect_login(r, "POST /auth/register");
    room_answers(r, "account", 0, "{}");
    r->stdin_text = "pw";
    assert_int_equal(room_run(r, "login --register --email a@example.org --password-stdin --json"),
                     0);
    o = room_document(r);
    assert_string_equal(jdoc_str(o, "email"), "a@example.org");
    assert_string_equal(jdoc_str(o, "apiUrl"), r->url);
    json_object_put(o);
    r->n_answers = 0;
    room_answers(r, "POST /auth/register", 409,
                 "{\"error\":\"email_taken\",\"message\":\"taken\"}");
    assert_int_equal(room_run(r, "login --register --email a@example.org --password-stdin"), 1);
    room_has(&r->err, "without --register");
}

static void a_wrong_password_is_77_and_changes_nothing(void **state)
{
    struct room *r = *state;
    char *cred;

    room_answers(r, "POST /auth/login", 401, "{\"error\":\"unauthorized\",\"message\":\"wrong\"}");
    r->stdin_text = "pw";
    assert_int_equal(room_run(r, "login --email a@example.org --password-stdin"), 77);
    cred = room_read(r, "cred/config.json");
    assert_string_equal(cred, "");
    room_lacks(&r->asked, "account ");
    free(cred);
}

static void a_token_from_stdin_is_checked_before_it_is_kept(void **state)
{
    struct room *r = *state;
    char *cred;

    room_answers(r, "GET /auth/me", 200,
                 "{\"id\":\"u1\",\"email\":\"a@example.org\",\"plan\":\"pro\"}");
    room_answers(r, "account", 0, "{}");
    r->stdin_text = "ctk_live_typed\n";
    assert_int_equal(room_run(r, "login --token"), 0);
    room_has(&r->asked, "GET /auth/me [Bearer ctk_live_typed]");
    cred = room_read(r, "cred/config.json");
    assert_non_null(strstr(cred, "ctk_live_typed"));
    free(cred);
    r->stdin_text = "bad token\r\nX: y";
    assert_int_equal(room_run(r, "login --token"), 1);
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
    assert_int_equal(room_run(r, "login --email a@example.org --password-stdin"), 0);
    record = room_read(r, name);
    assert_string_equal(record, "");
    cred = room_read(r, "cred/config.json");
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
    room_answers(r, "account", 0,
                 "{\"apiUrl\":\"https://other/v1\",\"accountId\":\"u0\",\"email\":\"z@z\"}");
    r->stdin_text = "pw";
    assert_int_equal(room_run(r, "login --email a@example.org --password-stdin"), 0);
    room_has(&r->err, "account_changed");
    room_lacks(&r->asked, "\"accountId\"");
    cred = room_read(r, "cred/config.json");
    assert_non_null(strstr(cred, "ctk_live_new"));
    free(cred);
}

static void plain_http_beyond_loopback_is_refused_before_anything_is_sent(void **state)
{
    struct room *r = *state;

    r->stdin_text = "pw";
    assert_int_equal(room_run(r, "login --email a@b --password-stdin --api-url http://192.0.2.1"),
                     78);
    assert_int_equal(r->asked.len, 0);
}

static void logout_ends_the_token_at_the_server_and_forgets_it(void **state)
{
    struct room *r = *state;
    char *cred;

    room_log_in(r);
    room_answers(
        r, "GET /auth/tokens", 200,
        "{\"tokens\":[{\"id\":\"other\",\"current\":false},{\"id\":\"mine\",\"current\":true}]}");
    room_answers(r, "DELETE /auth/tokens/mine", 200, "{\"ok\":true}");
    assert_int_equal(room_run(r, "logout"), 0);
    room_has(&r->asked, "DELETE /auth/tokens/mine [Bearer ctk_live_secret]");
    cred = room_read(r, "cred/config.json");
    assert_null(strstr(cred, "ctk_live"));
    assert_non_null(strstr(cred, "kept"));
    free(cred);
    assert_int_equal(room_run(r, "logout --json"), 0);
    room_has(&r->out, "\"wasLoggedIn\":false");
    /* A server that can't say is no reason to stay logged in. */
    room_log_in(r);
    r->n_answers = 0;
    assert_int_equal(room_run(r, "logout"), 0);
    room_has(&r->err, "could not be revoked");
    cred = room_read(r, "cred/config.json");
    assert_null(strstr(cred, "ctk_live"));
    free(cred);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(without_credentials_it_is_77),
        ROOM(list_cloud_is_the_apis_answer_from_all_pages),
        ROOM(versions_takes_a_prefix_and_refuses_an_ambiguous_one),
        ROOM(delete_marks_first_and_asks_nobody_only_with_yes),
        ROOM(delete_stops_when_the_mark_fails_and_goes_on_without_a_daemon),
        ROOM(what_is_no_id_is_not_offered_on_the_command_line),
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
    log_init("unit_ctctl_cloud", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("ctctl cloud", tests, NULL, NULL);
}
