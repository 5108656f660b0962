#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "watcher/debounce.h"

#define START 1000000

static const struct debounce_opts opts = {
    .quiet_ms = 5000, .turn_quiet_ms = 1000, .wait_ms = 120000, .distance_ms = 15000};

static void assert_pops(struct debounce *d, int64_t now_ms, const char *key)
{
    char got[64] = "";

    assert_int_equal(debounce_pop(d, now_ms, got, sizeof(got)), key != NULL);
    assert_string_equal(got, key != NULL ? key : "");
}

static void due_after_quiet_and_not_before(void **state)
{
    struct debounce *d = debounce_new(&opts);

    (void)state;
    assert_int_equal(debounce_next(d), -1);
    debounce_touch(d, "s", START);
    assert_int_equal(debounce_next(d), START + 5000);
    debounce_touch(d, "s", START + 3000);
    assert_int_equal(debounce_next(d), START + 8000);
    assert_pops(d, START + 7999, NULL);
    assert_int_equal(debounce_waiting(d), 1);
    assert_pops(d, START + 8000, "s");
    assert_int_equal(debounce_waiting(d), 0);
    assert_int_equal(debounce_next(d), -1);
    assert_pops(d, START + 999999, NULL);
    debounce_free(d);
}

static void longest_wait_beats_quiet(void **state)
{
    struct debounce *d = debounce_new(&opts);

    (void)state;
    for (int i = 0; i < 119; i++)
        debounce_touch(d, "s", START + i * 1000);
    assert_int_equal(debounce_next(d), START + 120000);
    assert_pops(d, START + 120000, "s");
    /* The next change begins a new wait. */
    debounce_touch(d, "s", START + 120001);
    assert_int_equal(debounce_next(d), START + 125001);
    debounce_free(d);
}

static void distance_beats_longest_wait(void **state)
{
    struct debounce *d = debounce_new(&opts);

    (void)state;
    debounce_uploaded(d, "s", START, 100);
    debounce_touch(d, "s", START + 1);
    assert_int_equal(debounce_next(d), START + 15000);
    /* Ten times what it took is more. */
    debounce_uploaded(d, "s", START + 10, 20000);
    assert_int_equal(debounce_next(d), START + 10 + 200000);
    assert_pops(d, START + 200009, NULL);
    assert_pops(d, START + 200010, "s");
    debounce_touch(d, "other", START + 11);
    assert_int_equal(debounce_next(d), START + 5011);
    debounce_free(d);
}

static void end_of_turn_shortens_quiet(void **state)
{
    struct debounce *d = debounce_new(&opts);

    (void)state;
    debounce_touch(d, "s", START);
    debounce_turn_ended(d, "s", START + 500);
    assert_int_equal(debounce_next(d), START + 1500);
    /* The last write of the turn comes after its signal. */
    debounce_touch(d, "s", START + 610);
    assert_int_equal(debounce_next(d), START + 1610);
    /* One that comes later is the next turn's. */
    debounce_touch(d, "s", START + 1501);
    assert_int_equal(debounce_next(d), START + 6501);
    debounce_free(d);
}

static void end_of_turn_shortens_nothing_else(void **state)
{
    struct debounce *d = debounce_new(&opts);

    (void)state;
    debounce_uploaded(d, "s", START, 0);
    debounce_touch(d, "s", START);
    debounce_turn_ended(d, "s", START);
    assert_int_equal(debounce_next(d), START + 15000);
    /* It never makes quiet longer. */
    debounce_touch(d, "t", START);
    debounce_turn_ended(d, "t", START + 4900);
    assert_int_equal(debounce_next(d), START + 5000);
    debounce_free(d);
}

static void signal_before_the_first_change_counts(void **state)
{
    struct debounce *d = debounce_new(&opts);

    (void)state;
    debounce_turn_ended(d, "s", START);
    assert_int_equal(debounce_next(d), -1);
    assert_int_equal(debounce_waiting(d), 0);
    debounce_touch(d, "s", START + 110);
    assert_int_equal(debounce_next(d), START + 1110);
    debounce_free(d);
}

static void forget_keeps_the_distance(void **state)
{
    struct debounce *d = debounce_new(&opts);

    (void)state;
    debounce_touch(d, "s", START);
    debounce_uploaded(d, "s", START, 0);
    debounce_forget(d, "s");
    debounce_forget(d, "never heard of");
    assert_int_equal(debounce_waiting(d), 0);
    assert_pops(d, START + 100000, NULL);
    debounce_touch(d, "s", START + 10);
    assert_int_equal(debounce_next(d), START + 15000);
    debounce_free(d);
}

