#include "base/log.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/num.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_BYTES_MAX (8 * KIB)

static const char *current_role = "playmeter";

void
log_set_role(const char *role)
{
    current_role = role;
}

/* Bytes at the front that need no escaping.  A line is written per request, and nearly all of
 * it is such bytes, so they are copied in one go. */
static size_t
plain_prefix(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
        n++;
    return n;
}

/* The code point that `sequence` encodes, when it is one that terminals act on or that some
 * programs treat as a line end: the controls of ASCII and of Latin-1 (U+0085 is NEL, U+009B
 * begins a terminal command), U+2028, U+2029.  -1 for any other. */
static int
control_code(struct str sequence)
{
    unsigned char c = (unsigned char)sequence.p[0];
    if (sequence.n == 1)
        return c < 0x20 || c == 0x7f ? c : -1;
    unsigned char last = (unsigned char)sequence.p[sequence.n - 1];
    if (c == 0xc2)
        return last < 0xa0 ? last : -1;
    bool ends_line =
        str_eq(sequence, STR("\xe2\x80\xa8")) || str_eq(sequence, STR("\xe2\x80\xa9"));
    return ends_line ? 0x2000 + (last & 0x3f) : -1;
}

static void
add_quoted(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    while (s.n) {
        size_t plain = plain_prefix(s);
        buf_add(out, str_slice(s, 0, plain));
        s = str_skip(s, plain);
        if (s.n == 0)
            break;
        size_t n = utf8_sequence(s);
        int control = n ? control_code(str_slice(s, 0, n)) : -1;
        if (n == 0)
            buf_add_lit(out, "\\ufffd");
        else if (s.p[0] == '"' || s.p[0] == '\\')
            buf_printf(out, "\\%c", s.p[0]);
        else if (control >= 0)
            buf_printf(out, "\\u%04x", (unsigned)control);
        else
            buf_add(out, str_slice(s, 0, n));
        s = str_skip(s, MAX(n, 1));
    }
    buf_add_char(out, '"');
}

static void
add_key(struct log_line *line, const char *key)
{
    buf_add_lit(&line->text, ",\"");
    buf_add(&line->text, str_from(key));
    buf_add_lit(&line->text, "\":");
}

struct log_line
log_begin(enum log_level level, const char *event)
{
    static const char *const LEVELS[] = {"info", "warn", "error"};
    struct log_line line;
    buf_init(&line.text, LINE_BYTES_MAX);
    buf_add_lit(&line.text, "{\"time\":\"");
    date_add_timestamp(&line.text, clock_now_ms());
    buf_printf(&line.text, "\",\"level\":\"%s\",\"role\":\"%s\",\"pid\":%d,\"event\":\"%s\"",
               LEVELS[level], current_role, (int)getpid(), event);
    return line;
}

void
log_str(struct log_line *line, const char *key, struct str value)
{
    /* A byte becomes six at most when escaped; an eighth of the room left keeps the line
     * whole. */
    size_t room = (LINE_BYTES_MAX - line->text.n) / 8;
    add_key(line, key);
    add_quoted(&line->text, str_slice(value, 0, room));
}

void
log_int(struct log_line *line, const char *key, int64_t value)
{
    add_key(line, key);
    num_add_i64(&line->text, value);
}

void
log_end(struct log_line *line)
{
    buf_add_lit(&line->text, "}\n");
    /* A failure is ignored: when stderr is gone, there is nowhere to report it. */
    ssize_t unused = write(STDERR_FILENO, line->text.p, line->text.n);
    (void)unused;
    buf_free(&line->text);
}

void
log_message(enum log_level level, const char *event, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    struct log_line line = log_begin(level, event);
    log_str(&line, "message", str_from(text));
    log_end(&line);
}
