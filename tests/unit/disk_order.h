/* In which order a test's code renames, links and syncs: functions that stand before libc's and
 * note what they did.  A name that is not in a synced folder may be gone after a power cut,
 * whatever was written into its file. */
#pragma once

#include "temp_dir.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char disk_log[64 * 1024]; /* " sync:/path rename:/path link:/path " */
static pthread_mutex_t disk_log_mutex = PTHREAD_MUTEX_INITIALIZER;

static inline void
disk_log_clear(void)
{
    disk_log[0] = '\0';
}

/* `name` may be NULL: of the descriptor itself. */
static inline void
disk_log_note(const char *what, int fd, const char *name)
{
    char link[64], path[512] = "";
    bool is_whole = name && name[0] == '/';
    if (!is_whole && fd >= 0) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, sizeof(path) - 1);
        assert_true(n > 0);
    }
    pthread_mutex_lock(&disk_log_mutex);
    size_t used = strlen(disk_log);
    snprintf(disk_log + used, sizeof(disk_log) - used, " %s:%s%s%s ", what, path,
             name && !is_whole ? "/" : "", name ? name : "");
    pthread_mutex_unlock(&disk_log_mutex);
}

int fsync(int fd);
int
fsync(int fd)
{
    disk_log_note("sync", fd, NULL);
    return (int)syscall(SYS_fsync, fd);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to);
int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    disk_log_note("rename", to_dir, to);
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags);
int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    disk_log_note("link", to_dir, to);
    return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

/* When it last happened to the path in the folder of the test ("" is the folder itself). */
static inline ptrdiff_t
disk_last(struct temp_dir *dir, const char *what, const char *path)
{
    struct str whole =
        arena_printf(&dir->arena, " %s:%s%s%s ", what, dir->path, *path ? "/" : "", path);
    ptrdiff_t last = -1;
    for (ptrdiff_t at = 0, found;
         (found = str_find(str_skip(str_from(disk_log), (size_t)at), whole)) >= 0;
         at = last + 1)
        last = at + found;
    if (last < 0)
        fail_msg("there was no%s, but%s", whole.p, disk_log);
    return last;
}
