/* What a location does stands in files of nginx/, one for each zone and each kind of body and
 * answer; here is chosen which of them a path has.  A path without names is found by its text,
 * before any with names, which are tried in the order of the table. */
#include "config/nginx_location.h"

#include <string.h>

/* `any` is what takes the place of a name. */
static void
add_pattern(struct buf *out, struct str path, const char *any)
{
    for (struct str rest = path; rest.p;) {
        buf_add(out, str_cut(&rest, '{'));
        if (!rest.p)
            break;
        str_cut(&rest, '}');
        buf_add(out, str_from(any));
    }
}

/* As the request line has it: refusals for a size come before nginx has read the path. */
static void
add_request_pattern(struct buf *out, const struct nginx_location *l)
{
    buf_add_lit(out, "    \"~^");
    add_pattern(out, l->path, "[^/?]+");
    buf_add_lit(out, "(?:\\?|$)\" \"");
}

static bool
is_in(const struct nginx_location *l, const char *zone)
{
    return strcmp(l->zone, zone) == 0;
}

static void
add_location(struct buf *out, const struct config *config UNUSED,
             const struct nginx_location *l)
{
    bool has_names = str_find_char(l->path, '{') >= 0;
    buf_add(out, has_names ? STR("location ~ ^") : STR("location = "));
    add_pattern(out, l->path, "[^/]+");
    buf_add(out, has_names ? STR("$ {\n") : STR(" {\n"));
    if (is_in(l, "reads") && !l->is_one_page)
        buf_add_lit(out, "    include exports.conf;\n");
    if (is_in(l, "play") && l->is_one_page)
        buf_add_lit(out, "    include lists.conf;\n");
    buf_printf(out, "    include zone_%s.conf;\n", l->zone);
    if (l->takes_file)
        buf_add_lit(out, "    include big_body.conf;\n");
    else
        buf_printf(out, "    client_max_body_size %llu;\n%s    include small_body.conf;\n",
                   (unsigned long long)l->body_bytes_max,
                   l->body_bytes_max > NGINX_BODY_BYTES_MAX ? "    include body_on_disk.conf;\n"
                                                            : "");
    buf_printf(out, "    fastcgi_pass %s;\n}\n", l->pool);
}

/* The words of write_gate.conf: which methods the paths behind it take. */
static void
add_taken_methods(struct buf *out, const struct config *config UNUSED,
                  const struct nginx_location *l)
{
    if (!is_in(l, "imports"))
        return;
    buf_add_lit(out, "    \"~^(?:");
    for (struct str rest = l->methods; rest.p;) {
        buf_add(out, str_trim(str_cut(&rest, ',')));
        if (rest.p)
            buf_add_char(out, '|');
    }
    buf_add_lit(out, "):");
    add_pattern(out, l->path, "[^/]+");
    buf_add_lit(out, "$\" 1;\n");
}

static void
add_told_methods(struct buf *out, const struct config *config UNUSED,
                 const struct nginx_location *l)
{
    if (!is_in(l, "imports"))
        return;
    add_request_pattern(out, l);
    buf_printf(out, "%" STR_FMT "\";\n", STR_ARG(l->methods));
}

static void
add_told_size(struct buf *out, const struct config *config, const struct nginx_location *l)
{
    if (!l->told_before && l->told_bytes_max <= NGINX_BODY_BYTES_MAX)
        return;
    add_request_pattern(out, l);
    buf_printf(out, "%s ",
               l->told_before ? l->told_before
                              : "The body is larger than this path takes, which is at most");
    uint64_t bytes = l->takes_file ? config->imports_file_bytes_max : l->told_bytes_max;
    if (l->takes_file && bytes % MIB == 0) /* for people, who wrote it as a size themselves */
        buf_printf(out, "%llu MiB", (unsigned long long)(bytes / MIB));
    else
        buf_printf(out, "%llu%s", (unsigned long long)bytes, l->takes_file ? " bytes" : "");
    buf_printf(out, "%s\";\n", l->told_after ? l->told_after : " bytes.");
}

nginx_location_fn *
nginx_location_find(struct str word)
{
    static const struct {
        const char *word;
        nginx_location_fn *add;
    } WORDS[] = {
        {"locations", add_location},
        {"taken_methods", add_taken_methods},
        {"told_methods", add_told_methods},
        {"told_sizes", add_told_size},
    };
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (str_eq(word, str_from(WORDS[i].word)))
            return WORDS[i].add;
    return NULL;
}
