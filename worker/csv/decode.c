/* Source bytes come as chunks, from the map or from gunzip, and pass through one converter into
 * the temporary file:
 *
 *     map ----------------+--> count UTF-8, check ASCII          the file is used as it is
 *          '--> gunzip ---+--> convert --> buf --> temporary     the copy is used
 *
 * The encoding is sometimes known only at the end of the file.  Then the source is read a
 * second time, which is cheaper than a second temporary file.  Pages that were read are
 * released, so that memory does not grow with the file. */
#include "csv/decode.h"

#include "base/gzip.h"
#include "base/utf8.h"

#include <string.h>
#include <unistd.h>

/* After this many bytes pages are released, progress is reported, and cancelling takes effect.
 */
#define CHUNK_BYTES (256 * KIB)
/* Two bytes of UTF-16, or one of windows-1252, give three at most. */
#define OUTPUT_BYTES_MAX (3 * CHUNK_BYTES + 16)
#define HEAD_BYTES (4 * KIB)

struct decoder {
    struct fs_map map; /* of the source file */
    struct str bytes;  /* the source in it */
    uint64_t decoded_bytes_max;
    int temporary_fd;
    csv_progress_fn *on_progress;
    void *context;
    uint64_t progress; /* the largest that was reported */
    bool is_gzip;

    /* Of the current pass. */
    enum csv_encoding encoding;
    uint64_t position;  /* of the chunk, in the bytes before conversion */
    uint64_t written;   /* bytes of the temporary file */
    struct buf output;  /* of one chunk */
    bool is_big_endian; /* UTF-16 */
    bool is_begun;      /* UTF-16: the BOM has been looked for */
    char pending[4];    /* the sequence that the end of the last chunk cut off */
    size_t pending_bytes;
    struct csv_utf8_count count;
};

typedef bool chunk_fn(struct decoder *d, struct str chunk, bool is_last, struct err *err);

static bool
tell_progress(struct decoder *d, size_t source_bytes, struct err *err)
{
    d->progress = MAX(d->progress, source_bytes);
    size_t before = (size_t)(d->bytes.p - d->map.bytes.p);
    fs_map_drop_before(&d->map, before + source_bytes);
    return !d->on_progress || d->on_progress(d->context, d->progress, err);
}

static bool
read_plain(struct decoder *d, chunk_fn *on_chunk, struct err *err)
{
    size_t at = 0;
    while (at < d->bytes.n) {
        struct str chunk = str_slice(d->bytes, at, at + CHUNK_BYTES);
        at += chunk.n;
        if (!on_chunk(d, chunk, at == d->bytes.n, err) || !tell_progress(d, at, err))
            return false;
        d->position += chunk.n;
    }
    return true;
}

static bool
read_gzip(struct decoder *d, chunk_fn *on_chunk, struct err *err)
{
    scoped_gzip g = gzip_open(d->bytes);
    scoped_buf chunk;
    buf_init(&chunk, CHUNK_BYTES);
    char *p = buf_reserve(&chunk, CHUNK_BYTES);
    size_t n = 1;
    while (n > 0) {
        if (!gzip_read(g, p, CHUNK_BYTES, &n, err) ||
            !on_chunk(d, (struct str){p, n}, n == 0, err) ||
            !tell_progress(d, gzip_position(g), err))
            return false;
        d->position += n;
    }
    return true;
}

/* Passes every chunk to `on_chunk`; only the last one may be empty. */
static bool
read_chunks(struct decoder *d, chunk_fn *on_chunk, struct err *err)
{
    d->position = 0;
    d->pending_bytes = 0;
    d->is_begun = false;
    return d->is_gzip ? read_gzip(d, on_chunk, err) : read_plain(d, on_chunk, err);
}

/* ---- what is done to a chunk ---- */

