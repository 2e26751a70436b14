/* What the user is told at the end, and what is known of each column. */
#include "import/work.h"

#include "base/date.h"
#include "json/write.h"

static void
add_columns(struct json *j, const struct schema *schema)
{
    json_key(j, "columns");
    json_begin_array(j);
    for (size_t i = 0; i < schema->column_count; i++) {
        json_begin_object(j);
        json_member_str(j, "name", schema->columns[i].name);
        json_member_str(j, "header", schema->columns[i].header);
        json_member_str(j, "type", str_from(column_type_name(schema->columns[i].type)));
        json_end_object(j);
    }
    json_end_array(j);
    if (schema->key_index == SCHEMA_ROW_NUMBER)
        json_member_null(j, "key");
    else
        json_member_str(j, "key", schema->columns[schema->key_index].name);
}

/* What is not wrong, but is likely not what was meant. */
static void
add_hints(struct arena *a, struct json *j, const struct import_receipt *receipt)
{
    const struct import_plan *plan = receipt->plan;
    bool has_comma = receipt->task->options->decimal == ',';
    json_key(j, "hints");
    json_begin_array(j);
    for (size_t i = 0; plan->fits_other_decimal && i < plan->schema.column_count; i++)
        if (plan->fits_other_decimal[i])
            json_str(j, arena_printf(a,
                                     "column '%" STR_FMT "' is text; with decimal=%c it would "
                                     "be numbers",
                                     STR_ARG(plan->schema.columns[i].name),
                                     has_comma ? '.' : ','));
    json_end_array(j);
}

struct str
import_receipt_json(struct arena *a, const struct import_receipt *receipt)
{
    const struct import_build *build = receipt->build;
    const struct import_plan *plan = receipt->plan;
    const struct csv_dialect *dialect = &plan->dialect;
    const struct import_options *options = receipt->task->options;
    scoped_buf out;
    buf_init(&out, 4 * MIB);
    struct json j = json_write(&out);
    json_begin_object(&j);
    json_member_str(&j, "dataset", receipt->task->dataset);
    json_member_str(&j, "mode", import_mode_name(options->mode));
    json_member_str(&j, "source", receipt->task->source_name);
    json_member_str(&j, "sha256", str_from(receipt->sha256));
    json_member_u64(&j, "bytes", receipt->task->source_length);
    json_member_bool(&j, "gzip", receipt->source->was_gzip);
    json_member_str(&j, "encoding", str_from(csv_encoding_name(receipt->source->encoding)));
    json_key(&j, "dialect");
    json_begin_object(&j);
    json_member_str(&j, "delimiter", (struct str){&dialect->delimiter, 1});
    json_member_str(&j, "quote", (struct str){&dialect->quote, dialect->quote != '\0'});
    json_member_bool(&j, "header", dialect->has_header);
    json_member_str(&j, "decimal", options->decimal == ',' ? STR(",") : STR("."));
    json_end_object(&j);
    add_columns(&j, &plan->schema);
    json_key(&j, "ignored_columns");
    json_begin_array(&j);
    for (size_t i = 0; i < plan->ignored_count; i++)
        json_str(&j, plan->ignored[i]);
    json_end_array(&j);
    add_hints(a, &j, receipt);
    json_member_u64(&j, "rows_in", build->source_rows);
    json_member_u64(&j, "accepted", build->accepted);
    json_member_u64(&j, "rejected", build->rejects->count);
    json_member_u64(&j, "duplicates", build->rejects->duplicate_count);
    json_member_u64(&j, "rows", build->version_rows);
    json_member_f64(&j, "seconds", receipt->seconds);
    json_end_object(&j);
    return arena_str(a, buf_str(&out));
}

/* A value of the column as a page of rows shows it. */
static void
add_bound(struct json *j, const char *key, enum column_type type, bool has_range, int64_t i,
          double d)
{
    if (!has_range) {
        json_member_null(j, key);
        return;
    }
    scoped_buf text;
    buf_init(&text, 64);
    if (type == COLUMN_REAL)
        json_member_f64(j, key, d);
    else if (type == COLUMN_BOOLEAN)
        json_member_bool(j, key, i != 0);
    else if (type == COLUMN_INTEGER)
        json_member_i64(j, key, i);
    else {
        if (type == COLUMN_DATE)
            date_add_day(&text, i);
        else
            date_add_timestamp(&text, i);
        json_member_str(j, key, buf_str(&text));
    }
}

struct str
import_summaries_json(struct arena *a, const struct schema *schema,
                      const struct column_summary *summaries)
{
    scoped_buf out;
    buf_init(&out, 4 * MIB);
    struct json j = json_write(&out);
    json_begin_array(&j);
    for (size_t i = 0; i < schema->column_count; i++) {
        const struct column_summary *s = &summaries[i];
        enum column_type type = schema->columns[i].type;
        json_begin_object(&j);
        json_member_str(&j, "column", schema->columns[i].name);
        json_member_u64(&j, "nulls", s->null_count);
        json_member_u64(&j, "distinct", s->distinct_count);
        add_bound(&j, "min", type, s->has_range, s->min.i, s->min.d);
        add_bound(&j, "max", type, s->has_range, s->max.i, s->max.d);
        json_end_object(&j);
    }
    json_end_array(&j);
    return arena_str(a, buf_str(&out));
}
