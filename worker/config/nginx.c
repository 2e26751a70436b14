/* Rendering is one pass over each embedded part.  A word between @ is a row of WORDS, or one of
 * nginx_location.h, which is written for every location.  Values were checked when the
 * configuration was read, so nothing is escaped here. */
#include "config/nginx.h"

#include "base/embed.h"
#include "base/fs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define PART_BYTES_MAX MIB
/* Room for the boundaries and field headers of a multipart body, beside the file. */
#define ENVELOPE_BYTES MIB
/* nginx's timeout is this much longer than the worker's deadline, whose error says what is
 * wrong. */
#define UPSTREAM_GRACE_MS 5000
/* How many addresses, each at its own limit, it takes to reach the limit for all. */
#define PAGES_ALL_TIMES 4

extern const struct embed_file EMBED_NGINX[]; /* nginx/ (not www/) */
extern const size_t EMBED_NGINX_COUNT;

typedef void add_word_fn(struct buf *out, const struct config *config);

static void
add_u64(struct buf *out, uint64_t v)
{
    buf_printf(out, "%llu", (unsigned long long)v);
}

static void
add_nginx_workers(struct buf *out, const struct config *config)
{
    if (config->http_nginx_workers == 0)
        buf_add_lit(out, "auto");
    else
        add_u64(out, config->http_nginx_workers);
}

static void
add_upstream_timeout(struct buf *out, const struct config *config)
{
    add_u64(out, config->workers_deadline + UPSTREAM_GRACE_MS);
    buf_add_lit(out, "ms");
}

static void
add_export_spool(struct buf *out, const struct config *config)
{
    add_u64(out, config->limits_export_spool);
}

static void
add_body_bytes_max(struct buf *out, const struct config *config)
{
    add_u64(out, config->imports_file_bytes_max + ENVELOPE_BYTES);
}

static void
add_listen(struct buf *out, const struct config *config)
{
    bool is_v6 = str_find_char(config->http_listen, ':') >= 0;
    buf_printf(out, "listen %s%" STR_FMT "%s:%llu%s backlog=4096;", is_v6 ? "[" : "",
               STR_ARG(config->http_listen), is_v6 ? "]" : "",
               (unsigned long long)config->http_port,
               config->http_tls_certificate.n ? " ssl" : "");
}

static void
add_tls(struct buf *out, const struct config *config)
{
    if (config->http_tls_certificate.n == 0)
        return;
    /* A renewed pair changes the digest, and so the file, which makes nginx reload. */
    buf_printf(out,
               "# %" STR_FMT "\nssl_certificate %" STR_FMT ";\nssl_certificate_key %" STR_FMT
               ";\nssl_protocols TLSv1.2 TLSv1.3;\nssl_session_cache shared:tls:1m;\n"
               "ssl_session_tickets off;",
               STR_ARG(config->tls_digest), STR_ARG(config->http_tls_certificate),
               STR_ARG(config->http_tls_key));
}

static void
add_hsts(struct buf *out, const struct config *config)
{
    buf_add_lit(out, "max-age=");
    add_u64(out, config->http_hsts / 1000);
}

static void
add_trusted_proxies(struct buf *out, const struct config *config)
{
    struct config_list proxies = config->http_trusted_proxies;
    for (size_t i = 0; i < proxies.count; i++)
        buf_printf(out, "set_real_ip_from %" STR_FMT ";\n", STR_ARG(proxies.items[i]));
    if (proxies.count)
        buf_add_lit(out, "real_ip_header X-Forwarded-For;\nreal_ip_recursive on;");
}

static void
add_cors_origins(struct buf *out, const struct config *config)
{
    struct config_list origins = config->http_cors_origins;
    for (size_t i = 0; i < origins.count; i++)
        if (str_eq(origins.items[i], STR("*")))
            buf_add_lit(out, "    \"~.\" *;\n");
        else
            buf_printf(out, "    \"%" STR_FMT "\" $http_origin;\n", STR_ARG(origins.items[i]));
}

static void
add_vary(struct buf *out, const struct config *config)
{
    if (config->http_cors_origins.count)
        buf_add_lit(out, "add_header Vary Origin always;");
}

static void
add_key_clients(struct buf *out, const struct config *config)
{
    for (size_t i = 0; i < config->key_count; i++)
        buf_printf(out, "    %" STR_FMT " \"%" STR_FMT "\";\n", STR_ARG(config->keys[i].key),
                   STR_ARG(config->keys[i].client));
}

static void
add_key_scopes(struct buf *out, const struct config *config)
{
    for (size_t i = 0; i < config->key_count; i++)
        buf_printf(out, "    %" STR_FMT " %" STR_FMT ";\n", STR_ARG(config->keys[i].key),
                   STR_ARG(config->keys[i].scope));
}

static void
add_exports(struct buf *out, const struct config *config)
{
    add_u64(out, config->limits_exports);
}

/* A quarter of the pool, so that exports cannot block all other requests. */
static void
add_exports_all(struct buf *out, const struct config *config)
{
    add_u64(out, MAX(config->workers_query / 4, 1));
}

static void
add_pages(struct buf *out, const struct config *config)
{
    add_u64(out, config->limits_pages);
}

static void
add_pages_all(struct buf *out, const struct config *config)
{
    add_u64(out, config->limits_pages * PAGES_ALL_TIMES);
}

