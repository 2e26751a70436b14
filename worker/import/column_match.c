/* Which cell of a row does each column take that a dataset has already?  Found by the header,
 * in rounds from the surest to the weakest, so that no column takes by a weak similarity what
 * is another one's own:
 *
 *   its header as it stands (not of a declared dataset, where case and blanks say nothing),
 *   its header folded, its name, its aliases
 *
 * Of headers that are equal (blank ones too) the first column takes the first cell, and so on:
 * a file always fits the dataset that was made of it. */
#include "import/work.h"

/* One more is told below this; then the message is full. */
#define MISSING_BYTES 360

/* Cells by a word; those of one word in their order. */
struct cell_index {
    struct map first;
    size_t *next; /* per cell; the count of cells: no more */
};

struct matcher {
    struct arena *arena;
    const struct import_task *task;
    const struct config_dataset *declared; /* NULL: it is not */
    const struct str *cells;
    size_t cell_count;
    struct str *folded; /* of the cells */
    struct cell_index by_header, by_folded;
    bool *is_used;    /* per cell */
    bool *is_matched; /* per column */
};

static void
index_cells(struct arena *a, struct cell_index *index, const struct str *words, size_t count)
{
    map_init(a, &index->first, count);
    index->next = arena_array(a, count, size_t);
    for (size_t i = count; i-- > 0;) {
        size_t *first = map_get(&index->first, words[i]);
        index->next[i] = first ? *first : count;
        if (first)
            *first = i;
        else
            map_put(&index->first, words[i], i);
    }
}

/* The first cell of the word that no column has taken. */
static bool
take_cell(struct matcher *m, struct cell_index *index, struct str word, size_t *cell)
{
    size_t *first = map_get(&index->first, word);
    while (first && *first < m->cell_count) {
        size_t at = *first;
        *first = index->next[at];
        if (m->is_used[at])
            continue;
        m->is_used[at] = true;
        *cell = at;
        return true;
    }
    return false;
}

/* A name and an alias say something; blanks do not. */
static bool
take_word(struct matcher *m, struct str word, size_t *cell)
{
    struct str folded = schema_fold_header(m->arena, word);
    return folded.n && take_cell(m, &m->by_folded, folded, cell);
}

enum round { EXACT_HEADER, FOLDED_HEADER, NAME, ALIAS, ROUND_COUNT };

/* Tries to take a cell for the column, `index` in the schema. */
static bool
take_in_round(struct matcher *m, enum round round, const struct schema_column *column,
              size_t index, size_t *cell)
{
    const struct config_column *from = m->declared ? &m->declared->columns[index] : NULL;
    if (round == EXACT_HEADER)
        return !from && take_cell(m, &m->by_header, column->header, cell);
    if (round == FOLDED_HEADER)
        return take_cell(m, &m->by_folded, schema_fold_header(m->arena, column->header), cell);
    if (round == NAME)
        return take_word(m, column->name, cell);
    for (size_t i = 0; from && i < from->alias_count; i++)
        if (take_word(m, from->aliases[i], cell))
            return true;
    return false;
}

static struct str
nearest_header(const struct matcher *m, struct str header)
{
    struct str wanted = schema_fold_header(m->arena, header), best = {0};
    size_t best_distance = wanted.n / 2 + 1;
    for (size_t i = 0; i < m->cell_count; i++) {
        if (m->is_used[i] || m->folded[i].n == 0)
            continue;
        size_t distance = str_distance(wanted, m->folded[i]);
        if (distance >= best_distance)
            continue;
        best = m->cells[i];
        best_distance = distance;
    }
    return best;
}

static void
add_missing(struct buf *list, const struct matcher *m, const struct schema_column *column)
{
    struct str word = column->header.n ? column->header : column->name;
    struct str nearest = nearest_header(m, word);
    buf_printf(list, "%s'%" STR_FMT "'", list->n ? ", " : "", STR_ARG(str_slice(word, 0, 64)));
    if (nearest.n)
        buf_printf(list, " (nearest: '%" STR_FMT "')", STR_ARG(str_slice(nearest, 0, 64)));
}

static bool
check_missing(const struct matcher *m, const struct schema *schema, struct err *err)
{
    size_t more = 0;
    scoped_buf list;
    buf_init(&list, KIB);
    for (size_t i = 0; i < schema->column_count; i++) {
        if (m->is_matched[i])
            continue;
        if (list.n < MISSING_BYTES)
            add_missing(&list, m, &schema->columns[i]);
        else
            more++;
    }
    if (list.n == 0)
        return true;
    if (more)
        buf_printf(&list, " and %zu more", more);
    return err_set_code(err, ERR_INVALID, "missing_columns",
                        "the CSV lacks columns of dataset %" STR_FMT ": %" STR_FMT,
                        STR_ARG(m->task->dataset), STR_ARG(buf_str(&list)));
}

bool
import_match_header(struct arena *a, const struct import_task *task,
                    const struct config_dataset *declared, const struct str *cells,
                    size_t cell_count, struct import_plan *plan, struct err *err)
{
    const struct schema *schema = &plan->schema;
    struct matcher m = {.arena = a,
                        .task = task,
                        .declared = declared,
                        .cells = cells,
                        .cell_count = cell_count,
                        .folded = arena_array(a, cell_count, struct str),
                        .is_used = arena_array(a, cell_count, bool),
                        .is_matched = arena_array(a, schema->column_count, bool)};
    for (size_t i = 0; i < cell_count; i++)
        m.folded[i] = schema_fold_header(a, cells[i]);
    index_cells(a, &m.by_header, m.cells, cell_count);
    index_cells(a, &m.by_folded, m.folded, cell_count);
    for (enum round round = EXACT_HEADER; round < ROUND_COUNT; round++)
        for (size_t i = 0; i < schema->column_count; i++)
            if (!m.is_matched[i])
                m.is_matched[i] =
                    take_in_round(&m, round, &schema->columns[i], i, &plan->cell_of_column[i]);
    if (!check_missing(&m, schema, err))
        return false;
    plan->ignored = arena_array(a, cell_count, struct str);
    for (size_t i = 0; i < cell_count; i++) {
        /* The row numbers that pandas writes in front carry nothing. */
        bool is_index = i == 0 && m.folded[i].n == 0;
        if (!m.is_used[i] && !is_index)
            plan->ignored[plan->ignored_count++] = cells[i];
    }
    return true;
}
