#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

/* What cmocka wants before itself, and a scratch folder for each test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/**
 * unit_setup(state), unit_teardown(state):
 * Make a scratch folder, whose path ${*state} is then; remove it with all that is in it.
 */
static inline int unit_setup(void **state)
{
    char *dir = strdup("/tmp/ct-unit.XXXXXX");

    *state = dir;
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static inline int unit_teardown(void **state)
{
    char cmd[64];
    int rc;

    snprintf(cmd, sizeof(cmd), "rm -rf '%s'", (char *)*state);
    rc = system(cmd);
    free(*state);
    return rc;
}

/**
 * unit_write(dir, name, text, mode):
 * Write a file and return its path, which the caller frees.
 */
static inline char *unit_write(const char *dir, const char *name, const char *text, mode_t mode)
{
    char *path;
    FILE *f;

    assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

#define UNIT(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

#endif
