/* Histogram of a column, under the filters of the request. */
#include "query/histogram.h"

#include "api/handlers.h"
#include "api/page.h"
#include "api/selection.h"

static bool
find_column(const struct schema *schema, struct str name, size_t *index, struct err *err)
{
    if (name.n == 0)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("column"),
                            "column names the column of numbers or dates, as in column=price");
    if (schema_find(schema, name, index))
        return histogram_check(schema, *index, err);
    struct suggestion near = schema_suggest(schema, name);
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("column"),
                        "column: there is no column '%" STR_FMT "'%s",
                        STR_ARG(str_slice(name, 0, 80)), suggest_text(&near));
}

static void
add_bin(struct json *j, const struct histogram *h, size_t i)
{
    json_begin_object(j);
    json_key(j, "from");
    stats_result_write(j, histogram_edge(h, i));
    json_key(j, "to");
    stats_result_write(j, histogram_edge(h, i + 1));
    json_member_u64(j, "count", h->counts[i]);
    json_end_object(j);
}

static void
add_json(struct json *j, const struct histogram *h, const struct selection *s, size_t index)
{
    json_begin_object(j);
    json_member_begin_array(j, "data");
    for (size_t i = 0; i < h->bin_count; i++)
        add_bin(j, h, i);
    json_end_array(j);
    json_member_begin_object(j, "meta");
    json_member_u64(j, "total", h->values + h->nulls);
    json_member_i64(j, "version", s->ask.version->info.number);
    json_member_str(j, "column", s->ask.version->schema.columns[index].name);
    json_member_u64(j, "nulls", h->nulls);
    json_key(j, "min");
    stats_result_write(j, h->min);
    json_key(j, "max");
    stats_result_write(j, h->max);
    page_end(j);
}

static void
add_lines(struct buf *out, const struct histogram *h, enum export_format format)
{
    if (format == EXPORT_CSV)
        buf_add_lit(out, "from,to,count\r\n");
    for (size_t i = 0; i < h->bin_count; i++) {
        struct json j = json_write(out);
        if (format == EXPORT_NDJSON) {
            add_bin(&j, h, i);
            buf_add_char(out, '\n');
            continue;
        }
        stats_result_add_text(out, histogram_edge(h, i));
        buf_add_char(out, ',');
        stats_result_add_text(out, histogram_edge(h, i + 1));
        buf_printf(out, ",%llu\r\n", (unsigned long long)h->counts[i]);
    }
}

bool
get_histogram(struct app *app, struct request *request, struct response *response,
              struct err *err)
{
    enum export_format format;
    struct selection s;
    struct histogram h;
    size_t index;
    if (!format_choose(request, response, true, &format, err) ||
        !selection_open(app, request, request_text(request, "q"), STR(""), &s, err) ||
        !find_column(&s.ask.version->schema, request_text(request, "column"), &index, err))
        return false;
    if (selection_is_known(&s, response, format_name(format)))
        return true;
    if (!app->engine->histogram(&s.ask, index, (size_t)request_integer(request, "bins"), &h,
                                err))
        return false;
    response->type = format_media_type(format);
    struct json j = json_write(&response->body);
    if (format == EXPORT_JSON)
        add_json(&j, &h, &s, index);
    else
        add_lines(&response->body, &h, format);
    return true;
}
