/* The CSV parser and writer: the grammar of csv.h case by case, the same rows however the file
 * is cut, the faults, the limits, and the corpora. */
#include "base/buf.h"
#include "csv/bytes.h"
#include "csv/csv.h"
#include "dice.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct csv_dialect PLAIN = {.delimiter = ',', .quote = '"'};

/* ---- reading bytes and writing down what was delivered ---- */

static void
add_counted(struct buf *out, struct str s)
{
    buf_printf(out, " %zu:", s.n);
    buf_add(out, s);
}

static bool
note_row(void *context, const struct csv_row *row, struct err *err UNUSED)
{
    struct buf *out = context;
    buf_printf(out, "%llu@%llu %s", (unsigned long long)row->line,
               (unsigned long long)row->offset, csv_fault_name(row->fault));
    add_counted(out, row->raw);
    for (size_t i = 0; i < row->cell_count; i++)
        add_counted(out, row->cells[i]);
    buf_add_char(out, '\n');
    return true;
}

static void
feed(struct csv *csv, struct str chunk)
{
    /* A block of its own, gone after the call: a stray read is seen by the sanitizer. */
    char *copy = malloc(chunk.n + 1);
    assert_non_null(copy);
    if (chunk.n)
        memcpy(copy, chunk.p, chunk.n);
    struct err err = {0};
    assert_true(csv_feed(csv, (struct str){copy, chunk.n}, &err));
    free(copy);
}

/* Reads `text` in chunks that end at the `n` offsets of `cuts`. */
static void
read_cut(struct buf *out, struct csv_dialect dialect, struct str text, const size_t *cuts,
         size_t n)
{
    buf_init(out, 1024 * MIB);
    scoped_csv csv = csv_open(dialect, note_row, out);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        feed(csv, str_slice(text, at, cuts[i]));
        at = cuts[i];
    }
    feed(csv, str_skip(text, at));
    struct err err = {0};
    assert_true(csv_finish(csv, &err));
}

static void
assert_same(const struct buf *a, const struct buf *b)
{
    assert_int_equal(a->n, b->n);
    if (a->n)
        assert_memory_equal(a->p, b->p, a->n);
}

/* What `text` reads as, in one line per row: "line fault|cell|cell". */
static bool
show_row(void *context, const struct csv_row *row, struct err *err UNUSED)
{
    struct buf *out = context;
    buf_printf(out, "%llu%s%s", (unsigned long long)row->line, row->fault ? " " : "",
               row->fault ? csv_fault_name(row->fault) : "");
    for (size_t i = 0; i < row->cell_count; i++) {
        buf_add_char(out, '|');
        buf_add(out, row->cells[i]);
    }
    buf_add_char(out, '$');
    return true;
}

static void
assert_reads(struct csv_dialect dialect, struct str text, const char *expected)
{
    scoped_buf out;
    buf_init(&out, MIB);
    scoped_csv csv = csv_open(dialect, show_row, &out);
    feed(csv, text);
    struct err err = {0};
    assert_true(csv_finish(csv, &err));
    buf_add_char(&out, '\0');
    assert_string_equal(out.p, expected);
}

/* ---- the grammar ---- */

static void
cells_and_rows_are_split(void **state UNUSED)
{
    assert_reads(PLAIN, STR("a,b\nc,d\n"), "1|a|b$2|c|d$");
    assert_reads(PLAIN, STR("a,b"), "1|a|b$");
    assert_reads(PLAIN, STR(",\n,,"), "1||$2|||$");
    assert_reads(PLAIN, STR(" a , b "), "1| a | b $");
    assert_reads((struct csv_dialect){'\t', '\'', false}, STR("a\t'b\tc'\n"), "1|a|b\tc$");
}

static void
an_empty_file_has_no_rows(void **state UNUSED)
{
    assert_reads(PLAIN, STR(""), "");
    assert_reads(PLAIN, STR("\n\r\n\r"), "");
    assert_reads(PLAIN, STR("\xef\xbb\xbf"), "");
    assert_reads(PLAIN, STR("\xef\xbb"), "1 invalid_utf8|\xef\xbb$");
}

static void
line_ends_mix_and_are_counted(void **state UNUSED)
{
    assert_reads(PLAIN, STR("a\r\nb\rc\nd"), "1|a$2|b$3|c$4|d$");
    assert_reads(PLAIN, STR("a\n\n\r\n\rb"), "1|a$5|b$");
    assert_reads(PLAIN, STR("\"x\r\ny\rz\n\"\nb"), "1|x\r\ny\rz\n$5|b$");
    assert_reads(PLAIN, STR("a\n\r\nb"), "1|a$3|b$");
}

