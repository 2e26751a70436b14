/* A list in the form that the client asked for: a page of JSON (page.h), or the same items as
 * CSV or NDJSON.  An item is written once, as an object of JSON; a line of CSV is made of its
 * members, so that handlers know nothing of forms.
 *
 *     scoped_listing list = {0};
 *     if (!listing_begin(&list, &EVENTS, request, response, err))
 *         return false;
 *     for (...) {
 *         struct json *j = listing_item(&list);
 *         json_begin_object(j);
 *         json_member_i64(j, "id", ...);
 *         json_end_object(j);
 *         if (!listing_end_item(&list, err))
 *             return false;
 *     }
 *     listing_end(&list, cursor, LISTING_UNCOUNTED);
 *
 * All forms hold the same page: the bounds of `limit` and the Link to the next page are those
 * of JSON, which bounds what an answer costs its worker.  It is made in memory. */
#pragma once

#include "api/format.h"
#include "json/write.h"

struct listing_table {
    const char *name; /* of the file that a browser makes of CSV and NDJSON */
    /* Members of the items, in their order.  Text is shown as itself, escaped, null as an empty
     * cell, what is nested as JSON. */
    const char *const *columns;
    size_t column_count;
};
#define LISTING_COLUMNS(array) .columns = (array), .column_count = COUNT_OF(array)

struct listing {
    const struct listing_table *table;
    const struct request *request;
    struct response *response;
    struct json json;
    size_t item_start; /* in the body, of an item of NDJSON */
    struct buf item;   /* of CSV: the object that becomes a line */
    struct listing_verbatim {
        const char *key; /* NULL: the item has none */
        struct str json;
    } verbatim;
    struct arena arena;
    enum export_format format;
    bool is_raw;
};

/* The route declares the parameters `format` (of all three) and `raw`.  Errors:
 * not_acceptable. */
MUST_CHECK bool listing_begin(struct listing *list, const struct listing_table *table,
                              const struct request *request, struct response *response,
                              struct err *err);
/* Where the next item is written, which is one object. */
struct json *listing_item(struct listing *list);
/* A member of it that may be any JSON, which has to live until the end of the item.  CSV shows
 * it as that, text with its quotes and null as null, and does not read it again: it may be
 * large. One of an item. */
void listing_member_verbatim(struct listing *list, const char *key, struct str json);
MUST_CHECK bool listing_end_item(struct listing *list, struct err *err);
#define LISTING_UNCOUNTED (-1)
/* `cursor` is "" on the last page.  `total` is meta.total, and X-Total-Count in other forms. */
void listing_end(struct listing *list, struct str cursor, int64_t total);
void listing_free(struct listing *list);
#define scoped_listing SCOPED(listing_free) struct listing

/* The two lines that CSV is made of, for what streams its items.  `item` is an object as
 * text. */
void listing_add_csv_header(struct buf *out, const struct listing_table *table);
MUST_CHECK bool listing_add_csv_row(struct arena *a, struct buf *out,
                                    const struct listing_table *table, struct str item,
                                    bool is_raw, struct err *err);
