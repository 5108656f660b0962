#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "bundle/relocate/relocate.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"

static int collect(void *arg, const void *p, size_t n, struct ct_err *err)
{
    (void)err;
    buf_add(arg, p, n);
    return 0;
}

/* Relocate in pieces of at most ${piece} bytes, of random sizes if ${seed} is not NULL. */
static void relocate(const struct relocation *r, const char *text, size_t n, size_t piece,
                     unsigned int *seed, struct buf *ret)
{
    struct relocator *t = relocator_new(r, collect, ret);

    buf_reset(ret);
    while (n > 0) {
        size_t part = seed != NULL ? (size_t)rand_r(seed) % piece + 1 : piece;
        if (part > n)
            part = n;
        assert_int_equal(relocator_feed(t, text, part, NULL), 0);
        text += part;
        n -= part;
    }
    assert_int_equal(relocator_end(t, NULL), 0);
    relocator_free(t);
    buf_addc(ret, '\0');
    ret->len--;
}

static struct relocation *make(const char *cwd, const char *to_cwd, const char *home,
                               const char *to_home)
{
    const struct relocation_roots roots = {
        .source_cwd = cwd, .target_cwd = to_cwd, .source_home = home, .target_home = to_home};
    struct relocation *r;

    assert_int_equal(relocation_new(&roots, &r, NULL), 0);
    return r;
}

struct row {
    const char *text, *expected; /* NULL: the text stays */
};

static void check_rows(const struct relocation *r, const struct row *rows, size_t n)
{
    struct buf out = {0};

    for (size_t i = 0; i < n; i++) {
        const char *expected = rows[i].expected != NULL ? rows[i].expected : rows[i].text;
        size_t len = strlen(rows[i].text);
        relocate(r, rows[i].text, len, len + 1, NULL, &out);
        assert_string_equal(out.data, expected);
        for (size_t piece = 1; piece < 12; piece++) {
            relocate(r, rows[i].text, len, piece, NULL, &out);
            assert_string_equal(out.data, expected);
        }
    }
    buf_free(&out);
}

/* ---- tables ------------------------------------------------------------------------------------
 */

