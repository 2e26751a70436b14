/* Text is collected in buffers that are written to disk when they are large.  A write error is
 * kept and returned at the end, so that a report need not check after each member. */
#include "reports/output.h"

#include "base/date.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "csv/csv.h"
#include "reports/money.h"
#include "reports/output_file.h"
#include "reports/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_BYTES (256 * KIB)
#define COLUMNS_MAX 32

struct report_output {
    const struct report *report;
    const struct report_run *run;
    int64_t generated_at;
    int folder;
    struct output_file files[OUTPUT_FILE_COUNT];
    struct json json; /* writes into the text of the JSON file */
    bool has_frame;
    struct arena arena; /* of the warnings */
    struct report_warning *warnings;
    size_t warning_count, warning_cap;
    struct sha256 digest;
    uint64_t bytes;
    bool is_failed;
    struct err err; /* the first write error */

    bool has_row; /* the current item is a row of the CSV too */
    size_t column_count;
    struct buf row; /* cells of the current item, in the order of the members */
    struct {
        size_t from, to; /* in row; to 0: empty */
    } cells[COLUMNS_MAX];
};

/* ---- files ---- */

static void
flush_file(struct report_output *out, struct output_file *file)
{
    struct str text = buf_str(&file->text);
    if (file == &out->files[OUTPUT_JSON]) {
        sha256_add(&out->digest, text);
        out->bytes += text.n;
    }
    if (!out->is_failed)
        out->is_failed = !fs_write(file->fd, text, &out->err);
    buf_clear(&file->text);
}

struct report_output *
output_open(int folder, const struct report *report, const struct report_run *run,
            int64_t generated_at, struct err *err)
{
    struct report_output *out = mem_new(struct report_output);
    out->report = report;
    out->run = run;
    out->generated_at = generated_at;
    out->folder = folder;
    for (size_t i = 0; i < OUTPUT_FILE_COUNT; i++)
        output_file_init(&out->files[i]);
    buf_init(&out->row, SIZE_MAX / 2);
    sha256_init(&out->digest);
    out->json = json_write(&out->files[OUTPUT_JSON].text);
    struct buf *csv = &out->files[OUTPUT_CSV].text;
    for (const char *const *c = report->columns; *c; c++) {
        if (out->column_count++)
            buf_add_char(csv, ',');
        buf_add(csv, str_from(*c));
    }
    assert(out->column_count <= COLUMNS_MAX);
    buf_add_lit(csv, "\r\n");
    for (size_t i = 0; i < OUTPUT_FILE_COUNT; i++)
        if (!output_file_open(&out->files[i], folder, report->name, (enum output_form)i, err)) {
            output_close(&out);
            return NULL;
        }
    return out;
}

bool
output_finish(struct arena *a, struct report_output *out, struct output_done *done,
              struct err *err)
{
    json_end_object(output_members(out));
    buf_add_lit(&out->files[OUTPUT_JSON].text, "\n");
    for (size_t i = 0; i < OUTPUT_FILE_COUNT; i++) {
        struct output_file *file = &out->files[i];
        flush_file(out, file);
        if (out->is_failed) {
            *err = out->err;
            return false;
        }
        if (!output_file_sync(file, err))
            return false;
    }
    sha256_finish_hex(&out->digest, done->sha256);
    done->bytes = out->bytes;
    done->warning_count = out->warning_count;
    done->warnings = arena_array(a, out->warning_count, struct report_warning);
    for (size_t i = 0; i < out->warning_count; i++)
        done->warnings[i] = (struct report_warning){arena_str(a, out->warnings[i].code),
                                                    arena_str(a, out->warnings[i].detail)};
    return true;
}

bool
output_publish(struct report_output *out, int root, struct err *err)
{
    for (size_t i = 0; i < OUTPUT_FILE_COUNT; i++)
        if (!output_file_publish(&out->files[i], out->folder, root, err))
            return false;
    return true;
}

