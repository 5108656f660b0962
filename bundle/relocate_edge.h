#ifndef BUNDLE_RELOCATE_EDGE_H
#define BUNDLE_RELOCATE_EDGE_H

#include "bundle/relocate_match.h"

/*
 * Where in a text a path can begin, and where the last name of a root ends.
 */

/**
 * edge_before(w, at, hit):
 * Return whether a path can begin at ${at}, and fill what is seen from before of how ${hit} (which
 * names its root) is spelled: slash, level, is_url, is_whole.
 */
int edge_before(const struct window *w, size_t at, struct hit *hit);

/**
 * edge_behind(w, at):
 * Does the name before ${at} end there?
 */
enum match edge_behind(const struct window *w, size_t at);

#endif
