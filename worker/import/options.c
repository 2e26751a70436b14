#include "import/options.h"

#include "base/column_type.h"
#include "base/num.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "json/read.h"
#include "json/write.h"

#define NULLS_MAX 100

struct option {
    const char *name;
    bool (*set)(struct arena *a, struct import_options *options, struct str value,
                struct err *err);
    void (*add)(struct json *j, const struct import_options *options);
};

static const struct str MODES[] = {
    [IMPORT_REPLACE] = STR_INIT("replace"),
    [IMPORT_APPEND] = STR_INIT("append"),
    [IMPORT_UPSERT] = STR_INIT("upsert"),
};

struct str
import_mode_name(enum import_mode mode)
{
    return MODES[mode];
}

static bool
refuse(const char *name, const char *rule, struct str value, struct err *err)
{
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, str_from(name),
                        "%s is %s, got '%" STR_FMT "'", name, rule,
                        STR_ARG(str_slice(value, 0, 100)));
}

static bool
set_mode(struct arena *a UNUSED, struct import_options *options, struct str value,
         struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(MODES); i++)
        if (str_eq(value, MODES[i])) {
            options->mode = (enum import_mode)i;
            return true;
        }
    return refuse("mode", "replace, append or upsert", value, err);
}

static void
add_mode(struct json *j, const struct import_options *options)
{
    if (options->mode != IMPORT_REPLACE)
        json_member_str(j, "mode", MODES[options->mode]);
}

static bool
set_encoding(struct arena *a UNUSED, struct import_options *options, struct str value,
             struct err *err)
{
    if (csv_encoding_parse(value, &options->encoding))
        return true;
    return refuse("encoding", "auto, utf-8, utf-16, iso-8859-1, windows-1252 or ascii", value,
                  err);
}

static void
add_encoding(struct json *j, const struct import_options *options)
{
    if (options->encoding != CSV_ENCODING_AUTO)
        json_member_str(j, "encoding", str_from(csv_encoding_name(options->encoding)));
}

/* A byte that can stand between cells or around them. */
static bool
is_mark(struct str value)
{
    return value.n == 1 && value.p[0] > 0 && value.p[0] != '\n' && value.p[0] != '\r';
}

static bool
set_delimiter(struct arena *a UNUSED, struct import_options *options, struct str value,
              struct err *err)
{
    if (str_eq(value, STR("\\t")) || str_eq(value, STR("tab")))
        value = STR("\t");
    bool is_auto = value.n == 0 || str_eq(value, STR("auto"));
    if (!is_auto && !is_mark(value))
        return refuse("delimiter", "auto, tab or one character of ASCII", value, err);
    options->dialect.knows_delimiter = !is_auto;
    options->dialect.dialect.delimiter = is_auto ? '\0' : value.p[0];
    return true;
}

static void
add_delimiter(struct json *j, const struct import_options *options)
{
    if (options->dialect.knows_delimiter)
        json_member_str(j, "delimiter", (struct str){&options->dialect.dialect.delimiter, 1});
}

static bool
set_quote(struct arena *a UNUSED, struct import_options *options, struct str value,
          struct err *err)
{
    bool is_off = value.n == 0 || str_eq(value, STR("none"));
    bool is_auto = str_eq(value, STR("auto"));
    if (!is_off && !is_auto && !is_mark(value))
        return refuse("quote", "auto, none or one character of ASCII", value, err);
    options->dialect.knows_quote = !is_auto;
    options->dialect.dialect.quote = is_off || is_auto ? '\0' : value.p[0];
    return true;
}

static void
add_quote(struct json *j, const struct import_options *options)
{
    if (!options->dialect.knows_quote)
        return;
    const char *quote = &options->dialect.dialect.quote;
    json_member_str(j, "quote", *quote ? (struct str){quote, 1} : STR("none"));
}

static bool
set_header(struct arena *a UNUSED, struct import_options *options, struct str value,
           struct err *err)
{
    bool is_true = str_eq(value, STR("true"));
    if (!is_true && !str_eq(value, STR("false")))
        return refuse("header", "true or false", value, err);
    options->dialect.knows_header = true;
    options->dialect.dialect.has_header = is_true;
    return true;
}

static void
add_header(struct json *j, const struct import_options *options)
{
    if (options->dialect.knows_header)
        json_member_bool(j, "header", options->dialect.dialect.has_header);
}

static bool
set_decimal(struct arena *a UNUSED, struct import_options *options, struct str value,
            struct err *err)
{
    if (!str_eq(value, STR(".")) && !str_eq(value, STR(",")))
        return refuse("decimal", "'.' or ','", value, err);
    options->decimal = value.p[0] == ',' ? ',' : '\0';
    return true;
}

static void
add_decimal(struct json *j, const struct import_options *options)
{
    if (options->decimal)
        json_member_str(j, "decimal", (struct str){&options->decimal, 1});
}

