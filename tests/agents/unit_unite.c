#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>

#include "agents/agent.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/strlist.h"

#include "tests/unit.h"

/* ---- one merge ---------------------------------------------------------------------------------
 */

static int file_of(const char *text, size_t n)
{
    char path[] = "/tmp/ct-unite.XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(file_write_all(fd, text, n), 0);
    return fd;
}

static int try(const char *ours, const char *theirs, const struct strlist *renamed, struct buf *out,
               struct unite_result *r, struct ct_err *e)
{
    struct unite_opts o = {
        .agent = agent_unnamed(),
        .ours = {file_of(ours, strlen(ours)), (int64_t)strlen(ours)},
        .theirs = {file_of(theirs, strlen(theirs)), (int64_t)strlen(theirs)},
        .renamed = renamed,
    };
    int fd = file_of("", 0), rc = agent_unnamed()->unite(&o, fd, r, e);

    buf_reset(out);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(file_read_fd(fd, "out", 1 << 28, out, NULL), 0);
    close(fd);
    close(o.ours.fd);
    close(o.theirs.fd);
    return rc;
}

static struct unite_result unite(const char *ours, const char *theirs, struct buf *out)
{
    struct unite_result r;
    struct ct_err e;

    if (try(ours, theirs, NULL, out, &r, &e) != 0)
        fail_msg("%s", e.msg);
    return r;
}

static void check(const char *ours, const char *theirs, const char *both)
{
    struct buf out = {0};

    unite(ours, theirs, &out);
    assert_string_equal(out.len > 0 ? out.data : "", both);
    buf_free(&out);
}

/* A record: its id, its parent ("" for none), its second. */
#define R(id, parent, second) \
    "{\"type\":\"user\",\"uuid\":\"" id "\",\"parentUuid\":\"" parent \
    "\",\"timestamp\":\"2026-11-30T10:00:" second ".000Z\",\"message\":{\"content\":\"x\"}}\n"
#define MODE(x) "{\"type\":\"mode\",\"mode\":\"" x "\"}\n"
#define SNAP(id, file) \
    "{\"type\":\"file-history-snapshot\",\"messageId\":\"" id \
    "\",\"snapshot\":{\"trackedFileBackups\":{\"a\":{\"backupFileName\":\"" file "\"}}}}\n"
#define CUT(id, second) \
    "{\"parentUuid\":null,\"logicalParentUuid\":\"a\",\"type\":\"system\",\"subtype\":" \
    "\"compact_boundary\",\"uuid\":\"" id "\",\"timestamp\":\"2026-11-30T10:00:" second \
    ".000Z\"}\n"

#define STEM MODE("0") R("a", "", "01") R("b", "a", "02")

static void the_branch_that_was_worked_on_last_comes_last(void **state)
{
    (void)state;
    check(STEM R("c", "b", "03"), STEM R("d", "b", "04"), STEM R("c", "b", "03") R("d", "b", "04"));
    check(STEM R("d", "b", "04"), STEM R("c", "b", "03"), STEM R("c", "b", "03") R("d", "b", "04"));
    check(STEM, STEM R("c", "b", "03"), STEM R("c", "b", "03"));
    check(STEM R("c", "b", "03"), STEM, STEM R("c", "b", "03"));
    check("", STEM, STEM);
    check(STEM, "", STEM);
}

static void what_has_no_id_is_from_the_active_branch_or_goes_with_its_record(void **state)
{
    (void)state;
    check(STEM MODE("1") SNAP("c", "f") R("c", "b", "03") SNAP("b", "g") MODE("2"),
          STEM R("d", "b", "04") MODE("3"),
          STEM SNAP("c", "f") R("c", "b", "03") R("d", "b", "04") MODE("3"));
}

static void a_compacted_branch_comes_before_what_it_would_hide(void **state)
{
    (void)state;
    check(STEM R("c", "b", "03") CUT("k", "03") R("e", "k", "03"), STEM R("d", "b", "04"),
          MODE("0") CUT("k", "03") R("e", "k", "03") R("a", "", "01") R("b", "a", "02")
              R("c", "b", "03") R("d", "b", "04"));
    /* The active one's own boundary stays where it is. */
    check(STEM R("c", "b", "03"), STEM CUT("k", "04") R("d", "k", "05"),
          STEM R("c", "b", "03") CUT("k", "04") R("d", "k", "05"));
}

