#include "role/disk.h"

#include <sys/statvfs.h>

uint64_t
disk_free_bytes(const char *path)
{
    struct statvfs fs;
    return statvfs(path, &fs) ? UINT64_MAX : (uint64_t)fs.f_bavail * fs.f_frsize;
}
