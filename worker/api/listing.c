/* An item of JSON or NDJSON is written where it stays, one of CSV is read
 * again: at most a page of small objects, in an arena that is reset after each. */
#include "api/listing.h"

#include "api/page.h"
#include "csv/csv.h"
#include "json/read.h"

#include <string.h>

void
listing_add_csv_header(struct buf *out, const struct listing_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (i)
            buf_add_char(out, ',');
        buf_add(out, str_from(table->columns[i]));
    }
    buf_add_lit(out, "\r\n");
}

static void
add_row(struct buf *out, const struct listing_table *table, const struct json_value *object,
        const struct listing_verbatim *verbatim, bool is_raw)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const char *name = table->columns[i];
        const struct json_value *v = json_get(object, name);
        if (i)
            buf_add_char(out, ',');
        if (verbatim->key && strcmp(name, verbatim->key) == 0)
            csv_add_text(out, verbatim->json, true);
        else if (v && v->kind != JSON_NULL)
            csv_add_text(out, v->text, is_raw || v->kind != JSON_STRING);
    }
    buf_add_lit(out, "\r\n");
}

bool
listing_add_csv_row(struct arena *a, struct buf *out, const struct listing_table *table,
                    struct str item, bool is_raw, struct err *err)
{
    static const struct listing_verbatim NONE = {0};
    const struct json_value *object;
    if (!json_read(a, item, &object, err))
        return false;
    add_row(out, table, object, &NONE, is_raw);
    return true;
}

bool
listing_begin(struct listing *list, const struct listing_table *table,
              const struct request *request, struct response *response, struct err *err)
{
    if (!format_choose(request, response, true, &list->format, err))
        return false;
    list->table = table;
    list->request = request;
    list->response = response;
    list->is_raw = request_boolean(request, "raw");
    buf_init(&list->item, RESPONSE_BODY_BYTES_MAX);
    if (list->format == EXPORT_JSON) {
        list->json = page_begin(response);
        return true;
    }
    response->type = format_media_type(list->format);
    response_header(response, "Content-Disposition", "attachment; filename=\"%s.%s\"",
                    table->name, format_name(list->format));
    if (list->format == EXPORT_CSV)
        listing_add_csv_header(&response->body, table);
    return true;
}

struct json *
listing_item(struct listing *list)
{
    list->item_start = list->response->body.n;
    list->verbatim = (struct listing_verbatim){0};
    if (list->format == EXPORT_NDJSON)
        list->json = json_write(&list->response->body);
    else if (list->format == EXPORT_CSV)
        list->json = json_write(&list->item);
    return &list->json;
}

void
listing_member_verbatim(struct listing *list, const char *key, struct str json)
{
    if (list->format == EXPORT_CSV)
        list->verbatim = (struct listing_verbatim){key, json};
    else
        json_member_raw(&list->json, key, json);
}

/* JSON that is kept as it was sent may have line ends, which are blanks to it. */
static void
end_line(struct buf *out, size_t start)
{
    for (size_t i = start; i < out->n; i++)
        if (out->p[i] == '\n' || out->p[i] == '\r')
            out->p[i] = ' ';
    buf_add_char(out, '\n');
}

bool
listing_end_item(struct listing *list, struct err *err)
{
    struct buf *body = &list->response->body;
    const struct json_value *object;
    if (list->format == EXPORT_NDJSON)
        end_line(body, list->item_start);
    if (list->format != EXPORT_CSV)
        return true;
    if (!json_read(&list->arena, buf_str(&list->item), &object, err))
        return false;
    add_row(body, list->table, object, &list->verbatim, list->is_raw);
    buf_clear(&list->item);
    arena_reset(&list->arena);
    return true;
}

void
listing_end(struct listing *list, struct str cursor, int64_t total)
{
    if (list->format == EXPORT_JSON) {
        page_begin_meta(&list->json, list->request, list->response, cursor);
        if (total != LISTING_UNCOUNTED)
            json_member_i64(&list->json, "total", total);
        page_end(&list->json);
        return;
    }
    page_add_link(list->request, list->response, cursor);
    if (total != LISTING_UNCOUNTED)
        response_header(list->response, "X-Total-Count", "%lld", (long long)total);
}

void
listing_free(struct listing *list)
{
    buf_free(&list->item);
    arena_free(&list->arena);
}