static void a_root_moves_and_nothing_else(void **state)
{
    static const struct row rows[] = {
        {"\"/home/al\"", "\"/home/bob\""},
        {"\"/home/al/x\"", "\"/home/bob/x\""},
        {"/home/al", "/home/bob"},
        {"\"/home/alice\"", NULL},
        {"\"/home/alice/home/al\"", NULL},
        {"\"/home/al-2\" \"/home/al_2\" \"/home/al.bak\" \"/home/al2\" \"/home/al~\"", NULL},
        {"\"/home/al+x\" \"/home/al@x\" \"/home/al%20x\"", NULL},
        {"\"/home/al\xC3\xA9\" \"/home/al\xF0\x9F\x98\x80\"", NULL},
        {"\"/Home/al\" \"/home/AL\" \"home/al\"", NULL},
        /* not the beginning of a path */
        {"\"/mnt/home/al\" \"./home/al\" \"~/home/al\" \"../home/al\" \"x/home/al\"", NULL},
        {"\"${X}/home/al\" \"$(pwd)/home/al\" \"*/home/al\" \"\xC3\xA9/home/al\"", NULL},
        {"\"http://home/al/x\" \"https://x.org/home/al\"", NULL},
        /* what ends it */
        {"/home/al /home/al\n/home/al\t/home/al", "/home/bob /home/bob\n/home/bob\t/home/bob"},
        {"/home/al:/home/al,/home/al;", "/home/bob:/home/bob,/home/bob;"},
        {"(/home/al) [/home/al] {/home/al} </home/al>",
         "(/home/bob) [/home/bob] {/home/bob} </home/bob>"},
        {"'/home/al' `/home/al` /home/al$ /home/al# /home/al=",
         "'/home/bob' `/home/bob` /home/bob$ /home/bob# /home/bob="},
        {"\xE2\x80\x9C/home/al\xE2\x80\x9D \xE3\x80\x81/home/al\xE3\x80\x82",
         "\xE2\x80\x9C/home/bob\xE2\x80\x9D \xE3\x80\x81/home/bob\xE3\x80\x82"},
        {"It is /home/al. It is /home/al...\"", "It is /home/bob. It is /home/bob...\""},
        {"\"in /home/al.\\n\" \"/home/al./x\" \"/home/al.\\\\x\"",
         "\"in /home/bob.\\n\" \"/home/al./x\" \"/home/al.\\\\x\""},
        /* what may stand before it */
        {"PATH=/home/al/bin:/home/al", "PATH=/home/bob/bin:/home/bob"},
        {"@/home/al/x me@host:/home/al/x //home/al", "@/home/bob/x me@host:/home/bob/x //home/bob"},
        {"-I/home/al/x -x/home/al a-b/home/al a-/home/al",
         "-I/home/bob/x -x/home/bob a-b/home/al a-/home/al"},
        {"\"\\n-/home/al\\n+/home/al\\n\"", "\"\\n-/home/bob\\n+/home/bob\\n\""},
        {"\"a\\n/home/al\\t/home/al\\r\\n/home/al\"",
         "\"a\\n/home/bob\\t/home/bob\\r\\n/home/bob\""},
        /* behind what colours it */
        {"\"\\u001b[32m/home/al/x\\u001b[0m\" \"\\u001B[1;31m/home/al\\u001b[m\"",
         "\"\\u001b[32m/home/bob/x\\u001b[0m\" \"\\u001B[1;31m/home/bob\\u001b[m\""},
        {"\x1B[0m/home/al [0m/home/al \\u001b[32mx/home/al",
         "\x1B[0m/home/bob [0m/home/al \\u001b[32mx/home/al"},
        /* Markdown's emphasis... */
        {"**/home/al/x.c** *** \"**/home/al**: x\" (**/home/al/x.c:12**)",
         "**/home/bob/x.c** *** \"**/home/bob**: x\" (**/home/bob/x.c:12**)"},
        {"\"a\\n**/home/al/x and y**\\n- ***/home/al/x***\"",
         "\"a\\n**/home/bob/x and y**\\n- ***/home/bob/x***\""},
        {"in */home/al/x.c*, _/home/al/a_b.c_ __/home/al/c__.",
         "in */home/bob/x.c*, _/home/bob/a_b.c_ __/home/bob/c__."},
        {"\"**\\/home\\/al\\/x**\" |**/home/al**|", "\"**\\/home\\/bob\\/x**\" |**/home/bob**|"},
        /* ...and globs */
        {"\"*/home/al/x*\" '*/home/al*' '**/home/al/x**' \"**/home/al/**\" */home/al/*", NULL},
        {"a/**/home/al/x** !**/home/al/x** ****/home/al/x**** **/home/al/x** */home/al/x **/*.c",
         "a/**/home/al/x** !**/home/al/x** ****/home/al/x**** **/home/bob/x** */home/al/x **/*.c"},
        {"**/home/al/x*** **/home/al/x **/home/al/x\n**", NULL},
        {"\"**/home/al/x\\n**\" \"**/home/al/x\" ** \"*/home/al/x y*\" _/home/al_", NULL},
        {"**/home/al/x **b", NULL},
        /* twice in a row */
        {"/home/al/home/al /home/al//home/al", "/home/bob/home/al /home/bob//home/al"},
        {"", NULL},
        {"/", NULL},
        {"\\u00", NULL},
        {"/home/a", NULL},
    };
    struct relocation *r = make(NULL, NULL, "/home/al", "/home/bob");

    (void)state;
    check_rows(r, rows, sizeof(rows) / sizeof(rows[0]));
    relocation_free(r);
}

