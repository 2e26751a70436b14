/* One import_run in a folder of its own, and what its outcome is compared with. */
#pragma once

#include "temp_dir.h"

#include "embedded/sink.h"
#include "import/import.h"
#include "index/columns.h"
#include "store/rows.h"
#include "json/read.h"

#include <string.h>
#include <sys/stat.h>

#define SETTINGS_TEXT                                                                          \
    "imports:\n  file_bytes_max: 8MiB\n  columns_max: 50\n  rejects_max: 100\n"                \
    "datasets:\n"                                                                              \
    "  pets:\n"                                                                                \
    "    columns:\n"                                                                           \
    "      - {name: id, header: \"Pet ID\", type: integer, key: true}\n"                       \
    "      - {name: name, header: Name, type: text, aliases: [\"Called\"]}\n"                  \
    "      - {name: weight, header: Weight, type: real}\n"                                     \
    "      - {name: tags, header: Tags, type: list}\n"

/* One import and what came of it. */
struct attempt {
    struct temp_dir *dir;
    struct config config;
    struct import_options options;
    struct import_task task;
    struct dataset_publication publication;
    struct dataset_version base;
    struct err err;
    bool is_done;
    unsigned version;
    bool cancels;
};

static inline bool
on_progress(void *context, const struct job_progress *progress, struct err *err)
{
    const struct attempt *t = context;
    assert_true(progress->phase.n > 0);
    return !t->cancels || err_set_code(err, ERR_CONFLICT, "cancelled", "cancelled");
}

static inline void
begin(struct attempt *t, struct temp_dir *dir)
{
    struct err err;
    *t = (struct attempt){.dir = dir};
    if (!config_parse(&dir->arena, STR("test.yaml"), STR(SETTINGS_TEXT), &t->config, &err))
        fail_msg("%s", err.detail);
}

static inline void
set(struct attempt *t, const char *name, const char *value)
{
    struct err err;
    if (!import_option_set(&t->dir->arena, &t->options, str_from(name), str_from(value), &err))
        fail_msg("%s", err.detail);
}

static inline int
write_file(struct temp_dir *dir, const char *name, struct str bytes)
{
    struct err err;
    int fd = fs_open_at(AT_FDCWD, temp_path(dir, name), O_RDWR | O_CREAT | O_TRUNC, &err);
    assert_true(fd >= 0 && fs_write(fd, bytes, &err));
    return fd;
}

/* Each import makes the next version of dataset 1, from the one before it. */
static inline bool
import_part(struct attempt *t, const char *dataset, struct str csv, size_t offset,
            size_t length)
{
    struct arena *a = &t->dir->arena;
    struct str job = arena_printf(a, "job%u", ++t->version);
    scoped_fd source = write_file(t->dir, "source", csv);
    scoped_fd rejects = write_file(t->dir, "rejects", (struct str){0});
    t->task = (struct import_task){
        .config = &t->config,
        .data_dir = t->dir->path,
        .sink = &EMBEDDED_SINK,
        .job_id = job,
        .dataset = str_from(dataset),
        .options = &t->options,
        .source_fd = source,
        .source_offset = offset,
        .source_length = length,
        .source_name = STR("test.csv"),
        .base = t->base.number ? &t->base : NULL,
        .dataset_id = 1,
        .rejects_fd = rejects,
        .on_progress = on_progress,
        .context = t,
    };
    t->is_done = import_run(a, &t->task, &t->publication, &t->err);
    if (t->is_done)
        t->base = (struct dataset_version){.dataset_id = 1,
                                           .number = t->version,
                                           .job_id = job,
                                           .schema_json = t->publication.schema_json,
                                           .row_count = t->publication.row_count,
                                           .rows_checksum = t->publication.rows_checksum};
    return t->is_done;
}

static inline bool
import_bytes(struct attempt *t, const char *dataset, struct str csv)
{
    return import_part(t, dataset, csv, 0, csv.n);
}

static inline bool
import_text(struct attempt *t, const char *dataset, const char *csv)
{
    return import_bytes(t, dataset, str_from(csv));
}

/* Of the last version, below the temporary one. */
static inline const char *
folder_of(struct attempt *t)
{
    return arena_printf(&t->dir->arena, "datasets/1/job%u", t->version).p;
}