static void what_cant_be_read_stays(void **state)
{
    (void)state;
    check(STEM "{\"torn\n\n" R("c", "b", "03"), STEM "{\"worn\n" R("d", "b", "04") "{\"tail",
          STEM "{\"worn\n{\"torn\n" R("c", "b", "03") R("d", "b", "04") "{\"tail\n");
    check(STEM "{\"torn\n" R("c", "b", "03"), STEM "{\"torn\n" R("d", "b", "04"),
          STEM "{\"torn\n" R("c", "b", "03") R("d", "b", "04"));
}

static void a_parent_comes_first_wherever_it_stands_and_a_circle_ends(void **state)
{
    struct buf out = {0};
    struct unite_result r;

    (void)state;
    /* Its parent is torn here, and there. */
    check(R("b", "a", "02") R("c", "b", "03"), R("a", "", "01") R("d", "a", "04"),
          R("a", "", "01") R("b", "a", "02") R("c", "b", "03") R("d", "a", "04"));
    check(R("b", "x", "02") R("c", "b", "03"), R("b", "x", "02") R("d", "b", "04"),
          R("b", "x", "02") R("c", "b", "03") R("d", "b", "04"));
    check(R("c", "b", "03") R("b", "a", "02") R("a", "", "01"), R("a", "", "01") R("d", "a", "04"),
          R("a", "", "01") R("b", "a", "02") R("c", "b", "03") R("d", "a", "04"));
    r = unite(R("a", "b", "01") R("b", "a", "02") R("e", "e", "02"),
              R("a", "b", "01") R("c", "d", "04") R("d", "c", "04"), &out);
    assert_int_equal(r.shared, 1);
    assert_int_equal(r.only_ours, 2);
    assert_int_equal(r.only_theirs, 2);
    assert_int_equal(out.len, 5 * strlen(R("a", "b", "01")));
    buf_free(&out);
}

static void of_what_both_have_ours_counts(void **state)
{
    (void)state;
    check(R("a", "", "01") R("c", "a", "02"), R("a", "z", "09") R("d", "a", "04"),
          R("a", "", "01") R("c", "a", "02") R("d", "a", "04"));
    check(R("a", "", "01") R("a", "", "02") R("c", "a", "02"), R("a", "z", "09") R("d", "a", "04"),
          R("a", "", "02") R("c", "a", "02") R("d", "a", "04"));
}

static void the_other_branch_learns_the_new_names_of_its_files(void **state)
{
    struct strlist names = {0};
    struct buf out = {0};
    struct unite_result r;
    struct ct_err e;

    (void)state;
    strlist_add(&names, "f@v2");
    strlist_add(&names, "f@v7");
    strlist_add(&names, "f@v8");
    assert_int_equal(try(STEM R("c", "b", "03") SNAP("c", "f@v2"),
                         STEM R("d", "b", "04") SNAP("d", "f@v2"), &names, &out, &r, &e),
                     0);
    assert_false(r.is_ours_active);
    assert_string_equal(out.data, STEM R("c", "b", "03") SNAP("c", "f@v7") R("d", "b", "04")
                                      SNAP("d", "f@v2"));
    assert_int_equal(try(STEM R("d", "b", "04") SNAP("d", "f@v2"),
                         STEM R("c", "b", "03") SNAP("c", "f@v2"), &names, &out, &r, &e),
                     0);
    assert_string_equal(out.data, STEM R("c", "b", "03") SNAP("c", "f@v8") R("d", "b", "04")
                                      SNAP("d", "f@v2"));
    strlist_free(&names);
    buf_free(&out);
}

static void messages_without_ids_are_refused(void **state)
{
    struct buf out = {0};
    struct unite_result r;
    struct ct_err e;

    (void)state;
    assert_int_equal(
        try(STEM, "{\"type\":\"user\",\"message\":{\"content\":\"x\"}}\n", NULL, &out, &r, &e), -1);
    assert_int_equal(e.code, ERR_REFUSED);
    assert_non_null(strstr(e.msg, "without an ID"));
    buf_free(&out);
}

/* ---- a model of it -----------------------------------------------------------------------------
 */

#define LINES 120

struct text {
    char *line[2 * LINES];
    size_t n;
};

static uint64_t dice;

static unsigned roll(unsigned n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(dice >> 33) % n;
}

static void add(struct text *t, char *line)
{
    assert_true(t->n < sizeof(t->line) / sizeof(t->line[0]));
    t->line[t->n++] = line;
}

static void copy(struct text *to, const struct text *from)
{
    to->n = 0;
    for (size_t i = 0; i < from->n; i++)
        add(to, strdup(from->line[i]));
}

static void drop(struct text *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->line[i]);
    t->n = 0;
}