static void a_root_is_found_however_it_is_spelled(void **state)
{
    static const struct row rows[] = {
        {"\"\\/home\\/al\\/x\"", "\"\\/home\\/bob\\/x\""},
        {"\"\\u002fhome\\u002Fal/x\"", "\"\\u002fhome/bob/x\""},
        {"\"/h\\u006fme/\\u0061\\u006C/x\"", "\"/home/bob/x\""},
        {"\"/home/al\\u002fx\"", "\"/home/bob\\u002fx\""},
        {"\"/home/al\\u0061\" \"/home/al\\u00e9\" \"/home/al\\ud83d\\ude00\"", NULL},
        {"\"/home/al\\u0020x\\u000a/home/al\"", "\"/home/bob\\u0020x\\u000a/home/bob\""},
        {"\"x\\u0061/home/al\"", NULL},
        {"\"/home/al\\n\" \"/home/al\\\"\" \"/home/al\\\\x\"",
         "\"/home/bob\\n\" \"/home/bob\\\"\" \"/home/bob\\\\x\""},
        /* JSON within JSON */
        {"\"{\\\"cwd\\\":\\\"/home/al/x\\\",\\\"a\\\":\\\"/home/al\\\"}\"",
         "\"{\\\"cwd\\\":\\\"/home/bob/x\\\",\\\"a\\\":\\\"/home/bob\\\"}\""},
        {"\"{\\\"a\\\":\\\"\\\\/home\\\\/al\\\\/x\\\\n/home/al\\\"}\"",
         "\"{\\\"a\\\":\\\"\\\\/home\\\\/bob\\\\/x\\\\n/home/bob\\\"}\""},
        {"\"{\\\"a\\\":\\\"/home/\\\\u0061l\\\"}\"", "\"{\\\"a\\\":\\\"/home/bob\\\"}\""},
        /* URLs */
        {"file:///home/al/x file:///home/al \"file:\\/\\/\\/home\\/al\\/x\"",
         "file:///home/bob/x file:///home/bob \"file:\\/\\/\\/home\\/bob\\/x\""},
        {"file:///home/%61l/x file:///home%2Fal file:///home/al%20x file:///home/al%2fx",
         "file:///home/bob/x file:///home%2Fal file:///home/al%20x file:///home/al%2fx"},
        {"file://localhost/home/al/x file://other/home/al/x",
         "file://localhost/home/bob/x file://other/home/al/x"},
    };
    struct relocation *r = make(NULL, NULL, "/home/al", "/home/bob");

    (void)state;
    check_rows(r, rows, sizeof(rows) / sizeof(rows[0]));
    relocation_free(r);
}

static void the_longer_root_comes_first(void **state)
{
    static const struct row rows[] = {
        {"/home/al/p/x /home/al/p /home/al/q /home/al/pp",
         "/srv/p/x /srv/p /home/bob/q /home/bob/pp"},
        /* what was put there is not looked at again */
        {"/home/al/p/home/al/p", "/srv/p/home/al/p"},
    };
    static const struct row outside[] = {
        {"/home/al/x /data/w/x /data/wx", "/data/w/x /home/al/x /data/wx"},
    };
    struct relocation *r = make("/home/al/p", "/srv/p", "/home/al", "/home/bob");

    (void)state;
    check_rows(r, rows, sizeof(rows) / sizeof(rows[0]));
    relocation_free(r);
    r = make("/data/w", "/home/al", "/home/al", "/data/w");
    check_rows(r, outside, 1);
    relocation_free(r);
    /* The longer one may be the one that stays. */
    r = make("/home/al/p", "/home/al/p", "/home/al", "/home/bob");
    check_rows(r, (const struct row[]){{"/home/al/p/x /home/al/q", "/home/al/p/x /home/bob/q"}}, 1);
    relocation_free(r);
}

static void the_whole_file_system_is_a_target_too(void **state)
{
    static const struct row posix[] = {
        {"\"/home/al\" \"/home/al/.bashrc\" /home/al/ /home/al: /home/al//x",
         "\"/\" \"/.bashrc\" / /: //x"},
        {"\"\\/home\\/al\\/x\" \"\\u002fhome\\u002fal\\u002fx\"", "\"\\/x\" \"\\u002fx\""},
        {"file:///home/al/x%20y \"in /home/al\\n/home/al/x\"", "file:///x%20y \"in /\\n/x\""},
    };
    static const struct row windows[] = {
        {"\"C:\\\\Users\\\\al\\\\x\\\\y\" \"c:/Users/al/x\" \"C:\\\\Users\\\\al\"",
         "\"/x/y\" \"/x\" \"/\""},
        {"file:///C:/Users/al/x", "file:///x"},
    };
    struct relocation *r = make(NULL, NULL, "/home/al", "/");

    (void)state;
    check_rows(r, posix, sizeof(posix) / sizeof(posix[0]));
    relocation_free(r);
    r = make(NULL, NULL, "C:\\Users\\al", "/");
    check_rows(r, windows, sizeof(windows) / sizeof(windows[0]));
    relocation_free(r);
}

