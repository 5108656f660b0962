#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "ctctl/ctx/manager.h"

#include "ctctl/doctor/doctor.h"

#define LOG "~/Library/Logs/codeteleportd.log"

/* Whether launchd has a job of the name ${label} in this user's session. */
static int is_loaded(const char *label)
{
    char *command = str_printf("launchctl list %s >/dev/null 2>&1 </dev/null", label);
    int yes = system(command) == 0;

    free(command);
    return yes;
}

void doctor_launchd(struct doctor *d, struct doctor_finding *f)
{
    const char *cure = manager_start(MANAGER_LAUNCHD);
    int is_own = is_loaded(MANAGER_AGENT), is_brewed = is_loaded(MANAGER_BREWED);

    if (is_own && is_brewed)
        doctor_say(f, DOCTOR_BAD,
                   "launchctl bootout gui/$(id -u)/" MANAGER_AGENT
                   "; rm ~/Library/LaunchAgents/" MANAGER_AGENT ".plist",
                   "launchd starts it twice, as " MANAGER_AGENT " and as " MANAGER_BREWED
                   "; the second one ends at once, again and again");
    else if (is_own && manager_has_agent(MANAGER_AGENT))
        doctor_say(f, DOCTOR_OK, NULL,
                   MANAGER_AGENT " is loaded: it starts with your session; its log: " LOG);
    else if (is_brewed && manager_has_agent(MANAGER_BREWED))
        doctor_say(f, DOCTOR_OK, NULL,
                   MANAGER_BREWED " is loaded: it starts with your session; its log: "
                                  "$(brew --prefix)/var/log/codeteleportd.log");
    else if (is_own || is_brewed)
        doctor_say(f, DOCTOR_BAD, cure,
                   "it runs, but has no agent in ~/Library/LaunchAgents: after the next log-in "
                   "nothing is saved");
    else if (manager_has_agent(MANAGER_AGENT) || manager_has_agent(MANAGER_BREWED))
        doctor_say(f, DOCTOR_BAD, cure, "there is an agent, but launchd has not loaded it%s",
                   d->status != NULL ? "; the daemon was started some other way" : "");
    else
        doctor_say(f, d->status != NULL ? DOCTOR_NOTE : DOCTOR_BAD, cure,
                   "there is no agent in ~/Library/LaunchAgents%s",
                   d->status != NULL ? "; the daemon was started some other way"
                                     : ", so nothing starts it");
}
