/* Files and folders: opening without following links, writing all or failing, syncing, mapping.
 * Every function that can fail says which path it was about. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

/* A file descriptor that closes itself; -1 is none. */
void fs_close(int *fd);
#define scoped_fd SCOPED(fs_close) int

/* `dir` may be AT_FDCWD.  `flags` as for open(2); O_NOFOLLOW and O_CLOEXEC are added, and files
 * are made 0600.  -1 with err set: ERR_NOT_FOUND for ENOENT, else as err_set_errno. */
MUST_CHECK int fs_open_at(int dir, const char *path, int flags, struct err *err);
/* Makes the folder with mode 0700, and the missing ones above it with 0755 less the umask.  A
 * folder that exists is left as it is. */
MUST_CHECK bool fs_make_dirs(const char *path, struct err *err);
/* Removes a file, or a folder with all below it, never following links.  A path that does not
 * exist is a success. */
MUST_CHECK bool fs_remove_tree(int dir, const char *path, struct err *err);

/* Calls `visit` for each entry of the folder whose name does not begin with a dot, until it
 * returns false; `dir` is then that folder.  A folder that does not exist has no entries. */
typedef bool fs_visit_fn(void *context, int dir, struct str name, struct err *err);
MUST_CHECK bool fs_list(int dir, const char *path, fs_visit_fn *visit, void *context,
                        struct err *err);

/* Write all the bytes, or fail; fs_write_at does not move the file position. */
MUST_CHECK bool fs_write(int fd, struct str bytes, struct err *err);
MUST_CHECK bool fs_write_at(int fd, struct str bytes, uint64_t offset, struct err *err);
/* Reads exactly out_bytes, or fails. */
MUST_CHECK bool fs_read_at(int fd, void *out, size_t out_bytes, uint64_t offset,
                           struct err *err);
/* Appends the whole file.  False when it is larger than the buf allows, or when `path` is a
 * folder, a pipe or a device (opening those never blocks).  An empty file may leave out->p
 * NULL. */
MUST_CHECK bool fs_read_file(struct buf *out, int dir, const char *path, struct err *err);
/* The same for a file that the operator names.  Links are followed, since /run/secrets, certbot
 * and mounted settings are made of them. */
MUST_CHECK int fs_open_named(const char *path,
                             struct err *err); /* for reading; -1 on failure */
MUST_CHECK bool fs_read_named(struct buf *out, const char *path, struct err *err);
/* Replaces the file in one step: temporary file, fsync, rename, fsync of the folder. */
MUST_CHECK bool fs_replace_file(int dir, const char *path, struct str bytes, mode_t mode,
                                struct err *err);
/* Is `name` a temporary file of fs_replace_file for `replaced`?  A killed process leaves one.
 */
bool fs_is_temporary(struct str name, const char *replaced);
MUST_CHECK bool fs_sync(int fd, struct err *err); /* file or folder */
MUST_CHECK bool fs_size(int fd, uint64_t *bytes, struct err *err);

/* A whole file, mapped read-only; the map outlives `fd`.  An empty file maps to {NULL, 0}. */
struct fs_map {
    struct str bytes;
};
MUST_CHECK bool fs_map_open(struct fs_map *map, int fd, struct err *err);
void fs_map_close(struct fs_map *map); /* accepts a zeroed struct */
/* The pages before `offset` are not needed again: keeps a sequential reader's memory flat. */
void fs_map_drop_before(const struct fs_map *map, size_t offset);
/* The same for a part of the map; pages that it shares with its neighbours are kept. */
void fs_map_drop(const struct fs_map *map, struct str part);