static void awkward_targets_leave_json(void **state)
{
    static const struct row rows[] = {
        {"\"/home/al/x\"", "\"/h/a\\\"b\\\\c \xC3\xA9/x\""},
        {"\"{\\\"a\\\":\\\"/home/al/x\\\"}\"",
         "\"{\\\"a\\\":\\\"/h/a\\\\\\\"b\\\\\\\\c \xC3\xA9/x\\\"}\""},
        {"\"\\/home\\/al\\/x\"", "\"\\/h\\/a\\\"b\\\\c \xC3\xA9\\/x\""},
        {"file:///home/al/x", "file:///h/a%22b%5Cc%20%C3%A9/x"},
    };
    static const struct row wide[] = {
        {"\"/home/jos\xC3\xA9/\xF0\x9F\x98\x80\"", "\"/h/\xC3\xBC\xF0\x9F\x9A\x80\""},
        {"\"/home/jos\\u00e9/\\ud83d\\ude00/x\"", "\"/h/\\u00fc\\ud83d\\ude80/x\""},
        {"\"{\\\"a\\\":\\\"/home/jos\\\\u00E9/\\\\ud83d\\\\ude00\\\"}\"",
         "\"{\\\"a\\\":\\\"/h/\\\\u00fc\\\\ud83d\\\\ude80\\\"}\""},
        {"file:///home/jos%C3%A9/%f0%9f%98%80/x", "file:///h/%C3%BC%F0%9F%9A%80/x"},
        {"\"/home/jos\\u00e8/\\ud83d\\ude00/x\" \"/home/jos\xC3\xA9/\\ud83d\\ude01\"", NULL},
        {"\"/home/jose/\xF0\x9F\x98\x80\"", NULL},
    };
    static const struct row quotes[] = {
        {"\"/h/a\\\"b\\\\c/x\"", "\"/home/al/x\""},
        {"\"{\\\"a\\\":\\\"/h/a\\\\\\\"b\\\\\\\\c\\\"}\"", "\"{\\\"a\\\":\\\"/home/al\\\"}\""},
    };
    struct relocation *r = make(NULL, NULL, "/home/al", "/h/a\"b\\c \xC3\xA9");

    (void)state;
    check_rows(r, rows, sizeof(rows) / sizeof(rows[0]));
    relocation_free(r);
    r = make(NULL, NULL, "/home/jos\xC3\xA9/\xF0\x9F\x98\x80", "/h/\xC3\xBC\xF0\x9F\x9A\x80");
    check_rows(r, wide, sizeof(wide) / sizeof(wide[0]));
    relocation_free(r);
    r = make(NULL, NULL, "/h/a\"b\\c", "/home/al");
    check_rows(r, quotes, sizeof(quotes) / sizeof(quotes[0]));
    relocation_free(r);
}

