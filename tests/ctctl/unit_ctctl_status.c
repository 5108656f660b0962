#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ctctl/ui/headline.h"
#include "ctctl/ui/status.h"
#include "ctctl/ui/text.h"

/* What a status says, of which each test changes a little. */
struct scene {
    const char *state, *why, *cure, *paused_until;
    int known, synced, pending, failed, limit, archived;
    long long pending_bytes, bytes, seconds_left;
    int is_loopback;
    const char *problems; /* JSON array, or NULL */
};

#define NOW "2026-11-24T12:00:00Z"

static char *status_json(const struct scene *s)
{
    struct buf b = {0};

    buf_printf(
        &b,
        "{\"daemon\":{\"version\":\"0.1.0\",\"pid\":4711,\"uptimeSeconds\":11400,\"state\":\"%s\"",
        s->state);
    if (s->why != NULL)
        buf_printf(&b, ",\"stateReason\":\"%s\"", s->why);
    if (s->cure != NULL)
        buf_printf(&b, ",\"cure\":\"%s\"", s->cure);
    if (s->paused_until != NULL)
        buf_printf(&b, ",\"pausedUntil\":\"%s\"", s->paused_until);
    buf_printf(
        &b,
        "},\"watch\":{\"roots\":[\"/home/user/.claude\"],\"backend\":\"inotify\",\"watches\":128,"
        "\"overflows\":0,\"lastScanAt\":\"2026-11-24T11:00:00Z\",\"degraded\":[]},"
        "\"sessions\":{\"known\":%d,\"synced\":%d,\"pending\":%d,\"failed\":%d,\"limit\":%d,"
        "\"excluded\":0,\"archived\":%d,\"behind\":0,\"pendingBytes\":%lld,\"bytes\":%lld,",
        s->known, s->synced, s->pending, s->failed, s->limit, s->archived, s->pending_bytes,
        s->bytes);
    if (s->seconds_left >= 0)
        buf_printf(&b, "\"secondsLeft\":%lld,", s->seconds_left);
    else
        buf_addstr(&b, "\"secondsLeft\":null,");
    buf_printf(&b,
               "\"lastConfirmedAt\":\"2026-11-24T11:57:00Z\"},\"queue\":[],\"uploads\":[],"
               "\"server\":{\"apiUrl\":\"%s\",\"reachable\":true,\"lastContactAt\":"
               "\"2026-11-24T11:57:00Z\",\"isLoopback\":%s},"
               "\"account\":{\"email\":\"somebody@example.org\",\"plan\":\"free\",\"deviceName\":"
               "\"laptop\"},\"problems\":%s}",
               s->is_loopback ? "https://127.0.0.1:8787/v1" : "https://api.example.org/v1",
               s->is_loopback ? "true" : "false", s->problems != NULL ? s->problems : "[]");
    return buf_steal(&b);
}

static void assert_lines_fit(const char *text, size_t width)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        char *line = str_printf("%.*s", (int)n, text);
        if (text_columns(line) > width)
            fail_msg("wider than %zu columns: %s", width, line);
        free(line);
        text += n + (text[n] == '\n');
    }
}

static char *render(const struct scene *s, int width, int is_utf8)
{
    struct text_style st = {.width = width, .is_terminal = width > 0, .is_utf8 = is_utf8};
    char *text = status_json(s);
    struct json_object *o = NULL;
    struct buf b = {0};

    assert_int_equal(now_parse_rfc3339(NOW, &st.now_ms), 0);
    assert_int_equal(jdoc_parse(text, strlen(text), &o, NULL), 0);
    status_render(&st, o, &b);
    json_object_put(o);
    free(text);
    return buf_steal(&b);
}

/* The first words, without line breaks and sign; what comes before the bar or the empty line. */
static char *headline(const char *screen)
{
    const char *end = strstr(screen, "\n\n");
    struct buf b = {0};

    assert_non_null(end);
    for (const char *p = screen; p < end; p++) {
        int is_space = *p == '\n' || *p == ' ';
        if (!is_space)
            buf_addc(&b, *p);
        else if (b.len > 0 && b.data[b.len - 1] != ' ')
            buf_addc(&b, ' ');
    }
    return buf_steal(&b);
}

