#ifndef SERVER_SERVE_RETIRED_H
#define SERVER_SERVE_RETIRED_H

#include <stdint.h>

#include "server/api/app.h"
#include "server/settings/settings.h"
#include "server/web/web.h"

/*
 * Listeners that a reload replaced, or that a stop ends.  What is under way on them goes on as it
 * began, however long it takes; what answers it is freed after it.
 */
struct retired;

/**
 * retired_add(list, api, objects, share, app, settings):
 * Accept no more connections on ${api}, ${objects} and ${share} (each may be NULL) and have a thread
 * wait for the end of those that are there.  All five are ${list}'s now.  Of very many reloads in a row the
 * oldest one's transfers are cut.
 */
void retired_add(struct retired **list, struct web *api, struct web *objects, struct web *share,
                 struct app *app, struct settings *settings);

/**
 * retired_end(list, patience_ms):
 * The server stops: wait for requests under way, but not longer than this and not after a further
 * signal that asks to stop; then cut what is left, and free all.
 */
void retired_end(struct retired **list, int64_t patience_ms);

#endif
