/* YAML as a tree with line numbers; the only user of libyaml.  Supports what a settings file
 * and an API description need: one document of mappings, sequences and scalars.  Anchors,
 * aliases, tags, further documents, keys that are not scalars, and repeated keys are refused.
 * Every error begins with "name:line: ". */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define YAML_BYTES_MAX (2 * MIB)
#define YAML_DEPTH_MAX 40
#define YAML_CHILDREN_MAX 4096 /* of one mapping or sequence */

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
    enum yaml_kind kind;
    bool is_plain;   /* a scalar without quotes, which may be a number, true, null, ... */
    struct str key;  /* of a mapping's member */
    struct str text; /* of a scalar; valid UTF-8 */
    unsigned line;   /* from 1; of a member: the line of its key */
    struct yaml_node *first, *next;
    size_t child_count;
};

/* Reads the document into the arena; an empty one is an empty mapping.  `name` is the file's
 * name in messages.  Errors are ERR_INVALID. */
MUST_CHECK bool yaml_read(struct arena *a, struct str name, struct str text,
                          const struct yaml_node **out, struct err *err);
/* NULL when the mapping has no such member, or is NULL itself. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

/* The value of a plain scalar in YAML 1.2's core schema; a quoted scalar is always a string. */
bool yaml_is_null(const struct yaml_node *node); /* ~ null Null NULL or nothing */
bool yaml_as_bool(const struct yaml_node *node, bool *out);
bool yaml_is_number(const struct yaml_node *node); /* the text is then a JSON number */
