/* Walks over the file: sections of the table go to setting_read, `datasets` and `keys` to
 * readers of their own.  Before that, all settings were filled with their defaults. */
#include "config/config.h"

#include "base/fs.h"
#include "config/sections.h"
#include "config/setting.h"

const struct config_setting CONFIG_SETTINGS[] = {
#define X(type, section, name, fallback, min, max, help)                                       \
    {                                                                                          \
        #section, #name,         fallback,                                                     \
        help,     CONFIG_##type, offsetof(struct config, section##_##name),                    \
        (min),    (max)},
    SETTINGS(X)
#undef X
};
const size_t CONFIG_SETTINGS_COUNT = COUNT_OF(CONFIG_SETTINGS);

static bool
refuse_unknown(struct arena *a, struct str file, struct str section,
               const struct yaml_node *node, struct err *err)
{
    const char *names[COUNT_OF(CONFIG_SETTINGS) + 2];
    size_t count = 0;
    for (size_t i = 0; i < CONFIG_SETTINGS_COUNT; i++)
        if (section.n == 0)
            names[count++] = CONFIG_SETTINGS[i].section;
        else if (str_eq(section, str_from(CONFIG_SETTINGS[i].section)))
            names[count++] = CONFIG_SETTINGS[i].name;
    if (section.n == 0) {
        names[count++] = "datasets";
        names[count++] = "keys";
    }
    struct str near = setting_suggest(a, node->key, names, count);
    return err_set(err, ERR_INVALID,
                   "%" STR_FMT ":%u: there is no setting '%" STR_FMT "%s%" STR_FMT "'%" STR_FMT,
                   STR_ARG(file), node->line, STR_ARG(section), section.n ? "." : "",
                   STR_ARG(node->key), STR_ARG(near));
}

static bool
read_section(struct arena *a, struct str file, const struct yaml_node *section,
             struct config *out, struct err *err)
{
    bool is_known = false;
    for (size_t i = 0; i < CONFIG_SETTINGS_COUNT; i++)
        is_known = is_known || str_eq(section->key, str_from(CONFIG_SETTINGS[i].section));
    if (!is_known)
        return refuse_unknown(a, file, (struct str){0}, section, err);
    if (yaml_is_null(section)) /* all its settings are commented out */
        return true;
    if (section->kind != YAML_MAPPING)
        return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: '%" STR_FMT "' holds settings",
                       STR_ARG(file), section->line, STR_ARG(section->key));
    for (const struct yaml_node *n = section->first; n; n = n->next) {
        size_t at = 0;
        while (at < CONFIG_SETTINGS_COUNT &&
               !(str_eq(section->key, str_from(CONFIG_SETTINGS[at].section)) &&
                 str_eq(n->key, str_from(CONFIG_SETTINGS[at].name))))
            at++;
        if (at == CONFIG_SETTINGS_COUNT)
            return refuse_unknown(a, file, section->key, n, err);
        if (!setting_read(a, &CONFIG_SETTINGS[at], file, n, out, err))
            return false;
    }
    return true;
}

static bool
read_root(struct arena *a, struct str file, const struct yaml_node *root, struct config *out,
          struct err *err)
{
    bool is_empty = yaml_is_null(root); /* a document without content */
    if (root->kind != YAML_MAPPING && !is_empty)
        return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: the file is a mapping of sections",
                       STR_ARG(file), root->line);
    for (const struct yaml_node *n = root->first; n; n = n->next) {
        bool ok = str_eq(n->key, STR("datasets")) ? sections_read_datasets(a, file, n, out, err)
                  : str_eq(n->key, STR("keys"))   ? sections_read_keys(a, file, n, out, err)
                                                  : read_section(a, file, n, out, err);
        if (!ok)
            return false;
    }
    return sections_check(a, file, root, out, err);
}

static struct str
shipped_text(void)
{
    const struct embed_file *file =
        embed_find(EMBED_CONF, EMBED_CONF_COUNT, STR("playmeter.yaml"));
    assert(file);
    return file->text;
}

bool
config_parse(struct arena *a, struct str name, struct str text, struct config *out,
             struct err *err)
{
    struct config config = {.path = arena_str(a, name)};
    const struct yaml_node *root;
    if (!yaml_read(a, name, text, &root, err))
        return false;
    for (size_t i = 0; i < CONFIG_SETTINGS_COUNT; i++)
        setting_use_default(a, &CONFIG_SETTINGS[i], &config);
    if (!read_root(a, config.path, root, &config, err))
        return false;
    if (!yaml_get(root, "datasets")) {
        struct str shipped = STR("playmeter.yaml");
        if (!yaml_read(a, shipped, shipped_text(), &root, err))
            return false;
        const struct yaml_node *datasets = yaml_get(root, "datasets");
        if (datasets && !sections_read_datasets(a, shipped, datasets, &config, err))
            return false;
    }
    *out = config;
    return true;
}

bool
config_load(struct arena *a, const char *path, struct config *out, struct err *err)
{
    if (!path) {
        if (!config_parse(a, STR("playmeter.yaml"), shipped_text(), out, err))
            return false;
        out->path = (struct str){0};
        return true;
    }
    scoped_buf text;
    buf_init(&text, YAML_BYTES_MAX);
    return fs_read_named(&text, path, err) &&
           config_parse(a, str_from(path), buf_str(&text), out, err);
}