static bool
count_chunk(struct decoder *d, struct str chunk, bool is_last, struct err *err UNUSED)
{
    /* At most three bytes of a sequence were left by the last chunk. */
    while (d->pending_bytes && (chunk.n || is_last)) {
        if (chunk.n) {
            d->pending[d->pending_bytes++] = chunk.p[0];
            chunk = str_skip(chunk, 1);
        }
        struct str joined = {d->pending, d->pending_bytes};
        size_t taken = csv_count_utf8(&d->count, joined, is_last && chunk.n == 0);
        d->pending_bytes -= taken;
        memmove(d->pending, d->pending + taken, d->pending_bytes);
    }
    size_t taken = csv_count_utf8(&d->count, chunk, is_last);
    struct str rest = str_skip(chunk, taken);
    if (rest.n) {
        memcpy(d->pending, rest.p, rest.n);
        d->pending_bytes = rest.n;
    }
    return true;
}

static bool
check_ascii(struct decoder *d, struct str chunk, bool is_last UNUSED, struct err *err)
{
    for (size_t i = 0; i < chunk.n; i++)
        if ((unsigned char)chunk.p[i] > 127)
            return err_set_code(err, ERR_INVALID, "bad_encoding",
                                "The file is not ascii: byte %llu is 0x%02x; try "
                                "encoding=auto",
                                (unsigned long long)(d->position + i),
                                (unsigned)(unsigned char)chunk.p[i]);
    return true;
}

/* Code points of the bytes 0x80 to 0x9f in windows-1252; other bytes are as in iso-8859-1. */
static const uint16_t WINDOWS_1252[32] = {
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};

static uint32_t
utf16_unit(const struct decoder *d, const char *p)
{
    unsigned char a = (unsigned char)p[0], b = (unsigned char)p[1];
    return d->is_big_endian ? (uint32_t)a << 8 | b : (uint32_t)b << 8 | a;
}

/* The code point at `s`, or UINT32_MAX when it is invalid; `*n` is its length in bytes, 0 when
 * more are needed. */
static uint32_t
utf16_take(const struct decoder *d, struct str s, size_t *n)
{
    *n = 0;
    if (s.n < 2)
        return 0;
    uint32_t high = utf16_unit(d, s.p);
    *n = 2;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high > 0xdbff)
        return UINT32_MAX;
    if (s.n < 4) {
        *n = 0;
        return 0;
    }
    uint32_t low = utf16_unit(d, s.p + 2);
    *n = 4;
    bool is_pair = low >= 0xdc00 && low <= 0xdfff;
    return is_pair ? 0x10000 + ((high - 0xd800) << 10 | (low - 0xdc00)) : UINT32_MAX;
}

/* Converts the whole code points of a chunk; returns the bytes taken, or -1. */
static ptrdiff_t
convert_utf16_run(struct decoder *d, struct str s, uint64_t position, struct err *err)
{
    size_t at = 0, n;
    for (;; at += n) {
        uint32_t c = utf16_take(d, str_skip(s, at), &n);
        if (n == 0)
            return (ptrdiff_t)at;
        if (c == UINT32_MAX) {
            err_set_code(err, ERR_INVALID, "bad_encoding",
                         "The UTF-16 text has half of a surrogate pair at byte %llu",
                         (unsigned long long)(position + at));
            return -1;
        }
        bool is_bom = !d->is_begun && c == 0xfeff;
        d->is_begun = true;
        if (!is_bom)
            d->output.n += utf8_encode(c, d->output.p + d->output.n);
    }
}

static bool
convert_utf16(struct decoder *d, struct str chunk, bool is_last, struct err *err)
{
    uint64_t position = d->position;
    while (d->pending_bytes && chunk.n) {
        d->pending[d->pending_bytes++] = chunk.p[0];
        chunk = str_skip(chunk, 1);
        uint64_t start = ++position - d->pending_bytes;
        struct str joined = {d->pending, d->pending_bytes};
        ptrdiff_t taken = convert_utf16_run(d, joined, start, err);
        if (taken < 0)
            return false;
        d->pending_bytes -= (size_t)taken;
    }
    ptrdiff_t taken = convert_utf16_run(d, chunk, position, err);
    if (taken < 0)
        return false;
    struct str rest = str_skip(chunk, (size_t)taken);
    if (rest.n)
        memcpy(d->pending, rest.p, rest.n);
    d->pending_bytes += rest.n;
    if (is_last && d->pending_bytes)
        return err_set_code(err, ERR_INVALID, "bad_encoding",
                            "The UTF-16 text ends inside a character: it has %llu bytes",
                            (unsigned long long)(position + chunk.n));
    return true;
}