static void windows_becomes_posix(void **state)
{
    static const struct row rows[] = {
        {"\"cwd\":\"C:\\\\Users\\\\a\\\\proj\"", "\"cwd\":\"/home/b/w\""},
        {"\"C:\\\\Users\\\\a\\\\proj\\\\src\\\\x y\\\\m.c\"", "\"/home/b/w/src/x y/m.c\""},
        {"\"C:\\\\Users\\\\a\\\\other\\\\x\" \"c:\\\\Users\\\\a\"",
         "\"/home/b/other/x\" \"/home/b\""},
        {"\"C:/Users/a/proj/src\" \"C:\\/Users\\/a\\/proj\\/src\"",
         "\"/home/b/w/src\" \"/home/b/w\\/src\""},
        {"\"C:\\\\Users\\\\alice\" \"C:\\\\Users\\\\a2\\\\x\" \"D:\\\\Users\\\\a\"", NULL},
        {"\"XC:\\\\Users\\\\a\" \"C:\\\\users\\\\a\"", NULL},
        /* the rest of a path ends where a name can't go on */
        {"\"run C:\\\\Users\\\\a\\\\x.exe D:\\\\y\\nC:\\\\Users\\\\a\\\\z\\n\"",
         "\"run /home/b/x.exe D:\\\\y\\n/home/b/z\\n\""},
        {"\"C:\\\\Users\\\\a\\\\\" \"C:\\\\Users\\\\a\\\\x\\\"y\"",
         "\"/home/b/\" \"/home/b/x\\\"y\""},
        {"\"C:\\\\Users\\\\a\\\\\\u00e9t\\u00e9\\\\x\"", "\"/home/b/\\u00e9t\\u00e9/x\""},
        /* JSON within JSON */
        {"\"{\\\"p\\\":\\\"C:\\\\\\\\Users\\\\\\\\a\\\\\\\\x\\\\\\\\y\\\",\\\"q\\\":1}\"",
         "\"{\\\"p\\\":\\\"/home/b/x/y\\\",\\\"q\\\":1}\""},
        {"\"{\\\"p\\\":\\\"C:\\\\\\\\Users\\\\\\\\a\\\\\\\\x\\\\n\\\\\\\\y\\\"}\"",
         "\"{\\\"p\\\":\\\"/home/b/x\\\\n\\\\\\\\y\\\"}\""},
        {"\"\\u0043:\\\\Users\\\\\\u0061\\\\x\" \"C\\u003a\\u005cUsers\\u005Ca/x\"",
         "\"/home/b/x\" \"/home/b/x\""},
        {"file:///C:/Users/a/x file:///c%3A/Users/a/x", "file:///home/b/x file:///home/b/x"},
    };
    struct relocation *r = make("C:\\Users\\a\\proj\\", "/home/b/w", "C:\\Users\\a", "/home/b/");

    (void)state;
    check_rows(r, rows, sizeof(rows) / sizeof(rows[0]));
    relocation_free(r);
    /* A name that looks like the beginning of an escape. */
    r = make("D:\\u", "/home/b", NULL, NULL);
    check_rows(r, (const struct row[]){{"\"D:\\\\u\"", "\"/home/b\""}, {"D:\\\\u", "/home/b"}}, 2);
    relocation_free(r);
}

static void a_share_becomes_posix(void **state)
{
    static const struct row rows[] = {
        {"\"cwd\":\"\\\\\\\\srv\\\\home\\\\a\"", "\"cwd\":\"/home/b\""},
        {"\"\\\\\\\\srv\\\\home\\\\a\\\\proj\\\\src\\\\x y\\\\m.c\"", "\"/home/b/w/src/x y/m.c\""},
        {"\"//srv/home/a/x\" \"\\\\\\\\srv/home\\\\a/x\\\\y\"", "\"/home/b/x\" \"/home/b/x/y\""},
        {"\"see \\\\\\\\srv\\\\home\\\\a\\\\x.c, or\\n\\\\\\\\srv\\\\home\\\\a\\\\y.c\\n\"",
         "\"see /home/b/x.c, or\\n/home/b/y.c\\n\""},
        {"\"\\\\\\\\srv\\\\home\\\\alice\" \"\\\\\\\\srv2\\\\home\\\\a\" \"\\\\\\\\srv\\\\a\"",
         NULL},
        {"\"\\\\srv\\\\home\\\\a\" \"\\\\\\\\\\\\\\\\srv\\\\home\\\\a\" \"/srv/home/a\"", NULL},
        {"\"http://srv/home/a smb://srv/home/a x//srv/home/a ///srv/home/a\"", NULL},
        {"file://srv/home/a/x file://srv/home/a2", "file:///home/b/x file://srv/home/a2"},
        /* JSON within JSON */
        {"\"{\\\"p\\\":\\\"\\\\\\\\\\\\\\\\srv\\\\\\\\home\\\\\\\\a\\\\\\\\x\\\\\\\\y\\\","
         "\\\"q\\\":1}\"",
         "\"{\\\"p\\\":\\\"/home/b/x/y\\\",\\\"q\\\":1}\""},
    };
    struct relocation *r =
        make("\\\\srv\\home\\a\\proj\\", "/home/b/w", "\\\\srv\\home\\a", "/home/b/");
    char *moved = relocation_path(r, "//srv/home/a/x"),
         *other = relocation_path(r, "|\\srv\\home\\a");

    (void)state;
    check_rows(r, rows, sizeof(rows) / sizeof(rows[0]));
    assert_string_equal(moved, "/home/b/x");
    assert_string_equal(other, "|\\srv\\home\\a");
    free(moved);
    free(other);
    relocation_free(r);
}