static void
a_bom_is_skipped_only_at_the_start(void **state UNUSED)
{
    assert_reads(PLAIN, STR("\xef\xbb\xbf\"a\",b\n"), "1|a|b$");
    assert_reads(PLAIN, STR("a\n\xef\xbb\xbf\"b\""), "1|a$2|\xef\xbb\xbf\"b\"$");
}

static void
quotes_take_liberties(void **state UNUSED)
{
    assert_reads(PLAIN, STR("\"a\"\"b\",\"\",\"\"\"\"\n"), "1|a\"b||\"$");
    assert_reads(PLAIN, STR("a\"b\",c\n"), "1|a\"b\"|c$");
    assert_reads(PLAIN, STR("\"a\"b\"c,d\n"), "1|ab\"c|d$");
    assert_reads(PLAIN, STR("\"a\"\"b\" c,d\n"), "1|a\"b c|d$");
    assert_reads(PLAIN, STR("\"\"\n"), "1|$");
    assert_reads((struct csv_dialect){',', 0, false}, STR("\"a,b\"\n"), "1|\"a|b\"$");
}

static void
an_unclosed_quote_costs_one_row(void **state UNUSED)
{
    assert_reads(PLAIN, STR("a,b\nc,\"d\ne,f\ng"), "1|a|b$2 unclosed_quote|c|d$3|e|f$4|g$");
    assert_reads(PLAIN, STR("a,\"b\"\"\r\nc"), "1 unclosed_quote|a|b\"$2|c$");
    assert_reads(PLAIN, STR("\""), "1 unclosed_quote|$");
    /* The row began with a cell over two lines: only its first line is given up. */
    assert_reads(PLAIN, STR("\"a\nb\",\"c\nd"),
                 "1 unclosed_quote|a$2 unclosed_quote|b\"|c$3|d$");
}

static void
nul_and_invalid_utf8_are_faults_of_their_row(void **state UNUSED)
{
    assert_reads(PLAIN, STR("a\nb\xff,c\nd\n"), "1|a$2 invalid_utf8|b\xff|c$3|d$");
    assert_reads(PLAIN, STR("\xc3\xa4,\xf0\x9f\x8e\xae\n"), "1|\xc3\xa4|\xf0\x9f\x8e\xae$");
    scoped_buf out;
    read_cut(&out, PLAIN, STR("a\nb\0,c\nd\n"), NULL, 0);
    assert_non_null(memmem(out.p, out.n, "2@2 nul_byte 4:b\0,c 2:b\0 1:c\n", 29));
}

/* ---- cuts ---- */

static const struct str SAMPLES[] = {
    STR_INIT("\xef\xbb\xbfid,name\r\n1,\"a\r\nb\"\r2,\"x\"\"y\"z\n\n\r\n3,\xc3\xa4\r\n"),
    STR_INIT("a,\"b\nc\"\"d\",\"e\r\nf,\"g\nh"),
    STR_INIT("\"\"\"\",\"\"\r\r\n\"q\"\n\"\n\",,\n,"),
    STR_INIT("\xef\xbb\n\xff\xc3,\xa4\r\n\"\xe2\x82\n\xac\""),
};

static void
every_cut_gives_the_same_rows(void **state UNUSED)
{
    for (size_t s = 0; s < COUNT_OF(SAMPLES); s++) {
        struct str text = SAMPLES[s];
        scoped_buf whole;
        read_cut(&whole, PLAIN, text, NULL, 0);
        assert_true(whole.n > 0);
        for (size_t i = 0; i <= text.n; i++)
            for (size_t j = i; j <= text.n; j++) {
                scoped_buf cut;
                read_cut(&cut, PLAIN, text, (size_t[]){i, j}, 2);
                assert_same(&whole, &cut);
            }
    }
}

/* Rows of random chunks of syntax, with texts long enough to fill blocks of the kernels. */
static void
add_random_text(struct buf *out, size_t bytes)
{
    static const struct str PARTS[] = {
        STR_INIT(","),    STR_INIT("\""),       STR_INIT("\"\""),   STR_INIT("\n"),
        STR_INIT("\r\n"), STR_INIT("\r"),       STR_INIT("abc"),    STR_INIT(",\""),
        STR_INIT("\","),  STR_INIT("\xc3\xa4"), STR_INIT("\"\r\n"), STR_INIT("\0"),
    };
    static const char LONG[] = "It was a dark and stormy night; the rain fell in torrents, "
                               "except at occasional intervals, when it was checked";
    while (out->n < bytes) {
        size_t i = dice_below(COUNT_OF(PARTS) + 1);
        if (i < COUNT_OF(PARTS))
            buf_add(out, PARTS[i]);
        else
            buf_add(out, (struct str){LONG, dice_below(sizeof(LONG))});
    }
}

