#ifndef TESTS_WATCHER_APPLE_CORESERVICES_H
#define TESTS_WATCHER_APPLE_CORESERVICES_H

/*
 * The handful of declarations of Apple's that watcher/backend/fsevents_darwin.c uses, written from
 * their documentation: for compilers that have no SDK (zig's Darwin), and for Linux, where
 * tests/watcher/fake_fsevents.c stands in for what is behind them.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __APPLE__
#include <dispatch/dispatch.h>
#else
typedef struct dispatch_queue_s *dispatch_queue_t;
dispatch_queue_t dispatch_queue_create(const char *label, void *attributes);
void dispatch_sync_f(dispatch_queue_t queue, void *context, void (*work)(void *context));
void dispatch_release(dispatch_queue_t queue);
#endif

/* ---- CoreFoundation */

typedef const void *CFTypeRef;
typedef const struct __CFAllocator *CFAllocatorRef;
typedef const struct __CFString *CFStringRef;
typedef const struct __CFArray *CFArrayRef;
typedef signed long CFIndex;
typedef double CFTimeInterval;
typedef unsigned char Boolean;
typedef struct {
    CFIndex version;
} CFArrayCallBacks; /* more members, which nobody here touches */

extern const CFArrayCallBacks kCFTypeArrayCallBacks;
CFStringRef CFStringCreateWithFileSystemRepresentation(CFAllocatorRef allocator, const char *path);
CFArrayRef CFArrayCreate(CFAllocatorRef allocator, const void **values, CFIndex n,
                         const CFArrayCallBacks *callbacks);
void CFRelease(CFTypeRef item);

/* ---- FSEvents */

typedef uint32_t FSEventStreamCreateFlags;
typedef uint32_t FSEventStreamEventFlags;
typedef uint64_t FSEventStreamEventId;
typedef struct __FSEventStream *FSEventStreamRef;
typedef const struct __FSEventStream *ConstFSEventStreamRef;

enum {
    kFSEventStreamCreateFlagNoDefer = 0x02,
    kFSEventStreamCreateFlagWatchRoot = 0x04,
    kFSEventStreamCreateFlagFileEvents = 0x10,
};

enum {
    kFSEventStreamEventFlagMustScanSubDirs = 0x01,
    kFSEventStreamEventFlagUserDropped = 0x02,
    kFSEventStreamEventFlagKernelDropped = 0x04,
    kFSEventStreamEventFlagEventIdsWrapped = 0x08,
    kFSEventStreamEventFlagHistoryDone = 0x10,
    kFSEventStreamEventFlagRootChanged = 0x20,
    kFSEventStreamEventFlagMount = 0x40,
    kFSEventStreamEventFlagUnmount = 0x80,
    kFSEventStreamEventFlagItemCreated = 0x100,
    kFSEventStreamEventFlagItemRemoved = 0x200,
    kFSEventStreamEventFlagItemInodeMetaMod = 0x400,
    kFSEventStreamEventFlagItemRenamed = 0x800,
    kFSEventStreamEventFlagItemModified = 0x1000,
    kFSEventStreamEventFlagItemFinderInfoMod = 0x2000,
    kFSEventStreamEventFlagItemChangeOwner = 0x4000,
    kFSEventStreamEventFlagItemXattrMod = 0x8000,
    kFSEventStreamEventFlagItemIsFile = 0x10000,
    kFSEventStreamEventFlagItemIsDir = 0x20000,
    kFSEventStreamEventFlagItemIsSymlink = 0x40000,
    kFSEventStreamEventFlagItemCloned = 0x400000,
};

typedef struct {
    CFIndex version;
    void *info;
    const void *(*retain)(const void *info);
    void (*release)(const void *info);
    CFStringRef (*copyDescription)(const void *info);
} FSEventStreamContext;

/* ${paths} is a char ** unless the stream was created for CFTypes. */
typedef void (*FSEventStreamCallback)(ConstFSEventStreamRef stream, void *info, size_t n,
                                      void *paths, const FSEventStreamEventFlags *flags,
                                      const FSEventStreamEventId *ids);

FSEventStreamRef FSEventStreamCreate(CFAllocatorRef allocator, FSEventStreamCallback callback,
                                     FSEventStreamContext *context, CFArrayRef paths,
                                     FSEventStreamEventId since, CFTimeInterval latency,
                                     FSEventStreamCreateFlags flags);
void FSEventStreamSetDispatchQueue(FSEventStreamRef stream, dispatch_queue_t queue);
Boolean FSEventStreamStart(FSEventStreamRef stream);
void FSEventStreamFlushSync(FSEventStreamRef stream);
void FSEventStreamStop(FSEventStreamRef stream);
void FSEventStreamInvalidate(FSEventStreamRef stream);
void FSEventStreamRelease(FSEventStreamRef stream);
FSEventStreamEventId FSEventsGetCurrentEventId(void);

#endif
