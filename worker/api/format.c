#include "api/format.h"

static const struct {
    const char *name, *offer, *media_type;
} FORMATS[] = {
    [EXPORT_JSON] = {"json", "application/json", "application/json"},
    [EXPORT_CSV] = {"csv", "text/csv", "text/csv; charset=utf-8; header=present"},
    [EXPORT_NDJSON] = {"ndjson", "application/x-ndjson", "application/x-ndjson; charset=utf-8"},
};

const char *
format_media_type(enum export_format format)
{
    return FORMATS[format].media_type;
}

const char *
format_name(enum export_format format)
{
    return FORMATS[format].name;
}

bool
format_choose(const struct request *request, struct response *response, bool has_ndjson,
              enum export_format *out, struct err *err)
{
    size_t count = has_ndjson ? 3 : 2;
    struct str wanted = request_text(request, "format");
    for (size_t i = 0; i < count; i++)
        if (str_eq(wanted, str_from(FORMATS[i].name))) {
            *out = (enum export_format)i;
            return true;
        }
    const char *offers[COUNT_OF(FORMATS)];
    for (size_t i = 0; i < count; i++)
        offers[i] = FORMATS[i].offer;
    size_t chosen = request_accepts(request, offers, count);
    if (chosen == SIZE_MAX)
        return err_set(
            err, ERR_NOT_ACCEPTABLE,
            "this is there as application/json%s and text/csv, Accept is '%" STR_FMT "'",
            has_ndjson ? ", application/x-ndjson" : "", STR_ARG(request->header.accept));
    response_header(response, "Vary", "Accept");
    *out = (enum export_format)chosen;
    return true;
}
