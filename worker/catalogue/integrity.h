/* Whether the files of the versions are what was written, and what happens where they are not.
 *
 * A version's rows.db is held against its checksum in the catalogue, the index files against
 * those they carry.  All of it is read, at every start of the service before a version is
 * answered from, and again on a schedule while it runs:
 *
 *   a start ---> UNCHECKED --check--> WHOLE, DAMAGED INDEX or DAMAGED ROWS
 *   published ----------------------> WHOLE
 *
 *   WHOLE          --check----------> DAMAGED INDEX or DAMAGED ROWS
 *   DAMAGED INDEX  --job of kind reindex------------> WHOLE
 *   DAMAGED ROWS   --rows.db put back, then a check-> WHOLE or DAMAGED INDEX
 *
 * UNCHECKED is refused (503, version_unchecked), by a rollback too, until its turn comes: the
 * current versions are checked first, then those that somebody asked for.
 * WHOLE and DAMAGED INDEX are answered from, the second without the damaged file: of `trigrams`
 * by a scan, of `tfidf` all but similarity, of `columns` nothing (503, index_damaged).  In the
 * place of DAMAGED ROWS the newest whole version below it becomes current, else the newest
 * whole one, and it is current again once it is whole, unless another was published or chosen
 * meanwhile; where none is whole its dataset answers 503, version_damaged.  A file that is not
 * there, cut short or cannot be read is damaged.  Which files are is found out by the engine:
 * version_files.check (files.h; embedded/files.c).
 *
 * A version that a program without checksums made has none of rows.db.  Its first check looks
 * whether SQLite finds the file sound and its rows are all there, believes it, and takes the
 * checksum: a value that was turned before is not found. */
#pragma once

#include "catalogue/dataset.h"

/* The files, as a set.  In the table and to people they are their names, blanks between. */
enum integrity_file {
    INTEGRITY_ROWS = 1,
    INTEGRITY_COLUMNS = 2,
    INTEGRITY_TRIGRAMS = 4,
    INTEGRITY_TFIDF = 8,
};
struct str integrity_files_words(struct arena *a, unsigned files);
unsigned integrity_files_parse(struct str words);

struct integrity_finding {
    unsigned damaged;       /* a set of enum integrity_file */
    struct err reason;      /* of the first one; no reason when none is */
    uint64_t rows_checksum; /* of a whole rows.db */
    uint64_t bytes;         /* that were read */
};
/* Code of an error: the rows of a version are not what was written; its name is the job that
 * made the version. */
#define INTEGRITY_ROWS_DAMAGED "rows_damaged"

/* ---- in the catalogue ---- */

struct integrity_schedule {
    int64_t start;            /* of the service */
    int64_t every_ms;         /* between two checks of a version */
    int64_t damaged_every_ms; /* of one that is damaged: it may have been mended */
};
/* Cheap: asked every second. */
MUST_CHECK bool integrity_is_due(struct db *db, const struct integrity_schedule *schedule,
                                 bool *is_due, struct err *err);
/* The version to be checked next: those not checked since the start first, of them the current
 * ones, and then those that are doubted.  1 and the version with its dataset's name, 0 none is
 * due, -1 error. */
int integrity_next(struct arena *a, struct db *db, const struct integrity_schedule *schedule,
                   struct str *dataset, struct dataset_version *out, struct err *err);
/* Has some current version not been checked since the start? */
MUST_CHECK bool integrity_is_waiting(struct db *db, int64_t start, bool *is_waiting,
                                     struct err *err);

/* A dataset that is not answered from as it should be. */
struct integrity_trouble {
    struct str dataset;
    bool is_public;
    int64_t version, wanted_version; /* as in struct dataset */
    unsigned damaged;                /* of the wanted version, or else the current one */
    int64_t damaged_at;
    bool is_unchecked; /* the current version, since the start */
};
MUST_CHECK bool integrity_troubles(struct arena *a, struct db *db, int64_t start,
                                   struct integrity_trouble **out, size_t *out_count,
                                   struct err *err);

/* Operations.  Tells the catalogue that this start is the present one. */
MUST_CHECK bool integrity_begin(struct writer *w, int64_t start, struct err *err);
/* Stores what a check of `version` found, unless its files have changed since it was read from
 * the catalogue; moves the current version; and enqueues a job of kind reindex, under
 * `job_id`, where an index file has to be made again or damage is new.  `current`: the version
 * that is current now. */
MUST_CHECK bool integrity_store(struct writer *w, int64_t start,
                                const struct dataset_version *version,
                                const struct integrity_finding *finding, struct str job_id,
                                int64_t *current, struct err *err);
/* The index files of the version were made again from a whole rows.db: it is whole, unless
 * something else was found since it was read from the catalogue; then that stands and the
 * version is checked next.  Ends the job with the receipt; `job_id` "" for none. */
MUST_CHECK bool integrity_store_reindexed(struct writer *w,
                                          const struct dataset_version *version,
                                          struct str job_id, struct str receipt_json,
                                          struct err *err);
/* Somebody could not read a version, or asks for one that is unchecked: it is checked next. */
MUST_CHECK bool integrity_doubt(struct writer *w, const struct dataset_version *version,
                                struct err *err);
/* The rows of the version that this job made were found damaged: unless that is known, the
 * version is checked next. */
MUST_CHECK bool integrity_doubt_rows(struct writer *w, struct str job_id, struct err *err);

extern const struct operation INTEGRITY_OPERATIONS[]; /* ends with a NULL name */
