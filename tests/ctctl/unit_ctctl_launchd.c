/* doctor's view of launchd, with a launchctl that has loaded what the test says. */
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/ctx/manager.h"
#include "ctctl/doctor/doctor.h"

#include "tests/unit.h"

struct row {
    const char *agents; /* the files that are there */
    const char *loaded; /* what launchctl knows */
    int is_running;
    enum doctor_verdict verdict;
    const char *detail; /* a part of it */
    const char *cure;   /* the same, or NULL: none */
};

#define AGENT_PLIST MANAGER_AGENT ".plist"
#define BREWED_PLIST MANAGER_BREWED ".plist"

static const struct row rows[] = {
    {"", "", 0, DOCTOR_BAD, "nothing starts it", "codeteleportd --agent >~/Library/LaunchAgents/"},
    {"", "", 1, DOCTOR_NOTE, "started some other way", "launchctl bootstrap gui/"},
    {AGENT_PLIST, "", 0, DOCTOR_BAD, "has not loaded it", "launchctl bootstrap gui/"},
    {AGENT_PLIST, MANAGER_AGENT, 1, DOCTOR_OK, "Library/Logs/codeteleportd.log", NULL},
    {BREWED_PLIST, "", 0, DOCTOR_BAD, "has not loaded it", "brew services start codeteleportd"},
    {BREWED_PLIST, MANAGER_BREWED, 1, DOCTOR_OK, "brew --prefix", NULL},
    {"", MANAGER_AGENT, 1, DOCTOR_BAD, "after the next log-in", "codeteleportd --agent >"},
    {AGENT_PLIST " " BREWED_PLIST, MANAGER_AGENT " " MANAGER_BREWED, 1, DOCTOR_BAD, "twice",
     "launchctl bootout gui/"},
};

static void make_agents(const char *home, const char *agents)
{
    static const char *const all[] = {AGENT_PLIST, BREWED_PLIST};
    char *dir = path_join(home, "Library/LaunchAgents"), *path;
    struct ct_err err;

    assert_int_equal(path_make_dirs(dir, 0700, &err), 0);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        path = path_join(dir, all[i]);
        (void)unlink(path);
        free(path);
        if (strstr(agents, all[i]) != NULL)
            free(unit_write(dir, all[i], "", 0600));
    }
    free(dir);
}

static void each_state_has_its_cure(void **state)
{
    struct json_object *status = json_object_new_object();
    const char *home = *state;

    setenv("HOME", home, 1);
    setenv("PATH", home, 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        struct doctor d = {.status = r->is_running ? status : NULL};
        struct doctor_finding f = {0};
        char *script = str_printf(
            "#!/bin/sh\ncase \" %s \" in *\" $2 \"*) exit 0 ;; esac\nexit 113\n", r->loaded);

        make_agents(home, r->agents);
        free(unit_write(home, "launchctl", script, 0700));
        free(script);
        doctor_launchd(&d, &f);
        if (f.verdict != r->verdict || strstr(f.detail, r->detail) == NULL ||
            (r->cure == NULL ? *f.cure != '\0' : strstr(f.cure, r->cure) == NULL))
            fail_msg("row %zu: %d, %s, %s", i, (int)f.verdict, f.detail, f.cure);
    }
    json_object_put(status);
    setenv("PATH", "/usr/bin:/bin", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(each_state_has_its_cure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