/* All rows of the version as text: cells by ',', rows by ';'. */
static inline struct str
rows_of(struct attempt *t)
{
    struct arena *a = &t->dir->arena;
    struct schema schema;
    struct err err;
    struct rows_column columns[50];
    size_t wanted[50];
    struct value values[50];
    scoped_buf out;
    buf_init(&out, MIB);
    assert_true(schema_parse_json(a, t->publication.schema_json, &schema, &err));
    for (size_t i = 0; i < schema.column_count; i++) {
        columns[i] = (struct rows_column){.name = schema.columns[i].name,
                                          .type = schema.columns[i].type};
        wanted[i] = i;
    }
    const char *path = arena_printf(a, "%s/%s/rows.db", t->dir->path, folder_of(t)).p;
    struct rows *rows = rows_open(path, columns, schema.column_count, &err);
    assert_non_null(rows);
    for (uint64_t n = 1; rows_get(rows, n, wanted, schema.column_count, values, &err) == 1; n++)
        for (size_t i = 0; i < schema.column_count; i++) {
            if (n > 1 || i)
                buf_add_char(&out, i ? ',' : ';');
            if (values[i].is_null)
                buf_add_lit(&out, "-");
            else if (schema.columns[i].type == COLUMN_REAL)
                buf_printf(&out, "%g", values[i].d);
            else if (column_type_is_textual(schema.columns[i].type))
                buf_add(&out, values[i].text);
            else
                buf_printf(&out, "%lld", (long long)values[i].i);
        }
    rows_close(&rows);
    return arena_str(a, buf_str(&out));
}

static inline void
expect_rows(struct attempt *t, const char *expected)
{
    if (!t->is_done)
        fail_msg("%s: %s", err_code(&t->err), t->err.detail);
    assert_string_equal(rows_of(t).p, expected);
}

static inline void
expect_failure(struct attempt *t, const char *code)
{
    struct stat st;
    if (t->is_done)
        fail_msg("it should have failed with %s", code);
    if (strcmp(err_code(&t->err), code) != 0)
        fail_msg("%s instead of %s: %s", err_code(&t->err), code, t->err.detail);
    const char *folder = temp_path(t->dir, folder_of(t));
    assert_int_equal(stat(folder, &st), -1);
}

static inline int64_t
receipt_number(struct attempt *t, const char *name)
{
    const struct json_value *receipt;
    struct err err;
    int64_t v = -1;
    assert_true(json_read(&t->dir->arena, t->publication.receipt_json, &receipt, &err));
    assert_true(json_as_i64(json_get(receipt, name), &v));
    return v;
}

static inline void
expect_counts(struct attempt *t, int64_t accepted, int64_t rejected, int64_t duplicates)
{
    assert_int_equal(receipt_number(t, "accepted"), accepted);
    assert_int_equal(receipt_number(t, "rejected"), rejected);
    assert_int_equal(receipt_number(t, "duplicates"), duplicates);
    assert_int_equal(receipt_number(t, "rows_in"), accepted + rejected + duplicates);
}

/* The reasons and lines of the rejects, as "2 bad_value, 5 duplicate_key". */
static inline void
expect_rejects(struct attempt *t, const char *expected)
{
    struct err err;
    scoped_buf text, out;
    buf_init(&text, MIB);
    buf_init(&out, MIB);
    assert_true(fs_read_file(&text, AT_FDCWD, temp_path(t->dir, "rejects"), &err));
    for (struct str rest = buf_str(&text); rest.n;) {
        const struct json_value *reject;
        struct str reason, raw;
        int64_t line, offset;
        assert_true(json_read(&t->dir->arena, str_cut(&rest, '\n'), &reject, &err));
        assert_true(json_as_str(json_get(reject, "reason"), &reason));
        assert_true(json_as_str(json_get(reject, "raw"), &raw));
        assert_true(json_as_i64(json_get(reject, "line"), &line));
        assert_true(json_as_i64(json_get(reject, "offset"), &offset));
        buf_printf(&out, "%s%lld %.*s", out.n ? ", " : "", (long long)line, STR_ARG(reason));
    }
    buf_add_char(&out, '\0');
    assert_string_equal(out.p, expected);
}
