/* From a source file to a published version: the work of the load child, and of `playmeter
 * import`.  Nothing here forks or opens a network connection. */
#pragma once

#include "config/config.h"
#include "csv/decode.h"
#include "datasets/catalogue.h"

enum import_mode { IMPORT_REPLACE, IMPORT_APPEND, IMPORT_UPSERT };

struct import_options { /* SPEC 3.1; zeroed is the default of each */
    enum import_mode mode;
    enum csv_encoding encoding;
    struct csv_hints dialect;
    char decimal; /* 0 is '.' */
    struct param_pair {
        struct str name, value;
    } * types; /* column (name or header) to type */
    size_t type_count;
    struct str key;
    struct str *nulls; /* NULL: the default words */
    size_t null_count;
    bool aborts_on_error; /* on_error=abort */
    uint64_t errors_max;  /* 0: no bound */
    struct str label;
    struct str url; /* for fetch; "" for a file */
};
/* One option as a field of a form, a query parameter or a JSON member (objects and arrays of
 * JSON come as their text).  Unknown names and bad values are bad_parameter with the rule. */
MUST_CHECK bool import_option_set(struct arena *a, struct import_options *options,
                                  struct str name, struct str value, struct err *err);
/* As stored with the job; print then parse is identity. */
void import_options_add_json(struct buf *out, const struct import_options *options);
MUST_CHECK bool import_options_parse_json(struct arena *a, struct str json,
                                          struct import_options *out, struct err *err);

struct import_task {
    const struct config *config;
    const char *data_dir;
    struct str job_id, dataset;
    const struct import_options *options;
    int source_fd; /* the CSV as it came */
    uint64_t source_offset, source_length;
    struct str source_name;             /* for the receipt */
    const struct dataset_version *base; /* NULL: nothing published yet */
    struct str dataset_folder;          /* datasets/<dataset id>/<job id>, made here */
    int rejects_fd; /* NDJSON of {line, offset, column, reason, raw}; capped */
    /* Called from one thread at least every 0.4 s; false cancels. */
    bool (*on_progress)(void *context, const struct job_progress *progress, struct err *err);
    void *context;
};
/* Reads, checks, builds rows.db and the index files, fsyncs, and fills what is to be published
 * (strings in the arena).  Errors carry the codes of SPEC 3.1: not_csv, empty_file,
 * missing_columns, too_large, too_many_columns, too_many_errors, cancelled, ... and nothing of
 * the folder is left. */
MUST_CHECK bool import_run(struct arena *a, const struct import_task *task,
                           struct dataset_publication *out, struct err *err);
