#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "agents/agent.h"
#include "agents/news.h"
#include "agents/opencode/opencode.h"
#include "agents/transcript.h"
#include "agents/turns.h"
#include "common/base/buf.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "tests/agents/agents_room.h"
#include "tests/scratch.h"

#define SES "ses_dd15bba57ffeQtMshDNSoV56ys"
#define FIRST_MS "1796078847643"

/* A data folder of opencode, with what of its tables we ask and those we never ask. */
struct place {
    char *dir, *root, *file;
    sqlite3 *db;
};

static void run(sqlite3 *db, const char *sql)
{
    char *said = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &said) != SQLITE_OK)
        fail_msg("%s: %s", sql, said);
}

#define MESSAGE(id, at, data) \
    "INSERT INTO message VALUES('" id "','" SES "'," at "," at ",'" data "');"
#define PART(id, message, at, data) \
    "INSERT INTO part VALUES('" id "','" message "','" SES "'," at "," at ",'" data "');"

static void set_up(struct place *p)
{
    char *db;

    p->dir = scratch_new();
    assert_int_equal(setenv("XDG_DATA_HOME", p->dir, 1), 0);
    p->root = scratch_path(p->dir, "codeteleport/opencode");
    p->file = scratch_path(p->dir, "codeteleport/opencode/" SES ".jsonl");
    db = scratch_path(p->dir, "opencode/opencode.db");
    scratch_puts(db, "");
    assert_int_equal(sqlite3_open(db, &p->db), SQLITE_OK);
    free(db);
    run(p->db,
        "PRAGMA journal_mode = WAL;"
        "CREATE TABLE account(id, access_token);"
        "INSERT INTO account VALUES('a', 'marker-in-account');"
        "CREATE TABLE credential(id, value);"
        "INSERT INTO credential VALUES('a', 'marker-in-credential');"
        "CREATE TABLE session(id TEXT PRIMARY KEY, project_id, parent_id, slug, directory, title,"
        " version, share_url, permission, revert, time_created INTEGER, time_updated INTEGER,"
        " time_archived INTEGER);"
        "CREATE TABLE message(id TEXT PRIMARY KEY, session_id, time_created INTEGER,"
        " time_updated INTEGER, data);"
        "CREATE TABLE part(id TEXT PRIMARY KEY, message_id, session_id, time_created INTEGER,"
        " time_updated INTEGER, data);"
        "INSERT INTO session VALUES('" SES "', 'global', NULL, 'neon-harbor', '/home/alice/w',"
        " 'Counting', '1.18.33', 'https://marker-in-share', '[{\"permission\":\"bash\"}]', NULL,"
        " " FIRST_MS ", " FIRST_MS ", NULL);" MESSAGE(
            "msg_01", FIRST_MS,
            "{\"role\":\"user\",\"time\":{\"created\":" FIRST_MS "},\"system\":\"obey\"}")
            PART("prt_01", "msg_01", FIRST_MS, "{\"type\":\"text\",\"text\":\"count it\"}")
                PART("prt_02", "msg_01", FIRST_MS,
                     "{\"type\":\"text\",\"synthetic\":true,\"text\":\"put in\"}"));
}

static void tear_down(struct place *p)
{
    sqlite3_close(p->db);
    scratch_free(p->dir);
    free(p->root);
    free(p->file);
}

#define ANSWER(completed, finish) \
    "{\"role\":\"assistant\",\"modelID\":\"m-1\",\"cost\":0.5,\"time\":{\"created\":" \
    "1796078848000" completed \
    "},\"tokens\":{\"input\":10,\"output\":5,\"reasoning\":2,\"cache\":{\"read\":7," \
    "\"write\":1}}" finish "}"
#define DONE ",\"completed\":1796078849000"
#define CALL \
    "{\"type\":\"tool\",\"tool\":\"write\",\"callID\":\"c1\",\"state\":{\"status\":\"completed\"," \
    "\"input\":{\"filePath\":\"/home/alice/w/x\"},\"output\":\"ok\",\"metadata\":{\"hidden\":1}}}"

/* The answer goes on, and ends. */
static void answer(struct place *p)
{
    run(p->db, MESSAGE("msg_02", "1796078848000", ANSWER("", ""))
                   PART("prt_03", "msg_02", "1796078848000", "{\"type\":\"step-start\"}")
                       PART("prt_04", "msg_02", "1796078848000", CALL));
}

static void end_answer(struct place *p)
{
    run(p->db, "UPDATE message SET time_updated = 1796078849000, data = '" ANSWER(
                   DONE, ",\"finish\":\"stop\"") "' WHERE id = 'msg_02';");
}

static struct buf gathered(struct place *p)
{
    int64_t again_ms;
    struct ct_err err;

    if (opencode_gather(p->root, &again_ms, &err) != 0)
        fail_msg("%s", err.msg);
    return scratch_read(p->file);
}

static int lines(const struct buf *b)
{
    int n = 0;

    for (size_t i = 0; i < b->len; i++)
        n += b->data[i] == '\n';
    return n;
}

