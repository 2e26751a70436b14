/* Detection and decoding: every bad file of the import contract that is refused before a row is
 * read, and each encoding and compression giving the same UTF-8. */
#include "base/fs.h"
#include "csv/decode.h"
#include "memory_file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>
#include <unistd.h>
#include <zlib.h>

/* ---- helpers ---- */

static bool
decode_part(struct str file, const struct csv_source *source, struct csv_decoded *out,
            struct err *err)
{
    scoped_fd from = memory_file(file);
    scoped_fd temporary = memory_file(STR(""));
    return csv_decode_open(out, from, source, temporary, NULL, NULL, err);
}

static bool
decode(struct str file, enum csv_encoding encoding, struct csv_decoded *out, struct err *err)
{
    struct csv_source source = {
        .length = file.n, .encoding = encoding, .decoded_bytes_max = 16 * MIB};
    return decode_part(file, &source, out, err);
}

static void
assert_decodes(struct str file, enum csv_encoding asked, struct str expected,
               enum csv_encoding found)
{
    struct csv_decoded out;
    struct err err = {0};
    if (!decode(file, asked, &out, &err))
        fail_msg("%s: %s", err_code(&err), err.detail);
    assert_int_equal(out.text.n, expected.n);
    if (expected.n)
        assert_memory_equal(out.text.p, expected.p, expected.n);
    assert_int_equal(out.encoding, found);
    csv_decode_close(&out);
}

static void
assert_refused(struct str file, enum csv_encoding asked, const char *code, const char *words)
{
    struct csv_decoded out;
    struct err err = {0};
    assert_false(decode(file, asked, &out, &err));
    assert_string_equal(err_code(&err), code);
    if (!strstr(err.detail, words))
        fail_msg("'%s' does not say '%s'", err.detail, words);
}

static void
add_gzip(struct buf *out, struct str bytes)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, bytes.n) + 64;
    z.next_in = (unsigned char *)(uintptr_t)bytes.p;
    z.avail_in = (unsigned)bytes.n;
    z.next_out = (unsigned char *)buf_reserve(out, room);
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->n += room - z.avail_out;
    deflateEnd(&z);
}

static void
add_utf16(struct buf *out, const char16_t *units, size_t n, bool is_big_endian)
{
    for (size_t i = 0; i < n; i++) {
        buf_add_char(out, (char)(is_big_endian ? units[i] >> 8 : units[i]));
        buf_add_char(out, (char)(is_big_endian ? units[i] : units[i] >> 8));
    }
}

/* ---- encodings ---- */

static void
encodings_are_known_by_their_usual_names(void **state UNUSED)
{
    enum csv_encoding e;
    assert_true(csv_encoding_parse(STR("UTF-8"), &e) && e == CSV_UTF_8);
    assert_true(csv_encoding_parse(STR("latin1"), &e) && e == CSV_ISO_8859_1);
    assert_true(csv_encoding_parse(STR("ISO_8859-1"), &e) && e == CSV_ISO_8859_1);
    assert_true(csv_encoding_parse(STR("cp1252"), &e) && e == CSV_WINDOWS_1252);
    assert_true(csv_encoding_parse(STR("US-ASCII"), &e) && e == CSV_ASCII);
    assert_false(csv_encoding_parse(STR("ebcdic"), &e));
    assert_false(csv_encoding_parse(STR(""), &e));
    assert_false(csv_encoding_parse(STR("utf\0"
                                        "8"),
                                    &e));
    for (e = CSV_ENCODING_AUTO; e <= CSV_ASCII; e++) {
        enum csv_encoding again;
        assert_true(csv_encoding_parse(str_from(csv_encoding_name(e)), &again));
        assert_int_equal(again, e);
    }
}

