#include "tests/unit.h"

#include <openssl/crypto.h>

#include <sys/resource.h>
#include <sys/wait.h>

#include "common/sys/secret.h"

/* secret_init() counts for a whole process: each test has one of its own. */
static void in_a_child(void (*f)(void))
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        f();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define MUST(x) \
    do { \
        if (!(x)) { \
            fprintf(stderr, "line %d: %s\n", __LINE__, #x); \
            _exit(1); \
        } \
    } while (0)

static void use(int is_in_arena)
{
    char *s = secret_dup("correct horse"), *zeros = secret_alloc(100);

    MUST(strcmp(s, "correct horse") == 0);
    for (int i = 0; i < 100; i++)
        MUST(zeros[i] == 0);
    MUST(CRYPTO_secure_allocated(s) == is_in_arena);
    memset(zeros, 'x', 100);
    secret_free(zeros);
    secret_free(s);
    if (is_in_arena) {
        MUST(memcmp(s, "correct horse", 13) != 0); /* the arena stays mapped */
        MUST(CRYPTO_secure_used() == 0);
    }
}

static void with_arena(void)
{
    secret_init();
    secret_init(); /* a second time is harmless */
    use(1);
}

static void without_arena(void)
{
    use(0);
    MUST(!secret_is_locked());
}

static void nothing_at_all(void)
{
    MUST(secret_dup(NULL) == NULL);
    secret_free(NULL);
    secret_free(secret_alloc(0));
    secret_init();
    secret_free(secret_alloc(0));
}

static void more_than_fits(void)
{
    char *v[64];

    secret_init();
    for (int i = 0; i < 64; i++) {
        v[i] = secret_alloc(100000);
        MUST(v[i][0] == 0 && v[i][99999] == 0);
        memset(v[i], 'x', 100000);
    }
    MUST(!CRYPTO_secure_allocated(v[63]));
    for (int i = 0; i < 64; i++)
        secret_free(v[i]);
    MUST(CRYPTO_secure_used() == 0);
    use(1);
}

static void before_and_after_init(void)
{
    char *early = secret_dup("early");

    secret_init();
    MUST(strcmp(early, "early") == 0);
    secret_free(early);
}

static long locked_kb(void)
{
    char line[128];
    FILE *f = fopen("/proc/self/status", "r");
    long kb = -1;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        sscanf(line, "VmLck: %ld", &kb);
    if (f != NULL)
        fclose(f);
    return kb;
}

static void locked_or_said_not_to_be(void)
{
    char *s;
    long kb;

    secret_init();
    s = secret_dup("x");
    kb = locked_kb();
    if (kb >= 0)
        MUST(secret_is_locked() == (kb > 0));
    secret_free(s);
}

static void no_limit_left(void)
{
    struct rlimit none = {0, 0};

    MUST(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
    if (geteuid() == 0) /* whom the limit does not bind */
        MUST(setgid(65534) == 0 && setuid(65534) == 0);
    secret_init();
    MUST(!secret_is_locked());
    use(1);
}

static void no_core(void)
{
    struct rlimit r;

    secret_init();
    MUST(getrlimit(RLIMIT_CORE, &r) == 0);
    MUST(r.rlim_cur == 0 && r.rlim_max == 0);
}

#define CHILD(name, f) \
    static void name(void **state) \
    { \
        (void)state; \
        in_a_child(f); \
    }

CHILD(secrets_lie_in_the_arena_and_are_wiped, with_arena)
CHILD(without_an_arena_ordinary_memory_serves, without_arena)
CHILD(nothing_is_harmless, nothing_at_all)
CHILD(what_does_not_fit_lies_in_ordinary_memory, more_than_fits)
CHILD(what_came_before_the_arena_is_freed_after_it, before_and_after_init)
CHILD(locked_means_locked, locked_or_said_not_to_be)
CHILD(without_a_limit_to_lock_it_works_unlocked, no_limit_left)
CHILD(there_is_no_core_dump, no_core)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_lie_in_the_arena_and_are_wiped),
        cmocka_unit_test(without_an_arena_ordinary_memory_serves),
        cmocka_unit_test(nothing_is_harmless),
        cmocka_unit_test(what_does_not_fit_lies_in_ordinary_memory),
        cmocka_unit_test(what_came_before_the_arena_is_freed_after_it),
        cmocka_unit_test(locked_means_locked),
        cmocka_unit_test(without_a_limit_to_lock_it_works_unlocked),
        cmocka_unit_test(there_is_no_core_dump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
