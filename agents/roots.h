#ifndef AGENTS_ROOTS_H
#define AGENTS_ROOTS_H

#include "agents/agent.h"
#include "common/config/config.h"

/*
 * Which data folders are watched, and whose each is: from what the configuration says of agents.
 */

/**
 * roots_find(c, err):
 * Append the data folders of the agents that ${c} chooses to its roots, there or not, and say of
 * every root whose it is; once.  Where agents are chosen and Claude Code is not among them, its
 * folders go.  ERR_CONFIG if an agent is not known, or if folders overlap.
 */
int roots_find(struct config *c, struct ct_err *err);

/**
 * roots_agent(c, i):
 * Return the agent of the root of that number.
 */
const struct agent *roots_agent(const struct config *c, size_t i);

/**
 * roots_of(c, agent):
 * Return the first root of that agent, borrowed, or NULL.
 */
const char *roots_of(const struct config *c, const struct agent *agent);

/**
 * roots_are_several(c):
 * Return whether more than one agent is watched.
 */
int roots_are_several(const struct config *c);

/**
 * roots_each_left(c, f, arg):
 * Call ${f} for each agent of which the data folder ${path} is there and not watched, if nobody has
 * said anything about agents.
 */
void roots_each_left(const struct config *c,
                     void (*f)(void *arg, const struct agent *agent, const char *path), void *arg);

#endif