static void
utf8_is_used_as_it_is(void **state UNUSED)
{
    assert_decodes(STR(""), CSV_ENCODING_AUTO, STR(""), CSV_UTF_8);
    assert_decodes(STR("a,b\n"), CSV_ENCODING_AUTO, STR("a,b\n"), CSV_UTF_8);
    assert_decodes(STR("\xef\xbb\xbf"
                       "a\n"),
                   CSV_ENCODING_AUTO, STR("a\n"), CSV_UTF_8);
    /* Broken rows among good ones are left to the parser. */
    assert_decodes(STR("\xc3\xa4,\xc3\xb6\n\xff\n"), CSV_ENCODING_AUTO,
                   STR("\xc3\xa4,\xc3\xb6\n\xff\n"), CSV_UTF_8);
    assert_decodes(STR("\xe4\n"), CSV_UTF_8, STR("\xe4\n"), CSV_UTF_8);
}

static enum csv_encoding
encoding_of(struct str file)
{
    struct csv_utf8_count count = {0};
    enum csv_encoding by_head = csv_detect_encoding_by_head(file);
    csv_count_utf8(&count, file, true);
    return by_head ? by_head : csv_encoding_by_count(&count);
}

static void
the_encoding_of_a_whole_file_is_told(void **state UNUSED)
{
    assert_int_equal(encoding_of(STR("")), CSV_UTF_8);
    assert_int_equal(encoding_of(STR("a,\xc3\xa4")), CSV_UTF_8);
    assert_int_equal(encoding_of(STR("\xef\xbb\xbf\xff")), CSV_UTF_8);
    assert_int_equal(encoding_of(STR("a,\xe4")), CSV_WINDOWS_1252);
    assert_int_equal(encoding_of(STR("\xfe\xff\0a")), CSV_UTF_16);
    assert_int_equal(encoding_of(STR("a\0,\0b\0\n\0")), CSV_UTF_16);
    /* As many invalid bytes as sequences: chance, not UTF-8. */
    assert_int_equal(encoding_of(STR("\xc3\xa4,\xe4")), CSV_WINDOWS_1252);
    assert_int_equal(encoding_of(STR("\xc3\xa4\xc3\xa4,\xe4")), CSV_UTF_8);
}

/* A NUL before and behind each comma, with lines of odd and even length. */
static void
zeros_around_delimiters_are_no_utf16(void **state UNUSED)
{
    static const struct str FILES[] = {
        STR_INIT("id,n\r\n7\0,\00088\r\n5\0,\00066\r\n3\0,\00044\r\n"),
        STR_INIT("id,n\n7\0,\0008\n5\0,\0006\n3\0,\0004\n"),
        STR_INIT("a\0,\000b\0,\000c\n1\0,\0002\0,\0003\n4\0,\0005\0,\0006\n"),
        STR_INIT("a\0,\000b\0,\000c\0,\000d\0,\000e\0,\000f\r1\0,\0002\0,\0003\0,\0004\0,"
                 "\0005\0,\0006\r"),
        STR_INIT("\0a\0,\000b\0,\000c\n\0001\0,\0002\0,\0003\n"),
        STR_INIT("id,name\n1,a\0b\n2,c\n"),
    };
    for (size_t i = 0; i < COUNT_OF(FILES); i++)
        if (encoding_of(FILES[i]) != CSV_UTF_8)
            fail_msg("file %zu is taken for %s", i, csv_encoding_name(encoding_of(FILES[i])));
    /* And what is: every byte order, one line, line ends of a carriage return. */
    assert_int_equal(encoding_of(STR("i\0d\0\r\0001\0\r\0")), CSV_UTF_16);
    assert_int_equal(encoding_of(STR("\0i\0d\0\r\0\n\0001\0\r\0\n")), CSV_UTF_16);
    assert_int_equal(encoding_of(STR("i\0d\0,\0n\0")), CSV_UTF_16);
}