void
output_close(struct report_output **output)
{
    struct report_output *out = *output;
    *output = NULL;
    if (!out)
        return;
    char unused[SHA256_HEX_BYTES + 1];
    if (out->digest.state)
        sha256_finish_hex(&out->digest, unused);
    for (size_t i = 0; i < OUTPUT_FILE_COUNT; i++)
        output_file_close(&out->files[i], out->folder);
    buf_free(&out->row);
    arena_free(&out->arena);
    free(out->warnings);
    free(out);
}

/* ---- the frame ---- */

static void
add_warning(struct report_output *out, struct str code, struct str detail)
{
    out->warnings = mem_grow(out->warnings, &out->warning_cap, out->warning_count + 1,
                             sizeof(*out->warnings));
    out->warnings[out->warning_count++] =
        (struct report_warning){arena_str(&out->arena, code), arena_str(&out->arena, detail)};
}

void
output_warn(struct report_output *out, const char *code, const char *fmt, ...)
{
    char detail[640];
    va_list args;
    assert(!out->has_frame);
    va_start(args, fmt);
    vsnprintf(detail, sizeof(detail), fmt, args);
    va_end(args);
    add_warning(out, str_from(code), str_from(detail));
}

static bool
uses_input(const struct report_output *out, size_t kind)
{
    return out->report->inputs & 1u << kind;
}

void
output_add_input(struct json *j, enum input_kind kind, const struct input_source *input)
{
    json_begin_object(j);
    json_member_str(j, "dataset", str_from(input_name(kind)));
    json_member_u64_or_null(j, "version",
                            input->versions ? (uint64_t)input->version.number : 0);
    json_member_str(j, "sha256", input->sha256);
    json_member_u64(j, "rows", input->row_count);
    json_end_object(j);
}

/* The time zone of an input's times without a zone, since it decides to which day they belong.
 */
static void
add_definitions(struct report_output *out)
{
    struct json *j = &out->json;
    json_member_begin_object(j, "definitions");
    json_member_begin_object(j, "time_zones");
    for (size_t i = 0; i < INPUT_COUNT; i++)
        if (uses_input(out, i))
            json_member_str(j, input_name((enum input_kind)i),
                            out->run->data->inputs[i].time_zone);
    json_end_object(j);
    if (out->report->define)
        out->report->define(j, out->run);
    json_end_object(j);
}

void
output_add_warnings(struct json *j, const struct report_warning *warnings, size_t count)
{
    json_begin_array(j);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(j);
        json_member_str(j, "code", warnings[i].code);
        json_member_str(j, "detail", warnings[i].detail);
        json_end_object(j);
    }
    json_end_array(j);
}

struct json *
output_members(struct report_output *out)
{
    struct json *j = &out->json;
    if (out->has_frame)
        return j;
    /* Those that all reports of a run share, and those of this report's inputs. */
    const struct report_data *data = out->run->data;
    for (size_t i = 0; i < data->warning_count; i++)
        add_warning(out, data->warnings[i].code, data->warnings[i].detail);
    for (size_t i = 0; i < INPUT_COUNT; i++)
        for (size_t k = 0; uses_input(out, i) && k < data->input_warning_counts[i]; k++)
            add_warning(out, data->input_warnings[i][k].code,
                        data->input_warnings[i][k].detail);
    out->has_frame = true;
    json_begin_object(j);
    json_member_str(j, "report", str_from(out->report->name));
    output_day(out, "date", data->day);
    json_member_timestamp(j, "generated_at", out->generated_at);
    json_member_begin_array(j, "inputs");
    for (size_t i = 0; i < INPUT_COUNT; i++)
        if (uses_input(out, i))
            output_add_input(j, (enum input_kind)i, &data->inputs[i]);
    json_end_array(j);
    add_definitions(out);
    json_key(j, "warnings");
    output_add_warnings(j, out->warnings, out->warning_count);
    return j;
}

/* ---- items ---- */

/* One line per item, for people who use an editor or diff. */
void
output_begin_json_item(struct report_output *out)
{
    struct json *j = output_members(out);
    if (j->needs_comma)
        buf_add_char(j->out, ',');
    buf_add_char(j->out, '\n');
    j->needs_comma = false;
    json_begin_object(j);
}

