#include "query/similar.h"

bool
similar_columns(struct arena *a, const struct version *version, size_t **out, size_t *out_count,
                struct err *err)
{
    *out_count = schema_similar_columns(a, &version->schema, out);
    return *out_count ||
           err_set_code(err, ERR_BAD_PARAMETER, "no_similar_columns",
                        "no column of dataset '%" STR_FMT "' is marked similar: true",
                        STR_ARG(version->dataset.name));
}

size_t
similar_share(const struct similar_term *x, size_t x_count, const struct similar_term *y,
              size_t y_count, uint32_t out[SIMILAR_TERMS_MAX])
{
    double products[SIMILAR_TERMS_MAX + 1];
    uint32_t words[SIMILAR_TERMS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0, j = 0; i < x_count && j < y_count;) {
        if (x[i].word != y[j].word) {
            if (x[i].word < y[j].word)
                i++;
            else
                j++;
            continue;
        }
        double product = x[i].weight * y[j].weight;
        size_t at = count;
        for (; at && products[at - 1] < product; at--) {
            products[at] = products[at - 1];
            words[at] = words[at - 1];
        }
        products[at] = product;
        words[at] = x[i].word;
        count = MIN(count + 1, (size_t)SIMILAR_TERMS_MAX);
        i++;
        j++;
    }
    for (size_t i = 0; i < count; i++)
        out[i] = words[i];
    return count;
}