static void
latin_text_becomes_utf8(void **state UNUSED)
{
    assert_decodes(STR("M\xfcller,\x80 5\n"), CSV_ENCODING_AUTO,
                   STR("M\xc3\xbcller,\xe2\x82\xac 5\n"), CSV_WINDOWS_1252);
    assert_decodes(STR("\x80\x81\xff"), CSV_ISO_8859_1, STR("\xc2\x80\xc2\x81\xc3\xbf"),
                   CSV_ISO_8859_1);
    assert_decodes(STR("\x81"), CSV_WINDOWS_1252, STR("\xc2\x81"), CSV_WINDOWS_1252);
    assert_decodes(STR("a,b\n"), CSV_ASCII, STR("a,b\n"), CSV_ASCII);
    assert_refused(STR("a,\xc3\xa4\n"), CSV_ASCII, "bad_encoding", "byte 2 is 0xc3");
}

static void
utf16_of_both_orders_becomes_utf8(void **state UNUSED)
{
    static const char16_t UNITS[] =
        u"\xfeffid,n\u00e4mes of games\r\n1,\u65e5\ufeff\u672c \xd83c\xdfae\n";
    struct str expected =
        STR("id,n\xc3\xa4mes of games\r\n1,\xe6\x97\xa5\xef\xbb\xbf\xe6\x9c\xac "
            "\xf0\x9f\x8e\xae\n");
    for (int big = 0; big <= 1; big++)
        for (size_t skip = 0; skip <= 1; skip++) {
            scoped_buf file;
            buf_init(&file, KIB);
            add_utf16(&file, UNITS + skip, COUNT_OF(UNITS) - 1 - skip, big);
            assert_decodes(buf_str(&file), CSV_ENCODING_AUTO, expected, CSV_UTF_16);
            assert_decodes(buf_str(&file), CSV_UTF_16, expected, CSV_UTF_16);
        }
}

static void
utf16_that_is_none_is_refused(void **state UNUSED)
{
    assert_refused(STR("\xff\xfe"
                       "a\0,\0b"),
                   CSV_ENCODING_AUTO, "bad_encoding", "7 bytes");
    assert_refused(STR("\xff\xfe"
                       "a\0\x00\xd8,\0"),
                   CSV_ENCODING_AUTO, "bad_encoding", "byte 4");
    assert_refused(STR("\xff\xfe"
                       "a\0\x00\xdc"),
                   CSV_ENCODING_AUTO, "bad_encoding", "byte 4");
    assert_refused(STR("\xff\xfe"
                       "a\0\x3c\xd8"),
                   CSV_ENCODING_AUTO, "bad_encoding", "ends");
}

/* Characters of every width across the seams of the chunks that the decoder reads. */
static void
characters_across_chunks_are_whole(void **state UNUSED)
{
    for (size_t shift = 0; shift < 4; shift++) {
        scoped_buf utf8, utf16, latin, zip;
        buf_init(&utf8, 4 * MIB);
        buf_init(&utf16, 4 * MIB);
        buf_init(&latin, 4 * MIB);
        buf_init(&zip, 4 * MIB);
        for (size_t i = 0; i < shift; i++) {
            buf_add_char(&utf8, 'x');
            add_utf16(&utf16, u"x", 1, false);
        }
        while (utf8.n < MIB) {
            buf_add_lit(&utf8, "\xf0\x9f\x8e\xae\xc3\xa4,\xe2\x82\xac\n");
            add_utf16(&utf16, u"\xd83c\xdfae\u00e4,\u20ac\n", 6, false);
        }
        assert_decodes(buf_str(&utf8), CSV_ENCODING_AUTO, buf_str(&utf8), CSV_UTF_8);
        assert_decodes(buf_str(&utf16), CSV_UTF_16, buf_str(&utf8), CSV_UTF_16);
        add_gzip(&zip, buf_str(&utf16));
        assert_decodes(buf_str(&zip), CSV_UTF_16, buf_str(&utf8), CSV_UTF_16);
        buf_clear(&zip);
        add_gzip(&zip, buf_str(&utf8));
        assert_decodes(buf_str(&zip), CSV_ENCODING_AUTO, buf_str(&utf8), CSV_UTF_8);
    }
}

/* ---- gzip ---- */

