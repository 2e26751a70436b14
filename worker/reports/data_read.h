/* How the tables of data.h are filled, one function per input; private to data*.c. */
#pragma once

#include "reports/classify.h"
#include "reports/data.h"
#include "reports/notes.h"

#include <pthread.h>

/* Owns the memory of report_data's tables. */
struct data_store {
    struct notes notes[INPUT_COUNT];
    struct arena arenas[INPUT_COUNT]; /* one thread each */
    struct buf raw;                   /* the cells of purchases_raw, row after row */
    uint64_t *raw_at;                 /* where each row begins in it */
    size_t raw_cap;
    bool is_stopped; /* by on_progress, so the error is not an input's */
    size_t purchase_cap, confirmed_cap, cost_cap;
};

#define DATA_PROGRESS_ROWS 65536
/* Calls on_progress once per DATA_PROGRESS_ROWS.  Only on the thread that called data_read. */
MUST_CHECK bool data_tell_progress(const struct report_data *data, uint64_t rows_done,
                                   struct err *err);

/* Fills data->purchases or ->confirmed, in file order, with the reasons that depend on one row.
 * Raises `newest` to the day of the newest row when that is later. */
MUST_CHECK bool data_read_purchases(struct report_data *data, enum input_kind kind,
                                    const struct classify_rules *rules, int64_t *newest,
                                    struct err *err);
/* Frees the raw cells of kept rows, which are not needed any more. */
void data_drop_raw(struct report_data *data);
MUST_CHECK bool data_read_costs(struct report_data *data, struct err *err);

/* The sessions are independent of the other inputs and are read on a thread of their own. */
struct session_reader {
    struct report_data *data;
    int64_t day;    /* REPORT_DAY_NEWEST: only finds the newest day */
    int64_t newest; /* REPORT_DAY_NEWEST: no row has a valid time */
    uint64_t users; /* distinct, of the day */
    bool is_started;
    _Atomic bool is_unwanted;
    pthread_t thread;
};
MUST_CHECK bool data_session_reader_start(struct session_reader *reader,
                                          struct report_data *data, int64_t day,
                                          struct err *err);
/* Waits for the thread, calling on_progress meanwhile; false only when that fails.  An error
 * of the input is in data->input_errors. */
MUST_CHECK bool data_session_reader_finish(struct session_reader *reader, struct err *err);
void
data_session_reader_end(struct session_reader *reader); /* early; accepts a zeroed struct */
