/* Turns libyaml's events into nodes in the arena.  The walk is recursive, bounded by
 * YAML_DEPTH_MAX; an event is deleted as soon as its text has been copied. */
#include "config/yaml.h"

#include "base/num.h"
#include "base/utf8.h"

#include <yaml.h>

struct reader {
    struct arena *arena;
    struct str name;
    yaml_parser_t parser;
    struct err *err;
};

static unsigned
line_of(yaml_mark_t mark)
{
    return (unsigned)mark.line + 1;
}

static bool
refuse_yaml(struct reader *r, unsigned line, const char *what)
{
    return err_set(r->err, ERR_INVALID, "%" STR_FMT ":%u: %s", STR_ARG(r->name), line, what);
}

static bool
next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    const char *problem = r->parser.problem ? r->parser.problem : "this is not YAML";
    yaml_mark_t mark = r->parser.problem_mark.line ? r->parser.problem_mark : r->parser.mark;
    return refuse_yaml(r, line_of(mark), problem);
}

static bool
check_plainness(struct reader *r, unsigned line, const yaml_char_t *anchor,
                const yaml_char_t *tag)
{
    if (anchor)
        return refuse_yaml(r, line, "anchors and aliases are not taken here");
    if (tag)
        return refuse_yaml(r, line, "tags are not taken here");
    return true;
}

static bool read_node(struct reader *r, const yaml_event_t *event, struct yaml_node *out,
                      unsigned depth);

static bool
read_scalar(struct reader *r, const yaml_event_t *event, struct yaml_node *out)
{
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (!check_plainness(r, out->line, event->data.scalar.anchor, event->data.scalar.tag))
        return false;
    if (!utf8_is_valid(text))
        return refuse_yaml(r, out->line, "the text is not valid UTF-8");
    out->kind = YAML_SCALAR;
    out->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    out->text = arena_str(r->arena, text);
    return true;
}

/* Reads the key of a mapping's next member; the next event is its value. */
static bool
read_key(struct reader *r, const yaml_event_t *event, const struct yaml_node *mapping,
         struct yaml_node *member)
{
    member->line = line_of(event->start_mark);
    if (event->type != YAML_SCALAR_EVENT)
        return refuse_yaml(r, member->line, "a key is a plain word");
    struct yaml_node key = {.line = member->line};
    if (!read_scalar(r, event, &key))
        return false;
    member->key = key.text;
    for (const struct yaml_node *other = mapping->first; other; other = other->next)
        if (str_eq(other->key, member->key))
            return err_set(r->err, ERR_INVALID,
                           "%" STR_FMT ":%u: the key '%" STR_FMT
                           "' stands here a second time; the first is in line %u",
                           STR_ARG(r->name), member->line, STR_ARG(member->key), other->line);
    return true;
}

/* Reads a member or an item: the event is the caller's to delete. */
static bool
read_child(struct reader *r, const yaml_event_t *event, struct yaml_node *parent,
           struct yaml_node *child, unsigned depth)
{
    if (++parent->child_count > YAML_CHILDREN_MAX)
        return refuse_yaml(r, line_of(event->start_mark), "this list or mapping is too long");
    if (parent->kind == YAML_SEQUENCE)
        return read_node(r, event, child, depth);
    yaml_event_t value;
    if (!read_key(r, event, parent, child) || !next_event(r, &value))
        return false;
    bool ok = read_node(r, &value, child, depth);
    yaml_event_delete(&value);
    return ok;
}

static bool
read_children(struct reader *r, struct yaml_node *parent, unsigned depth)
{
    struct yaml_node *last = NULL;
    for (;;) {
        yaml_event_t event;
        if (!next_event(r, &event))
            return false;
        bool is_end =
            event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
        struct yaml_node *child = is_end ? NULL : arena_new(r->arena, struct yaml_node);
        bool ok = is_end || read_child(r, &event, parent, child, depth);
        yaml_event_delete(&event);
        if (!ok || is_end)
            return ok;
        /* Linked only now, so that the check for duplicates does not find the member itself. */
        if (last)
            last->next = child;
        else
            parent->first = child;
        last = child;
    }
}

