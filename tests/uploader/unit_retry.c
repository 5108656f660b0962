#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <errno.h>
#include <signal.h>

#include <event2/event.h>

#include "net/http.h"
#include "net/throttle.h"
#include "uploader/backoff.h"
#include "uploader/outage.h"
#include "api/store_error.h"
#include "uploader/verdict.h"

#include "tests/unit.h"

/* ---- what the store says, and what follows ------------------------------------------------------
 */

#define MINUTE 60000

/* The table of the specification, a row each; the age of the URL in minutes. */
static const struct {
    int status;
    const char *code;
    int age_min;
    enum err_code means;
    enum verdict verdict;
} rows[] = {
    {403, "ExpiredRequest", 6, ERR_EXPIRED, VERDICT_BACK_OFF},
    {403, "AccessDenied", 6, ERR_EXPIRED, VERDICT_BACK_OFF},
    {403, "AccessDenied", 1, ERR_FAIL, VERDICT_SLOW},
    {403, "SignatureDoesNotMatch", 1, ERR_EXPIRED, VERDICT_BACK_OFF},
    {401, "Unauthorized", 1, ERR_FAIL, VERDICT_SLOW},
    {403, "InvalidAccessKeyId", 1, ERR_FAIL, VERDICT_SLOW},
    {404, "NoSuchBucket", 1, ERR_FAIL, VERDICT_SLOW},
    {403, "RequestTimeTooSkewed", 1, ERR_RETRY, VERDICT_BACK_OFF},
    {429, "TooManyRequests", 1, ERR_RETRY, VERDICT_AWAY},
    {429, "", 1, ERR_RETRY, VERDICT_AWAY},
    {503, "SlowDown", 1, ERR_RETRY, VERDICT_AWAY},
    {500, "InternalError", 1, ERR_RETRY, VERDICT_BACK_OFF},
    {500, "", 1, ERR_RETRY, VERDICT_BACK_OFF},
    {502, "", 1, ERR_RETRY, VERDICT_BACK_OFF},
    {504, "", 1, ERR_RETRY, VERDICT_BACK_OFF},
    {400, "ClientDisconnect", 1, ERR_RETRY, VERDICT_BACK_OFF},
    {400, "IncompleteBody", 1, ERR_RETRY, VERDICT_BACK_OFF},
    {412, "PreconditionFailed", 1, ERR_EXPIRED, VERDICT_BACK_OFF},
    {400, "EntityTooLarge", 1, ERR_REFUSED, VERDICT_FINAL},
    {411, "MissingContentLength", 1, ERR_BUG, VERDICT_FINAL},
    {400, "InvalidDigest", 1, ERR_BUG, VERDICT_FINAL},
    {307, "TemporaryRedirect", 1, ERR_FAIL, VERDICT_SLOW},
};

static void store_answer(int status, const char *code, int64_t age_ms, struct ct_err *ret)
{
    struct http_res res = {.status = status};

    if (code[0] != '\0')
        buf_printf(&res.body,
                   "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>GET\n/secret</Message>"
                   "</Error>",
                   code);
    buf_add(&res.body, "", 0);
    store_error(&res, age_ms, ret);
    buf_free(&res.body);
}

static void each_code_of_the_store_leads_where_the_table_says(void **state)
{
    struct ct_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        store_answer(rows[i].status, rows[i].code, (int64_t)rows[i].age_min * MINUTE, &err);
        if (err.code != rows[i].means || verdict_of(&err) != rows[i].verdict)
            fail_msg("%d %s: code %s, verdict %d", rows[i].status, rows[i].code, err_name(err.code),
                     (int)verdict_of(&err));
        assert_null(strstr(err.msg, "secret"));
        assert_int_equal(err.http_status, rows[i].status);
    }
}

static void a_bad_digest_is_looked_into(void **state)
{
    struct ct_err err;

    (void)state;
    store_answer(400, "BadDigest", MINUTE, &err);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_string_equal(err.reason, "BadDigest");
}

static enum verdict judge(enum err_code code, int http_status, const char *reason, int sys_errno)
{
    struct ct_err err;

    err_set(&err, code, "-");
    err.http_status = http_status;
    err.sys_errno = sys_errno;
    snprintf(err.reason, sizeof(err.reason), "%s", reason);
    return verdict_of(&err);
}

static void what_the_api_says_leads_where_it_should(void **state)
{
    (void)state;
    assert_int_equal(judge(ERR_AUTH, 401, "unauthorized", 0), VERDICT_STOP);
    assert_int_equal(judge(ERR_REFUSED, 403, "plan_limit", 0), VERDICT_FINAL);
    assert_int_equal(judge(ERR_REFUSED, 413, "", 0), VERDICT_FINAL);
    assert_int_equal(judge(ERR_REFUSED, 422, "", 0), VERDICT_FINAL);
    assert_int_equal(judge(ERR_CONFLICT, 409, "deleted", 0), VERDICT_EXCLUDED);
    assert_int_equal(judge(ERR_RETRY, 429, "", 0), VERDICT_AWAY);
    assert_int_equal(judge(ERR_RETRY, 500, "internal", 0), VERDICT_BACK_OFF);
    assert_int_equal(judge(ERR_RETRY, 0, HTTP_UNREACHABLE, 0), VERDICT_AWAY);
    assert_int_equal(judge(ERR_RETRY, 0, "", 0), VERDICT_BACK_OFF);
}