static void what_is_no_root_changes_nothing(void **state)
{
    static const struct {
        const char *source, *target;
    } idle[] = {
        {"/", "/home/b"},         {"C:\\", "/home/b"},       {"\\\\host\\", "/home/b"},
        {"/home/al", "/home/al"}, {"/home/al/", "/home/al"}, {NULL, NULL},
    };
    static const char *const bad[] = {"home/al", "", "~/x", "/a\nb", "/a\xFF"};
    struct ct_err err;

    (void)state;
    for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
        struct relocation *r = make(idle[i].source, idle[i].target, NULL, NULL);
        assert_true(relocation_is_idle(r));
        check_rows(r, (const struct row[]){{"/home/al C:\\\\x /", NULL}}, 1);
        relocation_free(r);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct relocation_roots roots = {.source_cwd = bad[i], .target_cwd = "/x"};
        struct relocation *r = NULL;
        assert_int_equal(relocation_new(&roots, &r, &err), -1);
        assert_int_equal(err.code, ERR_REFUSED);
        roots = (struct relocation_roots){.source_cwd = "/x", .target_cwd = bad[i]};
        assert_int_equal(relocation_new(&roots, &r, &err), -1);
        assert_null(r);
    }
}

static void a_plain_path_moves_as_a_whole(void **state)
{
    static const struct {
        const char *path, *moved;
    } posix[] = {
        {"/home/al", "/home/bob"},   {"/home/al/p/x \\y", "/srv/p/x \\y"},
        {"/home/al/p", "/srv/p"},    {"/home/alice", "/home/alice"},
        {"/home/al/", "/home/bob/"}, {"x/home/al", "x/home/al"},
    };
    struct relocation *r = make("/home/al/p", "/srv/p", "/home/al", "/home/bob");
    char *moved;

    (void)state;
    for (size_t i = 0; i < sizeof(posix) / sizeof(posix[0]); i++) {
        moved = relocation_path(r, posix[i].path);
        assert_string_equal(moved, posix[i].moved);
        free(moved);
    }
    relocation_free(r);
    r = make("C:\\Users\\a", "/home/b", NULL, NULL);
    moved = relocation_path(r, "c:/Users\\a\\x\\y z");
    assert_string_equal(moved, "/home/b/x/y z");
    free(moved);
    relocation_free(r);
    r = make("/home/al", "/", NULL, NULL);
    moved = relocation_path(r, "/home/al");
    assert_string_equal(moved, "/");
    free(moved);
    moved = relocation_path(r, "/home/al/x");
    assert_string_equal(moved, "/x");
    free(moved);
    relocation_free(r);
}

/* ---- properties --------------------------------------------------------------------------------
 */

/* Text that is full of almost-roots. */
static void random_text(unsigned int *seed, const char *const *words, size_t n_words, struct buf *b)
{
    int n = rand_r(seed) % 60;

    buf_reset(b);
    for (int i = 0; i < n; i++)
        buf_addstr(b, words[(size_t)rand_r(seed) % n_words]);
    buf_addc(b, '\0');
    b->len--;
}

static const char *const words[] = {
    "/home/al", "/home/al",     "/home", "/al",     "/",   "al", "ice",  "\"", "\\\"",
    "\\n",      "\\\\x",        "/p",    " ",       "\n",  ".",  "{",    ":",  "/home/al/p",
    "\xC3\xA9", "\\u00",        "\\\\n", "file://", "%2F", "-",  "home", "a",  "+",
    "_",        "\xE2\x80\x9C", "\xFF",  "\\u0",    "(",
};

/* As some writers of JSON do: all of them. */
static void escape_slashes(struct buf *b)
{
    struct buf old = *b;

    *b = (struct buf){0};
    for (size_t i = 0; i < old.len; i++) {
        if (old.data[i] == '/')
            buf_addc(b, '\\');
        buf_addc(b, old.data[i]);
    }
    buf_addc(b, '\0');
    b->len--;
    buf_free(&old);
}

