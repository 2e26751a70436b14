/* Detection and decoding of any bytes: nothing crashes, an error has a code and a detail, and
 * what is accepted as UTF-16 or an 8-bit encoding comes out as valid UTF-8 within the limit.
 *
 *   byte 0  encoding asked for    byte 1  gzip the file first    the rest  the file */
#include "fuzz.h"
#include "memory_file.h"

#include "base/fs.h"
#include "base/utf8.h"
#include "csv/decode.h"

#include <zlib.h>

#define DECODED_BYTES_MAX (64 * KIB)

static void
add_gzip(struct buf *out, struct str bytes)
{
    z_stream z = {0};
    int ready = deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    assert(ready == Z_OK);
    size_t room = deflateBound(&z, bytes.n) + 64;
    z.next_in = (unsigned char *)(uintptr_t)bytes.p;
    z.avail_in = (unsigned)bytes.n;
    z.next_out = (unsigned char *)buf_reserve(out, room);
    z.avail_out = (unsigned)room;
    int done = deflate(&z, Z_FINISH);
    assert(done == Z_STREAM_END);
    out->n += room - z.avail_out;
    deflateEnd(&z);
}

static void
check(const struct csv_decoded *decoded, struct str file)
{
    bool is_copy = decoded->encoding != CSV_UTF_8 && decoded->encoding != CSV_ASCII;
    assert(decoded->encoding != CSV_ENCODING_AUTO);
    assert(decoded->text.n <= MAX(DECODED_BYTES_MAX, file.n));
    assert(!is_copy || utf8_is_valid(decoded->text));
    struct csv_hints none = {0};
    struct csv_dialect dialect = csv_detect_dialect(decoded->text, &none);
    assert(csv_dialect_is_valid(dialect));
}

static void
decode(struct str file, enum csv_encoding encoding)
{
    scoped_fd from = memory_file(file);
    scoped_fd temporary = memory_file(STR(""));
    struct csv_source source = {
        .length = file.n, .encoding = encoding, .decoded_bytes_max = DECODED_BYTES_MAX};
    struct csv_decoded decoded;
    struct err err = {0};
    if (csv_decode_open(&decoded, from, &source, temporary, NULL, NULL, &err)) {
        check(&decoded, file);
        csv_decode_close(&decoded);
    } else {
        assert(err.code[0] || err.kind == ERR_TOO_LARGE);
        assert(err.detail[0]);
    }
}

static void
fuzz(struct arena *a UNUSED, struct str input)
{
    if (input.n < 2)
        return;
    enum csv_encoding encoding = (unsigned char)input.p[0] % (CSV_ASCII + 1);
    struct str file = str_skip(input, 2);
    scoped_buf zip;
    buf_init(&zip, 64 * MIB);
    if (input.p[1] & 1) {
        add_gzip(&zip, file);
        file = buf_str(&zip);
    }
    decode(file, encoding);
}
