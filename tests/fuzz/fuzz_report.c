/* Inputs of the reports, as files: the purchases, and behind a line of '=' the confirmations.
 * Every row is kept or has its reason, nothing is kept twice, and amounts add up. */
#include "reports/data.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(condition)                                                                       \
    do {                                                                                       \
        if (!(condition))                                                                      \
            abort();                                                                           \
    } while (0)

#define PURCHASES_HEADER                                                                       \
    "appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id,status\n"
#define CONFIRMED_HEADER                                                                       \
    "appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct input_source
source_of(struct arena *a, int fd, struct str header, struct str rows)
{
    CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, header.p, header.n, 0) == (ssize_t)header.n);
    CHECK(pwrite(fd, rows.p, rows.n, (off_t)header.n) == (ssize_t)rows.n);
    return (struct input_source){.is_there = true,
                                 .path = arena_printf(a, "/proc/self/fd/%d", fd)};
}

static void
check_raw(const struct report_data *data, size_t index)
{
    struct str cells[INPUT_COLUMNS_MAX];
    const struct purchase *p = &data->purchases.rows[index];
    data_raw(data, index, cells);
    CHECK(str_eq(str_trim(cells[0]), name_text(data->names, p->user)));
    CHECK(str_eq(str_trim(cells[5]), name_text(data->names, p->receipt)));
}

static void
check_table(const struct report_data *data, const struct purchase_table *table, bool is_raw)
{
    bool *seen = calloc(name_count(data->names), sizeof(*seen));
    for (size_t i = 0; i < table->count; i++) {
        const struct purchase *p = &table->rows[i];
        CHECK(p->dropped < DROP_COUNT && p->line >= 1);
        CHECK(i == 0 || p->line > table->rows[i - 1].line);
        if (p->dropped != DROP_NONE) {
            CHECK(p->refunded == 0);
            if (is_raw)
                check_raw(data, i);
            continue;
        }
        CHECK(!p->receipt || !seen[p->receipt]);
        seen[p->receipt] = true;
        CHECK(!is_raw || (p->revenue > 0 && p->refunded >= 0));
    }
    free(seen);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int purchases = -1, confirmed = -1;
    struct str text = {(const char *)bytes, size};
    ptrdiff_t at = str_find(text, STR("\n=\n"));
    struct str first = at < 0 ? text : str_slice(text, 0, (size_t)at);
    struct str second = at < 0 ? (struct str){0} : str_skip(text, (size_t)at + 3);
    if (purchases < 0) {
        purchases = memfd_create("purchases", MFD_CLOEXEC);
        confirmed = memfd_create("confirmed", MFD_CLOEXEC);
    }
    scoped_arena a = {0};
    struct config config;
    struct err err;
    CHECK(config_parse(&a, STR("fuzz.yaml"), STR("reports:\n  receipt_pattern: \"^R\"\n"),
                       &config, &err));
    struct report_data data = {.config = &config, .arena = &a};
    data.inputs[INPUT_PURCHASES] = source_of(&a, purchases, STR(PURCHASES_HEADER), first);
    data.inputs[INPUT_CONFIRMED] = source_of(&a, confirmed, STR(CONFIRMED_HEADER), second);
    CHECK(data_read(&data, 20000, &err));
    if (data.input_errors[INPUT_PURCHASES].kind == ERR_NONE) {
        CHECK(data.purchases.count == data.inputs[INPUT_PURCHASES].row_count);
        check_table(&data, &data.purchases, true);
    }
    if (data.input_errors[INPUT_CONFIRMED].kind == ERR_NONE)
        check_table(&data, &data.confirmed, false);
    data_free(&data);
    return 0;
}