/* What stands behind "key":" in a line, or NULL. */
static const char *member(const char *line, const char *key, char ret[32])
{
    char quoted[40];
    const char *p;

    snprintf(quoted, sizeof(quoted), "\"%s\":\"", key);
    p = line[0] == '{' && line[strlen(line) - 1] == '}' ? strstr(line, quoted) : NULL;
    if (p == NULL)
        return NULL;
    snprintf(ret, 32, "%.*s", (int)strcspn(p + strlen(quoted), "\""), p + strlen(quoted));
    return ret;
}

static size_t find(const struct text *t, const char *id)
{
    char own[32];

    for (size_t i = 0; i < t->n; i++) {
        if (member(t->line[i], "uuid", own) != NULL && strcmp(own, id) == 0)
            return i;
    }
    return SIZE_MAX;
}

/* The id of some record in it, the last ones more often; "" now and then. */
static void some_id(const struct text *t, char ret[32])
{
    ret[0] = '\0';
    for (int tries = 0; tries < 8 && roll(20) != 0; tries++) {
        size_t back = roll(3) == 0 ? roll((unsigned)t->n + 1) : roll(4);
        if (back < t->n && member(t->line[t->n - 1 - back], "uuid", ret) != NULL)
            return;
        ret[0] = '\0';
    }
}

/* One more line, as Claude Code or an accident writes it; ${next} numbers what is new. */
static void grow(struct text *t, unsigned *next, const char *side)
{
    unsigned what = roll(20);
    char id[32], *line = NULL;

    some_id(t, id);
    if (what < 12 || (what < 14 && id[0] == '\0'))
        assert_true(
            asprintf(&line,
                     "{\"type\":\"%s\",\"uuid\":\"%s%u\",\"parentUuid\":\"%s\",\"timestamp\":"
                     "\"2026-11-30T10:%02u:%02u.%03uZ\",\"message\":{\"content\":\"%u\"}}",
                     what < 6   ? "user"
                     : what < 9 ? "assistant"
                                : "attachment",
                     side, *next, id, *next / 60 % 60, *next % 60, roll(1000), roll(9)) > 0);
    else if (what < 14)
        assert_true(asprintf(&line,
                             "{\"type\":\"file-history-snapshot\",\"messageId\":\"%s\",\"n\":%u}",
                             id, *next) > 0);
    else if (what < 17)
        assert_true(asprintf(&line, "{\"type\":\"mode\",\"side\":\"%s\",\"n\":%u}", side, *next) >
                    0);
    else if (what == 17)
        assert_true(asprintf(&line, "{\"torn\":\"%s%u", side, *next) > 0);
    else if (what == 18)
        assert_true(
            asprintf(&line,
                     "{\"type\":\"system\",\"subtype\":\"compact_boundary\",\"uuid\":\"%s%u\","
                     "\"parentUuid\":null}",
                     side, *next) > 0);
    else
        line = strdup("");
    add(t, line);
    *next += 1 + roll(3);
}

/* A record is lost, two change places, one is written a second time. */
static void damage(struct text *t)
{
    size_t i = roll((unsigned)t->n), k = roll((unsigned)t->n);
    char *line = t->line[i];

    if (roll(3) == 0) {
        t->line[i] = t->line[k];
        t->line[k] = line;
    } else if (roll(2) == 0) {
        add(t, strdup(line));
    } else {
        free(line);
        t->line[i] = t->line[--t->n];
    }
}

static struct buf text_of(const struct text *t)
{
    struct buf b = {0};

    for (size_t i = 0; i < t->n; i++)
        buf_printf(&b, "%s\n", t->line[i]);
    buf_addstr(&b, "");
    return b;
}

static void parse(const char *p, struct text *ret)
{
    ret->n = 0;
    while (*p != '\0') {
        size_t n = strcspn(p, "\n");
        add(ret, strndup(p, n));
        p += n + (p[n] == '\n');
    }
}

static int has_line(const struct text *t, const char *line)
{
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->line[i], line) == 0)
            return 1;
    }
    return 0;
}

static int is_in_circle(const struct text *t, const char *id)
{
    char at[32], next[32];

    snprintf(at, sizeof(at), "%s", id);
    for (size_t steps = 0; steps <= t->n; steps++) {
        size_t i = find(t, at);
        if (i == SIZE_MAX || member(t->line[i], "parentUuid", next) == NULL || next[0] == '\0')
            return 0;
        memcpy(at, next, sizeof(at));
    }
    return 1;
}

