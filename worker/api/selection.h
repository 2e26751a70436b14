/* What the read handlers have in common: of which version of a dataset a request asks, under
 * which filters, which page of the answer it wants, and how that begins and ends. */
#pragma once

#include "api/app.h"
#include "api/format.h"
#include "query/engine.h"
#include "json/write.h"

struct selection {
    struct ask ask;
    struct query query; /* zeroed but for what was read into it */
    struct query_cursor cursor;
    bool has_cursor;
};

/* The dataset of the path, or of the short form; the version that the cursor names, else the
 * current one.  `q` is the words to look for; "" for none, as for `cursor`. */
MUST_CHECK bool selection_open(struct app *app, const struct request *request, struct str q,
                               struct str cursor, struct selection *out, struct err *err);
/* Reads the parameter `limit`, which JSON always has; `items` is what is limited, for the
 * message. */
MUST_CHECK bool selection_read_limit(const struct request *request, enum export_format format,
                                     const char *items, struct selection *s, struct err *err);
/* Begins the page where the cursor says; last, since it belongs to all that is asked. */
MUST_CHECK bool selection_use_cursor(struct selection *s, struct err *err);

/* Sets the ETag of an answer that is made of nothing but the version and the URL; `form` tells
 * representations of one URL apart.  True: the client has it, and there is no work to do.
 * Asked once nothing of the question can turn out to be wrong. */
bool selection_is_known(const struct selection *s, struct response *response, const char *form);

/* Of an answer that is no page of JSON: total, name of the file and media type.  `suffix` of
 * the name. */
MUST_CHECK bool selection_begin_stream(const struct selection *s, struct response *response,
                                       enum export_format format, const char *suffix,
                                       uint64_t total, struct err *err);
/* Behind the last item of page_begin: "page", and of "meta" the total. */
void selection_begin_meta(struct json *j, const struct selection *s,
                          const struct request *request, struct response *response,
                          uint64_t total, size_t item_count, bool has_more);
/* The version, the last member of every "meta"; ends the answer. */
void selection_end(struct json *j, const struct selection *s);
