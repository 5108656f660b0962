#ifndef WATCHER_SIGS_H
#define WATCHER_SIGS_H

#include <stddef.h>
#include <stdint.h>

/*
 * What polled files looked like when last met: sixteen bytes for each, no names.  A pass over the
 * polled folders sees by it what changed, and that some file is missing, though not which.
 */
struct sigs;

enum sigs_verdict { SIGS_NEW, SIGS_SAME, SIGS_CHANGED };

struct sigs *sigs_new(void);

/**
 * sigs_free(s):
 * NULL is harmless.
 */
void sigs_free(struct sigs *s);

/**
 * sigs_begin(s):
 * A pass begins.
 */
void sigs_begin(struct sigs *s);

/**
 * sigs_meet(s, path, size_bytes, mtime_ns, inode):
 * A file was met; remember how it looks and say how that compares to the last time.
 */
enum sigs_verdict sigs_meet(struct sigs *s, const char *path, int64_t size_bytes, int64_t mtime_ns,
                            uint64_t inode);

/**
 * sigs_end(s):
 * A pass ended: forget the files that were not met since sigs_begin(), and return how many these
 * were.
 */
size_t sigs_end(struct sigs *s);

#endif
