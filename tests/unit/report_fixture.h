/* Inputs of the reports as files in a folder of their own, and the data that is read from them.
 */
#pragma once

#include "temp_dir.h"

#include "reports/run.h"

#include <string.h>

struct fixture {
    struct temp_dir *dir;
    struct config config;
    struct report_data data;
    int64_t now_ms; /* of the readings; 0: later than any row */
};

static inline void
begin(struct fixture *f, struct temp_dir *dir, const char *settings)
{
    struct err err;
    *f = (struct fixture){.dir = dir};
    if (!config_parse(&dir->arena, STR("test.yaml"), str_from(settings), &f->config, &err))
        fail_msg("%s", err.detail);
}

static inline void
write_text(struct temp_dir *dir, const char *name, struct str text)
{
    struct err err;
    scoped_fd fd =
        fs_open_at(AT_FDCWD, temp_path(dir, name), O_WRONLY | O_CREAT | O_TRUNC, &err);
    assert_true(fd >= 0 && fs_write(fd, text, &err));
}

static inline void
end_data(struct fixture *f)
{
    data_free(&f->data);
}
#define scoped_fixture SCOPED(end_data) struct fixture

static inline bool
read_files(struct fixture *f, int64_t day, struct err *err)
{
    data_free(&f->data);
    f->data = (struct report_data){
        .config = &f->config, .arena = &f->dir->arena, .now_ms = f->now_ms};
    for (size_t i = 0; i < INPUT_COUNT; i++)
        f->data.inputs[i] = input_of_file(&f->dir->arena, (enum input_kind)i, f->dir->path);
    return data_read(&f->data, day, err);
}

static inline void
must_read(struct fixture *f, int64_t day)
{
    struct err err;
    if (!read_files(f, day, &err))
        fail_msg("%s: %s", err_code(&err), err.detail);
}

static inline int64_t
day_of(const char *text)
{
    int64_t day;
    assert_true(date_parse_iso(str_from(text), &day));
    return day;
}

#define DAY day_of("2025-10-20")
#define PURCHASES_HEADER                                                                       \
    "appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id,status\n"
#define CONFIRMED_HEADER                                                                       \
    "appsflyer_id,event_name,event_time_utc,revenue_usd,campaign,receipt_id\n"

/* The words of the reasons, row by row. */
static inline void
expect_reasons(struct fixture *f, const struct purchase_table *table, const char *expected)
{
    scoped_buf out;
    buf_init(&out, MIB);
    for (size_t i = 0; i < table->count; i++)
        buf_printf(&out, "%s%s", i ? " " : "", data_drop_reason_name(table->rows[i].dropped));
    assert_string_equal(arena_str(&f->dir->arena, buf_str(&out)).p, expected);
}
