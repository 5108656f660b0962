/*
 * Comes before everything else where configure has --disable-linux: what headers that all systems
 * have declare on Linux, and macOS lacks or means otherwise, can't be used.  Nothing includes it.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What the systems beside Linux have, made of what it has. */
#define SO_NOSIGPIPE SO_KEEPALIVE /* any that can be set: send() below does it */

static inline int getpeereid(int fd, uid_t *ret_uid, gid_t *ret_gid)
{
    struct ucred cred;
    socklen_t n = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0)
        return -1;
    *ret_uid = cred.uid;
    *ret_gid = cred.gid;
    return 0;
}

static inline ssize_t send_quietly(int fd, const void *p, size_t n, int flags)
{
    return send(fd, p, n, flags | MSG_NOSIGNAL);
}
#define send(fd, p, n, flags) send_quietly(fd, p, n, flags)

/* These are asked for by #ifdef. */
#undef CLOCK_BOOTTIME
#undef O_PATH

#undef AF_NETLINK
#undef MSG_CMSG_CLOEXEC
#undef POLLRDHUP
#undef SOCK_PACKET
#undef AT_EMPTY_PATH
#undef CLOCK_BOOTTIME_ALARM
#undef CLOCK_MONOTONIC_COARSE
#undef CLOCK_REALTIME_COARSE
#undef FALLOC_FL_KEEP_SIZE
#undef F_OFD_GETLK
#undef F_OFD_SETLK
#undef F_OFD_SETLKW
#undef F_SETPIPE_SZ
#undef MAP_LOCKED
#undef MAP_POPULATE
#undef MCL_ONFAULT
#undef O_DIRECT
#undef O_NOATIME
#undef O_TMPFILE
#undef PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP
#undef RENAME_EXCHANGE
#undef RENAME_NOREPLACE
#undef RENAME_WHITEOUT
#undef SIGRTMAX
#undef SIGRTMIN
#undef SOCK_CLOEXEC
#undef SOCK_NONBLOCK
#undef SOL_TCP
#undef SO_DOMAIN
#undef SO_PASSCRED
#undef SO_PEERCRED
#undef SO_PROTOCOL
#undef TCP_USER_TIMEOUT
#undef TEMP_FAILURE_RETRY
#undef TFD_TIMER_CANCEL_ON_SET
#undef htobe16
#undef htobe32
#undef htobe64
#undef htole16
#undef htole32
#undef htole64
#undef be16toh
#undef be32toh
#undef be64toh
#undef le16toh
#undef le32toh
#undef le64toh

#pragma GCC poison MSG_CMSG_CLOEXEC POLLRDHUP SOCK_CLOEXEC SOCK_NONBLOCK SOCK_PACKET
#pragma GCC poison accept4 dup3 pipe2 recvmmsg sendmmsg
#pragma GCC poison eaccess euidaccess faccessat2 fallocate fdatasync memfd_create \
    name_to_handle_at openat2 posix_fadvise posix_fallocate readahead renameat2 statx \
        sync_file_range syncfs
#pragma GCC poison copy_file_range sendfile splice tee vmsplice preadv2 pwritev2 process_vm_readv
#pragma GCC poison canonicalize_file_name get_current_dir_name program_invocation_name \
    program_invocation_short_name secure_getenv clearenv getauxval gettid syscall prctl setresuid \
        setresgid getresuid getresgid
#pragma GCC poison close_range closefrom posix_spawn_file_actions_addclosefrom_np execvpe fexecve
#pragma GCC poison clock_nanosleep ppoll sem_timedwait sem_clockwait sigtimedwait sigwaitinfo \
    timer_create pthread_cond_clockwait pthread_condattr_setclock pthread_getattr_np \
        pthread_mutex_clocklock pthread_mutex_timedlock pthread_setname_np pthread_timedjoin_np \
            pthread_tryjoin_np pthread_barrier_wait pthread_spin_lock sched_getcpu \
                sched_setaffinity
#pragma GCC poison mallopt malloc_trim malloc_usable_size mremap fopencookie
#pragma GCC poison explicit_bzero getrandom memrchr mempcpy qsort_r rawmemchr strchrnul \
    strerrorname_np strfry strverscmp sigabbrev_np sigdescr_np basename random_r drand48_r
