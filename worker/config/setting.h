/* Reads one setting from YAML and checks it against its row of the table. */
#pragma once

#include "config/config.h"
#include "config/yaml.h"

/* Sets the field of `setting` in `config`.  `file` is the file's name in messages. */
MUST_CHECK bool setting_read(struct arena *a, const struct config_setting *setting,
                             struct str file, const struct yaml_node *node,
                             struct config *config, struct err *err);
/* Sets the field to the table's default, which is always valid. */
void setting_use_default(struct arena *a, const struct config_setting *setting,
                         struct config *config);
/* Reads a sequence of strings, one string, or nothing. */
MUST_CHECK bool setting_read_list(struct arena *a, struct str file,
                                  const struct yaml_node *node, struct config_list *out,
                                  struct err *err);
/* "; did you mean 'near'?" when one of the names is near `wrong`, else "". */
struct str setting_suggest(struct arena *a, struct str wrong, const char *const *names,
                           size_t name_count);