static void trouble_of_this_machine_is_no_outage(void **state)
{
    (void)state;
    assert_int_equal(judge(ERR_FAIL, 0, "", EMFILE), VERDICT_LOCAL);
    assert_int_equal(judge(ERR_NOSPACE, 0, "", ENOSPC), VERDICT_LOCAL);
    assert_int_equal(judge(ERR_CORRUPT, 0, "", 0), VERDICT_REBUILD);
}

/* ---- waiting ------------------------------------------------------------------------------------
 */

static void back_off_doubles_with_full_jitter_up_to_ten_minutes(void **state)
{
    int64_t bound = 1000, least, most;

    (void)state;
    for (int n = 1; n < 40; n++) {
        least = INT64_MAX;
        most = 0;
        for (uint32_t i = 0; i < 2000; i++) {
            int64_t ms = backoff_ms(n, 0, 0, i * 2654435761u);
            least = ms < least ? ms : least;
            most = ms > most ? ms : most;
        }
        assert_true(least >= 250 && most <= (n == 1 ? 1500 : bound));
        assert_true(most > bound * 9 / 10);
        if (n > 1)
            assert_true(least < bound / 4 + 250);
        bound = bound * 2 < 600000 ? bound * 2 : 600000;
    }
    assert_int_equal(backoff_ms(1, 0, 30, 0), 30000);
    /* While a person waits: five seconds at most, but for what the server asks for. */
    for (uint32_t i = 0; i < 1000; i++)
        assert_in_range(backoff_ms(30, 1, 0, i * 2654435761u), 250, BACKOFF_WAITED_MS);
    assert_int_equal(backoff_ms(30, 1, 30, 0), 30000);
    assert_true(backoff_ms(1, 0, 0, 12345) >= 500);
}

/* ---- who waits ----------------------------------------------------------------------------------
 */

static int fail_at(struct outage *o, struct outage_wait *w, const char *id, enum verdict v,
                   int64_t now_ms)
{
    const struct outage_moment m = {.now_ms = now_ms, .dice = 700};
    const struct ct_err err = {.code = ERR_RETRY, .msg = "x"};

    return outage_failed(o, w, id, v, &err, &m);
}

static void a_bundle_that_never_gets_through_holds_up_nobody(void **state)
{
    struct outage o = {0};
    struct outage_wait a = {0}, b = {0};

    (void)state;
    for (int i = 1; i < 9; i++) {
        assert_false(fail_at(&o, &a, "a", VERDICT_BACK_OFF, i * 1000000));
        assert_int_equal(a.failures, i);
        assert_true(a.next_ms > i * 1000000);
        assert_int_equal(o.next_ms, 0);
    }
    /* A second one that meets it makes it everybody's, and each that follows. */
    assert_true(fail_at(&o, &b, "b", VERDICT_BACK_OFF, 9000000));
    assert_true(o.is_on && o.next_ms > 9000000);
    assert_true(fail_at(&o, &b, "b", VERDICT_BACK_OFF, 10000000));
    outage_hurry(&o);
    assert_int_equal(o.next_ms, 0);
    assert_int_equal(o.failures, 1);
}

static void nobody_reached_is_everybodys_trouble_at_once(void **state)
{
    struct outage o = {.is_alive = 1};
    struct outage_wait a = {0}, b = {0};

    (void)state;
    assert_true(fail_at(&o, &a, "a", VERDICT_AWAY, 1000));
    assert_int_equal(o.failures, 1);
    assert_false(o.is_alive);
    /* Who tried with it and failed with it counts once; who tries after the wait counts. */
    assert_true(fail_at(&o, &b, "b", VERDICT_AWAY, 1001));
    assert_int_equal(o.failures, 1);
    assert_true(fail_at(&o, &b, "b", VERDICT_AWAY, o.next_ms));
    assert_int_equal(o.failures, 2);
}

static void trouble_here_and_what_an_operator_has_to_mend_wait_as_they_should(void **state)
{
    struct outage o = {0};
    struct outage_wait a = {0};

    (void)state;
    assert_false(fail_at(&o, &a, "a", VERDICT_LOCAL, 1000));
    assert_int_equal(o.failures, 0);
    assert_in_range(a.next_ms, 1500, 2500);
    a = (struct outage_wait){0};
    assert_false(fail_at(&o, &a, "a", VERDICT_SLOW, 1000));
    assert_in_range(a.next_ms, 301000, 901000);
}

/* ---- the rate -----------------------------------------------------------------------------------
 */

