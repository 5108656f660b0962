#ifndef BUNDLE_RELOCATE_RELOCATE_EDGE_H
#define BUNDLE_RELOCATE_RELOCATE_EDGE_H

#include "bundle/relocate/relocate_match.h"

/*
 * Where in a text a path can begin, and where the last name of a root ends.
 */

/**
 * edge_before(w, at, hit):
 * Return whether a path can begin at ${at}, and fill what is seen from before of how ${hit} (which
 * names its root) is spelled: slash, level, is_url, is_whole, and mark, marks: then edge_closes()
 * has to say so too.
 */
int edge_before(const struct window *w, size_t at, struct hit *hit);

/**
 * edge_behind(w, at):
 * Does the name before ${at} end there?
 */
enum match edge_behind(const struct window *w, size_t at);

/**
 * edge_closes(w, at, hit):
 * Is the emphasis that ${hit} began with closed behind ${at}, as Markdown would: by as many of the
 * same mark, behind a name, before the line ends (of a single mark: the word), within 1024 bytes?
 */
enum match edge_closes(const struct window *w, size_t at, const struct hit *hit);

#endif
