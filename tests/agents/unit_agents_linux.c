/* Where the system tells when a process began. */
#include <stdio.h>
#include <unistd.h>

#include "agents/agent.h"

#include "tests/unit.h"

static void a_reused_pid_is_not_alive(void **state)
{
    struct agent_live live = {.pid = getpid()};

    (void)state;
    assert_true(agent_is_alive(&live));
    snprintf(live.proc_start, sizeof(live.proc_start), "12345678901234567");
    assert_false(agent_is_alive(&live));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reused_pid_is_not_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
