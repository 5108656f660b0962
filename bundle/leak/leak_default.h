#ifndef BUNDLE_LEAK_LEAK_DEFAULT_H
#define BUNDLE_LEAK_LEAK_DEFAULT_H

/* The text of scan-rules.json; the build makes leak_default.c of it. */
extern const char leak_default[];

#endif
