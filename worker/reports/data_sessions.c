/* Counts the users of a day in the sessions.  They have many rows that nothing else uses, so
 * they are read on a thread of their own, twice when the day is not known at first, and not
 * stored. */
#include "reports/data_read.h"

#include "base/clock.h"
#include "reports/cells.h"

#include <errno.h>

#define TICK_MS 200 /* between two calls of on_progress */

enum { TIME, USER }; /* by the order of INPUTS */

struct session_pass {
    struct session_reader *reader;
    struct notes *notes;      /* NULL: another pass reports bad rows */
    struct name_table *users; /* of the day */
};

static bool
take_session(void *context, const struct input_row *row, struct err *err)
{
    struct session_pass *pass = context;
    struct session_reader *reader = pass->reader;
    const struct input_source *source = &reader->data->inputs[INPUT_SESSIONS];
    int64_t ms;
    if (reader->is_unwanted)
        return err_set_code(err, ERR_CONFLICT, "cancelled", "the run was cancelled");
    if (!cells_parse_time(row->cells[TIME], source->zone_offset_ms, &ms)) {
        struct str shown = str_slice(row->cells[TIME], 0, 40);
        if (pass->notes)
            notes_add(pass->notes, row->line,
                      "event_timestamp_utc is a time, got '%" STR_FMT "'", STR_ARG(shown));
        return true;
    }
    int64_t day = data_day_of(ms);
    if (data_has_begun(reader->data, ms))
        reader->newest = MAX(reader->newest, day);
    struct str user = str_trim(row->cells[USER]);
    if (user.n == 0 && pass->notes)
        notes_add(pass->notes, row->line, "user_id is empty");
    if (day == reader->day)
        name_intern(pass->users, user);
    return true;
}

static void
take_bad(void *context, uint64_t line, const char *reason)
{
    struct session_pass *pass = context;
    if (pass->notes)
        notes_add(pass->notes, line, "%s", reason);
}

static void *
read_sessions(void *argument)
{
    struct session_reader *reader = argument;
    struct report_data *data = reader->data;
    struct data_store *store = data->store;
    struct session_pass pass = {.reader = reader, .users = names_open()};
    if (reader->day != REPORT_DAY_NEWEST)
        pass.notes = &store->notes[INPUT_SESSIONS];
    struct err err = {0};
    if (!input_read(&store->arenas[INPUT_SESSIONS], data->config, INPUT_SESSIONS,
                    &data->inputs[INPUT_SESSIONS], take_session, take_bad, &pass, &err))
        data->input_errors[INPUT_SESSIONS] = err;
    reader->users = name_count(pass.users) - 1;
    names_close(&pass.users);
    return NULL;
}

bool
data_session_reader_start(struct session_reader *reader, struct report_data *data, int64_t day,
                          struct err *err)
{
    *reader = (struct session_reader){.data = data, .day = day, .newest = REPORT_DAY_NEWEST};
    errno = pthread_create(&reader->thread, NULL, read_sessions, reader);
    reader->is_started = errno == 0;
    return reader->is_started || err_set_errno(err, "starting a thread");
}

bool
data_session_reader_finish(struct session_reader *reader, struct err *err)
{
    const struct report_data *data = reader->data;
    while (reader->is_started) {
        struct timespec until = clock_wait_until(TICK_MS);
        reader->is_started = pthread_timedjoin_np(reader->thread, NULL, &until) != 0;
        if (data->on_progress && !data->on_progress(data->context, data->purchases.count, err))
            return false;
    }
    return true;
}

void
data_session_reader_end(struct session_reader *reader)
{
    reader->is_unwanted = true;
    if (reader->is_started)
        pthread_join(reader->thread, NULL);
    reader->is_started = false;
}
