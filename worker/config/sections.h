/* The parts of the YAML file that are lists of their own rather than settings: declared
 * datasets and API keys; and the checks that look at more than one setting. */
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
/* Values whose form the table cannot say, most of them bound for nginx's own file: addresses,
 * origins, the TLS pair, the user; hosts, a time of day, a regular expression.  Hosts that
 * names are compared with are put in lower case. */
MUST_CHECK bool sections_check(struct arena *a, struct str file, const struct yaml_node *root,
                               struct config *config, struct err *err);