static void
gzip_is_unpacked_by_content(void **state UNUSED)
{
    scoped_buf zip;
    buf_init(&zip, MIB);
    add_gzip(&zip, STR("a,b\n"));
    assert_decodes(buf_str(&zip), CSV_ENCODING_AUTO, STR("a,b\n"), CSV_UTF_8);
    add_gzip(&zip, STR("1,2\n"));
    assert_decodes(buf_str(&zip), CSV_ENCODING_AUTO, STR("a,b\n1,2\n"), CSV_UTF_8);
    buf_add_lit(&zip, "\0\0\0");
    assert_decodes(buf_str(&zip), CSV_ENCODING_AUTO, STR("a,b\n1,2\n"), CSV_UTF_8);
    buf_add_lit(&zip, "rest");
    assert_refused(buf_str(&zip), CSV_ENCODING_AUTO, "bad_gzip", "something else follows");
}

static void
gzip_of_latin_text_is_converted(void **state UNUSED)
{
    scoped_buf zip;
    buf_init(&zip, MIB);
    add_gzip(&zip, STR("M\xfcller,1\n"));
    assert_decodes(buf_str(&zip), CSV_ENCODING_AUTO, STR("M\xc3\xbcller,1\n"),
                   CSV_WINDOWS_1252);
    assert_refused(buf_str(&zip), CSV_ASCII, "bad_encoding", "byte 1");
}

static void
every_cut_of_a_gzip_is_noticed(void **state UNUSED)
{
    scoped_buf zip;
    buf_init(&zip, MIB);
    add_gzip(&zip, STR("a,b\n1,2\n3,4\n5,6\n"));
    for (size_t n = 2; n < zip.n; n++)
        assert_refused(str_slice(buf_str(&zip), 0, n), CSV_ENCODING_AUTO, "bad_gzip", "cut");
}

static void
a_damaged_gzip_is_refused(void **state UNUSED)
{
    scoped_buf zip;
    buf_init(&zip, MIB);
    add_gzip(&zip, STR("a,b\n1,2\n3,4\n5,6\n"));
    zip.p[zip.n - 6] ^= 1; /* the checksum */
    assert_refused(buf_str(&zip), CSV_ENCODING_AUTO, "bad_gzip", "damaged");
}

static void
a_gzip_bomb_stops_at_the_limit(void **state UNUSED)
{
    scoped_buf text, zip;
    buf_init(&text, 64 * MIB);
    buf_init(&zip, 64 * MIB);
    while (text.n < 20 * MIB)
        buf_add_lit(&text, "1,2,3,4,5,6,7,8,9,10\n");
    add_gzip(&zip, buf_str(&text));
    assert_refused(buf_str(&zip), CSV_ENCODING_AUTO, "too_large", "16777216");
    assert_refused(buf_str(&text), CSV_ENCODING_AUTO, "too_large", "16777216");
}

/* ---- no CSV ---- */

