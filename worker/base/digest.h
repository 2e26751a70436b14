/* The SHA-256 of a part of an open file, computed on a thread of its own while other threads
 * read the same file. */
#pragma once

#include "base/fs.h"
#include "base/sha256.h"

#include <pthread.h>

struct digest {
    int fd; /* the caller's, open until digest_end */
    uint64_t offset, length;
    pthread_t thread;
    bool is_started, has_failed;
    _Atomic bool is_unwanted;
    struct err err;
    char hex[SHA256_HEX_BYTES + 1];
};
/* Starts the thread.  `digest` must not move until digest_end. */
MUST_CHECK bool digest_start(struct digest *digest, int fd, uint64_t offset, uint64_t length,
                             struct err *err);
/* Waits for the thread.  When it returns true, digest->hex is filled. */
MUST_CHECK bool digest_finish(struct digest *digest, struct err *err);
/* Stops the thread, also before it has finished; accepts a zeroed struct. */
void digest_end(struct digest *digest);
#define scoped_digest SCOPED(digest_end) struct digest