/* Render at several widths, with and without UTF-8; see that the headline says ${words} in each. */
static void says(const struct scene *s, const char *words)
{
    static const int widths[] = {0, 40, 80, 200};

    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        for (int utf8 = 0; utf8 <= 1; utf8++) {
            char *screen = render(s, widths[i], utf8), *head = headline(screen);
            if (strstr(head, words) == NULL)
                fail_msg("at width %d the headline lacks \"%s\": %s", widths[i], words, head);
            if (widths[i] > 0)
                assert_lines_fit(screen, (size_t)widths[i]);
            if (!utf8) {
                for (const char *p = screen; *p != '\0'; p++)
                    assert_true((unsigned char)*p < 0x80);
            }
            free(head);
            free(screen);
        }
    }
}

static int claims_safety(const char *screen)
{
    for (const char *p = strstr(screen, "safe"); p != NULL; p = strstr(p + 1, "safe"))
        return 1;
    return 0;
}

static const struct scene fine = {
    .state = "idle", .known = 42, .synced = 42, .bytes = 300000000, .seconds_left = -1};

static void all_safe_is_said_with_the_time_of_the_last_change(void **state)
{
    struct scene s = fine;

    (void)state;
    says(&s, "All 42 sessions are safe (last change saved 3 min ago)");
    s.synced = s.known = 1;
    says(&s, "The only session is safe");
    s = fine;
    s.archived = 5; /* safe in the cloud, gone here: among the 42 */
    says(&s, "All 42 sessions are safe");
}

static void a_first_sync_tells_sessions_bytes_and_time(void **state)
{
    struct scene s = {.state = "syncing",
                      .known = 42,
                      .synced = 12,
                      .pending = 30,
                      .pending_bytes = 128000000,
                      .bytes = 256000000,
                      .seconds_left = 125};
    char *screen;

    (void)state;
    says(&s, "12 of 42 sessions safe, 30 on their way: 128 MB left, about 2 min");
    screen = render(&s, 80, 0);
    assert_non_null(strstr(screen, "#####"));
    assert_non_null(strstr(screen, " 50 %"));
    free(screen);
    screen = render(&s, 0, 0); /* no terminal, no bar */
    assert_null(strstr(screen, "###"));
    free(screen);
    s.seconds_left = -1;
    says(&s, "30 on their way: 128 MB left");
    s.synced = 0;
    s.pending = 42;
    says(&s, "None of 42 sessions saved yet, 42 on their way");
}

static void what_somebody_has_to_mend_is_not_on_its_way(void **state)
{
    struct scene s = fine;

    (void)state;
    s.state = "degraded";
    s.why = "there is no key to seal with";
    s.synced = 40;
    s.pending = 2;
    says(&s, "40 of 42 sessions safe, 2 on their way");
    s.cure = "ctctl key import";
    says(&s, "NOT SAFE: 2 of 42 sessions wait until this is mended");
}

static void a_loopback_server_is_never_called_safe(void **state)
{
    static const char *const states[] = {"idle", "syncing", "offline", "paused", "degraded"};
    struct scene s = fine;

    (void)state;
    s.is_loopback = 1;
    says(&s, "Saved, but on this machine only (the server is on it): "
             "a lost disk loses it all");
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        for (int pending = 0; pending <= 42; pending += 21) {
            char *screen;
            s.state = states[i];
            s.pending = pending;
            s.synced = 42 - pending;
            s.pending_bytes = pending * 1000000LL;
            screen = render(&s, 80, 1);
            if (claims_safety(screen))
                fail_msg("%s with %d pending claims safety:\n%s", states[i], pending, screen);
            free(screen);
        }
    }
}

static void not_logged_in_is_not_safe_whatever_was_saved(void **state)
{
    struct scene s = fine;

    (void)state;
    s.state = "auth_required";
    s.why = "not logged in (there is no credentials file); run: ctctl login";
    s.cure = "ctctl login";
    says(&s, "NOT SAFE: not logged in. Run: ctctl login");
    s.why = s.cure = NULL;
    says(&s, "NOT SAFE: not logged in. Run: ctctl login");
    s.why = "the credentials can be read by others; run: chmod 600 config.json";
    says(&s, "chmod 600 config.json");
}

static void a_changed_account_asks_for_a_person(void **state)
{
    struct scene s = fine;

    (void)state;
    s.state = "account_changed";
    s.why = "the credentials are now for another account";
    says(&s, "NOT SAFE: the account or the server has changed");
    says(&s, "Run: ctctl login");
    says(&s, "the credentials are now for another account");
}

