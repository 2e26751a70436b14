/* Groups as JSON and CSV. */
#include "base/date.h"
#include "base/num.h"
#include "csv/csv.h"
#include "query/groups_word.h"
#include "json/write.h"

static const struct str BOOLEANS[] = {STR_INIT("false"), STR_INIT("true")};

/* Of a key that is neither null nor text; quoted in JSON? */
static bool
add_plain_key(struct buf *out, const struct groups_key *key, const struct value *value)
{
    bool is_whole = key->part == GROUPS_WHOLE, is_date = key->type == COLUMN_DATE;
    if (groups_word_is_real(key)) {
        num_add_f64(out, value->d);
        return false;
    }
    int64_t v = value->i;
    if (key->part == GROUPS_MONTH) {
        date_add_day(out, date_from_ymd((int)(v / 12), (int)(v % 12) + 1, 1));
        out->n -= 3; /* without the day */
    } else if (key->part == GROUPS_DAY || (is_whole && is_date)) {
        date_add_day(out, v);
    } else if (is_whole && key->type == COLUMN_DATETIME) {
        date_add_timestamp(out, v);
    } else {
        if (key->type == COLUMN_BOOLEAN)
            buf_add(out, BOOLEANS[v != 0]);
        else
            num_add_i64(out, v);
        return false;
    }
    return true;
}

void
groups_write_key(struct json *j, const struct groups_key *key, const struct value *value)
{
    scoped_buf text = {.max = 64};
    if (value->is_null)
        json_null(j);
    else if (column_type_is_textual(key->type))
        json_str(j, value->text);
    else if (add_plain_key(&text, key, value))
        json_str(j, buf_str(&text));
    else
        json_raw(j, buf_str(&text));
}

void
groups_add_json_row(struct buf *out, const struct groups_question *q,
                    const struct groups_group *group)
{
    struct json j = json_write(out);
    json_begin_object(&j);
    for (size_t key = 0; key < q->key_count; key++) {
        json_key_str(&j, q->keys[key].label);
        groups_write_key(&j, &q->keys[key], &group->keys[key]);
    }
    for (size_t item = 0; item < q->shown_count; item++) {
        json_key_str(&j, q->items[item].label);
        stats_result_write(&j, group->values[item]);
    }
    json_end_object(&j);
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

void
groups_add_csv_row(struct buf *out, const struct groups_question *q,
                   const struct groups_group *group, bool is_raw)
{
    for (size_t i = 0; i < q->key_count; i++) {
        const struct groups_key *key = &q->keys[i];
        if (i > 0)
            buf_add_char(out, ',');
        if (group->keys[i].is_null)
            continue;
        if (column_type_is_textual(key->type))
            csv_add_text(out, group->keys[i].text, is_raw);
        else
            (void)add_plain_key(out, key, &group->keys[i]);
    }
    for (size_t item = 0; item < q->shown_count; item++) {
        buf_add_char(out, ',');
        stats_result_add_text(out, group->values[item]);
    }
    buf_add_lit(out, "\r\n");
}
