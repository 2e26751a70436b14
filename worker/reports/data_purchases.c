/* The two inputs of purchases, row by row.  The raw cells are stored one after another, each
 * with its length before it, because a dropped row is reported with its original cells. */
#include "reports/data_read.h"

#include "base/mem.h"
#include "reports/cells.h"
#include "reports/money.h"

#include <string.h>

/* By the order of INPUTS. */
enum { USER, EVENT, TIME, REVENUE, CAMPAIGN, RECEIPT, STATUS };

struct purchase_reader {
    struct report_data *data;
    const struct input_source *source;
    const struct classify_rules *rules; /* NULL for confirmed_purchases */
    struct purchase_table *table;
    size_t *cap;
    struct notes *notes;
    int64_t newest_ms;
    bool has_newest;
};

bool
data_tell_progress(const struct report_data *data, uint64_t rows_done, struct err *err)
{
    if (data->on_progress && rows_done % DATA_PROGRESS_ROWS == 0)
        data->store->is_stopped = !data->on_progress(data->context, rows_done, err);
    return !data->store->is_stopped;
}

static void
keep_raw(struct data_store *store, size_t index, const struct input_row *row)
{
    struct buf *raw = &store->raw;
    store->raw_at = mem_grow(store->raw_at, &store->raw_cap, index + 1, sizeof(*store->raw_at));
    store->raw_at[index] = raw->n;
    for (size_t i = 0; i < INPUT_COLUMNS_MAX; i++) {
        uint32_t n = (uint32_t)row->cells[i].n; /* a cell is at most 1 MiB */
        buf_add(raw, (struct str){(const char *)&n, sizeof(n)});
        buf_add(raw, row->cells[i]);
    }
}

void
data_raw(const struct report_data *data, size_t index, struct str cells[INPUT_COLUMNS_MAX])
{
    assert(index < data->purchases.count);
    assert(data->purchases.rows[index].dropped != DROP_NONE);
    const char *p = data->store->raw.p + data->store->raw_at[index];
    for (size_t i = 0; i < INPUT_COLUMNS_MAX; i++) {
        uint32_t n;
        memcpy(&n, p, sizeof(n));
        cells[i] = (struct str){p + sizeof(n), n};
        p += sizeof(n) + n;
    }
}

void
data_drop_raw(struct report_data *data)
{
    struct data_store *store = data->store;
    struct buf *raw = &store->raw;
    size_t used = 0;
    for (size_t i = 0; i < data->purchases.count; i++) {
        if (data->purchases.rows[i].dropped == DROP_NONE)
            continue;
        char *from = raw->p + store->raw_at[i];
        size_t bytes = 0;
        for (size_t cell = 0; cell < INPUT_COLUMNS_MAX; cell++) {
            uint32_t n;
            memcpy(&n, from + bytes, sizeof(n));
            bytes += sizeof(n) + n;
        }
        memmove(raw->p + used, from, bytes);
        store->raw_at[i] = used;
        used += bytes;
    }
    raw->n = used;
    raw->cap = MAX(used, 1);
    raw->p = mem_resize(raw->p, raw->cap, 1);
}

static enum drop_reason
read_cells(struct purchase_reader *reader, const struct input_row *row, struct purchase *p)
{
    bool has_time =
        cells_parse_time(row->cells[TIME], reader->source->zone_offset_ms, &p->time_ms);
    bool has_revenue = money_parse(row->cells[REVENUE], &p->revenue);
    if (has_time && data_has_begun(reader->data, p->time_ms) &&
        (!reader->has_newest || p->time_ms > reader->newest_ms)) {
        reader->newest_ms = p->time_ms;
        reader->has_newest = true;
    }
    return !has_time ? DROP_BAD_TIME : !has_revenue ? DROP_BAD_REVENUE : DROP_NONE;
}