static void there_and_back_is_the_identity(void **state)
{
    static const struct {
        const char *cwd, *to_cwd, *home, *to_home;
    } moves[] = {
        {"/home/al/p", "/srv/quite another/place", "/home/al", "/Users/bob"},
        {"/home/al/p", "/x", "/home/al", "/y"},
        {NULL, NULL, "/home/al", "/root"},
        {"/home/al/p", "/home/bob/q", "/home/al", "/home/bob"},
        {"/home/al", "/t/\xC3\xBC\xF0\x9F\x9A\x80", "/h", "/h"},
    };
    unsigned int seed = 20261125;
    struct buf text = {0}, there = {0}, back = {0};
    size_t moved = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t m = (size_t)round % (sizeof(moves) / sizeof(moves[0]));
        struct relocation *to, *from;
        random_text(&seed, words, sizeof(words) / sizeof(words[0]), &text);
        if (round % 2 == 1)
            escape_slashes(&text);
        to = make(moves[m].cwd, moves[m].to_cwd, moves[m].home, moves[m].to_home);
        from = make(moves[m].to_cwd, moves[m].cwd, moves[m].to_home, moves[m].home);
        relocate(to, text.data, text.len, text.len + 1, NULL, &there);
        relocate(from, there.data, there.len, there.len + 1, NULL, &back);
        moved += there.len != text.len;
        if (back.len != text.len || memcmp(back.data, text.data, text.len) != 0)
            fail_msg("%s\n became %s\n and then %s", text.data, there.data, back.data);
        /* However the text comes in, it comes out the same. */
        relocate(to, text.data, text.len, 20, &seed, &back);
        assert_int_equal(back.len, there.len);
        assert_memory_equal(back.data, there.data, there.len);
        relocation_free(to);
        relocation_free(from);
    }
    assert_true(moved > 5000);
    buf_free(&text);
    buf_free(&there);
    buf_free(&back);
}

static void pieces_do_not_matter_however_a_text_is_spelled(void **state)
{
    static const char *const spelled[] = {
        "C:",
        "\\\\",
        "Users",
        "a",
        "C:\\\\Users\\\\a",
        "\\\\\\\\",
        "C:\\\\\\\\Users\\\\\\\\a",
        "/",
        "\\u0061",
        "\\u00e9",
        "\\ud83d",
        "\\ude00",
        "\"",
        "\\\"",
        " ",
        "\\n",
        "\\u005c",
        "\\",
        "x",
        "file:///",
        "%3A",
        "C:/Users/a",
        "\xF0\x9F\x98\x80",
        "\\u",
        "00",
        ":",
        ".",
        "\\u0043:",
        "\\\\\\\\s\\\\h\\\\a",
        "//s/h/a",
    };
    const struct relocation_pair share = {(char[]){"\\\\s\\h\\a"}, (char[]){"/y"}};
    const struct relocation_roots roots = {.source_cwd = "C:\\Users\\a",
                                           .target_cwd = "/home/\"b",
                                           .source_home = "/home/\xF0\x9F\x98\x80",
                                           .target_home = "/z",
                                           .more = &share,
                                           .n_more = 1};
    struct relocation *r;
    unsigned int seed = 7;
    struct buf text = {0}, whole = {0}, cut = {0};

    (void)state;
    assert_int_equal(relocation_new(&roots, &r, NULL), 0);
    for (int round = 0; round < 20000; round++) {
        random_text(&seed, spelled, sizeof(spelled) / sizeof(spelled[0]), &text);
        relocate(r, text.data, text.len, text.len + 1, NULL, &whole);
        relocate(r, text.data, text.len, 12, &seed, &cut);
        if (whole.len != cut.len || memcmp(whole.data, cut.data, cut.len) != 0)
            fail_msg("%s\n becomes %s\n in pieces %s", text.data, whole.data, cut.data);
    }
    /* Farther back than anybody looks. */
    for (size_t run = 50; run < 140; run++) {
        buf_reset(&text);
        for (size_t i = 0; i < run; i++)
            buf_addc(&text, '\\');
        buf_addstr(&text, "/home/\xF0\x9F\x98\x80/x");
        relocate(r, text.data, text.len, text.len + 1, NULL, &whole);
        relocate(r, text.data, text.len, 1, NULL, &cut);
        assert_string_equal(cut.data, whole.data);
    }
    relocation_free(r);
    buf_free(&text);
    buf_free(&whole);
    buf_free(&cut);
}