static void offline_says_what_waits(void **state)
{
    struct scene s = fine;

    (void)state;
    s.state = "offline";
    s.why = "can't reach https://api.example.org: no route to host";
    says(&s, "Offline: all 42 sessions are safe so far, new changes will wait for the server");
    says(&s, "no route to host");
    s.synced = 39;
    s.pending = 3;
    s.pending_bytes = 5000000;
    says(&s, "Offline: 3 of 42 sessions wait for the server (5.0 MB)");
}

static void a_pause_says_how_it_ends(void **state)
{
    struct scene s = fine;

    (void)state;
    s.state = "paused";
    says(&s, "Paused: all 42 sessions are safe, new changes wait. To go on: ctctl resume");
    s.paused_until = "2026-11-24T14:00:00Z";
    s.pending = 1;
    s.synced = 41;
    says(&s, "Paused (goes on in 2 h): 1 of 42 sessions waits");
    says(&s, "To go on: ctctl resume");
}

static void failures_come_before_all_that_is_well(void **state)
{
    struct scene s = fine;

    (void)state;
    s.synced = 39;
    s.failed = 3;
    says(&s, "NOT SAFE: 3 of 42 sessions could not be saved");
    s.state = "paused";
    says(&s, "NOT SAFE: 3 of 42 sessions could not be saved");
    s.state = "idle";
    s.failed = 0;
    s.limit = 3;
    says(&s, "NOT SAFE: 3 of 42 sessions are over the plan's limit");
    s.failed = 1;
    s.synced = 38;
    says(&s, "NOT SAFE: 1 of 42 sessions could not be saved, 3 more are over the plan's limit");
}

static void problems_come_with_cause_and_cure_and_nothing_moves_the_cursor(void **state)
{
    struct scene s = fine;
    char *screen;

    (void)state;
    s.failed = 1;
    s.synced = 41;
    s.problems = "[{\"what\":\"a session can't be uploaded\",\"why\":\"the server says: too large"
                 "\\u001b[2J\",\"cure\":\"raise the plan\",\"sessionId\":"
                 "\"3f2a9c1b-0000-4000-8000-000000000000\"},"
                 "{\"what\":\"a folder can't be watched the usual way\",\"why\":\"the watch limit "
                 "is reached\",\"cure\":null,\"path\":\"/home/user/.claude/projects/\\u6f22\\u5b57"
                 "/a/very/long/path/that/does/not/fit/on/a/narrow/terminal\"}]";
    says(&s, "NOT SAFE: 1 of 42");
    screen = render(&s, 80, 1);
    assert_non_null(strstr(screen, "Problems"));
    assert_non_null(strstr(screen, "3f2a9c1b a session can't be uploaded"));
    assert_non_null(strstr(screen, "the server says: too large"));
    assert_non_null(strstr(screen, "What to do: raise the plan"));
    assert_non_null(strstr(screen, "the watch limit is reached"));
    assert_null(strchr(screen, '\033'));
    free(screen);
}

static void many_problems_are_counted_and_not_listed(void **state)
{
    struct scene s = fine;
    struct buf b = {0};
    char *screen;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 30; i++)
        buf_printf(&b, "%s{\"what\":\"trouble %d\",\"why\":\"w\"}", i > 0 ? "," : "[", i);
    buf_addc(&b, ']');
    s.problems = b.data;
    screen = render(&s, 80, 1);
    for (const char *p = strstr(screen, "trouble"); p != NULL; p = strstr(p + 1, "trouble"))
        n++;
    assert_int_equal(n, 8);
    assert_non_null(strstr(screen, "and 22 more"));
    free(screen);
    buf_free(&b);
}

static void no_sessions_is_no_alarm(void **state)
{
    struct scene s = {.state = "idle", .seconds_left = -1};

    (void)state;
    says(&s, "No sessions yet, so there is nothing to save");
}

/* ${verdict} and ${line} of what ${s} is. */
static void is_in_short(const struct scene *s, enum headline_verdict verdict, const char *line)
{
    struct text_style st = {0};
    char *text = status_json(s);
    struct json_object *o = NULL;
    struct headline h;
    struct buf b = {0};

    assert_int_equal(jdoc_parse(text, strlen(text), &o, NULL), 0);
    headline_make(&st, o, &h);
    headline_line(&h, &b);
    assert_string_equal(b.data, line);
    assert_int_equal(h.verdict, verdict);
    headline_clear(&h);
    buf_free(&b);
    json_object_put(o);
    free(text);
}

