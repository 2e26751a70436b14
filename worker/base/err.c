#include "base/err.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const CODES[] = {
#define X(kind, code) [kind] = code,
    ERR_KINDS(X)
#undef X
};

/* Is `s` the beginning of a sequence that the end of the text cut short? */
static bool
is_cut_sequence(struct str s)
{
    unsigned char lead = (unsigned char)s.p[0];
    size_t length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < s.n; i++)
        if (((unsigned char)s.p[i] & 0xc0) != 0x80)
            return false;
    return s.n < length;
}

/* Make `text` printable in place: it ends up in logs and in JSON. */
static void
clean(char *text)
{
    struct str rest = str_from(text);
    char *out = text;
    while (rest.n) {
        size_t n = utf8_sequence(rest);
        bool is_plain =
            n > 1 || (n == 1 && (unsigned char)rest.p[0] >= 0x20 && rest.p[0] != 0x7f);
        /* A sequence that was cut short is dropped rather than shown as '?'. */
        if (n == 0 && is_cut_sequence(rest))
            break;
        if (is_plain) {
            memmove(out, rest.p, n);
            out += n;
        } else {
            *out++ = '?';
        }
        rest = str_skip(rest, MAX(n, 1));
    }
    *out = '\0';
}

/* Formats everything before changing `*err`: when a caller adds to a failure from below, the
 * arguments may point into `*err` itself. */
static void PRINTF(3, 0) fill(struct err *err, struct err filled, const char *fmt, va_list args)
{
    vsnprintf(filled.detail, sizeof(filled.detail), fmt, args);
    clean(filled.detail);
    *err = filled;
}

bool
err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fill(err, (struct err){.kind = kind}, fmt, args);
    va_end(args);
    return false;
}

bool
err_set_code(struct err *err, enum err_kind kind, const char *code, const char *fmt, ...)
{
    struct err filled = {.kind = kind};
    snprintf(filled.code, sizeof(filled.code), "%s", code);
    va_list args;
    va_start(args, fmt);
    fill(err, filled, fmt, args);
    va_end(args);
    return false;
}

bool
err_set_name(struct err *err, enum err_kind kind, const char *code, struct str name,
             const char *fmt, ...)
{
    struct err filled = {.kind = kind};
    snprintf(filled.code, sizeof(filled.code), "%s", code ? code : "");
    snprintf(filled.name, sizeof(filled.name), "%" STR_FMT, STR_ARG(name));
    clean(filled.name);
    va_list args;
    va_start(args, fmt);
    fill(err, filled, fmt, args);
    va_end(args);
    return false;
}

bool
err_set_errno(struct err *err, const char *fmt, ...)
{
    int saved = errno;
    bool is_full = saved == ENOSPC || saved == EDQUOT;
    bool is_short = saved == EMFILE || saved == ENFILE || saved == ENOMEM;
    char what[sizeof(err->detail)];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    err_set(err,
            is_full    ? ERR_DISK_FULL
            : is_short ? ERR_BUSY
                       : ERR_INTERNAL,
            "%s: %s", what, strerror(saved));
    err->is_private = true;
    return false;
}

bool
err_is_shortage(const struct err *err)
{
    return err->kind == ERR_BUSY && err->code[0] == '\0';
}

const char *
err_code(const struct err *err)
{
    return err->code[0] ? err->code : CODES[err->kind];
}

const char *
err_public_detail(const struct err *err)
{
    if (!err->is_private)
        return err->detail;
    return err->kind == ERR_DISK_FULL ? "there is no room left on the disk"
                                      : "the log has the reason";
}