/* A document with paths in it, in any spelling, stays one, and says what it should. */
static void a_document_stays_one(void **state)
{
    static const char *const texts[] = {
        "/home/al", "/home/al/x y",    "in /home/al/\"q\"\n",    "/home/alice",
        "\xC3\xA9", "/home/al\n\t\\x", "{\"a\":\"/home/al/x\"}",
    };
    static const int flags[] = {JSON_C_TO_STRING_PLAIN,
                                JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE};
    static const char *const moved[] = {
        "/b\"/\xC3\xBC",
        "/b\"/\xC3\xBC/x y",
        "in /b\"/\xC3\xBC/\"q\"\n",
        "/home/alice",
        "\xC3\xA9",
        "/b\"/\xC3\xBC\n\t\\x",
        NULL,
    };
    struct relocation *r = make(NULL, NULL, "/home/al", "/b\"/\xC3\xBC");
    struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(texts) / sizeof(texts[0]); i++) {
        struct json_object *o = json_object_new_object(), *back, *inner;
        const char *text;
        jdoc_set_str(o, "v", texts[i / 2]);
        text = json_object_to_json_string_ext(o, flags[i % 2]);
        relocate(r, text, strlen(text), 5, NULL, &out);
        assert_int_equal(jdoc_parse(out.data, out.len, &back, NULL), 0);
        if (moved[i / 2] != NULL) {
            assert_string_equal(jdoc_str(back, "v"), moved[i / 2]);
        } else {
            text = jdoc_str(back, "v");
            assert_int_equal(jdoc_parse(text, strlen(text), &inner, NULL), 0);
            assert_string_equal(jdoc_str(inner, "a"), "/b\"/\xC3\xBC/x");
            json_object_put(inner);
        }
        json_object_put(back);
        json_object_put(o);
    }
    relocation_free(r);
    buf_free(&out);
}

/* The data folder's project folder is a root like the others, the longest one; what is exact stays.
 */
static void further_roots_move_and_what_is_exact_stays(void **state)
{
    struct relocation_pair more[] = {
        {(char *)"/home/al/.claude/projects/-home-al-p", (char *)"/home/bob/.claude/projects/-w-q"},
        {(char *)"/data", (char *)"/home/bob/.claude"},
    };
    const struct relocation_roots roots = {
        .source_cwd = "/home/al/p",
        .target_cwd = "/w/q",
        .source_home = "/home/al",
        .target_home = "/home/bob",
        .more = more,
        .n_more = 2,
    };
    static const char text[] =
        "{\"a\":\"/home/al/.claude/projects/-home-al-p/x /home/al/.claude/projects/-home-al-p-2/x "
        "/home/al/p/y /data/z\",\"b\":";
    static const char signed_text[] = "\"in /home/al/p\"", rest[] = ",\"c\":\"/home/al/p\"}";
    struct relocation *r;
    struct relocator *t;
    struct buf out = {0};

    (void)state;
    assert_int_equal(relocation_new(&roots, &r, NULL), 0);
    t = relocator_new(r, collect, &out);
    assert_int_equal(relocator_feed(t, text, strlen(text), NULL), 0);
    assert_int_equal(relocator_exact(t, signed_text, strlen(signed_text), NULL), 0);
    assert_int_equal(relocator_feed(t, rest, strlen(rest), NULL), 0);
    assert_int_equal(relocator_end(t, NULL), 0);
    assert_string_equal(out.data,
                        "{\"a\":\"/home/bob/.claude/projects/-w-q/x "
                        "/home/bob/.claude/projects/-home-al-p-2/x /w/q/y /home/bob/.claude/z\","
                        "\"b\":\"in /home/al/p\",\"c\":\"/w/q\"}");
    relocator_free(t);
    relocation_free(r);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_moves_and_nothing_else),
        cmocka_unit_test(a_root_is_found_however_it_is_spelled),
        cmocka_unit_test(the_longer_root_comes_first),
        cmocka_unit_test(the_whole_file_system_is_a_target_too),
        cmocka_unit_test(awkward_targets_leave_json),
        cmocka_unit_test(windows_becomes_posix),
        cmocka_unit_test(a_share_becomes_posix),
        cmocka_unit_test(what_is_no_root_changes_nothing),
        cmocka_unit_test(a_plain_path_moves_as_a_whole),
        cmocka_unit_test(there_and_back_is_the_identity),
        cmocka_unit_test(pieces_do_not_matter_however_a_text_is_spelled),
        cmocka_unit_test(a_document_stays_one),
        cmocka_unit_test(further_roots_move_and_what_is_exact_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