static int has(const struct buf *b, const char *text)
{
    return memmem(b->data, b->len, text, strlen(text)) != NULL;
}

static void a_session_becomes_a_file_that_only_grows(void **state)
{
    struct place p;
    struct buf first, same, more, less;
    struct stat st;

    (void)state;
    set_up(&p);
    first = gathered(&p);
    assert_int_equal(lines(&first), 2);
    assert_ptr_equal(agent_by_head(first.data, first.len), &opencode_agent);
    assert_true(has(&first, "count it"));
    assert_int_equal(stat(p.file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    same = gathered(&p);
    assert_int_equal(same.len, first.len);

    answer(&p);
    end_answer(&p);
    more = gathered(&p);
    assert_memory_equal(more.data, first.data, first.len);
    assert_int_equal(lines(&more), 3);

    /* Taken back: said, not forgotten.  A line that was torn is written anew. */
    run(p.db, "DELETE FROM message WHERE id = 'msg_02'; DELETE FROM part WHERE message_id = "
              "'msg_02'; UPDATE session SET time_updated = 1796078850000;");
    scratch_append(p.file, "{\"type\":\"mess");
    less = gathered(&p);
    assert_memory_equal(less.data, more.data, more.len);
    assert_int_equal(lines(&less), 5); /* and the session's own line, with its new time */
    assert_true(has(&less, "{\"type\":\"removed\",\"id\":\"msg_02\""));
    assert_false(has(&less, "marker-in"));
    assert_false(has(&less, "mess{"));

    /* Deleted in opencode: gone here too. */
    run(p.db, "DELETE FROM session");
    buf_free(&less);
    assert_int_equal(opencode_gather(p.root, &(int64_t){0}, NULL), 0);
    assert_int_not_equal(stat(p.file, &st), 0);
    buf_free(&first);
    buf_free(&same);
    buf_free(&more);
    tear_down(&p);
}

/* Its folder is as it was: no file more, none less, and the copy with its tokens is gone. */
static void nothing_is_left_of_the_reading(void **state)
{
    struct place p;
    struct buf b;
    struct stat before, after;
    char *db, *copy;

    (void)state;
    set_up(&p);
    db = scratch_path(p.dir, "opencode");
    copy = scratch_path(p.dir, "codeteleport/opencode/.copy");
    assert_int_equal(stat(db, &before), 0);
    b = gathered(&p);
    assert_int_equal(stat(db, &after), 0);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_int_not_equal(stat(copy, &after), 0);
    buf_free(&b);
    free(copy);
    free(db);
    tear_down(&p);
}

static void an_answer_under_way_is_taken_when_it_rests_or_ends(void **state)
{
    struct place p;
    struct buf b;
    int64_t again_ms;

    (void)state;
    set_up(&p);
    answer(&p);
    run(p.db, "UPDATE message SET time_updated = 4000000000000 WHERE id = 'msg_02'");
    assert_int_equal(opencode_gather(p.root, &again_ms, NULL), 0);
    assert_true(again_ms > 0);
    b = scratch_read(p.file);
    assert_int_equal(lines(&b), 2);
    buf_free(&b);
    run(p.db, "UPDATE message SET time_updated = 1796078848000 WHERE id = 'msg_02'");
    b = gathered(&p);
    assert_int_equal(lines(&b), 3);
    buf_free(&b);
    end_answer(&p);
    b = gathered(&p);
    assert_int_equal(lines(&b), 4);
    buf_free(&b);
    tear_down(&p);
}

static struct buf all(struct place *p)
{
    struct buf b;

    set_up(p);
    answer(p);
    b = gathered(p);
    buf_free(&b);
    end_answer(p);
    return gathered(p);
}

static void facts_count_a_message_once_however_often_it_comes(void **state)
{
    struct place p;
    struct buf b = all(&p);
    struct transcript *t = transcript_new(&opencode_agent);
    struct transcript_facts f;
    struct usage_tokens used;

    (void)state;
    for (size_t i = 0; i < b.len; i++)
        transcript_feed(t, b.data + i, 1);
    transcript_facts(t, &f);
    used = usage_sum(&f.usage);
    assert_int_equal(f.lines, 4);
    assert_int_equal(f.user_messages, 1);
    assert_int_equal(f.assistant_messages, 1);
    assert_int_equal(f.tool_calls, 1);
    assert_int_equal(f.files_modified, 1);
    assert_string_equal(f.title, "Counting");
    assert_string_equal(f.cwd, "/home/alice/w");
    assert_string_equal(f.model, "m-1");
    assert_int_equal(used.input, 10);
    assert_int_equal(used.output, 7);
    assert_int_equal(used.cache_read, 7);
    assert_int_equal(used.cache_write, 1);
    transcript_free(t);
    buf_free(&b);
    tear_down(&p);
}

static void turns_are_what_was_said_once(void **state)
{
    struct place p;
    struct buf b = all(&p), said = {0};
    struct turns *t = turns_new(&opencode_agent, room_turn, &said);

    (void)state;
    turns_feed(t, b.data, b.len);
    turns_end(t);
    buf_addc(&said, '\0');
    assert_string_equal(said.data, "prompt: count it\nnote: put in\n"
                                   "call: {\"filePath\":\"/home/alice/w/x\"}\nresult: ok\n");
    turns_free(t);
    buf_free(&said);
    buf_free(&b);
    tear_down(&p);
}

static void a_name_is_one_session_on_every_machine(void **state)
{
    struct agent_path place;
    char uuid[UUID_SIZE], *path;

    (void)state;
    opencode_uuid(SES, uuid);
    assert_true(uuid_is_valid(uuid));
    assert_int_equal(uuid[14], '8');
    opencode_agent.classify(SES ".jsonl", &place);
    assert_int_equal(place.kind, AGENT_TRANSCRIPT);
    assert_string_equal(place.session_id, uuid);
    path = opencode_agent.transcript_path(uuid, "", SES ".jsonl");
    assert_string_equal(path, SES ".jsonl");
    free(path);
    path = opencode_agent.own_id(SES ".jsonl");
    assert_string_equal(path, SES);
    free(path);
    assert_null(opencode_agent.transcript_path(uuid, "", "ses_other.jsonl"));
    assert_null(opencode_agent.transcript_path(uuid, "", "../" SES ".jsonl"));
    assert_null(opencode_agent.transcript_path(uuid, "", NULL));
    opencode_agent.classify("ses_a/b.jsonl", &place);
    assert_int_equal(place.kind, AGENT_NOTHING);
    opencode_agent.classify(".copy/db", &place);
    assert_int_equal(place.kind, AGENT_NOTHING);
}

static void of_a_strangers_comes_what_was_said_and_nothing_that_is_allowed(void **state)
{
    static const char file[] =
        "{\"type\":\"message\",\"id\":\"msg_03\",\"role\":\"user\",\"info\":{\"role\":\"user\","
        "\"tools\":{\"bash\":true}},\"parts\":[{\"id\":\"p\",\"type\":\"file\",\"mime\":\"a/b\","
        "\"url\":\"file:///etc/passwd\"},{\"id\":\"q\",\"type\":\"subtask\",\"prompt\":\"do\"}]}\n"
        "{\"type\":\"session\",\"id\":\"" SES
        "\",\"cwd\":\"/home/bob/v\",\"info\":{\"agent\":\"yolo\","
        "\"slug\":\"../../x\",\"parentID\":\"ses_mine\",\"projectID\":\"--p/q\"}}\n"
        "{\"type\":\"message\",\"id\":\"msg_04\",\"role\":\"assistant\",\"info\":{\"role\":"
        "\"assistant\",\"mode\":\"yolo\",\"agent\":\"plan\",\"parentID\":\"../x\"},\"parts\":[]}\n";
    struct place p;
    struct buf b = all(&p), out = {0};
    struct losses losses = {0};
    char uuid[UUID_SIZE];
    struct rebuild_opts opts = {.trust = TRUST_STRANGER,
                                .cwd = "/home/bob/v",
                                .home = "/home/bob",
                                .losses = &losses,
                                .moved = room_stays,
                                .put = room_put,
                                .arg = &out,
                                .session_id = uuid};
    struct rebuild *r;

    (void)state;
    opencode_uuid(SES, uuid);
    r = opencode_agent.rebuild_new(&opts, "session.jsonl");
    assert_int_equal(opencode_agent.rebuild_feed(r, b.data, b.len, NULL), 0);
    assert_int_equal(opencode_agent.rebuild_feed(r, file, strlen(file), NULL), 0);
    assert_int_equal(opencode_agent.rebuild_end(r, NULL), 0);
    opencode_agent.rebuild_free(r);
    assert_true(has(&out, "\"cwd\":\"/home/bob/v\""));
    assert_true(has(&out, "count it"));
    assert_true(has(&out, "\"output\":\"ok\""));
    assert_false(has(&out, "permission"));
    assert_false(has(&out, "obey"));
    assert_false(has(&out, "put in"));
    assert_false(has(&out, "hidden"));
    assert_false(has(&out, "passwd"));
    assert_false(has(&out, "subtask"));
    assert_false(has(&out, "yolo"));
    assert_true(has(&out, "\"agent\":\"plan\""));
    assert_false(has(&out, ".."));
    assert_false(has(&out, "ses_mine"));
    assert_false(has(&out, "--p"));
    assert_false(has(&out, "\"tools\""));
    losses_free(&losses);
    buf_free(&out);
    buf_free(&b);
    tear_down(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_becomes_a_file_that_only_grows),
        cmocka_unit_test(nothing_is_left_of_the_reading),
        cmocka_unit_test(an_answer_under_way_is_taken_when_it_rests_or_ends),
        cmocka_unit_test(facts_count_a_message_once_however_often_it_comes),
        cmocka_unit_test(turns_are_what_was_said_once),
        cmocka_unit_test(a_name_is_one_session_on_every_machine),
        cmocka_unit_test(of_a_strangers_comes_what_was_said_and_nothing_that_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