static void
what_is_no_csv_is_named(void **state UNUSED)
{
    static const struct {
        struct str file;
        const char *words;
    } CASES[] = {
        {STR_INIT("\x89PNG\r\n\x1a\n....."), "a PNG image"},
        {STR_INIT("PK\x03\x04........a.csv"), "unpack it"},
        {STR_INIT("PK\x03\x04........[Content_Types].xml"), "Excel workbook"},
        {STR_INIT("%PDF-1.7\n"), "PDF"},
        {STR_INIT("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n"),
         "LFS"},
        {STR_INIT("SQLite format 3\0"), "SQLite"},
        {STR_INIT("\n <!DOCTYPE html><html>"), "check that the link serves the file itself"},
        {STR_INIT("<HTML><body>404"), "an HTML page"},
        {STR_INIT("<?xml version='1.0'?>"), "XML"},
        {STR_INIT("{\"error\": \"not found\"}"), "JSON"},
        {STR_INIT(" [ {\"a\": 1}]"), "JSON"},
        {STR_INIT("{}"), "JSON"},
        {STR_INIT("\x01\x02\x03\x04\x05\x06\x07\x08 and so on"), "binary data"},
        {STR_INIT("\xff\xfe\0\0a\0\0\0"), "UTF-32"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_refused(CASES[i].file, CSV_ENCODING_AUTO, "not_csv", CASES[i].words);
    scoped_buf inner, outer;
    buf_init(&inner, KIB);
    buf_init(&outer, KIB);
    add_gzip(&inner, STR("a,b\n"));
    add_gzip(&outer, buf_str(&inner));
    assert_refused(buf_str(&outer), CSV_ENCODING_AUTO, "not_csv", "only once");
    scoped_buf page;
    buf_init(&page, KIB);
    add_utf16(&page, u"\xfeff<html>", 7, false);
    assert_refused(buf_str(&page), CSV_ENCODING_AUTO, "not_csv", "an HTML page");
}

static void
odd_texts_are_still_csv(void **state UNUSED)
{
    static const struct str CASES[] = {
        STR_INIT("a,b\n1,\0\n"), STR_INIT("[id],[name]\n1,x\n"), STR_INIT("<id>,name\n1,x\n"),
        STR_INIT("{id},x\n"),    STR_INIT("PK,name\n1,x\n"),     STR_INIT("MZ,BM\n1,2\n"),
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_decodes(CASES[i], CSV_ENCODING_AUTO, CASES[i], CSV_UTF_8);
}

/* ---- the part of a body, and stopping ---- */

static void
only_the_given_part_is_read(void **state UNUSED)
{
    struct str file = STR("--boundary\r\n\r\na,b\n1,2\n\r\n--boundary--");
    struct csv_source source = {.offset = 14, .length = 8, .decoded_bytes_max = KIB};
    struct csv_decoded out;
    struct err err = {0};
    assert_true(decode_part(file, &source, &out, &err));
    assert_true(str_eq(out.text, STR("a,b\n1,2\n")));
    csv_decode_close(&out);
    csv_decode_close(&out);
    source.length = file.n;
    assert_false(decode_part(file, &source, &out, &err));
}

static bool
stop_at_once(void *context, uint64_t source_bytes UNUSED, struct err *err)
{
    ++*(int *)context;
    return err_set_code(err, ERR_CONFLICT, "cancelled", "stopped");
}

static void
progress_can_stop_it(void **state UNUSED)
{
    int calls = 0;
    scoped_fd from = memory_file(STR("a,\xe4\n"));
    scoped_fd temporary = memory_file(STR(""));
    struct csv_source source = {.length = 4, .decoded_bytes_max = KIB};
    struct csv_decoded out;
    struct err err = {0};
    assert_false(csv_decode_open(&out, from, &source, temporary, stop_at_once, &calls, &err));
    assert_int_equal(calls, 1);
    assert_string_equal(err_code(&err), "cancelled");
}

/* ---- the dialect ---- */

static void
assert_dialect(const char *text, char delimiter, char quote, bool has_header)
{
    struct csv_hints none = {0};
    struct csv_dialect d = csv_detect_dialect(str_from(text), &none);
    if (d.delimiter != delimiter || d.quote != quote || d.has_header != has_header)
        fail_msg("%s: found %c %c header %d", text, d.delimiter, d.quote, d.has_header);
}

static void
delimiters_are_found(void **state UNUSED)
{
    assert_dialect("a,b,c\n1,2,3\n", ',', '"', true);
    assert_dialect("a;b;c\n1,5;2,5;3,5\n", ';', '"', true);
    assert_dialect("1,5;2,5;3,5\n2,5;2,5;3,5\n", ';', '"', false);
    assert_dialect("a\tb, c\n1\t2, 3\n", '\t', '"', true);
    assert_dialect("id|name\n1|x, y\n2|z\n", '|', '"', true);
    assert_dialect("id,tags\n1,x|y\n2,z|w\n3,v|q\n", ',', '"', true);
    assert_dialect("id,text\n1,\"a;b;c\nd;e;f\"\n2,\"a;b;c\"\n", ',', '"', true);
    assert_dialect("word\nhello there; friend\nplain\nmore\n", ',', '"', true);
    assert_dialect("", ',', '"', true);
    assert_dialect("\n\n", ',', '"', true);
    assert_dialect("a;\"open", ',', '"', true);
}

static void
quotes_are_found(void **state UNUSED)
{
    assert_dialect("id,name\n1,'a, b'\n2,'c'\n", ',', '\'', true);
    assert_dialect("id,list\n1,\"['a','b','c']\"\n2,\"['a','b','c']\"\n", ',', '"', true);
    assert_dialect("id,text\n1,it's\n2,'tis the season\n", ',', '"', true);
}

static void
headers_are_told_from_data(void **state UNUSED)
{
    assert_dialect("1,2\n3,4\n", ',', '"', false);
    assert_dialect("1,x\n2,y\nbroken\n", ',', '"', false);
    assert_dialect("id,name\n1,x\n", ',', '"', true);
    assert_dialect("country,2019,2020\nname,1,2\n", ',', '"', false);
    assert_dialect("name,genre\nPortal,Puzzle\nDoom,Action\n", ',', '"', true);
    assert_dialect("Portal,Puzzle\nDoom,Action\nBraid,Puzzle\n", ',', '"', false);
    assert_dialect("id,name\n1,name\n2,x\nid,name\n", ',', '"', true);
    assert_dialect("a,b\n", ',', '"', true);
    assert_dialect("1,2\n", ',', '"', false);
}

static void
hints_are_kept(void **state UNUSED)
{
    struct csv_hints hints = {.knows_delimiter = true, .knows_header = true};
    hints.dialect = (struct csv_dialect){.delimiter = ';', .has_header = false};
    struct csv_dialect d = csv_detect_dialect(STR("a,b\n1,2\n"), &hints);
    assert_true(d.delimiter == ';' && d.quote == '"' && !d.has_header);
    hints = (struct csv_hints){.knows_quote = true, .dialect = {.quote = '|'}};
    d = csv_detect_dialect(STR("a|b|c\n1|2|3\n"), &hints);
    assert_true(d.delimiter == ',' && d.quote == '|');
    hints = (struct csv_hints){.knows_delimiter = true, .dialect = {.delimiter = '"'}};
    d = csv_detect_dialect(STR("a\"b\n1\"2\n"), &hints);
    assert_true(csv_dialect_is_valid(d) && d.delimiter == '"');
    hints.knows_quote = true;
    hints.dialect.quote = '"';
    d = csv_detect_dialect(STR("a\"b\n1\"2\n"), &hints);
    assert_true(csv_dialect_is_valid(d) && d.delimiter == '"' && d.quote == '\0');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings_are_known_by_their_usual_names),
        cmocka_unit_test(utf8_is_used_as_it_is),
        cmocka_unit_test(the_encoding_of_a_whole_file_is_told),
        cmocka_unit_test(zeros_around_delimiters_are_no_utf16),
        cmocka_unit_test(latin_text_becomes_utf8),
        cmocka_unit_test(utf16_of_both_orders_becomes_utf8),
        cmocka_unit_test(utf16_that_is_none_is_refused),
        cmocka_unit_test(characters_across_chunks_are_whole),
        cmocka_unit_test(gzip_is_unpacked_by_content),
        cmocka_unit_test(gzip_of_latin_text_is_converted),
        cmocka_unit_test(every_cut_of_a_gzip_is_noticed),
        cmocka_unit_test(a_damaged_gzip_is_refused),
        cmocka_unit_test(a_gzip_bomb_stops_at_the_limit),
        cmocka_unit_test(what_is_no_csv_is_named),
        cmocka_unit_test(odd_texts_are_still_csv),
        cmocka_unit_test(only_the_given_part_is_read),
        cmocka_unit_test(progress_can_stop_it),
        cmocka_unit_test(delimiters_are_found),
        cmocka_unit_test(quotes_are_found),
        cmocka_unit_test(headers_are_told_from_data),
        cmocka_unit_test(hints_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