static bool
check_type(struct str column, struct str type, struct err *err)
{
    enum column_type known;
    if (column.n && column_type_parse(type, &known))
        return true;
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("types"),
                        "types names columns and one of integer, real, boolean, date, "
                        "datetime, text, list for each, got '%" STR_FMT "' for '%" STR_FMT "'",
                        STR_ARG(str_slice(type, 0, 64)), STR_ARG(str_slice(column, 0, 64)));
}

static bool
set_types_from_json(struct arena *a, struct import_options *options, struct str value,
                    struct err *err)
{
    const struct json_value *object;
    if (!json_read(a, value, &object, err))
        return refuse("types", "a JSON object of column to type", value, err);
    options->types = arena_array(a, object->child_count, struct param_pair);
    options->type_count = object->child_count;
    for (size_t i = 0; i < object->child_count; i++) {
        const struct json_value *member = &object->children[i];
        struct str type = {0};
        if (!json_as_str(member, &type))
            type = member->text;
        if (!check_type(member->key, type, err))
            return false;
        options->types[i] = (struct param_pair){arena_str(a, member->key), arena_str(a, type)};
    }
    return true;
}

/* The job keeps the types as a JSON object, whose keys are there once. */
static bool
add_type(struct arena *a, struct import_options *options, struct str column, struct str type,
         struct err *err)
{
    if (!check_type(column, type, err))
        return false;
    for (size_t i = 0; i < options->type_count; i++)
        if (str_eq(options->types[i].name, column))
            return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("types"),
                                "types names a column once, and '%" STR_FMT "' again",
                                STR_ARG(str_slice(column, 0, 64)));
    options->types[options->type_count++] =
        (struct param_pair){arena_str(a, column), arena_str(a, type)};
    return true;
}

/* `price:real,name:text`, for those who write a query by hand. */
static bool
set_types(struct arena *a, struct import_options *options, struct str value, struct err *err)
{
    value = str_trim(value);
    if (value.n && value.p[0] == '{')
        return set_types_from_json(a, options, value, err);
    /* curl takes {} of a URL for a list of alternatives, and sends what is inside. */
    if (value.n && value.p[0] == '"')
        return refuse("types",
                      "a JSON object (in curl with -g, or it eats the braces) or "
                      "column:type,column:type",
                      value, err);
    size_t count = 0;
    for (struct str rest = value; rest.p && value.n; count++)
        str_cut(&rest, ',');
    options->types = arena_array(a, count, struct param_pair);
    options->type_count = 0;
    for (struct str rest = value; rest.p && value.n;) {
        struct str type = str_cut(&rest, ',');
        struct str column = str_trim(str_cut(&type, ':'));
        type = str_trim(type);
        if (!add_type(a, options, column, type, err))
            return false;
    }
    return true;
}

static void
add_types(struct json *j, const struct import_options *options)
{
    if (options->type_count == 0)
        return;
    json_key(j, "types");
    json_begin_object(j);
    for (size_t i = 0; i < options->type_count; i++) {
        json_key_str(j, options->types[i].name);
        json_str(j, options->types[i].value);
    }
    json_end_object(j);
}

static bool
set_key(struct arena *a, struct import_options *options, struct str value, struct err *err)
{
    if (value.n > IMPORT_KEY_BYTES_MAX)
        return refuse("key", "the name or header of a column", value, err);
    options->key = arena_str(a, value);
    return true;
}

static void
add_key(struct json *j, const struct import_options *options)
{
    if (options->key.n)
        json_member_str(j, "key", options->key);
}

static bool
set_nulls_from_json(struct arena *a, struct import_options *options, struct str value,
                    struct err *err)
{
    const struct json_value *array;
    if (!json_read(a, value, &array, err) || array->child_count > NULLS_MAX)
        return refuse("nulls", "a list of at most 100 words", value, err);
    options->nulls = arena_array(a, array->child_count, struct str);
    options->null_count = array->child_count;
    for (size_t i = 0; i < array->child_count; i++) {
        if (!json_as_str(&array->children[i], &options->nulls[i]))
            return refuse("nulls", "a list of strings", value, err);
        options->nulls[i] = arena_str(a, options->nulls[i]);
    }
    return true;
}

static bool
set_nulls(struct arena *a, struct import_options *options, struct str value, struct err *err)
{
    if (value.n && value.p[0] == '[')
        return set_nulls_from_json(a, options, value, err);
    options->nulls = arena_array(a, NULLS_MAX, struct str);
    options->null_count = 0;
    for (struct str rest = value; rest.p && value.n;) {
        struct str word = str_trim(str_cut(&rest, ','));
        if (options->null_count == NULLS_MAX)
            return refuse("nulls", "a list of at most 100 words", value, err);
        if (word.n)
            options->nulls[options->null_count++] = arena_str(a, word);
    }
    return true;
}

static void
add_nulls(struct json *j, const struct import_options *options)
{
    if (!options->nulls)
        return;
    json_key(j, "nulls");
    json_begin_array(j);
    for (size_t i = 0; i < options->null_count; i++)
        json_str(j, options->nulls[i]);
    json_end_array(j);
}

