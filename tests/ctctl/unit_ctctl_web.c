#include "tests/unit.h"

#include <fcntl.h>

#include "agents/agent.h"
#include "agents/turns.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "ctctl/web/gate.h"
#include "ctctl/web/pieces.h"

/* ---- who may ask -------------------------------------------------------------------------------
 */

#define PORT 4711
#define HOST "127.0.0.1:4711"
#define ORIGIN "http://127.0.0.1:4711"

/* Every way of being somebody else; the link and the token are the right ones. */
static const struct gate_request strangers[] = {
    {.host = NULL},
    {.host = ""},
    {.host = "127.0.0.1"},
    {.host = "127.0.0.1:4712"},
    {.host = "127.0.0.1:47110"},
    {.host = "localhost:4711"},
    {.host = "[::1]:4711"},
    {.host = "evil.example:4711"},
    {.host = "127.0.0.1.evil.example:4711"},
    {.host = "HTTP://127.0.0.1:4711"},
    {.host = HOST, .origin = "http://127.0.0.1:4712"},
    {.host = HOST, .origin = "http://127.0.0.1"},
    {.host = HOST, .origin = "https://127.0.0.1:4711"},
    {.host = HOST, .origin = "http://evil.example"},
    {.host = HOST, .origin = "null"},
    {.host = HOST, .origin = ""},
    {.host = HOST, .fetch_site = "cross-site"},
    {.host = HOST, .fetch_site = "same-site"},
    {.host = HOST, .fetch_site = "none"},
    {.host = HOST, .origin = ORIGIN, .fetch_site = "same-site"},
};

static void only_our_page_may_ask(void **state)
{
    struct gate *g = gate_new(PORT);
    struct gate_request r = {.host = HOST, .origin = ORIGIN, .fetch_site = "same-origin"};
    char wrong[GATE_SECRET_HEX];
    const char *token = NULL;

    (void)state;
    /* No token counts before the link was followed. */
    r.token = gate_link(g);
    assert_int_equal(gate_ask(g, &r), GATE_NO_SECRET);
    assert_int_equal(gate_enter(g, &r, &token), GATE_NO_SECRET);
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        struct gate_request s = strangers[i];
        s.link = gate_link(g);
        assert_int_equal(gate_enter(g, &s, &token), GATE_ELSEWHERE);
    }
    r.token = NULL;
    r.link = gate_link(g);
    assert_int_equal(gate_enter(g, &r, &token), GATE_OPEN);
    assert_string_not_equal(token, gate_link(g));
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        struct gate_request s = strangers[i];
        s.token = token;
        assert_int_equal(gate_ask(g, &s), GATE_ELSEWHERE);
    }
    assert_int_equal(gate_ask(g, &r), GATE_NO_SECRET);
    r.token = "";
    assert_int_equal(gate_ask(g, &r), GATE_NO_SECRET);
    for (size_t i = 0; i < GATE_SECRET_HEX - 1; i++) {
        memcpy(wrong, token, sizeof(wrong));
        wrong[i] = wrong[i] == '0' ? '1' : '0';
        r.token = wrong;
        assert_int_equal(gate_ask(g, &r), GATE_NO_SECRET);
    }
    wrong[GATE_SECRET_HEX - 2] = '\0';
    assert_int_equal(gate_ask(g, &r), GATE_NO_SECRET);
    r.token = token;
    assert_int_equal(gate_ask(g, &r), GATE_OPEN);
    r.origin = r.fetch_site = NULL; /* no browser, but somebody who has the token */
    assert_int_equal(gate_ask(g, &r), GATE_OPEN);
    assert_int_equal(gate_enter(g, &r, &token), GATE_USED);
    gate_free(g);
}

static void two_gates_have_nothing_in_common(void **state)
{
    struct gate *a = gate_new(PORT), *b = gate_new(PORT);
    struct gate_request r = {.host = HOST, .link = gate_link(a)};
    const char *token;

    (void)state;
    assert_int_equal(gate_enter(b, &r, &token), GATE_NO_SECRET);
    gate_free(b);
    gate_free(a);
}

/* ---- pieces ------------------------------------------------------------------------------------
 */

static void keep(void *arg, const struct turn *t)
{
    json_object_array_add(arg, jdoc_new_str(t->text));
}