static void the_short_forms_say_what_the_headline_says(void **state)
{
    struct scene s = fine;

    (void)state;
    is_in_short(&s, HEADLINE_SAFE, "safe");
    s.is_loopback = 1;
    is_in_short(&s, HEADLINE_NOT_SAFE, "this machine only");
    s.is_loopback = 0;
    s.synced = 40;
    s.pending = 2;
    is_in_short(&s, HEADLINE_ON_ITS_WAY, "2 waiting");
    s.state = "offline";
    is_in_short(&s, HEADLINE_ON_ITS_WAY, "2 waiting");
    s.state = "degraded";
    s.why = "there is no key to seal with";
    s.cure = "ctctl key import";
    is_in_short(&s, HEADLINE_NOT_SAFE, "NOT SAFE");
    s = fine;
    s.failed = 1;
    is_in_short(&s, HEADLINE_NOT_SAFE, "NOT SAFE");
    s = fine;
    s.state = "auth_required";
    is_in_short(&s, HEADLINE_NOT_SAFE, "NOT SAFE");
    s = fine;
    s.state = "offline";
    is_in_short(&s, HEADLINE_SAFE, "safe");
}

static void a_status_of_nothing_at_all_is_shown(void **state)
{
    static const char *const odd[] = {
        "{}",
        "{\"daemon\":[],\"sessions\":7,\"problems\":{},\"watch\":{\"roots\":\"x\"}}",
        "{\"daemon\":{\"state\":12},\"sessions\":{\"synced\":-5,\"pending\":1e300},"
        "\"problems\":[1,null,[]],\"uploads\":[null],\"watch\":{\"roots\":[null,3,{}],"
        "\"degraded\":[false]}}",
    };
    struct text_style st = {.width = 40, .is_terminal = 1, .is_utf8 = 1};

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct json_object *o = NULL;
        struct buf b = {0};
        assert_int_equal(jdoc_parse(odd[i], strlen(odd[i]), &o, NULL), 0);
        status_render(&st, o, &b);
        assert_true(b.len > 0);
        assert_false(claims_safety(b.data));
        assert_lines_fit(b.data, 40);
        buf_free(&b);
        json_object_put(o);
    }
}

static void the_lines_below_tell_account_server_and_watch(void **state)
{
    struct scene s = fine;
    char *screen = render(&s, 80, 1);

    (void)state;
    assert_non_null(strstr(screen, "somebody@example.org (free), this machine is laptop"));
    assert_non_null(strstr(screen, "https://api.example.org/v1, reached 3 min ago"));
    assert_non_null(strstr(screen, ".claude: 128 directories by inotify"));
    assert_non_null(strstr(screen, "version 0.1.0, running for 3 h 10 min, pid 4711"));
    free(screen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_safe_is_said_with_the_time_of_the_last_change),
        cmocka_unit_test(a_first_sync_tells_sessions_bytes_and_time),
        cmocka_unit_test(what_somebody_has_to_mend_is_not_on_its_way),
        cmocka_unit_test(a_loopback_server_is_never_called_safe),
        cmocka_unit_test(not_logged_in_is_not_safe_whatever_was_saved),
        cmocka_unit_test(a_changed_account_asks_for_a_person),
        cmocka_unit_test(offline_says_what_waits),
        cmocka_unit_test(a_pause_says_how_it_ends),
        cmocka_unit_test(failures_come_before_all_that_is_well),
        cmocka_unit_test(problems_come_with_cause_and_cure_and_nothing_moves_the_cursor),
        cmocka_unit_test(many_problems_are_counted_and_not_listed),
        cmocka_unit_test(no_sessions_is_no_alarm),
        cmocka_unit_test(the_short_forms_say_what_the_headline_says),
        cmocka_unit_test(a_status_of_nothing_at_all_is_shown),
        cmocka_unit_test(the_lines_below_tell_account_server_and_watch),
    };

    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL && setlocale(LC_CTYPE, "en_US.UTF-8") == NULL)
        fputs("# no UTF-8 locale here: widths can't be told\n", stderr);
    return cmocka_run_group_tests_name("ctctl status", tests, NULL, NULL);
}
