/* How a failure travels: a function that can fail returns bool, is MUST_CHECK, and fills the
 * `struct err *err` it is given last.  The kind decides the stable code (and over HTTP the
 * status, http/status.h); a failure with a name of its own (missing_columns, not_csv) overrides
 * the code.  The detail is a sentence for the person at the other end: it names the thing, the
 * rule and the value seen. */
#pragma once

#include "base/str.h"

/*   kind, code */
#define ERR_KINDS(X)                                                                           \
    X(ERR_NONE, "ok")                                                                          \
    X(ERR_MALFORMED, "malformed")                                                              \
    X(ERR_BAD_PARAMETER, "bad_parameter")                                                      \
    X(ERR_UNKNOWN_PARAMETER, "unknown_parameter")                                              \
    X(ERR_UNAUTHORIZED, "unauthorized")                                                        \
    X(ERR_FORBIDDEN, "forbidden")                                                              \
    X(ERR_NOT_FOUND, "not_found")                                                              \
    X(ERR_METHOD, "method_not_allowed")                                                        \
    X(ERR_NOT_ACCEPTABLE, "not_acceptable")                                                    \
    X(ERR_CONFLICT, "conflict")                                                                \
    X(ERR_GONE, "gone")                                                                        \
    X(ERR_LENGTH_REQUIRED, "length_required")                                                  \
    X(ERR_TOO_LARGE, "too_large")                                                              \
    X(ERR_MEDIA_TYPE, "unsupported_media_type")                                                \
    X(ERR_INVALID, "invalid")                                                                  \
    X(ERR_TOO_MANY, "too_many_requests")                                                       \
    X(ERR_INTERNAL, "internal")                                                                \
    X(ERR_BUSY, "busy")                                                                        \
    X(ERR_DISK_FULL, "disk_full")

enum err_kind {
#define X(kind, code) kind,
    ERR_KINDS(X)
#undef X
        ERR_KIND_COUNT
};

struct err {
    enum err_kind kind;     /* ERR_NONE in a zeroed struct */
    char code[48];          /* overrides the kind's code; "" for none */
    char name[128];         /* the parameter, field, column or file at fault; "" for none */
    char detail[640];       /* valid UTF-8; a longer one is cut between two characters */
    bool is_private;        /* detail may name files of ours: for the log, not for a client */
    unsigned retry_after_s; /* of 429 and 503; 0: unknown, one second is sent */
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
/* From errno: ENOSPC and EDQUOT become ERR_DISK_FULL; EMFILE, ENFILE and ENOMEM become
 * ERR_BUSY; all others become ERR_INTERNAL.  The detail is "what: reason" and private. */
bool err_set_errno(struct err *err, const char *fmt, ...) PRINTF(2, 3);
/* Is it ERR_BUSY without a code of its own: a passing shortage in this process or on this
 * machine, which says nothing about the thing that was asked for? */
bool err_is_shortage(const struct err *err);

const char *err_code(const struct err *err); /* its own code, else the kind's */
/* The detail, or a sentence in the place of one that is private. */
const char *err_public_detail(const struct err *err);
