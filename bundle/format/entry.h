#ifndef BUNDLE_FORMAT_ENTRY_H
#define BUNDLE_FORMAT_ENTRY_H

/*
 * Names of entries that every bundle may have, whatever agent it is of.
 */
#define ENTRY_NAME_MAX 1024 /* bytes of a name; a bundle with a longer one is refused */

#define ENTRY_META "meta.json"
#define ENTRY_TRANSCRIPT "session.jsonl"

/* What another copy of the transcript has more: this, a digest of so many bytes, and an ending. */
#define ENTRY_OTHERS "session-subdir/codeteleport-other/"
#define ENTRY_OTHERS_BYTES 16

/* Files that the user of a stock client named: the SHA-1 of something, and what they were. */
#define ENTRY_EXTRAS "extra-files/"
#define ENTRY_EXTRAS_MANIFEST "extra-files-manifest.json"

/**
 * entry_is_other(name), entry_is_extra(name):
 * Return whether the entry is what another copy of the transcript has more; a file that was named.
 */
int entry_is_other(const char *name);
int entry_is_extra(const char *name);

#endif
