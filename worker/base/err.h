/* How a failure travels: a function that can fail returns bool, is MUST_CHECK, and fills the
 * `struct err *err` it is given last.  The kind decides the HTTP status and the stable code; a
 * failure with a name of its own (missing_columns, not_csv) overrides the code.  The detail is
 * a sentence for the person at the other end: it names the thing, the rule and the value seen.
 */
#pragma once

#include "base/str.h"

/*   kind                 status  code                     title */
#define ERR_KINDS(X)                                                                           \
    X(ERR_NONE, 200, "ok", "No error")                                                         \
    X(ERR_MALFORMED, 400, "malformed", "The request is malformed")                             \
    X(ERR_BAD_PARAMETER, 400, "bad_parameter", "A parameter has a bad value")                  \
    X(ERR_UNKNOWN_PARAMETER, 400, "unknown_parameter", "A parameter is unknown")               \
    X(ERR_UNAUTHORIZED, 401, "unauthorized", "A credential is needed")                         \
    X(ERR_FORBIDDEN, 403, "forbidden", "The credential does not allow this")                   \
    X(ERR_NOT_FOUND, 404, "not_found", "There is no such thing")                               \
    X(ERR_METHOD, 405, "method_not_allowed", "The method is not allowed here")                 \
    X(ERR_NOT_ACCEPTABLE, 406, "not_acceptable", "No format fits the Accept header")           \
    X(ERR_CONFLICT, 409, "conflict", "The state does not allow this")                          \
    X(ERR_GONE, 410, "gone", "This is no longer kept")                                         \
    X(ERR_LENGTH_REQUIRED, 411, "length_required", "The body needs a Content-Length")          \
    X(ERR_TOO_LARGE, 413, "too_large", "The body is too large")                                \
    X(ERR_MEDIA_TYPE, 415, "unsupported_media_type", "The body has the wrong type")            \
    X(ERR_INVALID, 422, "invalid", "The body is invalid")                                      \
    X(ERR_TOO_MANY, 429, "too_many_requests", "Too many requests")                             \
    X(ERR_INTERNAL, 500, "internal", "Something is wrong on our side")                         \
    X(ERR_BUSY, 503, "busy", "The service is busy")                                            \
    X(ERR_DISK_FULL, 507, "disk_full", "The disk is full")

enum err_kind {
#define X(kind, status, code, title) kind,
    ERR_KINDS(X)
#undef X
};

struct err {
    enum err_kind kind;     /* ERR_NONE in a zeroed struct */
    char code[48];          /* overrides the kind's code; "" for none */
    char name[128];         /* the parameter, field, column or file at fault; "" for none */
    char detail[640];       /* valid UTF-8, cut at a character where it would not fit */
    bool is_private;        /* detail may name files of ours: for the log, not for a client */
    unsigned retry_after_s; /* of 429 and 503; 0: no better guess than a second */
};

/* Fill `err` and return false, so that a failure is one line: return err_set(err, ...).
 * Untrusted bytes in the arguments are safe: control characters and invalid UTF-8 are shown as
 * '?'. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);
/* The same, with a code of its own. */
bool err_set_code(struct err *err, enum err_kind kind, const char *code, const char *fmt, ...)
    PRINTF(4, 5);
/* The same, naming what is at fault; code may be NULL for the kind's. */
bool err_set_name(struct err *err, enum err_kind kind, const char *code, struct str name,
                  const char *fmt, ...) PRINTF(5, 6);
/* From errno: ENOSPC and EDQUOT become ERR_DISK_FULL, EMFILE, ENFILE and ENOMEM ERR_BUSY, the
 * rest ERR_INTERNAL, as "what: reason"; private. */
bool err_set_errno(struct err *err, const char *fmt, ...) PRINTF(2, 3);
/* Was it something that the process or the machine lacks for now, so that it says nothing about
 * what was asked for?  ERR_BUSY with a code of its own has another reason. */
bool err_is_shortage(const struct err *err);

int err_status(const struct err *err);       /* HTTP status */
const char *err_code(const struct err *err); /* its own code, else the kind's */
const char *err_title(const struct err *err);
/* The detail, or a sentence in the place of one that is private. */
const char *err_public_detail(const struct err *err);