static void
random_cuts_give_the_same_rows(void **state UNUSED)
{
    dice_begin(__func__);
    for (size_t round = 0; round < dice_rounds(30); round++) {
        scoped_buf text;
        buf_init(&text, MIB);
        add_random_text(&text, 20000);
        scoped_buf whole, cut;
        read_cut(&whole, PLAIN, buf_str(&text), NULL, 0);
        size_t cuts[4000], n = 0, chunk_max = 1 + (UINT64_C(20000) >> dice_below(10));
        bool has_empty = false;
        for (size_t at = 0; n < COUNT_OF(cuts) && at < text.n; n++) {
            cuts[n] = MIN(text.n, at + dice_below(chunk_max));
            has_empty |= cuts[n] == at;
            at = cuts[n];
        }
        read_cut(&cut, PLAIN, buf_str(&text), cuts, n);
        dice_reach("an empty chunk", has_empty);
        dice_reach("hundreds of cuts", n > 300);
        dice_reach("few cuts", n < 10);
        assert_same(&whole, &cut);
    }
    dice_end();
}

/* ---- the byte loops, against the plain way ---- */

static void
assert_survey(struct str s)
{
    uint64_t line_ends = 0;
    bool has_nul = false, is_ascii = true;
    for (size_t i = 0; i < s.n; i++) {
        bool is_second_half = s.p[i] == '\n' && i > 0 && s.p[i - 1] == '\r';
        line_ends += s.p[i] == '\r' || (s.p[i] == '\n' && !is_second_half);
        has_nul |= s.p[i] == '\0';
        is_ascii &= (unsigned char)s.p[i] < 0x80;
    }
    struct bytes_survey survey = bytes_survey(s);
    assert_int_equal(survey.line_ends, line_ends);
    assert_int_equal(survey.has_nul, has_nul);
    assert_int_equal(survey.is_ascii, is_ascii);
}

static void
assert_stops(struct str s)
{
    const char *end = s.p + s.n, *stop = s.p;
    while (stop < end && *stop != ',' && *stop != '\r' && *stop != '\n')
        stop++;
    assert_ptr_equal(bytes_find_stop(s.p, end, ','), stop);
}

static void
byte_loops_equal_the_plain_way(void **state UNUSED)
{
    dice_begin(__func__);
    static const char ALPHABETS[][9] = {"xxxxxxxx", "\r\nxxxxxx", "\r\n\r\n\r\n\r\n",
                                        "\r\n,\xc3xxxx", "xxxxxxx\xff"};
    for (size_t round = 0; round < dice_rounds(20000); round++) {
        const char *alphabet = ALPHABETS[dice_below(COUNT_OF(ALPHABETS))];
        size_t n = dice_below(300);
        char *text = malloc(n + 1);
        assert_non_null(text);
        for (size_t i = 0; i < n; i++)
            text[i] = alphabet[dice_below(8)];
        if (n && dice_below(4) == 0)
            text[dice_below(n)] = '\0';
        dice_reach("empty", n == 0);
        dice_reach("less than a block", n > 0 && n < 32);
        dice_reach("blocks", n >= 64);
        dice_reach("a NUL", memchr(text, 0, n));
        dice_reach("no stop", n && !memchr(text, ',', n) && !memchr(text, '\r', n));
        assert_survey((struct str){text, n});
        assert_stops((struct str){text, n});
        free(text);
    }
    dice_end();
}

/* ---- limits ---- */

struct tally {
    size_t rows, faults[CSV_INVALID_UTF8 + 1];
    uint64_t last_line, last_offset;
    size_t cells_max, cell_bytes_max;
};

static bool
tally_row(void *context, const struct csv_row *row, struct err *err UNUSED)
{
    struct tally *t = context;
    t->rows++;
    t->faults[row->fault]++;
    t->last_line = row->line;
    t->last_offset = row->offset;
    t->cells_max = MAX(t->cells_max, row->cell_count);
    for (size_t i = 0; i < row->cell_count; i++)
        t->cell_bytes_max = MAX(t->cell_bytes_max, row->cells[i].n);
    assert_true(row->raw.n <= 64 * KIB);
    bool has_cells = row->fault != CSV_ROW_TOO_LONG && row->fault != CSV_TOO_MANY_CELLS;
    assert_true(has_cells || row->cell_count == 0);
    return true;
}

