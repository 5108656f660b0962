#include <sys/stat.h>

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

#include "agents/agent.h"
#include "agents/claude/claude.h"
#include "agents/claude/history.h"
#include "common/base/str.h"

#include "tests/scratch.h"

#define A "11111111-2222-4333-8444-555555555555"
#define B "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

/* ---- live sessions ------------------------------------------------------------------------------
 */

static int parse_live(const char *text, struct agent_live *live)
{
    return agent_parse_live(text, strlen(text), live);
}

static void a_live_file_that_cant_be_parsed_is_no_signal(void **state)
{
    static const char whole[] =
        "{\"pid\":16641,\"sessionId\":\"" A "\",\"procStart\":\"199764\",\"status\":\"idle\","
        "\"updatedAt\":1795464038406}";
    struct agent_live live;

    (void)state;
    for (size_t n = 0; n < sizeof(whole) - 1; n++)
        assert_int_equal(agent_parse_live(whole, n, &live), -1);
    assert_int_equal(parse_live(whole, &live), 0);
    assert_int_equal(live.pid, 16641);
    assert_string_equal(live.session_id, A);
    assert_string_equal(live.status, "idle");
    assert_string_equal(live.proc_start, "199764");
    assert_int_equal(live.updated_ms, 1795464038406);
    assert_int_equal(parse_live("{\"pid\":1,\"sessionId\":\"" A "\"}", &live), 0);
    assert_string_equal(live.status, "");
    assert_int_equal(parse_live("{\"pid\":0,\"sessionId\":\"" A "\"}", &live), -1);
    assert_int_equal(parse_live("{\"pid\":1,\"sessionId\":\"x\"}", &live), -1);
    assert_int_equal(parse_live("{\"sessionId\":\"" A "\"}", &live), -1);
    assert_int_equal(parse_live("[]", &live), -1);
}

static void what_is_no_process_is_not_alive(void **state)
{
    struct agent_live live = {.pid = getpid()};

    (void)state;
    assert_true(agent_is_alive(&live));
    live.pid = INT32_MAX;
    assert_false(agent_is_alive(&live));
    live.pid = 0;
    assert_false(agent_is_alive(&live));
    live.pid = -1;
    assert_false(agent_is_alive(&live));
}

/* ---- the prompt history -------------------------------------------------------------------------
 */

static void note_session(void *arg, const char *session_id)
{
    buf_printf(arg, "%c", session_id[0] != '\0' ? session_id[0] : '-');
}

#define PROMPT(id) "{\"display\":\"x\",\"pastedContents\":{},\"sessionId\":\"" id "\"}\n"

static void the_history_is_read_on_from_where_it_ended(void **state)
{
    char *dir = scratch_new(), *p = scratch_path(dir, "history.jsonl");
    struct buf seen = {0};
    int64_t next = -1;

    (void)state;
    assert_int_equal(agent_read_history(agent_unnamed(), AGENT_HISTORY, dir, 0, note_session, &seen,
                                        &next, NULL),
                     0);
    assert_int_equal(next, 0);
    scratch_puts(p, PROMPT(A) PROMPT(A) "garbage\n" PROMPT(B) PROMPT(A) "{\"sessionId\":\"" B);
    assert_int_equal(agent_read_history(agent_unnamed(), AGENT_HISTORY, dir, 0, note_session, &seen,
                                        &next, NULL),
                     0);
    assert_string_equal(seen.data, "1a1");
    buf_reset(&seen);
    scratch_append(p, "\"}\n");
    assert_int_equal(agent_read_history(agent_unnamed(), AGENT_HISTORY, dir, next, note_session,
                                        &seen, &next, NULL),
                     0);
    assert_string_equal(seen.data, "a");
    buf_reset(&seen);
    assert_int_equal(agent_read_history(agent_unnamed(), AGENT_HISTORY, dir, next, note_session,
                                        &seen, &next, NULL),
                     0);
    assert_int_equal(seen.len, 0);
    scratch_puts(p, PROMPT(A)); /* replaced by a shorter one */
    assert_int_equal(agent_read_history(agent_unnamed(), AGENT_HISTORY, dir, next, note_session,
                                        &seen, &next, NULL),
                     0);
    assert_string_equal(seen.data, "1");
    buf_reset(&seen);
    scratch_puts(p,
                 PROMPT(B) "{\"display\":\"of another length\"}\n" PROMPT(A)); /* by a longer one */
    assert_int_equal(agent_read_history(agent_unnamed(), AGENT_HISTORY, dir, next, note_session,
                                        &seen, &next, NULL),
                     0);
    assert_string_equal(seen.data, "-1");
    assert_int_equal(agent_read_history(agent_unnamed(), AGENT_HISTORY, dir, next - 1, note_session,
                                        &seen, &next, NULL),
                     0);
    assert_string_equal(seen.data, "-1a-1");
    buf_free(&seen);
    free(p);
    scratch_free(dir);
}

struct found {
    int64_t offset, bytes;
    int n;
    char paste[64];
};

static void note_line(void *arg, const struct history_line *line)
{
    struct found *f = arg;

    f->n++;
    f->offset = line->offset;
    f->bytes = line->bytes;
    snprintf(f->paste, sizeof(f->paste), "%s", line->pastes->len > 0 ? line->pastes->data : "");
}

static void a_prompt_longer_than_any_buffer_is_found(void **state)
{
    static const char head[] = "{\"display\":\"",
                      tail[] = "\",\"pastedContents\":{\"1\":{\"id\":1,"
                               "\"contentHash\":\"feed\"}},\"sessionId\":\"" A "\"}\n";
    char *dir = scratch_new(), *p = scratch_path(dir, "history.jsonl");
    struct buf b = {0};
    struct found f = {0};
    int64_t next;
    size_t start;
    int fd;

    (void)state;
    for (int i = 0; i < 3000; i++)
        buf_addstr(&b, PROMPT(B));
    start = b.len;
    buf_addstr(&b, head);
    memset(buf_reserve(&b, 1 << 20), 'x', 1 << 20);
    b.len += 1 << 20;
    buf_addstr(&b, tail);
    buf_addstr(&b, PROMPT(B) "{\"sessionId\":\"" A);
    scratch_write(p, b.data, b.len);
    fd = open(p, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(history_read(&agent_unnamed()->history_names, fd, 0, (int64_t)b.len, A,
                                  note_line, &f, NULL, &next, NULL),
                     0);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.offset, start);
    assert_int_equal(f.bytes, sizeof(head) - 1 + (1 << 20) + sizeof(tail) - 1);
    assert_string_equal(f.paste, "feed");
    assert_true(next < (int64_t)b.len && b.data[next - 1] == '\n');
    close(fd);
    buf_free(&b);
    free(p);
    scratch_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_live_file_that_cant_be_parsed_is_no_signal),
        cmocka_unit_test(what_is_no_process_is_not_alive),
        cmocka_unit_test(the_history_is_read_on_from_where_it_ended),
        cmocka_unit_test(a_prompt_longer_than_any_buffer_is_found),
    };

    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
