/* What an engine keeps of the versions, as the catalogue sees it: a table of functions that
 * whoever hosts the catalogue hands down.  A version's folder (version_folder.h) and
 * version.json in it are the catalogue's; its rows and all that is made of them, there or
 * elsewhere, are the engine's. */
#pragma once

#include "catalogue/integrity.h"

struct version_files {
    /* Are its rows there?  One look: asked for each version of a list, and by the writer in the
     * middle of a transaction. */
    bool (*has_rows)(const char *data_dir, const struct dataset_version *version);
    /* Can its rows be read by its schema?  gone where they are not there. */
    bool (*open)(const char *data_dir, const struct dataset_version *version, struct err *err);
    /* Reads all that is kept of the version.  False: it could not be found out (no file
     * descriptor is free, say), which says nothing about the files. */
    bool (*check)(const char *data_dir, const struct dataset_version *version,
                  struct integrity_finding *out, struct err *err);
    /* For who reads all of its rows next and keeps what comes of it: conflict with code
     * INTEGRITY_ROWS_DAMAGED, the name the job that made the version, where they are not what
     * was written, another error where that could not be found out. */
    bool (*check_rows)(const char *data_dir, const struct dataset_version *version,
                       struct err *err);
    /* Makes all else again from its rows: for a file that is damaged or gone, or that an older
     * program made.  What it says is the same afterwards; integrity_store_reindexed tells the
     * catalogue.  Whoever opens the version meanwhile finds files that fit each other; who has
     * it open keeps the old ones, and on failure they stay.  Waits for another process that is
     * at it.  Errors: not_found when the version's folder is gone, rows_damaged (409),
     * disk_full. */
    bool (*reindex)(const char *data_dir, const struct dataset_version *version,
                    struct err *err);
    /* Removes what there is of it, and its folder last. */
    bool (*drop)(const char *data_dir, int64_t dataset_id, struct str job_id, struct err *err);
};

/* An operation gets the database alone; whoever has operations run on it has said with
 * db_set_context whose files it is about. */
static inline const struct version_files *
version_files_of(struct db *db)
{
    return db_context(db);
}