static bool
write_output(struct decoder *d, struct str text, struct err *err)
{
    if (text.n > d->decoded_bytes_max - d->written)
        return err_set(err, ERR_TOO_LARGE, "The CSV has more than %llu bytes once decoded",
                       (unsigned long long)d->decoded_bytes_max);
    if (!fs_write_at(d->temporary_fd, text, d->written, err))
        return false;
    d->written += text.n;
    return true;
}

static bool
convert_chunk(struct decoder *d, struct str chunk, bool is_last, struct err *err)
{
    d->output.n = 0;
    if (d->encoding == CSV_UTF_16)
        return convert_utf16(d, chunk, is_last, err) &&
               write_output(d, buf_str(&d->output), err);
    char *out = d->output.p;
    for (size_t i = 0; i < chunk.n; i++) {
        unsigned char c = (unsigned char)chunk.p[i];
        bool is_special = d->encoding == CSV_WINDOWS_1252 && c >= 0x80 && c < 0xa0;
        out += utf8_encode(is_special ? WINDOWS_1252[c - 0x80] : c, out);
    }
    d->output.n = (size_t)(out - d->output.p);
    return write_output(d, buf_str(&d->output), err);
}

/* Decompressed bytes are treated as UTF-8 until the encoding is known. */
static bool
copy_chunk(struct decoder *d, struct str chunk, bool is_last, struct err *err)
{
    if (d->encoding == CSV_ASCII && !check_ascii(d, chunk, is_last, err))
        return false;
    return count_chunk(d, chunk, is_last, err) && write_output(d, chunk, err);
}

/* ---- the passes ---- */

static bool
read_head(struct decoder *d, char head[HEAD_BYTES], struct str *out, struct err *err)
{
    *out = str_slice(d->bytes, 0, HEAD_BYTES);
    d->is_gzip = gzip_begins(*out);
    if (!d->is_gzip)
        return true;
    scoped_gzip g = gzip_open(d->bytes);
    size_t used = 0, n = 1;
    while (used < HEAD_BYTES && n > 0) {
        if (!gzip_read(g, head + used, HEAD_BYTES - used, &n, err))
            return false;
        used += n;
    }
    *out = (struct str){head, used};
    return true;
}

/* By the BOM, else by which half of the units has more zeros; little-endian when that is even.
 */
static bool
is_utf16_big_endian(struct str head)
{
    if (str_starts(head, STR("\xff\xfe")) || str_starts(head, STR("\xfe\xff")))
        return head.p[0] == '\xfe';
    size_t zeros[2] = {0};
    for (size_t i = 0; i < head.n; i++)
        zeros[i % 2] += head.p[i] == '\0';
    return zeros[0] > zeros[1];
}

static bool
convert_all(struct decoder *d, struct err *err)
{
    if (ftruncate(d->temporary_fd, 0))
        return err_set_errno(err, "emptying the temporary file");
    d->written = 0;
    buf_init(&d->output, OUTPUT_BYTES_MAX);
    buf_reserve(&d->output, OUTPUT_BYTES_MAX);
    bool ok = read_chunks(d, convert_chunk, err);
    buf_free(&d->output);
    return ok;
}

/* Settles d->encoding.  Of a gzip source, the temporary file then holds the decompressed
 * bytes. */