static void the_rate_holds_for_all_together(void **state)
{
    struct throttle p = {0};
    int64_t sent[3] = {0}, all = 0;

    (void)state;
    throttle_set(&p, 100000, 0);
    for (int64_t now = 0; now <= 60000; now += 7) {
        for (int i = 0; i < 3; i++) {
            /* The first is greedy: it asks until there is no more. */
            size_t n;
            do {
                n = throttle_take(&p, 65536, 3, now);
                sent[i] += (int64_t)n;
            } while (n > 0 && i == 0);
        }
    }
    for (int i = 0; i < 3; i++)
        all += sent[i];
    assert_in_range(all, 5900000, 6025000);
}

static void whoever_asks_in_turn_gets_a_fair_share(void **state)
{
    struct throttle p = {0};
    int64_t sent[2] = {0};

    (void)state;
    throttle_set(&p, 1 << 20, 0);
    for (int64_t now = 0; now <= 10000; now += PACE_WAIT_MS) {
        int first = (int)(now / PACE_WAIT_MS % 2);
        sent[first] += (int64_t)throttle_take(&p, 1 << 20, 2, now);
        sent[!first] += (int64_t)throttle_take(&p, 1 << 20, 2, now);
    }
    assert_in_range(sent[0], sent[1] * 8 / 10, sent[1] * 12 / 10);
}

static void no_rate_is_no_limit_and_a_pause_saves_nothing_up(void **state)
{
    struct throttle p = {0};

    (void)state;
    assert_int_equal(throttle_take(&p, 1 << 20, 2, 5), 1 << 20);
    throttle_set(&p, 1000, 0);
    assert_in_range(throttle_take(&p, 1 << 20, 1, 3600 * 1000), 1, 201);
    assert_int_equal(throttle_take(&p, 1 << 20, 1, 3600 * 1000), 0);
    assert_true(throttle_take(&p, 10, 1, 3600 * 1000 + 60) == 10);
}

/* ---- a peer that says nothing -------------------------------------------------------------------
 */

struct stall {
    struct event_base *base;
    int is_done;
    struct ct_err err;
};

static void on_stalled(void *arg, const struct http_res *res, const struct ct_err *err)
{
    struct stall *s = arg;

    s->is_done = 1;
    assert_null(res);
    s->err = *err;
    event_base_loopbreak(s->base);
}

static void a_transfer_that_stalls_is_ended(void **state)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct http_policy policy = {.allow_plain_http = 1};
    struct http_req req = HTTP_REQ_INIT;
    struct stall s = {.base = event_base_new()};
    socklen_t len = sizeof(sa);
    struct http_engine *e;
    struct http_call *c;
    struct ct_err err;
    char url[64];
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    /* The kernel accepts; nobody ever answers. */
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(sa.sin_port));
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(http_engine_new(s.base, &policy, &e, &err), 0);
    req.method = "PUT";
    req.url = url;
    req.body = "0123456789";
    req.body_len = 10;
    req.stall_s = 2;
    assert_int_equal(http_start(e, &req, on_stalled, &s, &c, &err), 0);
    event_base_dispatch(s.base);
    assert_true(s.is_done);
    assert_int_equal(s.err.code, ERR_RETRY);
    assert_non_null(strstr(s.err.msg, "did not answer in time"));
    assert_string_equal(s.err.reason, ""); /* it was reached */
    http_engine_free(e);
    close(fd);
    event_base_free(s.base);
}

static void nobody_listening_is_unreachable(void **state)
{
    struct http_policy policy = {.allow_plain_http = 1};
    struct http_req req = HTTP_REQ_INIT;
    struct http_res res = {0};
    struct ct_err err;

    (void)state;
    req.method = "GET";
    req.url = "http://127.0.0.1:1/";
    assert_int_equal(http_perform(&policy, &req, &res, &err), -1);
    assert_int_equal(err.code, ERR_RETRY);
    assert_string_equal(err.reason, HTTP_UNREACHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_of_the_store_leads_where_the_table_says),
        cmocka_unit_test(a_bad_digest_is_looked_into),
        cmocka_unit_test(what_the_api_says_leads_where_it_should),
        cmocka_unit_test(trouble_of_this_machine_is_no_outage),
        cmocka_unit_test(back_off_doubles_with_full_jitter_up_to_ten_minutes),
        cmocka_unit_test(a_bundle_that_never_gets_through_holds_up_nobody),
        cmocka_unit_test(nobody_reached_is_everybodys_trouble_at_once),
        cmocka_unit_test(trouble_here_and_what_an_operator_has_to_mend_wait_as_they_should),
        cmocka_unit_test(the_rate_holds_for_all_together),
        cmocka_unit_test(whoever_asks_in_turn_gets_a_fair_share),
        cmocka_unit_test(no_rate_is_no_limit_and_a_pause_saves_nothing_up),
        cmocka_unit_test(a_transfer_that_stalls_is_ended),
        cmocka_unit_test(nobody_listening_is_unreachable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
