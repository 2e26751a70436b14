/* The four inputs of the reports, from a dataset's version or from a bare CSV file: the same
 * rows with the same line numbers either way, handed over one at a time. */
#pragma once

#include "catalogue/files.h"
#include "query/engine.h"

/*   input              name of dataset and file       columns, by name, in this order */
#define INPUTS(X)                                                                              \
    X(INPUT_PURCHASES, "purchases_raw",                                                        \
      "appsflyer_id event_name event_time_utc revenue_usd campaign receipt_id status")         \
    X(INPUT_CONFIRMED, "confirmed_purchases",                                                  \
      "appsflyer_id event_name event_time_utc revenue_usd campaign receipt_id")                \
    X(INPUT_COSTS, "costs_daily", "date campaign ad_cost_usd")                                 \
    X(INPUT_SESSIONS, "sessions", "event_timestamp_utc user_id event_name")

enum input_kind {
#define X(kind, name, columns) kind,
    INPUTS(X)
#undef X
        INPUT_COUNT
};
#define INPUT_COLUMNS_MAX 7
const char *input_name(enum input_kind kind);
size_t input_columns(enum input_kind kind, struct str names[INPUT_COLUMNS_MAX]);

/* Where the versions of datasets are. */
struct input_versions {
    struct db *db;
    const char *data_dir;
    const struct version_files *files;
    const struct engine *engine;
    struct engine_state *state; /* the engine's */
};
/* Where an input is; strings and `versions` are the caller's and outlive it. */
struct input_source {
    bool is_there;
    struct str path;                       /* of the CSV file; NUL-terminated */
    const struct input_versions *versions; /* it is one of these; NULL: a file */
    struct dataset_version version;        /* zeroed for a file */
    uint64_t rejected_rows; /* of the import that made the version; 0 for a file */
    struct str problem;     /* why it exists but cannot be read; "" for none */
    struct str sha256;      /* of the CSV as it came; "" until input_read for a file */
    uint64_t row_count;     /* rows passed to on_row; 0 until input_read for a file */
    int64_t zone_offset_ms; /* how far the input's time zone is ahead of UTC, for times without
                             * a zone; set by input_read before the first row */
    struct str time_zone;   /* as written in the settings, else "UTC"; set likewise */
};
/* The file of that kind in `dir`, such as DIR/purchases_raw.csv; is_there tells if it exists.
 */
struct input_source input_of_file(struct arena *a, enum input_kind kind, const char *dir);
/* The current version of the dataset; without one, is_there is false. */
MUST_CHECK bool input_of_dataset(struct arena *a, enum input_kind kind,
                                 const struct input_versions *versions,
                                 struct input_source *out, struct err *err);
/* Are its rows gone, of a version that was dropped since it was looked up?  Then what was read
 * of it does not count. */
bool input_is_lost(const struct input_source *source);

struct input_row {
    uint64_t line;                       /* in the imported file; the header is line 1 */
    struct str cells[INPUT_COLUMNS_MAX]; /* as in the file, in the order of INPUTS */
};
/* Cells are valid during the call only.  False stops, with err set. */
typedef bool input_row_fn(void *context, const struct input_row *row, struct err *err);
/* Called for a line that is not a row (ragged, unclosed quote, invalid UTF-8), which is
 * skipped; `reason` is as in an import's rejects. */
typedef void input_bad_fn(void *context, uint64_t line, const char *reason);

/* Is the input declared in the settings as its reports need it?  Else undeclared_input. */
MUST_CHECK bool input_check_declared(struct arena *a, const struct config *config,
                                     enum input_kind kind, struct err *err);
/* Reads all rows in file order; may be called again for a second pass.  Errors: missing_input;
 * undeclared_input (`datasets` in the settings lacks it or one of its columns);
 * missing_columns, with the names and the nearest headers found; not_csv; empty_file;
 * no_source (the path is not a readable file). */
MUST_CHECK bool input_read(struct arena *a, const struct config *config, enum input_kind kind,
                           struct input_source *source, input_row_fn *on_row,
                           input_bad_fn *on_bad, void *context, struct err *err);