static void new_clocks_judge_what_waits(void **state)
{
    struct debounce_opts other = opts;
    struct debounce *d = debounce_new(&opts);
    char key[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "%d", i);
        debounce_touch(d, key, START + (i * 37) % 100);
        if (i % 2)
            debounce_uploaded(d, key, START + i, 0);
    }
    other.quiet_ms = 10;
    other.distance_ms = 50;
    debounce_set(d, &other);
    assert_int_equal(debounce_next(d), START + 10);
    for (int64_t last = 0, n = 0; n < 100; n++) {
        int64_t next = debounce_next(d);
        assert_true(next >= last);
        assert_pops(d, next - 1, NULL);
        assert_int_equal(debounce_pop(d, next, key, sizeof(key)), 1);
        last = next;
    }
    assert_int_equal(debounce_waiting(d), 0);
    debounce_free(d);
}

/* Against a plain table that follows the words of the header. */
struct model {
    int is_waiting;
    int64_t first, last, turn, uploaded, took;
};

static int64_t model_due(const struct model *m)
{
    int64_t at = m->last + opts.quiet_ms, turn, distance;

    if (m->turn >= 0) {
        turn = (m->turn > m->last ? m->turn : m->last) + opts.turn_quiet_ms;
        at = turn < at ? turn : at;
    }
    at = m->first + opts.wait_ms < at ? m->first + opts.wait_ms : at;
    if (m->uploaded >= 0) {
        distance = 10 * m->took > opts.distance_ms ? 10 * m->took : opts.distance_ms;
        at = m->uploaded + distance > at ? m->uploaded + distance : at;
    }
    return at;
}

#define KEYS 300

static void step(struct debounce *d, struct model *models, int64_t now)
{
    int k = rand() % KEYS;
    struct model *m = &models[k];
    char key[16];

    snprintf(key, sizeof(key), "%d", k);
    switch (rand() % 8) {
    case 0:
        debounce_turn_ended(d, key, now);
        m->turn = now;
        break;
    case 1:
        m->took = rand() % 5000;
        m->uploaded = now;
        debounce_uploaded(d, key, now, m->took);
        break;
    case 2:
        debounce_forget(d, key);
        m->is_waiting = 0;
        break;
    default:
        debounce_touch(d, key, now);
        if (m->turn >= 0 && now > m->turn + opts.turn_quiet_ms)
            m->turn = -1;
        m->last = now;
        if (!m->is_waiting)
            m->first = now;
        m->is_waiting = 1;
        break;
    }
}

static void agrees_with_a_plain_table(void **state)
{
    struct debounce *d = debounce_new(&opts);
    struct model models[KEYS];
    int64_t now = START, first, n, popped = 0;
    char key[16];

    (void)state;
    srand(7);
    memset(models, 0, sizeof(models));
    for (int i = 0; i < KEYS; i++)
        models[i].turn = models[i].uploaded = -1;
    for (int i = 0; i < 20000; i++) {
        now += rand() % 40;
        step(d, models, now);
        while (debounce_pop(d, now, key, sizeof(key))) {
            struct model *m = &models[atoi(key)];
            assert_true(m->is_waiting);
            assert_true(model_due(m) <= now);
            m->is_waiting = 0;
            popped++;
        }
        first = -1;
        n = 0;
        for (int k = 0; k < KEYS; k++) {
            if (!models[k].is_waiting)
                continue;
            n++;
            if (first == -1 || model_due(&models[k]) < first)
                first = model_due(&models[k]);
        }
        assert_int_equal(debounce_waiting(d), n);
        assert_int_equal(debounce_next(d), first);
    }
    assert_true(popped > 1000);
    debounce_free(d);
}

static void many_sessions_come_out_in_order(void **state)
{
    struct debounce *d = debounce_new(&opts);
    char key[32];
    int64_t last = 0, next;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        snprintf(key, sizeof(key), "session-%d", i % 10000);
        debounce_touch(d, key, START + (i * 7919LL) % 100003);
    }
    assert_int_equal(debounce_waiting(d), 10000);
    for (int i = 0; i < 10000; i++) {
        next = debounce_next(d);
        assert_true(next >= last);
        assert_int_equal(debounce_pop(d, next, key, sizeof(key)), 1);
        last = next;
    }
    assert_int_equal(debounce_next(d), -1);
    debounce_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_after_quiet_and_not_before),
        cmocka_unit_test(longest_wait_beats_quiet),
        cmocka_unit_test(distance_beats_longest_wait),
        cmocka_unit_test(end_of_turn_shortens_quiet),
        cmocka_unit_test(end_of_turn_shortens_nothing_else),
        cmocka_unit_test(signal_before_the_first_change_counts),
        cmocka_unit_test(forget_keeps_the_distance),
        cmocka_unit_test(new_clocks_judge_what_waits),
        cmocka_unit_test(agrees_with_a_plain_table),
        cmocka_unit_test(many_sessions_come_out_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
