/* What the steps of an import hand to each other; for this folder alone.
 *
 *   source -> decode -> plan -> scan (types, keys, sizes) -> build -> sink
 *                                                              \-> rejects
 *
 * The text is read twice because the sink wants to know its sizes, a column its type and a key
 * its last row before the first row can be kept; a third time where the type of a key is
 * inferred.  Reading is cheap beside building.
 */
#pragma once

#include "base/table.h"
#include "import/import.h"
#include "import/infer.h"

/* How far an import is, as one number of bytes that only grows: every pass over the file counts
 * the same share of it. */
struct import_progress {
    const struct import_task *task;
    const char *phase;
    unsigned passes_done, pass_count;
    uint64_t rows_done, rows_rejected;
    uint64_t reported_us, reported_bytes;
};
/* `part` of `whole` of the running pass is done.  Calls the task's on_progress when it is due;
 * false when that cancels. */
MUST_CHECK bool import_progress_at(struct import_progress *progress, uint64_t part,
                                   uint64_t whole, struct err *err);
/* At once, however recently it was called: the last counts of an import.  With a phase all of
 * the source is done; NULL where it ends early. */
MUST_CHECK bool import_progress_last(struct import_progress *progress, const char *phase,
                                     struct err *err);

/* The columns of the new version and where in a CSV row they stand. */
struct import_plan {
    struct csv_dialect dialect;
    struct schema schema;
    size_t *cell_of_column; /* per schema column */
    size_t cell_count;      /* cells every row has to have */
    struct str *ignored;    /* headers without a column */
    size_t ignored_count;
    bool is_inferred;          /* some type waits for the scan */
    bool *needs_type;          /* per schema column: is one of those */
    bool *fits_other_decimal;  /* per schema column; NULL: no type was inferred */
    bool is_upsert, is_append; /* there is a base whose rows are kept */
};
/* By the first row of `text`.  Errors: empty_file, bad_header, missing_columns,
 * too_many_columns, bad_parameter (types, key, mode), fixed_schema, schema_changed. */
MUST_CHECK bool import_plan_make(struct arena *a, const struct import_task *task,
                                 struct str text, struct import_plan *out, struct err *err);
/* Columns that are fixed: types and key can only repeat what they are (fixed_schema), and an
 * upsert needs them to have a key (bad_parameter). */
MUST_CHECK bool import_check_fixed(struct arena *a, struct str dataset,
                                   const struct schema *schema,
                                   const struct import_options *options, struct err *err);
/* Fills cell_of_column and the ignored headers for the columns of plan->schema, by the cells of
 * the header; `declared` may be NULL.  Otherwise missing_columns. */
MUST_CHECK bool import_match_header(struct arena *a, const struct import_task *task,
                                    const struct config_dataset *declared,
                                    const struct str *cells, size_t cell_count,
                                    struct import_plan *plan, struct err *err);
/* The scan has seen every value: the types, and what hangs on them. */
void import_plan_set_types(struct arena *a, struct import_plan *plan,
                           const struct infer_column *inferred);

/* Feeds the text in chunks, and gives pages that were read back. */
MUST_CHECK bool import_walk(const struct csv_decoded *source, struct csv_dialect dialect,
                            csv_row_fn *on_row, void *context, struct import_progress *progress,
                            struct err *err);

#define IMPORT_WRONG_CELL_COUNT "wrong_cell_count"

/* Why a row is not kept. */
struct import_fault {
    const char *reason; /* a stable word */
    struct str column;  /* name; "" for the whole row */
    char detail[sizeof(((struct err *)0)->detail)];
};
enum import_depth {
    IMPORT_CHECK, /* typed columns and the key only */
    IMPORT_WHOLE, /* all values, lists split */
};
/* One value per schema column.  False, with the fault, when the row cannot be kept. */
MUST_CHECK bool import_parse_row(struct arena *a, const struct import_plan *plan,
                                 const struct csv_row *row, enum import_depth depth,
                                 struct value *values, struct import_fault *fault);

/* Which row of a key wins.  A key is held as 128 bits: its value, or two seeded hashes of its
 * text, which nobody who does not know the seed makes collide. */
struct import_key {
    uint64_t low, high;
};
struct import_key_entry {
    struct import_key key;
    uint64_t row;            /* ordinal of the last good row with the key, from 1 */
    uint64_t offset, end;    /* of that row in the text */
    uint64_t line : 63;      /* of that row */
    uint64_t is_in_base : 1; /* the base version has the key too */
};
struct import_keys {
    struct import_key_entry *entries;
    size_t count, cap;
    struct table index; /* of the entries */
    uint64_t seed;
};
void import_keys_init(struct import_keys *keys);
void import_keys_free(struct import_keys *keys); /* accepts a zeroed struct */
/* Of a row of values, in a schema that has a key. */
struct import_key import_key_of(const struct import_keys *keys, const struct schema *schema,
                                const struct value *values);
/* Its entry, made when it is not there; valid until the next call. */
struct import_key_entry *import_keys_put(struct import_keys *keys, struct import_key key);
/* NULL when it is not there. */
struct import_key_entry *import_keys_get(const struct import_keys *keys, struct import_key key);

/* What the scan found. */
struct import_scan {
    uint64_t row_count;       /* of the right number of cells */
    uint64_t *text_bytes;     /* per schema column: raw bytes */
    uint64_t *text_bytes_max; /* the same when folded, at most */
    struct import_keys keys;  /* of the good rows, for a keyed dataset */
};
MUST_CHECK bool import_scan_run(struct arena *a, const struct csv_decoded *source,
                                struct import_plan *plan, char decimal,
                                struct import_progress *progress, struct import_scan *out,
                                struct err *err);

/* Rejected rows, one JSON object per line, and when there are too many of them. */
struct import_rejects {
    const struct import_task *task;
    uint64_t bom_bytes; /* before the text, so that offsets are the file's */
    struct buf lines;   /* not written yet */
    uint64_t count, duplicate_count;
    uint64_t first_line; /* of the file, and why; 0: none yet */
    struct import_fault first;
};
void import_rejects_init(struct import_rejects *rejects, const struct import_task *task,
                         uint64_t bom_bytes);
void import_rejects_free(struct import_rejects *rejects);
MUST_CHECK bool import_rejects_add(struct import_rejects *rejects, const struct csv_row *row,
                                   const struct import_fault *fault, struct err *err);
MUST_CHECK bool import_rejects_flush(struct import_rejects *rejects, struct err *err);

/* The second pass. */
struct import_build {
    const struct import_task *task;
    const struct csv_decoded *source;
    const struct import_plan *plan;
    struct import_scan *scan;
    struct import_rejects *rejects;
    struct import_progress *progress;
    const struct dataset_version *base; /* whose rows come first; NULL: none */
    struct sink_state *rows;            /* where all of them go */
    uint64_t ordinal;                   /* of the CSV row at hand, from 1 */
    uint64_t source_rows;               /* rows of the CSV, without the header */
    uint64_t accepted;                  /* of them, kept */
    uint64_t version_rows;              /* rows of the new version */
};
MUST_CHECK bool import_build_run(struct import_build *build, struct err *err);

/* The receipt (a job's `result` in openapi.yaml), without the version. */
struct import_receipt {
    const struct import_task *task;
    const struct import_plan *plan;
    const struct csv_decoded *source;
    const struct import_build *build;
    const char *sha256;
    double seconds;
};
struct str import_receipt_json(struct arena *a, const struct import_receipt *receipt);
struct str import_summaries_json(struct arena *a, const struct schema *schema,
                                 const struct column_summary *summaries);
