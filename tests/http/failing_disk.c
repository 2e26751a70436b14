/* LD_PRELOAD: linkat fails as on a file system without links while NO_LINKS is set, and fsync
 * of files that have FULL_DISK in their path as on a full one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    char link[64], path[4096];
    const char *full = getenv("FULL_DISK");
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    if (full && strstr(path, full)) {
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}
