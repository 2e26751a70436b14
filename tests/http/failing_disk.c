/* LD_PRELOAD: linkat fails as on a file system without links while NO_LINKS is set, and fsync
 * as on a full one while FULL_DISK is. */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int
linkat(int from, const char *path, int to, const char *name, int flags)
{
    if (getenv("NO_LINKS")) {
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_linkat, from, path, to, name, flags);
}

int
fsync(int fd)
{
    if (getenv("FULL_DISK")) {
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}