static bool
set_on_error(struct arena *a UNUSED, struct import_options *options, struct str value,
             struct err *err)
{
    options->aborts_on_error = str_eq(value, STR("abort"));
    if (options->aborts_on_error || str_eq(value, STR("skip")))
        return true;
    return refuse("on_error", "skip or abort", value, err);
}

static void
add_on_error(struct json *j, const struct import_options *options)
{
    if (options->aborts_on_error)
        json_member_str(j, "on_error", STR("abort"));
}

static bool
set_max_errors(struct arena *a UNUSED, struct import_options *options, struct str value,
               struct err *err)
{
    uint64_t most;
    if (!num_parse_u64(value, &most) || most == 0 || most > INT64_MAX)
        return refuse("max_errors", "a number of rows from 1 on (on_error=abort allows none)",
                      value, err);
    options->errors_max = most;
    return true;
}

static void
add_max_errors(struct json *j, const struct import_options *options)
{
    if (options->errors_max)
        json_member_u64(j, "max_errors", options->errors_max);
}

static bool
set_label(struct arena *a, struct import_options *options, struct str value, struct err *err)
{
    if (value.n > IMPORT_LABEL_BYTES_MAX)
        return refuse("label", "at most 256 bytes of UTF-8", value, err);
    options->label = arena_str(a, value);
    return true;
}

static void
add_label(struct json *j, const struct import_options *options)
{
    if (options->label.n)
        json_member_str(j, "label", options->label);
}

static bool
set_url(struct arena *a, struct import_options *options, struct str value,
        struct err *err UNUSED)
{
    options->url = arena_str(a, value); /* judged by fetch_check_url, who knows the rules */
    return true;
}

static void
add_url(struct json *j, const struct import_options *options)
{
    if (options->url.n)
        json_member_str(j, "url", options->url);
}

/* The URL is where the file is, and none of the options of it: no query and no command line
 * takes it. */
static const struct option OPTIONS[] = {
#define X(name, ...) {#name, set_##name, add_##name},
    IMPORT_OPTIONS(X)
#undef X
        {"url", set_url, add_url},
};

static bool
refuse_option(struct str name, struct err *err)
{
    static const struct synonym SYNONYMS[] = {
        {STR_INIT("link"), STR_INIT("url")},
        {STR_INIT("file_url"), STR_INIT("url")},
        {STR_INIT("sep"), STR_INIT("delimiter")},
        {STR_INIT("separator"), STR_INIT("delimiter")},
        {STR_INIT("charset"), STR_INIT("encoding")},
        {STR_INIT("data"), STR_INIT("file")},
        {STR_INIT("upload"), STR_INIT("file")},
        {STR_INIT("csv"), STR_INIT("file")},
    };
    struct suggestion near = suggest_begin(name);
    scoped_buf names;
    buf_init(&names, KIB);
    suggest_synonyms(&near, SYNONYMS, COUNT_OF(SYNONYMS));
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++) {
        suggest_offer(&near, str_from(OPTIONS[i].name));
        buf_printf(&names, " %s", OPTIONS[i].name);
    }
    return err_set_name(err, ERR_BAD_PARAMETER, "unknown_option", name,
                        "an import has no option '%" STR_FMT "'%s (it has:%" STR_FMT ")",
                        STR_ARG(str_slice(name, 0, 64)), suggest_text(&near),
                        STR_ARG(buf_str(&names)));
}

bool
import_option_set(struct arena *a, struct import_options *options, struct str name,
                  struct str value, struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++) {
        if (!str_eq(name, str_from(OPTIONS[i].name)))
            continue;
        /* A field of a form may hold any bytes; options are stored as JSON, which may not. */
        if (!utf8_is_valid(value) || str_find_char(value, '\0') >= 0)
            return err_set_name(err, ERR_BAD_PARAMETER, NULL, name,
                                "%s is text in UTF-8 without NUL", OPTIONS[i].name);
        return OPTIONS[i].set(a, options, value, err);
    }
    return refuse_option(name, err);
}

void
import_options_add_json(struct buf *out, const struct import_options *options)
{
    struct json j = json_write(out);
    json_begin_object(&j);
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++)
        OPTIONS[i].add(&j, options);
    json_end_object(&j);
}

bool
import_options_parse_json(struct arena *a, struct str json, struct import_options *out,
                          struct err *err)
{
    const struct json_value *object;
    struct import_options options = {0};
    if (!json_read(a, json, &object, err))
        return false;
    if (object->kind != JSON_OBJECT)
        return err_set(err, ERR_MALFORMED, "the options of an import are a JSON object");
    for (size_t i = 0; i < object->child_count; i++) {
        const struct json_value *member = &object->children[i];
        if (member->kind != JSON_NULL &&
            !import_option_set(a, &options, member->key, json_as_form(a, member), err))
            return false;
    }
    *out = options;
    return true;
}