static bool
survey(struct decoder *d, struct err *err)
{
    bool is_read = d->encoding == CSV_ENCODING_AUTO || d->encoding == CSV_ASCII;
    bool is_utf8 = is_read || d->encoding == CSV_UTF_8;
    if (d->is_gzip && is_utf8 && !read_chunks(d, copy_chunk, err))
        return false;
    if (!d->is_gzip && is_read) {
        chunk_fn *on_chunk = d->encoding == CSV_ASCII ? check_ascii : count_chunk;
        if (!read_chunks(d, on_chunk, err))
            return false;
    }
    if (d->encoding == CSV_ENCODING_AUTO)
        d->encoding = csv_encoding_by_count(&d->count);
    return true;
}

/* Sets the result: the text in the source where it is plain UTF-8, else in the temporary file.
 */
static bool
open_text(struct decoder *d, struct csv_decoded *out, bool is_copy, struct err *err)
{
    struct csv_decoded decoded = {.was_gzip = d->is_gzip, .encoding = d->encoding};
    if (is_copy) {
        if (!fs_map_open(&decoded.map, d->temporary_fd, err))
            return false;
        decoded.text = decoded.map.bytes;
    } else if (d->bytes.n > d->decoded_bytes_max) {
        return err_set(err, ERR_TOO_LARGE, "The CSV has %zu bytes; at most %llu are taken",
                       d->bytes.n, (unsigned long long)d->decoded_bytes_max);
    } else {
        decoded.map = d->map;
        decoded.text = d->bytes;
        d->map = (struct fs_map){0};
    }
    if (str_starts(decoded.text, STR("\xef\xbb\xbf"))) {
        decoded.bom_bytes = 3;
        decoded.text = str_skip(decoded.text, 3);
    }
    *out = decoded;
    return true;
}

static bool
decode(struct decoder *d, struct csv_decoded *out, struct err *err)
{
    char memory[HEAD_BYTES];
    struct str head;
    if (!read_head(d, memory, &head, err))
        return false;
    /* UTF-16 without a BOM or without Latin letters looks binary; it is checked after
     * conversion. */
    if (d->encoding != CSV_UTF_16 && !csv_check_is_text(head, err))
        return false;
    if (d->encoding == CSV_ENCODING_AUTO)
        d->encoding = csv_detect_encoding_by_head(head);
    d->is_big_endian = is_utf16_big_endian(head);
    if (!survey(d, err))
        return false;
    bool is_utf8 = d->encoding == CSV_UTF_8 || d->encoding == CSV_ASCII;
    if (!is_utf8 && !convert_all(d, err))
        return false;
    if (!open_text(d, out, d->is_gzip || !is_utf8, err))
        return false;
    if (d->encoding != CSV_UTF_16 || csv_check_is_text(out->text, err))
        return true;
    csv_decode_close(out);
    return false;
}

bool
csv_decode_open(struct csv_decoded *out, int source_fd, const struct csv_source *source,
                int temporary_fd, csv_progress_fn *on_progress, void *context, struct err *err)
{
    struct decoder d = {
        .decoded_bytes_max = source->decoded_bytes_max,
        .temporary_fd = temporary_fd,
        .on_progress = on_progress,
        .context = context,
        .encoding = source->encoding,
    };
    if (!fs_map_open(&d.map, source_fd, err))
        return false;
    bool is_inside =
        source->offset <= d.map.bytes.n && source->length <= d.map.bytes.n - source->offset;
    d.bytes = str_slice(d.map.bytes, source->offset, source->offset + source->length);
    bool ok = is_inside ? decode(&d, out, err)
                        : err_set(err, ERR_INTERNAL,
                                  "the CSV's %llu bytes at %llu are not in a file of %zu",
                                  (unsigned long long)source->length,
                                  (unsigned long long)source->offset, d.map.bytes.n);
    fs_map_close(&d.map);
    return ok;
}

void
csv_decode_close(struct csv_decoded *decoded)
{
    fs_map_close(&decoded->map);
    *decoded = (struct csv_decoded){0};
}