/* Everything of ${x}, whose other side is ${y}, is in the union. */
static void holds(const struct text *u, const struct text *x, const struct text *y, int is_active)
{
    char id[32];

    for (size_t i = 0; i < x->n; i++) {
        const char *line = x->line[i];
        int is_record = member(line, "uuid", id) != NULL;
        int belongs = !is_record && member(line, "messageId", id) != NULL;
        if (line[0] == '\0')
            continue;
        if (is_record && find(u, id) == SIZE_MAX)
            fail_msg("lost: %s", line);
        if (is_record ? find(y, id) == SIZE_MAX
            : belongs ? is_active || (find(x, id) != SIZE_MAX && find(y, id) == SIZE_MAX)
                      : is_active || line[strlen(line) - 1] != '}') {
            if (!has_line(u, line))
                fail_msg("lost: %s", line);
        }
    }
}

static void parents_come_first(const struct text *u)
{
    char id[32], parent[32];

    for (size_t i = 0; i < u->n; i++) {
        if (member(u->line[i], "uuid", id) == NULL || find(u, id) != i ||
            member(u->line[i], "parentUuid", parent) == NULL || is_in_circle(u, id))
            continue;
        if (find(u, parent) != SIZE_MAX && find(u, parent) > i)
            fail_msg("before its parent: %s", u->line[i]);
    }
}

static void same(const char *what, const struct buf *a, const struct buf *b)
{
    if (a->len != b->len || memcmp(a->data, b->data, a->len) != 0)
        fail_msg("%s:\n%s\nand\n%s", what, a->data, b->data);
}

static size_t wholes(const struct text *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        n += t->line[i][0] != '\0';
    return n;
}

static void play(int is_damaged)
{
    struct text stem = {.n = 0}, a = {.n = 0}, b = {.n = 0}, u = {.n = 0}, v = {.n = 0};
    struct buf ab = {0}, ba = {0}, again = {0}, x, y;
    struct unite_result r, other;
    unsigned next = 1, n;

    for (n = roll(30); n > 0; n--)
        grow(&stem, &next, "s");
    copy(&a, &stem);
    copy(&b, &stem);
    for (n = roll(30); n > 0; n--) {
        grow(&a, &next, "a");
        if (roll(2) == 0)
            grow(&b, &next, "b");
    }
    for (n = is_damaged ? roll(6) : 0; n > 0; n--) {
        if (a.n > 0 && b.n > 0)
            damage(roll(2) == 0 ? &a : &b);
    }
    x = text_of(&a);
    y = text_of(&b);
    r = unite(x.data, y.data, &ab);
    parse(ab.len > 0 ? ab.data : "", &u);
    holds(&u, &a, &b, r.is_ours_active);
    holds(&u, &b, &a, !r.is_ours_active);
    parents_come_first(&u);

    buf_addstr(&ab, "");
    unite(ab.data, ab.data, &again);
    same("with itself", &ab, &again);
    unite(ab.data, x.data, &again);
    same("with ours again", &ab, &again);
    unite(ab.data, y.data, &again);
    same("with theirs again", &ab, &again);

    /* The other way round it is the same, up to the order of branches of one age. */
    other = unite(y.data, x.data, &ba);
    parse(ba.len > 0 ? ba.data : "", &v);
    assert_int_equal(other.only_ours, r.only_theirs);
    assert_int_equal(other.shared, r.shared);
    if (other.is_ours_active != r.is_ours_active && !is_damaged)
        assert_int_equal(wholes(&u), wholes(&v));
    parents_come_first(&v);
    drop(&stem);
    drop(&a);
    drop(&b);
    drop(&u);
    drop(&v);
    buf_free(&ab);
    buf_free(&ba);
    buf_free(&again);
    buf_free(&x);
    buf_free(&y);
}

static uint64_t playing = UINT64_MAX;

static void a_union_holds_all_of_both_whatever_they_are(void **state)
{
    unsigned rounds = getenv("CT_FULL") != NULL ? 20000 : 500;
    const char *seed = getenv("CT_SEED");

    (void)state;
    for (unsigned i = 0; i < (seed != NULL ? 1 : rounds); i++) {
        uint64_t is = seed != NULL ? strtoull(seed, NULL, 10) : i;
        dice = is * 2862933555777941757u + 3037000493u;
        playing = is;
        play(is % 3 == 0);
    }
    playing = UINT64_MAX;
}

/* ---- large ones --------------------------------------------------------------------------------
 */