/* What a reader of the whole file gets: the oracle. */
static struct json_object *whole(const struct buf *b)
{
    struct json_object *ret = json_object_new_array();
    struct turns *t = turns_new(agent_unnamed(), keep, ret);

    turns_feed(t, b->data, b->len);
    turns_free(t);
    return ret;
}

static int write_it(const char *dir, const struct buf *b)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "%s/t.jsonl", dir);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, b->data, b->len), 0);
    return fd;
}

static void add_line(struct buf *b, size_t text, int n)
{
    buf_printf(b, "{\"type\":\"user\",\"message\":{\"content\":\"%d ", n);
    for (size_t i = 0; i < text; i++)
        buf_addc(b, (char)('a' + (i + (size_t)n) % 26));
    buf_addstr(b, "\"}}\n");
}

/* All pieces together tell what the whole file tells, in order, each turn once. */
static void same_as_whole(const char *dir, const struct buf *b)
{
    struct json_object *all = whole(b), *o = NULL, *turns;
    size_t at = 0;
    int64_t pieces = 1;
    int fd = write_it(dir, b);
    struct ct_err e;

    for (int64_t i = 0; i < pieces; i++) {
        assert_int_equal(pieces_tell(agent_unnamed(), fd, i, -1, &o, &e), 0);
        pieces = jdoc_int(o, "pieces", -1);
        assert_int_equal(jdoc_int(o, "size", -1), b->len);
        turns = jdoc_array(o, "turns");
        for (size_t k = 0; k < json_object_array_length(turns); k++, at++) {
            struct json_object *t = json_object_array_get_idx(turns, k), *one = NULL;
            const char *text = json_object_get_string(json_object_array_get_idx(all, at));
            int64_t length = jdoc_int(t, "length", (int64_t)strlen(text));
            assert_int_equal(length, strlen(text));
            assert_int_equal(strncmp(jdoc_str(t, "text"), text, strlen(jdoc_str(t, "text"))), 0);
            assert_true(strlen(jdoc_str(t, "text")) == strlen(text) ||
                        strlen(jdoc_str(t, "text")) == PIECES_TEXT);
            if (jdoc_has(t, "length") && length <= PIECES_WHOLE) {
                assert_int_equal(pieces_tell(agent_unnamed(), fd, i, (int64_t)k, &one, &e), 0);
                assert_string_equal(
                    jdoc_str(json_object_array_get_idx(jdoc_array(one, "turns"), 0), "text"), text);
                json_object_put(one);
            }
        }
        json_object_put(o);
    }
    assert_int_equal(at, json_object_array_length(all));
    assert_int_equal(pieces_tell(agent_unnamed(), fd, pieces, -1, &o, &e), b->len == 0 ? 0 : -1);
    if (b->len == 0)
        json_object_put(o);
    close(fd);
    json_object_put(all);
}

static void pieces_are_the_whole(void **state)
{
    struct buf b = {0};
    unsigned seed = 7;

    add_line(&b, 10, 1);
    same_as_whole(*state, &b);
    for (int round = 0; round < 12; round++) {
        buf_reset(&b);
        for (int n = 0; n < 60; n++) {
            size_t length;
            seed = seed * 1103515245 + 12345;
            length = (seed >> 8) % (n % 7 == 0 ? 400000 : 3000);
            add_line(&b, length, n);
            if (n % 11 == 0)
                buf_addstr(&b, "\n{torn\n");
        }
        same_as_whole(*state, &b);
    }
    buf_free(&b);
}

/* Where a line ends at the very border of two pieces, before it, behind it. */
static void borders_lose_and_double_nothing(void **state)
{
    for (int off = -3; off <= 3; off++) {
        struct buf b = {0}, one = {0};
        add_line(&one, 0, 1);
        add_line(&b, (size_t)(PIECES_BYTES + off) - one.len, 1);
        assert_int_equal(b.len, PIECES_BYTES + off);
        for (int n = 2; n < 6; n++)
            add_line(&b, 5, n);
        same_as_whole(*state, &b);
        buf_free(&one);
        buf_free(&b);
    }
}

