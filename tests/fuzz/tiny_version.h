/* A version of 70 rows, more than a word of a bitmap has bits, with a column of each type, the
 * ends of each range, and nulls.  `count` has the name of an aggregate; `name` is the last, for
 * those who have to leave it out: there is no rows.db to read a text from. */
#pragma once

#include "columns_file.h"
#include "embedded/version.h"

enum { TINY_ROWS = 70, TINY_COLUMNS = 8 };

static struct schema_column TINY_SCHEMA[TINY_COLUMNS] = {
    {.name = STR_INIT("id"), .header = STR_INIT("id"), .type = COLUMN_INTEGER},
    {.name = STR_INIT("price"), .header = STR_INIT("price"), .type = COLUMN_REAL},
    {.name = STR_INIT("free"), .header = STR_INIT("free"), .type = COLUMN_BOOLEAN},
    {.name = STR_INIT("day"), .header = STR_INIT("day"), .type = COLUMN_DATE},
    {.name = STR_INIT("seen"), .header = STR_INIT("seen"), .type = COLUMN_DATETIME},
    {.name = STR_INIT("count"), .header = STR_INIT("count"), .type = COLUMN_INTEGER},
    {.name = STR_INIT("tags"), .header = STR_INIT("tags"), .type = COLUMN_LIST},
    {.name = STR_INIT("name"), .header = STR_INIT("name"), .type = COLUMN_TEXT},
};

static inline void
tiny_fill_row(int64_t row, struct value *v)
{
    static const struct str TEXTS[] = {STR_INIT(""), STR_INIT("Dragon"), STR_INIT("é,É"),
                                       STR_INIT("the dragon's long name")};
    static const struct str ELEMENTS[] = {STR_INIT("a"), STR_INIT("B"), STR_INIT("a")};
    static const double PRICES[] = {0.1, -0.3, 1e300, -1e-300, 9007199254740992, 19.99};
    v[0].i = row % 9 == 0 ? INT64_MIN + row : row * 10;
    v[1].d = PRICES[row % 6];
    v[2].i = row % 2;
    v[3].i = row - 30;
    v[4].i = (row - 30) * 86399999;
    v[5].i = row % 9 == 1 ? INT64_MAX - row : -row;
    v[6].text = STR("a;B;a");
    v[6].elements = ELEMENTS;
    v[6].element_count = (size_t)row % 4;
    v[7].text = TEXTS[row % 4];
    for (size_t c = 1; c <= 5; c++)
        v[c].is_null = row % 7 == (int64_t)c;
}

/* Made by the first call. */
static inline const struct embedded_version *
tiny_version(void)
{
    static struct arena forever;
    static struct embedded_version version;
    if (version.row_count)
        return &version;
    struct value rows[TINY_ROWS][TINY_COLUMNS] = {0};
    struct columns_spec specs[TINY_COLUMNS];
    struct err err = {0};
    for (size_t i = 0; i < TINY_COLUMNS; i++)
        specs[i] = (struct columns_spec){TINY_SCHEMA[i].type, 64 * TINY_ROWS};
    for (size_t row = 0; row < TINY_ROWS; row++)
        tiny_fill_row((int64_t)row, rows[row]);
    scoped_fd fd = columns_file(specs, TINY_COLUMNS, rows[0], TINY_ROWS);
    bool is_open = columns_open(&forever, &version.columns, fd, &err);
    assert(is_open);
    version.common.schema = (struct schema){.columns = TINY_SCHEMA,
                                            .column_count = TINY_COLUMNS,
                                            .key_index = 0,
                                            .title_index = 7,
                                            .date_index = 3};
    version.common.info.number = 1;
    embedded_version_prepare(&forever, &version);
    return &version;
}