/* ${n} records of ${bytes} each, one hanging on the other, that share the first half. */
static int64_t write_large(int fd, const char *side, unsigned n, size_t bytes, int64_t *ret_half)
{
    char *pad = calloc(bytes + 1, 1);
    struct buf b = {0};
    int64_t size = 0;

    memset(pad, 'x', bytes);
    for (unsigned i = 0; i < n; i++) {
        const char *is = i < n / 2 ? "s" : side, *was = i <= n / 2 ? "s" : side;
        if (i == n / 2)
            *ret_half = size;
        buf_reset(&b);
        buf_printf(&b,
                   "{\"type\":\"user\",\"uuid\":\"%s%u\",\"parentUuid\":\"%s%u\",\"timestamp\":"
                   "\"2026-11-30T10:00:00.000Z\",\"message\":{\"content\":\"%s\"}}\n",
                   is, i, was, i - 1, pad);
        assert_int_equal(file_write_all(fd, b.data, b.len), 0);
        size += (int64_t)b.len;
    }
    buf_free(&b);
    free(pad);
    return size;
}

static void memory_goes_by_lines_and_not_by_bytes(void **state)
{
    int is_full = getenv("CT_FULL") != NULL;
    size_t bytes = is_full ? 30000 : 6000;
    struct unite_opts o = {
        .agent = agent_unnamed(), .ours.fd = file_of("", 0), .theirs.fd = file_of("", 0)};
    int out = file_of("", 0);
    struct unite_result r;
    struct rusage before, after;
    struct ct_err e;
    int64_t half = 0;

    (void)state;
    o.ours.end = write_large(o.ours.fd, "a", 10000, bytes, &half);
    o.theirs.end = write_large(o.theirs.fd, "b", 10000, bytes, &half);
    getrusage(RUSAGE_SELF, &before);
    assert_int_equal(agent_unnamed()->unite(&o, out, &r, &e), 0);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(r.shared, 5000);
    assert_int_equal(r.only_ours + r.only_theirs, 10000);
    assert_int_equal(lseek(out, 0, SEEK_END), o.ours.end + o.theirs.end - half);
    if (after.ru_maxrss - before.ru_maxrss > 24 << 10)
        fail_msg("it took %ld KiB", after.ru_maxrss - before.ru_maxrss);
    close(out);
    close(o.ours.fd);
    close(o.theirs.fd);
}

/* pi's ids have eight digits; Qwen Code's are whole. */
static void short_ids_that_came_twice_are_refused(void **state)
{
#define PI(id, parent, second) \
    "{\"type\":\"message\",\"id\":\"" id "\",\"parentId\":\"" parent \
    "\",\"timestamp\":\"2026-11-30T10:00:" second \
    ".000Z\",\"message\":{\"role\":\"user\",\"content\":\"x\"}}\n"
    static const struct {
        const char *agent, *ours, *theirs;
        int is_refused;
    } pairs[] = {
        {"pi", PI("a", "", "01") PI("b", "a", "02"), PI("a", "", "01") PI("c", "a", "03"), 0},
        {"pi", PI("a", "", "01") PI("b", "a", "02"), PI("a", "", "01") PI("b", "a", "03"), 1},
        {"qwen", R("a", "", "01") R("b", "a", "02"), R("a", "", "01") R("c", "a", "03"), 0},
    };
    struct unite_result r;
    struct ct_err e;

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const char *ours = pairs[i].ours, *theirs = pairs[i].theirs;
        struct unite_opts o = {
            .agent = agent_find(pairs[i].agent),
            .ours = {file_of(ours, strlen(ours)), (int64_t)strlen(ours)},
            .theirs = {file_of(theirs, strlen(theirs)), (int64_t)strlen(theirs)},
        };
        int fd = file_of("", 0), rc = o.agent->unite(&o, fd, &r, &e);
        assert_int_equal(rc != 0, pairs[i].is_refused);
        if (rc == 0)
            assert_true(r.shared == 1 && r.only_ours == 1 && r.only_theirs == 1);
        else
            assert_int_equal(e.code, ERR_REFUSED);
        close(fd);
        close(o.ours.fd);
        close(o.theirs.fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_ids_that_came_twice_are_refused),
        cmocka_unit_test(the_branch_that_was_worked_on_last_comes_last),
        cmocka_unit_test(what_has_no_id_is_from_the_active_branch_or_goes_with_its_record),
        cmocka_unit_test(a_compacted_branch_comes_before_what_it_would_hide),
        cmocka_unit_test(what_cant_be_read_stays),
        cmocka_unit_test(a_parent_comes_first_wherever_it_stands_and_a_circle_ends),
        cmocka_unit_test(of_what_both_have_ours_counts),
        cmocka_unit_test(the_other_branch_learns_the_new_names_of_its_files),
        cmocka_unit_test(messages_without_ids_are_refused),
        cmocka_unit_test(a_union_holds_all_of_both_whatever_they_are),
        cmocka_unit_test(memory_goes_by_lines_and_not_by_bytes),
    };

    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    if (playing != UINT64_MAX)
        print_message("# again: CT_SEED=%" PRIu64 "\n", playing);
    return rc;
}
