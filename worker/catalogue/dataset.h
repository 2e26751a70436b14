/* Which datasets there are and which versions of them: reading from playmeter.db, and the
 * operations that publish, roll back and drop.  The folder of a version is
 * datasets/<dataset id>/<job id>/ under the data directory. */
#pragma once

#include "catalogue/schema.h"
#include "jobs/job.h"

struct dataset {
    int64_t id;
    struct str name;
    bool is_public;
    int64_t created_at, updated_at;
    int64_t version;        /* number of the current one; 0: nothing published yet */
    int64_t wanted_version; /* the one that `version` stands in for, since it is damaged; 0 */
    int64_t edition;        /* of the current version */
};

struct dataset_version {
    int64_t dataset_id, number; /* numbers count up from 1 and are never used again */
    struct str job_id;          /* names the folder */
    struct str schema_json, summaries_json;
    int64_t row_count;
    struct str source_sha256, source, label;
    int64_t source_bytes;
    int64_t created_at;
    bool is_current;
    uint64_t
        rows_checksum; /* of rows.db; 0: an older program made it and it was never checked */
    int64_t edition;   /* rises when files are replaced, found damaged or found whole */
    int64_t checked_start; /* start of the service since which they are known to be whole */
    int64_t checked_at; /* when all of them were read last; 0: not yet, or to be read again */
    unsigned damaged;   /* files that are, a set of enum integrity_file; 0: none */
    int64_t damaged_at;
};

/* 1 found, 0 there is none, -1 error.  Takes as long for the one as for the other, and names no
 * other dataset: for callers who may not know which there are. */
MUST_CHECK int dataset_find(struct arena *a, struct db *db, struct str name,
                            struct dataset *out, struct err *err);
MUST_CHECK bool dataset_get(struct arena *a, struct db *db, struct str name,
                            struct dataset *out,
                            struct err *err); /* not_found, naming the nearest dataset */
MUST_CHECK bool dataset_list(struct arena *a, struct db *db, struct dataset **out,
                             size_t *out_count, struct err *err); /* published ones, by name */
/* Also those of which nothing is published. */
MUST_CHECK bool dataset_list_all(struct arena *a, struct db *db, struct dataset **out,
                                 size_t *out_count, struct err *err);
/* The current version of a dataset, or the one of that number while it is kept (gone
 * otherwise). */
MUST_CHECK bool dataset_version_get(struct arena *a, struct db *db, struct str name,
                                    int64_t number_or_0, struct dataset_version *out,
                                    struct err *err);
/* A row of the catalogue, all of the struct but what a check finds; inside the transaction of
 * whoever makes the version count. */
MUST_CHECK bool dataset_version_insert(struct db *db, const struct dataset_version *version,
                                       struct err *err);
MUST_CHECK bool dataset_version_list(struct arena *a, struct db *db, struct str name,
                                     struct dataset_version **out, size_t *out_count,
                                     struct err *err); /* newest first */

/* Makes the row of a dataset when there is none, and sets whether it is public; gives its id.
 * The name has been checked by the caller. */
MUST_CHECK bool dataset_ensure(struct writer *w, struct str name, bool is_public, int64_t *id,
                               struct err *err);
/* Publish: checks that the base version is still current and that the folder is there, assigns
 * the number (one above the highest ever, also after a rollback), makes it current, marks the
 * oldest versions as dropped so that `kept` remain beside the current one, finishes the job
 * with the receipt (in which the version number is filled), all in one transaction.  Before
 * its commit the folder gets its version.json, after it DATA/state the new count.
 *
 * `base_version` is what an append or upsert was made from (0: nothing was published yet); a
 * replace passes DATASET_ANY_BASE.  Conflicts: base_changed, job_not_running, and cancelled
 * when somebody asked for that before. */
#define DATASET_ANY_BASE (-1)
struct dataset_publication {
    struct str dataset, job_id, schema_json, summaries_json, source_sha256, source, label;
    struct str receipt_json; /* object; "version" is added */
    int64_t base_version, row_count, source_bytes;
    uint64_t kept;
    uint64_t rows_checksum; /* of the rows.db that was made */
};
extern const struct codec DATASET_PUBLICATION; /* for the writer and for a file */
MUST_CHECK bool dataset_publish(struct writer *w, const struct dataset_publication *publication,
                                int64_t *number, struct err *err);
/* Makes the version before the current one (or `number`, when not 0) current again; it keeps
 * its number.  One that stands in for a damaged one is accepted so.  Conflict
 * no_previous_version, version_damaged, not_found, or gone for one that was dropped; busy with
 * code version_unchecked, and the version is checked next. */
MUST_CHECK bool dataset_rollback(struct writer *w, struct str name, int64_t number,
                                 int64_t *current, struct err *err);
/* In a spool folder: what has come of a URL, until all of it has and it becomes `source`. */
#define DATASET_PARTIAL_SOURCE "source.partial"
/* There, too, until the job is in the queue: without it, a folder of a job that the
 * database does not know is one that it has lost, and not an upload that came to nothing. */
#define DATASET_ARRIVING_MARK "arriving"
/* Removes folders under datasets/ whose job the database knows to be finished and whose
 * version, if they ever were one, it knows to be dropped; spool folders of jobs finished longer
 * than spool_kept_ms ago, and a day later those that hold an upload which never became a job;
 * the partial source of every job that does not run; temporary files that a kill left beside
 * version.json and DATA/state, an hour later; and bodies of requests that an nginx which
 * was killed left, an hour later.  A folder of a job that the database does not know, of
 * another data directory, or of later than the database, is kept and goes into `kept`, a line
 * each: "datasets/3/0123...: why; what to do".  Run by the jobs role at start and after each
 * job.  `db` may be a reader. */
struct version_files;
MUST_CHECK bool dataset_sweep(struct db *db, const struct version_files *files,
                              const char *data_dir, int64_t spool_kept_ms, struct buf *kept,
                              struct err *err);

extern const struct operation DATASET_OPERATIONS[]; /* ends with a NULL name */
