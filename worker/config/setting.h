/* One setting: its value out of YAML, checked against its row of the table. */
#pragma once

#include "config/config.h"
#include "config/yaml.h"

/* Writes the field of `setting` in `config`.  `file` stands for the file in messages. */
MUST_CHECK bool setting_read(struct arena *a, const struct config_setting *setting,
                             struct str file, const struct yaml_node *node,
                             struct config *config, struct err *err);
/* The same from the table's default, which is always valid. */
void setting_use_default(struct arena *a, const struct config_setting *setting,
                         struct config *config);
/* A sequence of strings, or one string, or nothing. */
MUST_CHECK bool setting_read_list(struct arena *a, struct str file,
                                  const struct yaml_node *node, struct config_list *out,
                                  struct err *err);
/* "; did you mean 'near'?" where one of the names is near, else "". */
struct str setting_suggest(struct arena *a, struct str wrong, const char *const *names,
                           size_t name_count);
