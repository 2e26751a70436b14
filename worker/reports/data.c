/* The sessions have by far the most rows, so they are read at the same time as the rest:
 *
 *     day given      sessions: count users of the day
 *                    here:     purchases, confirmed, costs
 *     day not given  sessions: look for the newest     | count users of the day
 *                    here:     purchases               | confirmed, costs
 */
#include "reports/data.h"

#include "base/mem.h"
#include "reports/data_read.h"

#include <stdlib.h>

const char *
data_drop_reason_name(enum drop_reason reason)
{
    static const char *const NAMES[] = {"kept",
#define X(reason, word) word,
                                        DROP_REASONS(X)
#undef X
    };
    return NAMES[reason];
}

int64_t
data_day_of(int64_t ms)
{
    return ms / DATE_MS_PER_DAY - (ms % DATE_MS_PER_DAY < 0);
}

bool
data_has_begun(const struct report_data *data, int64_t ms)
{
    return data->now_ms == 0 || data_day_of(ms) <= data_day_of(data->now_ms);
}

/* Decides whose failure it is that reading failed: the input's, which the reports will tell,
 * or the run's. */
static bool
note_failure(struct report_data *data, enum input_kind kind, bool ok, struct err *err)
{
    if (ok)
        return true;
    if (data->store->is_stopped)
        return false;
    data->input_errors[kind] = *err;
    return true;
}

static bool
read_purchases(struct report_data *data, const struct classify_rules *rules, int64_t *newest,
               struct err *err)
{
    bool ok = data_read_purchases(data, INPUT_PURCHASES, rules, newest, err);
    if (!note_failure(data, INPUT_PURCHASES, ok, err))
        return false;
    if (ok)
        classify_purchases(rules, data->names, &data->purchases);
    data_drop_raw(data);
    return true;
}

static bool
read_others(struct report_data *data, const struct classify_rules *rules, struct err *err)
{
    int64_t ignored = REPORT_DAY_NEWEST;
    bool ok = data_read_purchases(data, INPUT_CONFIRMED, rules, &ignored, err);
    if (!note_failure(data, INPUT_CONFIRMED, ok, err))
        return false;
    if (ok)
        classify_confirmed(data->names, &data->confirmed);
    return note_failure(data, INPUT_COSTS, data_read_costs(data, err), err);
}

/* Without a newest day, the error of an input that should have given one explains more than the
 * absence of a day. */
static bool
choose_day(struct report_data *data, struct err *err)
{
    static const enum input_kind DATED[] = {INPUT_PURCHASES, INPUT_SESSIONS};
    for (size_t i = 0; data->newest_day == REPORT_DAY_NEWEST && i < COUNT_OF(DATED); i++)
        if (data->inputs[DATED[i]].is_there && data->input_errors[DATED[i]].kind != ERR_NONE) {
            *err = data->input_errors[DATED[i]];
            return false;
        }
    if (data->newest_day == REPORT_DAY_NEWEST)
        return err_set_code(err, ERR_INVALID, "no_day",
                            "no row of %s or %s has a time to tell the newest day by; give the "
                            "date",
                            input_name(INPUT_PURCHASES), input_name(INPUT_SESSIONS));
    /* 0001-01-01 has no day before it. */
    data->day = MAX(data->newest_day - 1, DATE_DAY_MIN);
    return true;
}

static bool
read_all(struct report_data *data, const struct classify_rules *rules,
         struct session_reader *sessions, struct err *err)
{
    bool is_newest = data->day == REPORT_DAY_NEWEST;
    if (!data_session_reader_start(sessions, data, data->day, err) ||
        !read_purchases(data, rules, &data->newest_day, err))
        return false;
    if (is_newest) {
        if (!data_session_reader_finish(sessions, err))
            return false;
        data->newest_day = MAX(data->newest_day, sessions->newest);
        if (!choose_day(data, err) ||
            (data->input_errors[INPUT_SESSIONS].kind == ERR_NONE &&
             !data_session_reader_start(sessions, data, data->day, err)))
            return false;
    }
    if (!read_others(data, rules, err) || !data_session_reader_finish(sessions, err))
        return false;
    data->newest_day = MAX(data->newest_day, sessions->newest);
    data->sessions.count = sessions->users;
    return true;
}

bool
data_read(struct report_data *data, int64_t day, struct err *err)
{
    struct classify_rules rules = {0};
    struct session_reader sessions = {0};
    data->names = names_open();
    data->store = mem_new(struct data_store);
    for (size_t i = 0; i < INPUT_COUNT; i++)
        notes_init(&data->store->notes[i], (enum input_kind)i);
    data->day = day;
    data->newest_day = REPORT_DAY_NEWEST;
    bool ok = classify_rules_init(data->arena, data->config, &rules, err) &&
              read_all(data, &rules, &sessions, err);
    data_session_reader_end(&sessions);
    classify_rules_free(&rules);
    for (size_t i = 0; ok && i < INPUT_COUNT; i++) {
        struct notes *notes = &data->store->notes[i];
        notes_finish(notes, data->inputs[i].rejected_rows);
        data->input_warnings[i] = notes->list;
        data->input_warning_counts[i] = notes->count;
    }
    return ok;
}

void
data_free(struct report_data *data)
{
    struct data_store *store = data->store;
    if (store) {
        for (size_t i = 0; i < INPUT_COUNT; i++) {
            notes_free(&store->notes[i]);
            arena_free(&store->arenas[i]);
        }
        buf_free(&store->raw);
        free(store->raw_at);
        free(store);
    }
    names_close(&data->names);
    free(data->purchases.rows);
    free(data->confirmed.rows);
    free(data->costs);
    data->store = NULL;
    data->purchases = data->confirmed = (struct purchase_table){0};
    data->costs = NULL;
}