static bool
read_node(struct reader *r, const yaml_event_t *event, struct yaml_node *out, unsigned depth)
{
    if (out->line == 0)
        out->line = line_of(event->start_mark);
    if (depth > YAML_DEPTH_MAX)
        return refuse_yaml(r, out->line, "this is nested too deeply");
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, event, out);
    case YAML_SEQUENCE_START_EVENT:
        out->kind = YAML_SEQUENCE;
        return check_plainness(r, out->line, event->data.sequence_start.anchor,
                               event->data.sequence_start.tag) &&
               read_children(r, out, depth + 1);
    case YAML_MAPPING_START_EVENT:
        out->kind = YAML_MAPPING;
        return check_plainness(r, out->line, event->data.mapping_start.anchor,
                               event->data.mapping_start.tag) &&
               read_children(r, out, depth + 1);
    default:
        return refuse_yaml(r, out->line, "anchors and aliases are not taken here");
    }
}

/* Skips the events around the document: 1 a node's event came, 0 the end, -1 error. */
static int
next_content(struct reader *r, yaml_event_t *event)
{
    for (;;) {
        if (!next_event(r, event))
            return -1;
        switch (event->type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            yaml_event_delete(event);
            break;
        case YAML_NO_EVENT:
        case YAML_STREAM_END_EVENT:
            yaml_event_delete(event);
            return 0;
        default:
            return 1;
        }
    }
}

static bool
read_document(struct reader *r, struct yaml_node *out)
{
    yaml_event_t event;
    int got = next_content(r, &event);
    if (got <= 0)
        return got == 0;
    bool ok = read_node(r, &event, out, 0);
    yaml_event_delete(&event);
    if (!ok)
        return false;
    got = next_content(r, &event);
    if (got <= 0)
        return got == 0;
    unsigned line = line_of(event.start_mark);
    yaml_event_delete(&event);
    return refuse_yaml(r, line, "a second document begins here; one is taken");
}

bool
yaml_read(struct arena *a, struct str name, struct str text, const struct yaml_node **out,
          struct err *err)
{
    struct reader r = {.arena = a, .name = name, .err = err};
    if (text.n > YAML_BYTES_MAX)
        return err_set(err, ERR_INVALID,
                       "%" STR_FMT ":1: the file has %zu bytes; %zu are taken", STR_ARG(name),
                       text.n, YAML_BYTES_MAX);
    if (!yaml_parser_initialize(&r.parser))
        return err_set(err, ERR_INTERNAL, "libyaml cannot start");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    /* libyaml asserts that the pointer is not NULL, which an empty file's is. */
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.n ? text.p : ""),
                                 text.n);
    struct yaml_node *root = arena_new(a, struct yaml_node);
    root->kind = YAML_MAPPING;
    bool ok = read_document(&r, root);
    yaml_parser_delete(&r.parser);
    if (ok)
        *out = root;
    return ok;
}

const struct yaml_node *
yaml_get(const struct yaml_node *mapping, const char *key)
{
    if (!mapping || mapping->kind != YAML_MAPPING)
        return NULL;
    for (const struct yaml_node *n = mapping->first; n; n = n->next)
        if (str_eq(n->key, str_from(key)))
            return n;
    return NULL;
}

static bool
is_one_of(const struct yaml_node *node, const char *const *words, size_t count)
{
    if (node->kind != YAML_SCALAR || !node->is_plain)
        return false;
    for (size_t i = 0; i < count; i++)
        if (str_eq(node->text, str_from(words[i])))
            return true;
    return false;
}

bool
yaml_is_null(const struct yaml_node *node)
{
    static const char *const WORDS[] = {"", "~", "null", "Null", "NULL"};
    return is_one_of(node, WORDS, COUNT_OF(WORDS));
}

bool
yaml_as_bool(const struct yaml_node *node, bool *out)
{
    static const char *const YES[] = {"true", "True", "TRUE"};
    static const char *const NO[] = {"false", "False", "FALSE"};
    *out = is_one_of(node, YES, COUNT_OF(YES));
    return *out || is_one_of(node, NO, COUNT_OF(NO));
}

bool
yaml_is_number(const struct yaml_node *node)
{
    double unused;
    struct str s = node->text;
    /* num_parse_f64 accepts more than JSON: a '+', a leading or trailing dot. */
    if (node->kind != YAML_SCALAR || !node->is_plain || s.n == 0 || s.p[0] == '+' ||
        s.p[0] == '.' || str_ends(s, STR(".")) || str_starts(s, STR("-.")))
        return false;
    return num_parse_f64(s, &unused);
}
