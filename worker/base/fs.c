#include "base/fs.h"

#include "base/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void
fs_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool
refuse_open(const char *path, struct err *err)
{
    if (errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "%s: no such file", path);
    return err_set_errno(err, "%s", path);
}

int
fs_open_at(int dir, const char *path, int flags, struct err *err)
{
    int fd = openat(dir, path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        refuse_open(path, err);
    return fd;
}

bool
fs_make_dirs(const char *path, struct err *err)
{
    char partial[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof(partial))
        return err_set(err, ERR_INTERNAL, "'%s' is not a path of 1 to %d bytes", path,
                       PATH_MAX);
    memcpy(partial, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (partial[i] != '/' && partial[i] != '\0')
            continue;
        char kept = partial[i];
        partial[i] = '\0';
        struct stat st;
        bool is_made = mkdir(partial, i == n ? 0700 : 0755) == 0 ||
                       (errno == EEXIST && stat(partial, &st) == 0 && S_ISDIR(st.st_mode));
        if (!is_made)
            return err_set_errno(err, "making the folder %s", partial);
        partial[i] = kept;
    }
    return true;
}

static bool
remove_children(int dir, struct err *err)
{
    /* fdopendir takes over its descriptor, so it gets a duplicate. */
    int fd = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        fs_close(&fd);
        return err_set_errno(err, "listing a folder");
    }
    bool ok = true;
    struct dirent *entry;
    while (ok && (errno = 0, entry = readdir(list)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = fs_remove_tree(dir, entry->d_name, err);
    if (ok && errno)
        ok = err_set_errno(err, "listing a folder");
    closedir(list);
    return ok;
}

bool
fs_remove_tree(int dir, const char *path, struct err *err)
{
    if (unlinkat(dir, path, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return err_set_errno(err, "removing %s", path);
    scoped_fd child = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0)
        return err_set_errno(err, "removing %s", path);
    if (!remove_children(child, err))
        return false;
    if (unlinkat(dir, path, AT_REMOVEDIR) && errno != ENOENT)
        return err_set_errno(err, "removing %s", path);
    return true;
}

bool
fs_list(int dir, const char *path, fs_visit_fn *visit, void *context, struct err *err)
{
    int fd = fs_open_at(dir, path, O_RDONLY | O_DIRECTORY, err);
    if (fd < 0)
        return err->kind == ERR_NOT_FOUND;
    DIR *list = fdopendir(fd);
    if (!list) {
        fs_close(&fd);
        return err_set_errno(err, "listing %s", path);
    }
    bool ok = true;
    struct dirent *entry;
    while (ok && (errno = 0, entry = readdir(list)))
        if (entry->d_name[0] != '.')
            ok = visit(context, dirfd(list), str_from(entry->d_name), err);
    if (ok && errno)
        ok = err_set_errno(err, "listing %s", path);
    closedir(list);
    return ok;
}

bool
fs_write(int fd, struct str bytes, struct err *err)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, "writing a file");
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

bool
fs_write_at(int fd, struct str bytes, uint64_t offset, struct err *err)
{
    while (bytes.n) {
        ssize_t n = pwrite(fd, bytes.p, bytes.n, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, "writing a file");
        bytes = str_skip(bytes, (size_t)n);
        offset += (uint64_t)n;
    }
    return true;
}

bool
fs_read_at(int fd, void *out, size_t out_bytes, uint64_t offset, struct err *err)
{
    char *p = out;
    while (out_bytes) {
        ssize_t n = pread(fd, p, out_bytes, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, "reading a file");
        if (n == 0)
            return err_set(err, ERR_INTERNAL, "a file ended %zu bytes early", out_bytes);
        p += n;
        out_bytes -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

static bool
check_is_file(int fd, const char *path, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_set_errno(err, "%s", path);
    return S_ISREG(st.st_mode) ||
           err_set(err, ERR_INVALID, "%s is a folder, a pipe or a device, not a file", path);
}

static bool
read_all(struct buf *out, int fd, const char *path, struct err *err)
{
    for (;;) {
        char chunk[16 * KIB];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, "reading %s", path);
        if (n == 0)
            return true;
        buf_add(out, (struct str){chunk, (size_t)n});
        if (out->is_full)
            return err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", path, out->max);
    }
}

/* O_NONBLOCK: opening a pipe would otherwise wait for a writer. */
#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY)

bool
fs_read_file(struct buf *out, int dir, const char *path, struct err *err)
{
    scoped_fd fd = fs_open_at(dir, path, READ_FLAGS, err);
    return fd >= 0 && check_is_file(fd, path, err) && read_all(out, fd, path, err);
}

int
fs_open_named(const char *path, struct err *err)
{
    scoped_fd fd = open(path, READ_FLAGS | O_CLOEXEC);
    if (fd < 0) {
        refuse_open(path, err);
        return -1;
    }
    if (!check_is_file(fd, path, err))
        return -1;
    int kept = fd;
    fd = -1;
    return kept;
}

bool
fs_read_named(struct buf *out, const char *path, struct err *err)
{
    scoped_fd fd = fs_open_named(path, err);
    return fd >= 0 && read_all(out, fd, path, err);
}

/* The random suffix of a temporary file, after a dot. */
#define SUFFIX_DIGITS 8

bool
fs_is_temporary(struct str name, const char *replaced)
{
    struct str stem = str_from(replaced);
    if (name.n != stem.n + 1 + SUFFIX_DIGITS || memcmp(name.p, stem.p, stem.n) != 0 ||
        name.p[stem.n] != '.')
        return false;
    return str_is_hex(str_skip(name, stem.n + 1));
}

bool
fs_replace_file(int dir, const char *path, struct str bytes, mode_t mode, struct err *err)
{
    char suffix[SUFFIX_DIGITS + 1], temporary[PATH_MAX], parent[PATH_MAX];
    random_hex(suffix, SUFFIX_DIGITS);
    if (snprintf(temporary, PATH_MAX, "%s.%s", path, suffix) >= PATH_MAX)
        return err_set(err, ERR_INTERNAL, "the path %s is too long", path);
    const char *slash = strrchr(path, '/');
    snprintf(parent, PATH_MAX, "%.*s", slash ? (int)MAX(slash - path, 1) : 1,
             slash ? path : ".");
    scoped_fd fd = fs_open_at(dir, temporary, O_WRONLY | O_CREAT | O_EXCL, err);
    if (fd < 0)
        return false;
    bool ok = fs_write(fd, bytes, err) && fs_sync(fd, err);
    if (ok && (fchmod(fd, mode) || renameat(dir, temporary, dir, path)))
        ok = err_set_errno(err, "replacing %s", path);
    if (!ok) {
        unlinkat(dir, temporary, 0);
        return false;
    }
    scoped_fd folder = openat(dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return err_set_errno(err, "%s", parent);
    return fs_sync(folder, err);
}

bool
fs_sync(int fd, struct err *err)
{
    return fsync(fd) ? err_set_errno(err, "fsync") : true;
}

bool
fs_size(int fd, uint64_t *bytes, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_set_errno(err, "fstat");
    *bytes = (uint64_t)st.st_size;
    return true;
}

bool
fs_map_open(struct fs_map *map, int fd, struct err *err)
{
    uint64_t bytes;
    if (!fs_size(fd, &bytes, err))
        return false;
    if (bytes == 0) {
        *map = (struct fs_map){0};
        return true;
    }
    void *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return err_set_errno(err, "mapping a file");
    map->bytes = (struct str){p, bytes};
    return true;
}

void
fs_map_close(struct fs_map *map)
{
    if (map->bytes.p)
        munmap((void *)map->bytes.p, map->bytes.n);
    *map = (struct fs_map){0};
}

void
fs_map_drop_before(const struct fs_map *map, size_t offset)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t whole = MIN(offset, map->bytes.n) / page * page;
    /* Only advice: where the kernel refuses it, the reader uses more memory. */
    if (whole)
        madvise((void *)map->bytes.p, whole, MADV_DONTNEED);
}

void
fs_map_drop(const struct fs_map *map, struct str part)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t from = (size_t)(part.p - map->bytes.p);
    size_t first = (from + page - 1) / page * page, end = (from + part.n) / page * page;
    if (first < end)
        madvise((void *)(map->bytes.p + first), end - first, MADV_DONTNEED);
}
