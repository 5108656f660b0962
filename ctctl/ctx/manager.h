#ifndef CTCTL_CTX_MANAGER_H
#define CTCTL_CTX_MANAGER_H

/* What starts a user's programs on this machine, and the commands that speak to it. */

#define MANAGER_AGENT "com.codeteleport.codeteleportd" /* as codeteleportd --agent names it */
#define MANAGER_BREWED "homebrew.mxcl.codeteleportd"   /* as `brew services` names it */

enum manager { MANAGER_NONE, MANAGER_SYSTEMD, MANAGER_LAUNCHD };

/**
 * manager_here():
 * Return which one is there.
 */
enum manager manager_here(void);

/**
 * manager_has_agent(label):
 * Return whether this user has an agent of the name ${label} for launchd.
 */
int manager_has_agent(const char *label);

/**
 * manager_start(m), manager_restart(m):
 * Return the command that has the daemon start now and with each session; that has it start anew.
 */
const char *manager_start(enum manager m);
const char *manager_restart(enum manager m);

#endif