static void
add_access_log(struct buf *out, const struct config *config)
{
    if (config->http_access_log)
        buf_add_lit(out, "../logs/access.log playmeter");
    else
        buf_add_lit(out, "off");
}

static void
add_rate(struct buf *out, struct config_rate rate)
{
    add_u64(out, rate.requests);
    buf_add_lit(out, "r/");
    buf_add_char(out, rate.is_per_minute ? 'm' : 's');
}

/* How many seconds until the rate allows one more request. */
static void
add_retry(struct buf *out, struct config_rate rate)
{
    uint64_t period_s = rate.is_per_minute ? 60 : 1;
    add_u64(out, (period_s + rate.requests - 1) / rate.requests);
}

#define RATE_WORDS(name)                                                                       \
    static void add_rate_##name(struct buf *out, const struct config *config)                  \
    {                                                                                          \
        add_rate(out, config->limits_##name);                                                  \
    }                                                                                          \
    static void add_burst_##name(struct buf *out, const struct config *config)                 \
    {                                                                                          \
        add_u64(out, config->limits_##name.burst);                                             \
    }                                                                                          \
    static void add_retry_##name(struct buf *out, const struct config *config)                 \
    {                                                                                          \
        add_retry(out, config->limits_##name);                                                 \
    }
RATE_WORDS(imports)
RATE_WORDS(accounts)
RATE_WORDS(reads)
RATE_WORDS(play)

// clang-format off
#define WORD(name) {#name, add_##name}
static const struct {
    const char *name;
    add_word_fn *add;
} WORDS[] = {
    WORD(nginx_workers),
    WORD(upstream_timeout),
    WORD(export_spool),
    WORD(body_bytes_max),
    WORD(listen),
    WORD(tls),
    WORD(hsts),
    WORD(trusted_proxies),
    WORD(cors_origins),
    WORD(vary),
    WORD(key_clients),
    WORD(key_scopes),
    WORD(exports),
    WORD(exports_all),
    WORD(pages),
    WORD(pages_all),
    WORD(access_log),
    WORD(rate_imports),
    WORD(burst_imports),
    WORD(retry_imports),
    WORD(rate_accounts),
    WORD(burst_accounts),
    WORD(retry_accounts),
    WORD(rate_reads),
    WORD(burst_reads),
    WORD(retry_reads),
    WORD(rate_play),
    WORD(burst_play),
    WORD(retry_play),
};
// clang-format on

static struct str
render_part(struct arena *a, const struct config *config, struct nginx_locations locations,
            struct str text)
{
    scoped_buf out;
    buf_init(&out, PART_BYTES_MAX);
    while (text.p) {
        buf_add(&out, str_cut(&text, '@'));
        if (!text.p)
            break;
        struct str word = str_cut(&text, '@');
        nginx_location_fn *add_row = nginx_location_find(word);
        if (add_row) {
            for (size_t i = 0; i < locations.count; i++)
                add_row(&out, config, &locations.rows[i]);
            continue;
        }
        size_t at = 0;
        while (at < COUNT_OF(WORDS) && !str_eq(word, str_from(WORDS[at].name)))
            at++;
        assert(at < COUNT_OF(WORDS));
        WORDS[at].add(&out, config);
    }
    assert(!out.is_full);
    return arena_str(a, buf_str(&out));
}

void
nginx_render(struct arena *a, const struct config *config, struct nginx_locations locations,
             struct nginx_files *out)
{
    out->count = EMBED_NGINX_COUNT;
    out->files = arena_array(a, out->count, struct nginx_file);
    for (size_t i = 0; i < out->count; i++)
        out->files[i] = (struct nginx_file){
            EMBED_NGINX[i].name, render_part(a, config, locations, EMBED_NGINX[i].text)};
}

bool
nginx_write(const struct nginx_files *files, const char *folder, struct err *err)
{
    char next[PATH_MAX], path[PATH_MAX];
    snprintf(next, sizeof(next), "%s.next", folder);
    if (!fs_remove_tree(AT_FDCWD, next, err) || !fs_make_dirs(next, err))
        return false;
    for (size_t i = 0; i < files->count; i++) {
        const struct nginx_file *file = &files->files[i];
        int n = snprintf(path, sizeof(path), "%s/%" STR_FMT, next, STR_ARG(file->name));
        if (n >= (int)sizeof(path))
            return err_set(err, ERR_INTERNAL, "the path %s is too long", folder);
        if (!fs_replace_file(AT_FDCWD, path, file->text, 0600, err))
            return false;
    }
    if (!fs_remove_tree(AT_FDCWD, folder, err))
        return false;
    return rename(next, folder) == 0 || err_set_errno(err, "replacing %s", folder);
}

bool
nginx_is_written(const struct nginx_files *files, const char *folder)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct nginx_file *file = &files->files[i];
        char path[PATH_MAX];
        struct err err;
        scoped_buf text;
        buf_init(&text, PART_BYTES_MAX);
        int n = snprintf(path, sizeof(path), "%s/%" STR_FMT, folder, STR_ARG(file->name));
        if (n >= (int)sizeof(path) || !fs_read_file(&text, AT_FDCWD, path, &err) ||
            !str_eq(buf_str(&text), file->text))
            return false;
    }
    return true;
}