void
output_end_json_item(struct report_output *out)
{
    json_end_object(&out->json);
    for (size_t i = 0; i < OUTPUT_FILE_COUNT; i++)
        if (out->files[i].text.n >= FLUSH_BYTES)
            flush_file(out, &out->files[i]);
}

void
output_begin_item(struct report_output *out)
{
    output_begin_json_item(out);
    out->has_row = true;
    buf_clear(&out->row);
    memset(out->cells, 0, out->column_count * sizeof(out->cells[0]));
}

void
output_end_item(struct report_output *out)
{
    struct buf *csv = &out->files[OUTPUT_CSV].text;
    for (size_t i = 0; i < out->column_count; i++) {
        if (i)
            buf_add_char(csv, ',');
        buf_add(csv, str_slice(buf_str(&out->row), out->cells[i].from, out->cells[i].to));
    }
    buf_add_lit(csv, "\r\n");
    out->has_row = false;
    output_end_json_item(out);
}

/* The cell for a member of the current item; NULL when the CSV has no such column. */
static struct buf *
begin_cell(struct report_output *out, const char *key, size_t *column)
{
    for (size_t i = 0; out->has_row && i < out->column_count; i++) {
        if (strcmp(out->report->columns[i], key) != 0)
            continue;
        out->cells[i].from = out->row.n;
        *column = i;
        return &out->row;
    }
    return NULL;
}

/* A member is written to the JSON first; its cell is then copied from there. */
static size_t
begin_figure(struct report_output *out, const char *key)
{
    json_key(&out->json, key);
    return out->json.out->n;
}

/* The cell is without the quotes of a time: a figure or a date needs none in a CSV. */
static void
end_figure(struct report_output *out, const char *key, size_t from)
{
    size_t column;
    struct buf *cell = begin_cell(out, key, &column);
    out->json.needs_comma = true; /* also of what was written past the JSON writer */
    if (!cell)
        return;
    struct str text = str_skip(buf_str(out->json.out), from);
    bool is_quoted = text.p[0] == '"';
    buf_add(cell, str_slice(text, is_quoted, text.n - is_quoted));
    out->cells[column].to = cell->n;
}

void
output_str(struct report_output *out, const char *key, struct str value)
{
    size_t column;
    struct buf *cell = begin_cell(out, key, &column);
    json_member_str(&out->json, key, value);
    if (!cell)
        return;
    csv_add_text(cell, value, false);
    out->cells[column].to = cell->n;
}

void
output_null(struct report_output *out, const char *key)
{
    json_member_null(&out->json, key);
}

void
output_i64(struct report_output *out, const char *key, int64_t value)
{
    size_t from = begin_figure(out, key);
    json_i64(&out->json, value);
    end_figure(out, key, from);
}

void
output_bool(struct report_output *out, const char *key, bool value)
{
    size_t from = begin_figure(out, key);
    json_bool(&out->json, value);
    end_figure(out, key, from);
}

void
output_number(struct report_output *out, const char *key, struct str json)
{
    size_t from = begin_figure(out, key);
    json_raw(&out->json, json);
    end_figure(out, key, from);
}

void
output_money(struct report_output *out, const char *key, int64_t millionths)
{
    size_t from = begin_figure(out, key);
    money_add(out->json.out, millionths);
    end_figure(out, key, from);
}

void
output_ratio(struct report_output *out, const char *key, int64_t numerator, int64_t denominator)
{
    if (denominator <= 0) {
        output_null(out, key);
        return;
    }
    size_t from = begin_figure(out, key);
    money_add_ratio(out->json.out, numerator, denominator);
    end_figure(out, key, from);
}

void
output_timestamp(struct report_output *out, const char *key, int64_t ms)
{
    size_t from = begin_figure(out, key);
    buf_add_char(out->json.out, '"');
    date_add_timestamp(out->json.out, ms);
    buf_add_char(out->json.out, '"');
    end_figure(out, key, from);
}

void
output_day(struct report_output *out, const char *key, int64_t day)
{
    size_t from = begin_figure(out, key);
    buf_add_char(out->json.out, '"');
    date_add_day(out->json.out, day);
    buf_add_char(out->json.out, '"');
    end_figure(out, key, from);
}
