/* Each type has one function that parses text into its field; bounds are checked for all types
 * in one place, on the number that each type's parser yields. */
#include "config/setting.h"

#include "base/num.h"
#include "base/suggest.h"

#include <string.h>

struct unit {
    const char *suffix;
    uint64_t factor;
};
static const struct unit BYTE_UNITS[] = {
    {"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};
static const struct unit TIME_UNITS[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                         {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit NO_UNITS[] = {{"", 1}, {NULL, 0}};

/* What a value must be, for error messages. */
static const char *const RULES[] = {
    [CONFIG_BYTES] = "a number of bytes, with KiB, MiB or GiB behind it or nothing",
    [CONFIG_COUNT] = "a whole number",
    [CONFIG_MS] = "a number with ms, s, m, h or d behind it",
    [CONFIG_BOOL] = "true or false",
    [CONFIG_TEXT] = "a string",
    [CONFIG_LIST] = "a list of strings",
    [CONFIG_RATE] = "a rate such as 2/min burst 5 or 50/s burst 100",
};

/* [0-9]+ blank* unit */
static bool
parse_amount(struct str text, const struct unit *units, uint64_t *out)
{
    size_t digits = 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    uint64_t number;
    if (!num_parse_u64(str_slice(text, 0, digits), &number))
        return false;
    struct str suffix = str_trim(str_skip(text, digits));
    for (; units->suffix; units++)
        if (str_eq(suffix, str_from(units->suffix)))
            return !__builtin_mul_overflow(number, units->factor, out);
    return false;
}

/* rate = count "/" ("s" / "min") blank+ "burst" blank+ count */
static bool
parse_rate(struct str text, struct config_rate *out)
{
    struct str rest = text;
    struct str requests = str_cut(&rest, '/');
    struct str unit = str_cut(&rest, ' ');
    rest = str_trim(rest);
    if (!str_starts(rest, STR("burst ")))
        return false;
    out->is_per_minute = str_eq(unit, STR("min"));
    return (out->is_per_minute || str_eq(unit, STR("s"))) &&
           num_parse_u64(requests, &out->requests) &&
           num_parse_u64(str_trim(str_skip(rest, 6)), &out->burst);
}

static bool
parse_scalar(struct arena *a, enum config_type type, const struct yaml_node *node, void *field)
{
    if (node->kind != YAML_SCALAR)
        return false;
    switch (type) {
    case CONFIG_BYTES:
        return parse_amount(node->text, BYTE_UNITS, field);
    case CONFIG_COUNT:
        return parse_amount(node->text, NO_UNITS, field);
    case CONFIG_MS:
        return parse_amount(node->text, TIME_UNITS, field);
    case CONFIG_BOOL:
        return yaml_as_bool(node, field);
    case CONFIG_RATE:
        return parse_rate(node->text, field);
    case CONFIG_TEXT:
    case CONFIG_LIST:
        break;
    }
    if (yaml_is_null(node) && node->text.n)
        return false;
    /* A NUL would end the text early wherever it is passed to libc. */
    *(struct str *)field = arena_str(a, node->text);
    return memchr(node->text.p, '\0', node->text.n) == NULL;
}

static bool
is_within(const struct config_setting *setting, uint64_t v)
{
    return v >= setting->min && v <= setting->max;
}

static bool
is_in_bounds(const struct config_setting *setting, const void *field)
{
    switch (setting->type) {
    case CONFIG_BYTES:
    case CONFIG_COUNT:
    case CONFIG_MS:
        return is_within(setting, *(const uint64_t *)field);
    case CONFIG_TEXT:
        return is_within(setting, ((const struct str *)field)->n);
    case CONFIG_LIST:
        return is_within(setting, ((const struct config_list *)field)->count);
    case CONFIG_RATE:
        return is_within(setting, ((const struct config_rate *)field)->requests) &&
               is_within(setting, ((const struct config_rate *)field)->burst);
    case CONFIG_BOOL:
        break;
    }
    return true;
}

static const char *
bounded_thing(enum config_type type)
{
    switch (type) {
    case CONFIG_BYTES:
        return " bytes";
    case CONFIG_MS:
        return " milliseconds";
    case CONFIG_TEXT:
        return " bytes long";
    case CONFIG_LIST:
        return " items long";
    default:
        return "";
    }
}

bool
setting_read_list(struct arena *a, struct str file, const struct yaml_node *node,
                  struct config_list *out, struct err *err)
{
    struct config_list list = {0};
    if (node->kind == YAML_SCALAR && node->text.n && !yaml_is_null(node)) {
        list.items = arena_array(a, 1, struct str);
        list.items[list.count++] = node->text;
    } else if (node->kind == YAML_SEQUENCE) {
        list.items = arena_array(a, node->child_count, struct str);
        for (const struct yaml_node *n = node->first; n; n = n->next) {
            if (n->kind != YAML_SCALAR || n->text.n == 0)
                return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: an item here is a string",
                               STR_ARG(file), n->line);
            list.items[list.count++] = n->text;
        }
    } else if (node->kind == YAML_MAPPING) {
        return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: %" STR_FMT " is a list of strings",
                       STR_ARG(file), node->line, STR_ARG(node->key));
    }
    *out = list;
    return true;
}

static bool
refuse_value(const struct config_setting *s, struct str file, const struct yaml_node *node,
             struct err *err)
{
    const char *seen = node->kind == YAML_MAPPING    ? "a mapping"
                       : node->kind == YAML_SEQUENCE ? "a list"
                                                     : NULL;
    struct str text = seen ? str_from(seen) : node->text;
    const char *quote = seen ? "" : "'";
    return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: %s.%s is %s, got %s%" STR_FMT "%s",
                   STR_ARG(file), node->line, s->section, s->name, RULES[s->type], quote,
                   STR_ARG(text), quote);
}

bool
setting_read(struct arena *a, const struct config_setting *setting, struct str file,
             const struct yaml_node *node, struct config *config, struct err *err)
{
    void *field = (char *)config + setting->offset;
    if (setting->type == CONFIG_LIST) {
        if (!setting_read_list(a, file, node, field, err))
            return false;
    } else if (!parse_scalar(a, setting->type, node, field)) {
        return refuse_value(setting, file, node, err);
    }
    return is_in_bounds(setting, field) ||
           err_set(err, ERR_INVALID,
                   "%" STR_FMT ":%u: %s.%s is from %llu to %llu%s, got '%" STR_FMT "'",
                   STR_ARG(file), node->line, setting->section, setting->name,
                   (unsigned long long)setting->min, (unsigned long long)setting->max,
                   bounded_thing(setting->type), STR_ARG(node->text));
}

void
setting_use_default(struct arena *a, const struct config_setting *setting,
                    struct config *config)
{
    struct err err;
    struct yaml_node node = {
        .kind = YAML_SCALAR, .is_plain = true, .text = str_from(setting->fallback)};
    if (setting->type == CONFIG_LIST) { /* its items, separated by blanks */
        struct config_list *list = (struct config_list *)((char *)config + setting->offset);
        *list = (struct config_list){.items = arena_array(a, node.text.n, struct str)};
        for (struct str rest = node.text; rest.n;)
            list->items[list->count++] = str_cut(&rest, ' ');
        return;
    }
    bool ok = setting_read(a, setting, STR("default"), &node, config, &err);
    assert(ok);
    (void)ok;
}

struct str
setting_suggest(struct arena *a, struct str wrong, const char *const *names, size_t name_count)
{
    struct suggestion near = suggest_begin(wrong);
    for (size_t i = 0; i < name_count; i++)
        suggest_offer(&near, str_from(names[i]));
    return arena_str(a, str_from(suggest_text(&near)));
}