static struct tally
tally(struct str text, size_t chunk_bytes)
{
    struct tally t = {0};
    scoped_csv csv = csv_open(PLAIN, tally_row, &t);
    struct err err = {0};
    while (text.n) {
        assert_true(csv_feed(csv, str_slice(text, 0, chunk_bytes), &err));
        text = str_skip(text, chunk_bytes);
    }
    assert_true(csv_finish(csv, &err));
    return t;
}

static void
add_repeated(struct buf *out, struct str s, size_t bytes)
{
    for (size_t end = out->n + bytes; out->n + s.n <= end;)
        buf_add(out, s);
}

static void
a_cell_of_a_mebibyte_is_read_and_a_longer_one_is_a_fault(void **state UNUSED)
{
    scoped_buf text;
    buf_init(&text, 8 * MIB);
    buf_add_lit(&text, "1,\"");
    add_repeated(&text, STR("x"), CSV_CELL_BYTES_MAX);
    buf_add_lit(&text, "\"\n2,\"");
    add_repeated(&text, STR("x"), CSV_CELL_BYTES_MAX + 1);
    buf_add_lit(&text, "\"\n3,");
    add_repeated(&text, STR("x"), CSV_CELL_BYTES_MAX + 1);
    buf_add_lit(&text, "\n4,\"");
    add_repeated(&text, STR("\"\""), 2 * CSV_CELL_BYTES_MAX);
    buf_add_lit(&text, "\"\n");
    struct tally t = tally(buf_str(&text), 100000);
    assert_int_equal(t.rows, 4);
    assert_int_equal(t.faults[CSV_CELL_TOO_LONG], 2);
    assert_int_equal(t.faults[CSV_OK], 2);
}

static void
too_many_cells_are_a_fault_of_the_row(void **state UNUSED)
{
    scoped_buf text;
    buf_init(&text, MIB);
    add_repeated(&text, STR(","), CSV_CELLS_MAX - 1);
    buf_add_lit(&text, "\n");
    add_repeated(&text, STR(","), CSV_CELLS_MAX);
    buf_add_lit(&text, "\na\n");
    struct tally t = tally(buf_str(&text), 777);
    assert_int_equal(t.rows, 3);
    assert_int_equal(t.cells_max, CSV_CELLS_MAX);
    assert_int_equal(t.faults[CSV_TOO_MANY_CELLS], 1);
}

static void
a_line_over_the_limit_is_skipped_to_its_end(void **state UNUSED)
{
    scoped_buf text;
    buf_init(&text, 200 * MIB);
    buf_add_lit(&text, "a\n");
    add_repeated(&text, STR("x,yz\"...........................\","), CSV_ROW_BYTES_MAX + MIB);
    buf_add_lit(&text, "\r\nb\n");
    for (size_t chunk = 3 * MIB + 1; chunk <= 300 * MIB; chunk *= 100) {
        struct tally t = tally(buf_str(&text), chunk);
        assert_int_equal(t.rows, 3);
        assert_int_equal(t.faults[CSV_ROW_TOO_LONG], 1);
        assert_int_equal(t.last_line, 3);
        assert_int_equal(t.last_offset, text.n - 2);
    }
}

static void
a_row_of_exactly_the_limit_is_read(void **state UNUSED)
{
    for (size_t over = 0; over <= 1; over++) {
        scoped_buf text;
        buf_init(&text, 200 * MIB);
        add_repeated(&text, STR("0123456789abcdef,0123456789abcd,"), CSV_ROW_BYTES_MAX - 32);
        while (text.n < CSV_ROW_BYTES_MAX + over)
            buf_add_char(&text, 'x');
        buf_add_lit(&text, "\r\nb");
        struct tally t = tally(buf_str(&text), 16 * MIB);
        assert_int_equal(t.rows, 2);
        /* Read, which is why its cells could be counted. */
        assert_int_equal(t.faults[over ? CSV_ROW_TOO_LONG : CSV_TOO_MANY_CELLS], 1);
        assert_int_equal(t.last_line, 2);
        assert_int_equal(t.last_offset, text.n - 1);
    }
}

static void
a_stray_quote_swallows_one_row_of_a_large_file(void **state UNUSED)
{
    scoped_buf text;
    buf_init(&text, 200 * MIB);
    buf_add_lit(&text, "head\na,\"stray\n");
    add_repeated(&text,
                 STR("x,plain text of sixty-four bytes, or so it seems to the reader,\n"),
                 CSV_ROW_BYTES_MAX + MIB);
    struct tally whole = tally(buf_str(&text), text.n);
    struct tally cut = tally(buf_str(&text), 5 * MIB + 3);
    assert_memory_equal(&whole, &cut, sizeof(cut));
    assert_int_equal(whole.faults[CSV_UNCLOSED_QUOTE], 1);
    assert_int_equal(whole.rows, 2 + (CSV_ROW_BYTES_MAX + MIB) / 64);
    assert_int_equal(whole.last_line, whole.rows);
}