static bool
add_row(struct purchase_reader *reader, const struct input_row *row, struct err *err)
{
    struct purchase_table *table = reader->table;
    struct name_table *names = reader->data->names;
    if (row->line > UINT32_MAX || table->count == UINT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "an input has at most %u lines", UINT32_MAX);
    table->rows = mem_grow(table->rows, reader->cap, table->count + 1, sizeof(*table->rows));
    struct purchase *p = &table->rows[table->count++];
    struct str receipt = str_trim(row->cells[RECEIPT]);
    *p = (struct purchase){
        .line = (uint32_t)row->line,
        .user = name_intern(names, str_trim(row->cells[USER])),
        .event = name_intern(names, row->cells[EVENT]),
        .campaign = cells_intern_campaign(names, row->cells[CAMPAIGN]),
        .receipt = name_intern(names, receipt),
    };
    p->dropped = read_cells(reader, row, p);
    notes_add_amount(reader->notes, p->revenue);
    if (p->dropped == DROP_NONE && reader->rules)
        p->dropped = classify_row(reader->rules, row->cells[EVENT], row->cells[STATUS], receipt,
                                  p->revenue);
    return data_tell_progress(reader->data, table->count, err);
}

static bool
take_purchase(void *context, const struct input_row *row, struct err *err)
{
    struct purchase_reader *reader = context;
    keep_raw(reader->data->store, reader->table->count, row);
    if (!add_row(reader, row, err))
        return false;
    enum drop_reason dropped = reader->table->rows[reader->table->count - 1].dropped;
    if (dropped == DROP_BAD_TIME)
        notes_add_unread(reader->notes, NOTES_UNREAD_TIME, row->line, row->cells[TIME]);
    /* An event that brings no money has an empty cell, which is no cause for a warning. */
    else if (dropped == DROP_BAD_REVENUE && str_trim(row->cells[REVENUE]).n > 0)
        notes_add_unread(reader->notes, NOTES_UNREAD_REVENUE, row->line, row->cells[REVENUE]);
    return true;
}

/* No report lists unreadable rows of confirmed_purchases, so a warning names each. */
static bool
take_confirmation(void *context, const struct input_row *row, struct err *err)
{
    struct purchase_reader *reader = context;
    if (!add_row(reader, row, err))
        return false;
    enum drop_reason dropped = reader->table->rows[reader->table->count - 1].dropped;
    struct str time = str_slice(row->cells[TIME], 0, NOTES_CELL_BYTES_MAX);
    struct str revenue = str_slice(row->cells[REVENUE], 0, NOTES_CELL_BYTES_MAX);
    if (dropped == DROP_BAD_TIME)
        notes_add(reader->notes, row->line, "event_time_utc is a time, got '%" STR_FMT "'",
                  STR_ARG(time));
    else if (dropped == DROP_BAD_REVENUE)
        notes_add(reader->notes, row->line,
                  "revenue_usd is an amount like 4.99, got '%" STR_FMT "'", STR_ARG(revenue));
    return true;
}

static void
take_bad(void *context, uint64_t line, const char *reason)
{
    struct purchase_reader *reader = context;
    notes_add(reader->notes, line, "%s", reason);
}

bool
data_read_purchases(struct report_data *data, enum input_kind kind,
                    const struct classify_rules *rules, int64_t *newest, struct err *err)
{
    bool is_raw = kind == INPUT_PURCHASES;
    struct data_store *store = data->store;
    struct purchase_reader reader = {
        .data = data,
        .source = &data->inputs[kind],
        .rules = is_raw ? rules : NULL,
        .table = is_raw ? &data->purchases : &data->confirmed,
        .cap = is_raw ? &store->purchase_cap : &store->confirmed_cap,
        .notes = &store->notes[kind],
    };
    if (is_raw)
        buf_init(&store->raw, SIZE_MAX / 2);
    if (!input_read(&store->arenas[kind], data->config, kind, &data->inputs[kind],
                    is_raw ? take_purchase : take_confirmation, take_bad, &reader, err))
        return false;
    if (reader.has_newest)
        *newest = MAX(*newest, data_day_of(reader.newest_ms));
    return true;
}
