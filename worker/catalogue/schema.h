/* What a dataset's columns are, and how a CSV cell becomes a value of one. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/suggest.h"
#include "base/value.h"
#include "config/config.h"

#define DATASET_NAME_BYTES_MAX 63
#define SCHEMA_ROW_NUMBER SIZE_MAX /* as key_index, title_index, ...: there is none */

struct schema_column {
    struct str name;   /* snake_case, unique */
    struct str header; /* as in the CSV */
    enum column_type type;
    bool is_measure;     /* column=all in statistics */
    bool is_similar;     /* takes part in similarity */
    struct str *formats; /* date: tried in order, then ISO */
    size_t format_count;
    struct str *list_join; /* list: suffixes that join the element before them, folded */
    size_t list_join_count;
    char decimal;      /* integer, real: '.' or ',' */
    int64_t offset_ms; /* datetime without a zone: what UTC is behind by */
};

struct schema {
    struct schema_column *columns;
    size_t column_count;
    size_t key_index;   /* SCHEMA_ROW_NUMBER: the row number is the key */
    size_t title_index; /* or SCHEMA_ROW_NUMBER; guessed where nobody declared it */
    size_t date_index;  /* default date column, for before and after; or SCHEMA_ROW_NUMBER */
    bool is_declared;   /* in the YAML file; else inferred */
    struct str *nulls;  /* words that count as empty, except in text and list */
    size_t null_count;
};

bool schema_dataset_name_is_valid(struct str name); /* [a-z][a-z0-9_]{0,62} */
/* NULL when there is none of that name. */
const struct schema_column *schema_find(const struct schema *schema, struct str name,
                                        size_t *out_index);
bool schema_has_headers(const struct schema *schema); /* any; else it was made without */
/* Among the columns' names; a header counts as the name of its column. */
struct suggestion schema_suggest(const struct schema *schema, struct str name);

/* Indexes of the text and list columns marked similar, in the arena. */
size_t schema_similar_columns(struct arena *a, const struct schema *schema, size_t **out);

/* From the YAML; the strings stay the config's. */
MUST_CHECK bool schema_from_config(struct arena *a, const struct config_dataset *declared,
                                   struct schema *out, struct err *err);
/* As kept in the catalogue.  print then parse is identity. */
void schema_add_json(struct buf *out, const struct schema *schema);
MUST_CHECK bool schema_parse_json(struct arena *a, struct str json, struct schema *out,
                                  struct err *err);

/* One cell, by its column's type.  `out->text` and `out->elements` may point into `cell` or the
 * arena.  False when it is not of the type; the detail of `err` is a sentence ("'abc' is not an
 * integer"). */
MUST_CHECK bool schema_parse_cell(struct arena *a, const struct schema *schema, size_t column,
                                  struct str cell, struct value *out, struct err *err);
/* Nothing but blanks, or one of the words that mean nothing. */
bool schema_cell_is_null(const struct schema *schema, struct str cell);
/* The words of a dataset that names none of its own. */
const struct str *schema_default_nulls(size_t *count);
/* A header as headers are compared: case folded, without blanks and underscores. */
struct str schema_fold_header(struct arena *a, struct str header);
/* A list's elements: Python list of strings when it looks like one, else at commas. */
void schema_split_list(struct arena *a, const struct schema_column *column, struct str raw,
                       struct str **out, size_t *out_count);
/* A header as a snake_case name (Größe [MB]: grosse_mb; one without Latin letters or digits:
 * column_3, by its place), unlike those before it, which are in `taken`; it is put there too.
 */
struct str schema_make_name(struct arena *a, struct str header, struct map *taken);
