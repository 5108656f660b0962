#ifndef CTCTL_UI_STATE_H
#define CTCTL_UI_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "ctctl/ui/text.h"

/*
 * The states of a session: one table for every screen, and one word for each state.  DESIGN.md and
 * ctctl(1) have the same table.
 */
struct state_word {
    const char *json; /* what the daemon and --json call it */
    const char *word; /* what people read */
    enum text_colour colour;
};

#define STATE_HERE_ONLY "this machine only"

/**
 * state_word(i), state_find(json):
 * Return the ${i}th state, or NULL behind the last; the state that JSON calls ${json}, or NULL.
 */
const struct state_word *state_word(size_t i);
const struct state_word *state_find(const char *json);

#endif