static void a_line_that_is_being_written_is_not_told(void **state)
{
    struct buf b = {0};
    struct json_object *o;
    struct ct_err e;
    int fd;

    add_line(&b, 5, 1);
    buf_addstr(&b, "{\"type\":\"user\",\"message\":{\"content\":\"half");
    fd = write_it(*state, &b);
    assert_int_equal(pieces_tell(agent_unnamed(), fd, 0, -1, &o, &e), 0);
    assert_int_equal(json_object_array_length(jdoc_array(o, "turns")), 1);
    assert_int_equal(jdoc_int(o, "unread", -1), 0);
    json_object_put(o);
    close(fd);
    buf_free(&b);
}

/* A cut never leaves half a character, which would not be JSON. */
static void a_cut_is_whole_characters(void **state)
{
    for (int before = 0; before < 4; before++) {
        struct buf b = {0};
        struct json_object *o;
        struct ct_err e;
        const char *text;
        int fd;
        buf_printf(&b, "{\"type\":\"user\",\"message\":{\"content\":\"%.*s", before, "xxxx");
        for (int i = 0; i < 8000; i++)
            buf_addstr(&b, "\xE2\x98\x83");
        buf_addstr(&b, "\"}}\n");
        fd = write_it(*state, &b);
        assert_int_equal(pieces_tell(agent_unnamed(), fd, 0, -1, &o, &e), 0);
        text = jdoc_str(json_object_array_get_idx(jdoc_array(o, "turns"), 0), "text");
        assert_int_equal((strlen(text) - (size_t)before) % 3, 0);
        assert_true(strlen(text) > PIECES_TEXT - 3 && strlen(text) <= PIECES_TEXT);
        json_object_put(o);
        close(fd);
        buf_free(&b);
    }
}

/* "iVBORw0KGgo" is how a PNG begins. */
static void only_a_picture_is_given_as_one(void **state)
{
    static const char line[] =
        "{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"see\"},"
        "{\"type\":\"image\",\"source\":{\"media_type\":\"text/"
        "html\",\"data\":\"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABAAA=\"}},"
        "{\"type\":\"image\",\"source\":{\"data\":\"iVBORw0KGgoAAAANSUhEUgAAdTAAAHUwAAA=\"}},"
        "{\"type\":\"tool_result\",\"content\":[{\"type\":\"image\"},{\"type\":\"image\","
        "\"source\":"
        "{\"media_type\":\"image/png\",\"data\":\"PHN2Zz4AAAAA\"}},{\"type\":\"image\",\"source\":"
        "{\"data\":\"/9j/4AAA\"}},{\"type\":\"image\",\"source\":{\"data\":\"!!!!\"}}]}]}}\n";
    static const struct {
        int64_t turn, image;
        const char *type; /* NULL: refused */
    } rows[] = {
        {0, 0, NULL},         {1, 0, "image/png"}, {1, 1, NULL}, {1, -1, NULL},
        {2, 0, NULL},         {3, 0, NULL},        {3, 1, NULL}, {3, 3, NULL},
        {3, 2, "image/jpeg"}, {3, 4, NULL},        {9, 0, NULL},
    };
    struct buf b = {0};
    struct json_object *o;
    struct ct_err e;
    int fd;

    buf_addstr(&b, line);
    fd = write_it(*state, &b);
    assert_int_equal(pieces_tell(agent_unnamed(), fd, 0, -1, &o, &e), 0);
    assert_int_equal(jdoc_int(json_object_array_get_idx(jdoc_array(o, "turns"), 3), "images", 0),
                     4);
    json_object_put(o);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf image = {0};
        const char *type = NULL;
        int rc =
            pieces_image(agent_unnamed(), fd, 0, rows[i].turn, rows[i].image, &image, &type, &e);
        assert_int_equal(rc, rows[i].type != NULL ? 0 : -1);
        if (rc == 0)
            assert_string_equal(type, rows[i].type);
        buf_free(&image);
    }
    close(fd);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_our_page_may_ask),
        cmocka_unit_test(two_gates_have_nothing_in_common),
        cmocka_unit_test_setup_teardown(pieces_are_the_whole, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(borders_lose_and_double_nothing, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_line_that_is_being_written_is_not_told, unit_setup,
                                        unit_teardown),
        cmocka_unit_test_setup_teardown(only_a_picture_is_given_as_one, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_cut_is_whole_characters, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