/* Each of these lines opens a quote that never closes, from inside a quoted cell as well. */
static void
a_million_stray_quotes_stay_linear(void **state UNUSED)
{
    scoped_buf text;
    buf_init(&text, 200 * MIB);
    add_repeated(&text, STR("a\",\",b0123456\n"), 14 * 1000 * 1000);
    struct tally whole = tally(buf_str(&text), text.n);
    assert_int_equal(whole.rows, 1000 * 1000);
    assert_int_equal(whole.faults[CSV_UNCLOSED_QUOTE], 1000 * 1000);
    struct tally cut = tally(buf_str(&text), 100003);
    assert_memory_equal(&whole, &cut, sizeof(cut));
}

/* ---- text that a spreadsheet would run ---- */

static void
formulas_are_told_from_text(void **state UNUSED)
{
    /* Blanks of Unicode: next line, no-break space, zero width, direction, ideographic, BOM. */
    static const char *const FORMULAS[] = {
        "=1",       "+1",       "-1",       "@a",
        "=",        "\t",       "\r",       "\n",
        "\n=1",     "\ta",      " =1",      " \t=1",
        "\v-1",     "\x1f=1",   "\x7f=1",   "\xc2\x85=1",
        "\u00a0=1", "\u200b+1", "\u202a@a", "\u3000-1",
        "\ufeff=1", "\uff1d1",  "\uff0b1",  "\uff0d1",
        "\uff20a",  "\ufe661",  "\u22121",  " \u00a0\uff1d1"};
    static const char *const TEXTS[] = {
        "",   " ",      "a",        "a=1",      "'=1",     "\"=1\"",    "(1)",
        "%1", "#1",     "*1",       "/1",       " a",      "1-1",       " a=1",
        "\v", "\u00a0", "\u00e9=1", "\u2013 a", "\uff011", "\xef\xbc=1"};
    for (size_t i = 0; i < COUNT_OF(FORMULAS); i++)
        if (!csv_is_formula(str_from(FORMULAS[i])))
            fail_msg("'%s' is no formula", FORMULAS[i]);
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
        if (csv_is_formula(str_from(TEXTS[i])))
            fail_msg("'%s' is a formula", TEXTS[i]);
}

static void
a_formula_gets_an_apostrophe_within_quotes(void **state UNUSED)
{
    static const char *const CASES[][2] = {
        {"=1", "\"'=1\""},   {"=\"a\",1", "\"'=\"\"a\"\",1\""},
        {"\n1", "\"'\n1\""}, {"", ""},
        {"a", "a"},          {"a,\"", "\"a,\"\"\""}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        scoped_buf out;
        buf_init(&out, KIB);
        csv_add_text(&out, str_from(CASES[i][0]), false);
        assert_true(str_eq(buf_str(&out), str_from(CASES[i][1])));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_and_rows_are_split),
        cmocka_unit_test(an_empty_file_has_no_rows),
        cmocka_unit_test(line_ends_mix_and_are_counted),
        cmocka_unit_test(a_bom_is_skipped_only_at_the_start),
        cmocka_unit_test(quotes_take_liberties),
        cmocka_unit_test(an_unclosed_quote_costs_one_row),
        cmocka_unit_test(nul_and_invalid_utf8_are_faults_of_their_row),
        cmocka_unit_test(every_cut_gives_the_same_rows),
        cmocka_unit_test(random_cuts_give_the_same_rows),
        cmocka_unit_test(byte_loops_equal_the_plain_way),
        cmocka_unit_test(a_cell_of_a_mebibyte_is_read_and_a_longer_one_is_a_fault),
        cmocka_unit_test(too_many_cells_are_a_fault_of_the_row),
        cmocka_unit_test(a_line_over_the_limit_is_skipped_to_its_end),
        cmocka_unit_test(a_row_of_exactly_the_limit_is_read),
        cmocka_unit_test(a_stray_quote_swallows_one_row_of_a_large_file),
        cmocka_unit_test(formulas_are_told_from_text),
        cmocka_unit_test(a_formula_gets_an_apostrophe_within_quotes),
        cmocka_unit_test(a_million_stray_quotes_stay_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
