/* LD_PRELOAD: fsync and fdatasync of the database and of its log fail with EIO for as long as
 * the file named by FAIL_SYNC_WHILE exists, as on a disk that has lost its connection.  What
 * was written before stays in the page cache, as it does on Linux. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
is_broken(int fd)
{
    char link[64], path[4096];
    const char *flag = getenv("FAIL_SYNC_WHILE");
    if (!flag || access(flag, F_OK) != 0)
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    return strstr(path, "/playmeter.db") != NULL;
}

static int
sync_or_fail(int fd, long number)
{
    if (is_broken(fd)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(number, fd);
}

int
fsync(int fd)
{
    return sync_or_fail(fd, SYS_fsync);
}

int
fdatasync(int fd)
{
    return sync_or_fail(fd, SYS_fdatasync);
}
