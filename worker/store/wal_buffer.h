/* A file layer (SQLite's VFS) that writes a transaction to the log in one piece.
 *
 * SQLite writes every page of a transaction to the log with two system calls, 24 bytes and 4
 * KiB; of a commit that holds thirty earns these are two hundred, a quarter of what the writer
 * does.  This layer gathers what is written to the log one behind the other and hands it to the
 * layer below when the log is synced, read, measured or cut, or when the buffer is full.
 *
 * That loses nothing: a commit counts once its sync has returned, and readers are shown its
 * pages only after that.  What is gathered when the process dies belongs to no commit.
 *
 * SQLite takes a page for written when it is only gathered, so it may be told of a failure when
 * it reads, and then undo less than was lost: on a full disk the statement alone.  A log that
 * could not be written therefore fails everything that is asked of it, the sync of the commit
 * too, until the transaction is rolled back. */
#pragma once

struct sqlite3;

/* The layer's name, for connections with synchronous=FULL: with less, SQLite shows a commit to
 * readers without a sync. */
#define WAL_BUFFER "wal_buffer"
/* Makes the name known; once in a process. */
void wal_buffer_install(void);
/* Once for each connection that was opened with the layer, before its first transaction: a
 * rollback forgets what was gathered, and the failure.  Takes the connection's rollback hook.
 */
void wal_buffer_watch(struct sqlite3 *handle);
