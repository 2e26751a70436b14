/* See groups.h: groups as JSON and CSV. */
#include "base/date.h"
#include "base/num.h"
#include "csv/csv.h"
#include "query/groups_pairs.h"
#include "query/groups_word.h"
#include "json/write.h"

static const struct str BOOLEANS[] = {STR_INIT("false"), STR_INIT("true")};

struct key_value {
    enum { KEY_NULL, KEY_TEXT, KEY_PLAIN, KEY_QUOTED } kind; /* quoted: in JSON */
    struct str text; /* KEY_TEXT: valid until rows.db is read again */
};

static bool
read_text(const struct version *version, const struct groups_codes *codes, uint32_t code,
          struct str *out, struct err *err)
{
    uint64_t row = codes->rows[code];
    int got =
        rows_get(version->rows, row + 1, &codes->key->column, 1, version->scratch.values, err);
    if (got == 0)
        return err_set_code(err, ERR_BUSY, "index_damaged", "row %llu is not in rows.db",
                            (unsigned long long)row + 1);
    *out = version->scratch.values[0].text;
    return got == 1;
}

static struct key_value
integral_value(struct buf *text, const struct groups_codes *codes, int64_t v)
{
    enum column_type type = codes->column->type;
    struct key_value value = {.kind = KEY_QUOTED};
    if (codes->key->part == GROUPS_MONTH)
        date_add_day(text, date_from_ymd((int)(v / 12), (int)(v % 12) + 1, 1));
    else if (codes->key->part == GROUPS_DAY ||
             (codes->key->part == GROUPS_WHOLE && type == COLUMN_DATE))
        date_add_day(text, v);
    else if (codes->key->part == GROUPS_WHOLE && type == COLUMN_DATETIME)
        date_add_timestamp(text, v);
    else
        value.kind = KEY_PLAIN;
    if (value.kind == KEY_PLAIN && type == COLUMN_BOOLEAN)
        buf_add(text, BOOLEANS[v != 0]);
    else if (value.kind == KEY_PLAIN)
        num_add_i64(text, v);
    value.text = buf_str(text);
    if (codes->key->part == GROUPS_MONTH)
        value.text = str_slice(value.text, 0, value.text.n - 3); /* without the day */
    return value;
}

static bool
read_key(const struct groups_result *result, size_t i, size_t key, struct buf *text,
         struct key_value *out, struct err *err)
{
    const struct groups_codes *codes = &result->pairs->codes[key];
    uint32_t code = result->pairs->keys[result->groups[i]][key];
    *out = (struct key_value){.kind = KEY_NULL};
    if (code == codes->null_code)
        return true;
    if (!codes->of_row) {
        *out = (struct key_value){KEY_TEXT, column_element(codes->column, code)};
    } else if (codes->column->type == COLUMN_TEXT) {
        out->kind = KEY_TEXT;
        return read_text(result->version, codes, code, &out->text, err);
    } else if (groups_word_is_real(codes->column, codes->key)) {
        num_add_f64(text, groups_real_of_word(codes->words[code]));
        *out = (struct key_value){KEY_PLAIN, buf_str(text)};
    } else {
        *out = integral_value(text, codes, (int64_t)codes->words[code]);
    }
    return true;
}

bool
groups_write_key(struct json *j, const struct groups_result *result, size_t i, size_t key,
                 struct err *err)
{
    scoped_buf text = {.max = 64};
    struct key_value value;
    if (!read_key(result, i, key, &text, &value, err))
        return false;
    if (value.kind == KEY_NULL)
        json_null(j);
    else if (value.kind == KEY_PLAIN)
        json_raw(j, value.text);
    else
        json_str(j, value.text);
    return true;
}

uint64_t
groups_row_count(const struct groups_result *result, size_t i)
{
    return result->pairs->row_counts[result->groups[i]];
}

bool
groups_add_json_row(struct buf *out, const struct groups_result *result, size_t i,
                    struct err *err)
{
    const struct groups_question *q = result->question;
    struct json j = json_write(out);
    json_begin_object(&j);
    for (size_t key = 0; key < q->key_count; key++) {
        json_key_str(&j, q->keys[key].label);
        if (!groups_write_key(&j, result, i, key, err))
            return false;
    }
    for (size_t item = 0; item < q->shown_count; item++) {
        json_key_str(&j, q->items[item].label);
        stats_result_write(&j, result->values[item][result->groups[i]]);
    }
    json_end_object(&j);
    return true;
}

void
groups_add_csv_header(struct buf *out, const struct groups_question *q)
{
    for (size_t key = 0; key < q->key_count; key++) {
        if (key > 0)
            buf_add_char(out, ',');
        csv_add_text(out, q->keys[key].label, true);
    }
    for (size_t item = 0; item < q->shown_count; item++) {
        buf_add_char(out, ',');
        csv_add_text(out, q->items[item].label, true);
    }
    buf_add_lit(out, "\r\n");
}

bool
groups_add_csv_row(struct buf *out, const struct groups_result *result, size_t i, bool is_raw,
                   struct err *err)
{
    const struct groups_question *q = result->question;
    for (size_t key = 0; key < q->key_count; key++) {
        scoped_buf text = {.max = 64};
        struct key_value value;
        if (!read_key(result, i, key, &text, &value, err))
            return false;
        if (key > 0)
            buf_add_char(out, ',');
        if (value.kind != KEY_NULL)
            csv_add_text(out, value.text, is_raw || value.kind != KEY_TEXT);
    }
    for (size_t item = 0; item < q->shown_count; item++) {
        buf_add_char(out, ',');
        stats_result_add_text(out, result->values[item][result->groups[i]]);
    }
    buf_add_lit(out, "\r\n");
    return true;
}
