/* See err.h. */
#include "base/err.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int status;
    const char *code, *title;
} KINDS[] = {
#define X(kind, status, code, title) [kind] = {status, code, title},
    ERR_KINDS(X)
#undef X
};

/* Make `text` printable in place: the detail ends up in logs and JSON. */
static void
clean(char *text)
{
    struct str rest = str_from(text);
    char *out = text;
    while (rest.n) {
        size_t n = utf8_sequence(rest);
        bool is_plain =
            n > 1 || (n == 1 && (unsigned char)rest.p[0] >= 0x20 && rest.p[0] != 0x7f);
        /* A sequence that the buffer's end cut short is dropped, not shown as garbage. */
        bool is_cut = n == 0 && rest.n < 4 && (unsigned char)rest.p[0] >= 0xc2;
        if (is_cut)
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

static void PRINTF(2, 0) fill(struct err *err, const char *fmt, va_list args)
{
    vsnprintf(err->detail, sizeof(err->detail), fmt, args);
    clean(err->detail);
}

bool
err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    *err = (struct err){.kind = kind};
    va_list args;
    va_start(args, fmt);
    fill(err, fmt, args);
    va_end(args);
    return false;
}

bool
err_set_code(struct err *err, enum err_kind kind, const char *code, const char *fmt, ...)
{
    *err = (struct err){.kind = kind};
    snprintf(err->code, sizeof(err->code), "%s", code);
    va_list args;
    va_start(args, fmt);
    fill(err, fmt, args);
    va_end(args);
    return false;
}

bool
err_set_name(struct err *err, enum err_kind kind, const char *code, struct str name,
             const char *fmt, ...)
{
    /* The name may come from the err that is being replaced. */
    char kept[sizeof(err->name)];
    snprintf(kept, sizeof(kept), "%" STR_FMT, STR_ARG(name));
    *err = (struct err){.kind = kind};
    snprintf(err->code, sizeof(err->code), "%s", code ? code : "");
    memcpy(err->name, kept, sizeof(kept));
    clean(err->name);
    va_list args;
    va_start(args, fmt);
    fill(err, fmt, args);
    va_end(args);
    return false;
}

bool
err_set_errno(struct err *err, const char *fmt, ...)
{
    int saved = errno;
    bool is_full = saved == ENOSPC || saved == EDQUOT;
    *err = (struct err){.kind = is_full ? ERR_DISK_FULL : ERR_INTERNAL};
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->detail, sizeof(err->detail), fmt, args);
    va_end(args);
    size_t n = strlen(err->detail);
    snprintf(err->detail + n, sizeof(err->detail) - n, ": %s", strerror(saved));
    clean(err->detail);
    return false;
}

int
err_status(const struct err *err)
{
    return KINDS[err->kind].status;
}

const char *
err_code(const struct err *err)
{
    return err->code[0] ? err->code : KINDS[err->kind].code;
}

const char *
err_title(const struct err *err)
{
    return KINDS[err->kind].title;
}
