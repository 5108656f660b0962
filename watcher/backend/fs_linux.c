#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <unistd.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "watcher/backend/fs.h"

int fs_open_dir(int root_fd, const char *path, int is_readable)
{
    struct open_how how = {
        .flags = (is_readable ? O_RDONLY | O_NONBLOCK : O_PATH) | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int fd;

    fd = (int)syscall(SYS_openat2, root_fd, *path == '\0' ? "." : path, &how, sizeof(how));
    if (fd == -1 && (errno == ENOSYS || errno == EPERM)) /* an old kernel, or a filter's answer */
        fd = fs_walk_dir(root_fd, path, is_readable);
    return fd;
}

int fs_is_remote(int fd)
{
    /* statfs(2), and the kernel's own headers for those that it does not list */
    static const uint32_t remote[] = {
        0x6969,     /* NFS */
        0x517b,     /* SMB */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB2 */
        0x65735546, /* FUSE, virtiofs */
        0x01021997, /* 9P */
        0x00c36400, /* Ceph */
        0x5346414f, /* AFS (OpenAFS) */
        0x6b414653, /* AFS (kAFS) */
        0x73757245, /* Coda */
        0x564c,     /* NCP */
        0x01161970, /* GFS2 */
        0x7461636f, /* OCFS2 */
        0x0bd00bd0, /* Lustre */
        0x19830326, /* BeeGFS */
        0x47504653, /* GPFS */
        0x786f4256, /* VirtualBox shared folders */
        0xbacbacbc, /* VMware shared folders */
    };
    struct statfs st;

    if (fstatfs(fd, &st) == -1)
        return 0;
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
        if ((uint32_t)st.f_type == remote[i])
            return 1;
    }
    return 0;
}

#ifdef __GLIBC__
void fs_give_memory_back(void)
{
    malloc_trim(0);
}
#else
void fs_give_memory_back(void)
{
}
#endif
