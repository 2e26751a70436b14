/* The sections of the YAML file that are lists rather than settings (declared datasets, API
 * keys), and the checks of settings beyond the table's bounds. */
#pragma once

#include "base/embed.h"
#include "config/config.h"
#include "config/yaml.h"

extern const struct embed_file EMBED_CONF[]; /* conf/ *.yaml */
extern const size_t EMBED_CONF_COUNT;

MUST_CHECK bool sections_read_datasets(struct arena *a, struct str file,
                                       const struct yaml_node *node, struct config *out,
                                       struct err *err);
MUST_CHECK bool sections_read_keys(struct arena *a, struct str file,
                                   const struct yaml_node *node, struct config *out,
                                   struct err *err);
/* Checks values whose form the table cannot express, most of which are written into nginx's
 * configuration: addresses, origins, the TLS pair, the user, hosts, a time of day, a regular
 * expression.  Also converts hosts that are compared with names to lower case. */
MUST_CHECK bool sections_check(struct arena *a, struct str file, const struct yaml_node *root,
                               struct config *config, struct err *err);
