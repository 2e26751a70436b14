#include "http/status.h"

static const struct {
    int status;
    const char *title;
} KINDS[] = {
    [ERR_NONE] = {200, "No error"},
    [ERR_MALFORMED] = {400, "The request is malformed"},
    [ERR_BAD_PARAMETER] = {400, "A parameter has a bad value"},
    [ERR_UNKNOWN_PARAMETER] = {400, "A parameter is unknown"},
    [ERR_UNAUTHORIZED] = {401, "A credential is needed"},
    [ERR_FORBIDDEN] = {403, "The credential does not allow this"},
    [ERR_NOT_FOUND] = {404, "There is no such thing"},
    [ERR_METHOD] = {405, "The method is not allowed here"},
    [ERR_NOT_ACCEPTABLE] = {406, "No format fits the Accept header"},
    [ERR_CONFLICT] = {409, "The state does not allow this"},
    [ERR_GONE] = {410, "This is no longer kept"},
    [ERR_LENGTH_REQUIRED] = {411, "The body needs a Content-Length"},
    [ERR_TOO_LARGE] = {413, "The body is too large"},
    [ERR_MEDIA_TYPE] = {415, "The body has the wrong type"},
    [ERR_INVALID] = {422, "The body is invalid"},
    [ERR_TOO_MANY] = {429, "Too many requests"},
    [ERR_INTERNAL] = {500, "Something is wrong on our side"},
    [ERR_BUSY] = {503, "The service is busy"},
    [ERR_DISK_FULL] = {507, "The disk is full"},
};
_Static_assert(COUNT_OF(KINDS) == ERR_KIND_COUNT, "a kind has no status");

int
http_status(const struct err *err)
{
    return KINDS[err->kind].status;
}

const char *
http_title(const struct err *err)
{
    return KINDS[err->kind].title;
}
