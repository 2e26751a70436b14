/* Inputs of the reports, as files: the purchases, and behind a line of '=' the confirmations.
 * Every row is kept or has its reason, nothing is kept twice, and amounts add up. */
#include "fuzz.h"
#include "memory_file.h"

#include "reports/data.h"

#include <stdlib.h>
#include <unistd.h>

#define PURCHASES_HEADER                                                                       \
    "appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id,status\n"
#define CONFIRMED_HEADER                                                                       \
    "appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id\n"

static struct input_source
source_of(struct arena *a, int fd, struct str header, struct str rows)
{
    struct err err;
    bool ok = ftruncate(fd, 0) == 0 && fs_write_at(fd, header, 0, &err) &&
              fs_write_at(fd, rows, header.n, &err);
    assert(ok);
    return (struct input_source){.is_there = true,
                                 .path = arena_printf(a, "/proc/self/fd/%d", fd)};
}

static void
check_raw(const struct report_data *data, size_t index)
{
    struct str cells[INPUT_COLUMNS_MAX];
    const struct purchase *p = &data->purchases.rows[index];
    data_raw(data, index, cells);
    assert(str_eq(str_trim(cells[0]), name_text(data->names, p->user)));
    assert(str_eq(str_trim(cells[5]), name_text(data->names, p->receipt)));
}

static void
check_table(const struct report_data *data, const struct purchase_table *table, bool is_raw)
{
    bool *seen = calloc(name_count(data->names), sizeof(*seen));
    for (size_t i = 0; i < table->count; i++) {
        const struct purchase *p = &table->rows[i];
        assert(p->dropped < DROP_COUNT && p->line >= 1);
        assert(i == 0 || p->line > table->rows[i - 1].line);
        if (p->dropped != DROP_NONE) {
            assert(p->refunded == 0);
            if (is_raw)
                check_raw(data, i);
            continue;
        }
        assert(!p->receipt || !seen[p->receipt]);
        seen[p->receipt] = true;
        assert(!is_raw || (p->revenue > 0 && p->refunded >= 0));
    }
    free(seen);
}

static void
fuzz(struct arena *a, struct str input)
{
    static int purchases = -1, confirmed = -1;
    ptrdiff_t at = str_find(input, STR("\n=\n"));
    struct str first = at < 0 ? input : str_slice(input, 0, (size_t)at);
    struct str second = at < 0 ? (struct str){0} : str_skip(input, (size_t)at + 3);
    if (purchases < 0) {
        purchases = memory_file(STR(""));
        confirmed = memory_file(STR(""));
    }
    struct config config;
    struct err err;
    bool ok = config_parse(a, STR("fuzz.yaml"), STR("reports:\n  receipt_pattern: \"^R\"\n"),
                           &config, &err);
    assert(ok);
    struct report_data data = {.config = &config, .arena = a};
    data.inputs[INPUT_PURCHASES] = source_of(a, purchases, STR(PURCHASES_HEADER), first);
    data.inputs[INPUT_CONFIRMED] = source_of(a, confirmed, STR(CONFIRMED_HEADER), second);
    ok = data_read(&data, 20000, &err);
    assert(ok);
    if (data.input_errors[INPUT_PURCHASES].kind == ERR_NONE) {
        assert(data.purchases.count == data.inputs[INPUT_PURCHASES].row_count);
        check_table(&data, &data.purchases, true);
    }
    if (data.input_errors[INPUT_CONFIRMED].kind == ERR_NONE)
        check_table(&data, &data.confirmed, false);
    data_free(&data);
}
