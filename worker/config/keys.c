/* API keys: {client, scope, key} or {client, scope, key_file}.  A key must be lower case,
 * because nginx's map, which is rendered from these, ignores case: otherwise two spellings
 * would be the same key. */
#include "base/fs.h"
#include "config/sections.h"
#include "config/setting.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A key file holds one line; a larger one is probably the wrong file. */
#define KEY_FILE_BYTES_MAX 256

static const char *const KEY_WORDS[] = {"client", "scope", "key", "key_file"};

static bool
is_key(struct str s)
{
    return s.n == CONFIG_KEY_DIGITS && str_is_hex(s);
}

static bool
refuse_key(struct str file, unsigned line, const char *what, struct err *err)
{
    return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: %s", STR_ARG(file), line, what);
}

static bool
check_key(struct str file, const struct config_key *key, struct err *err)
{
    if (key->client.n == 0 || key->client.n > 64 || !str_is_alnum(key->client, "_.-"))
        return refuse_key(file, key->line,
                          "a key needs a client: 1 to 64 of letters, digits, _ . and -", err);
    if (!str_eq(key->scope, STR("read")) && !str_eq(key->scope, STR("write")) &&
        !str_eq(key->scope, STR("admin")))
        return refuse_key(file, key->line, "a key needs a scope: read, write or admin", err);
    if ((key->key.n == 0) == (key->file.n == 0))
        return refuse_key(file, key->line, "a key needs either 'key' or 'key_file'", err);
    /* The value is not shown: it may be a real key with a typing error. */
    if (key->key.n && !is_key(key->key))
        return refuse_key(file, key->line,
                          "'key' is 64 digits of 0-9 and a-f; `playmeter keys new` "
                          "makes one",
                          err);
    return true;
}

static bool
read_key(struct arena *a, struct str file, const struct yaml_node *node, struct config_key *out,
         struct err *err)
{
    *out = (struct config_key){.line = node->line};
    struct str *fields[] = {&out->client, &out->scope, &out->key, &out->file};
    if (node->kind != YAML_MAPPING)
        return refuse_key(file, node->line,
                          "a key is written as {client: ..., scope: ..., key: ...}", err);
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        size_t i = 0;
        while (i < COUNT_OF(KEY_WORDS) && !str_eq(n->key, str_from(KEY_WORDS[i])))
            i++;
        if (i == COUNT_OF(KEY_WORDS)) {
            struct str near = setting_suggest(a, n->key, KEY_WORDS, COUNT_OF(KEY_WORDS));
            return err_set(err, ERR_INVALID,
                           "%" STR_FMT ":%u: a key has no '%" STR_FMT "'%" STR_FMT,
                           STR_ARG(file), n->line, STR_ARG(n->key), STR_ARG(near));
        }
        if (n->kind != YAML_SCALAR)
            return refuse_key(file, n->line, "this is a string", err);
        *fields[i] = n->text;
    }
    return check_key(file, out, err);
}

bool
sections_read_keys(struct arena *a, struct str file, const struct yaml_node *node,
                   struct config *out, struct err *err)
{
    if (yaml_is_null(node))
        return true;
    if (node->kind != YAML_SEQUENCE)
        return refuse_key(file, node->line, "'keys' is a list of keys", err);
    out->keys = arena_array(a, node->child_count, struct config_key);
    for (const struct yaml_node *n = node->first; n; n = n->next)
        if (!read_key(a, file, n, &out->keys[out->key_count++], err))
            return false;
    return true;
}

static bool
take_key(struct arena *a, const char *path, const struct buf *text, struct str *out,
         struct err *err)
{
    struct str key = str_trim(buf_str(text));
    if (!is_key(key))
        return err_set(err, ERR_INVALID, "%s: a key is 64 digits of 0-9 and a-f, got %zu bytes",
                       path, key.n);
    *out = arena_str(a, key);
    return true;
}

static bool
read_key_file(struct arena *a, const char *path, struct str *out, struct err *err)
{
    scoped_buf text;
    buf_init(&text, KEY_FILE_BYTES_MAX);
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & S_IROTH)
        return err_set(err, ERR_INVALID,
                       "%s: everybody can read this key; close it with: chmod o-r %s", path,
                       path);
    return fs_read_named(&text, path, err) && take_key(a, path, &text, out, err);
}

const char *
config_beside(struct arena *a, struct str yaml, struct str file)
{
    const char *slash = yaml.n ? memrchr(yaml.p, '/', yaml.n) : NULL;
    if (str_starts(file, STR("/")) || !slash)
        return arena_cstr(a, file);
    return arena_printf(a, "%.*s/%" STR_FMT, (int)(slash - yaml.p), yaml.p, STR_ARG(file)).p;
}

static bool
add_admin_key(struct arena *a, struct config *config, struct err *err)
{
    struct config_key admin = {.client = STR("admin"), .scope = STR("admin")};
    const char *path =
        arena_printf(a, "%" STR_FMT "/" CONFIG_ADMIN_KEY, STR_ARG(config->data_dir)).p;
    scoped_buf text;
    buf_init(&text, KEY_FILE_BYTES_MAX);
    if (!fs_read_file(&text, AT_FDCWD, path, err))
        return err->kind == ERR_NOT_FOUND; /* the first start makes it */
    if (!take_key(a, path, &text, &admin.key, err))
        return false;
    struct config_key *all = arena_array(a, config->key_count + 1, struct config_key);
    if (config->key_count)
        memcpy(all, config->keys, config->key_count * sizeof(*all));
    all[config->key_count++] = admin;
    config->keys = all;
    return true;
}

static bool
check_unique(const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->key_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct config_key *a = &config->keys[j], *b = &config->keys[i];
            if (str_eq(a->client, b->client))
                return err_set(err, ERR_INVALID,
                               "%" STR_FMT ":%u: the client '%" STR_FMT "' has two keys",
                               STR_ARG(config->path), a->line, STR_ARG(a->client));
            if (str_eq(a->key, b->key))
                return err_set(
                    err, ERR_INVALID,
                    "%" STR_FMT ":%u: '%" STR_FMT "' and '%" STR_FMT "' have the same key",
                    STR_ARG(config->path), a->line, STR_ARG(a->client), STR_ARG(b->client));
        }
    return true;
}

bool
config_read_keys(struct arena *a, struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->key_count; i++) {
        struct config_key *key = &config->keys[i];
        if (key->file.n &&
            !read_key_file(a, config_beside(a, config->path, key->file), &key->key, err))
            return false;
    }
    return (config->data_dir.n == 0 || add_admin_key(a, config, err)) &&
           check_unique(config, err);
}
