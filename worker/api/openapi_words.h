/* What openapi.yaml says, written into /openapi.json.  YAML's plain scalars become what YAML 1.2's
 * core schema says they are; quoted ones stay strings, so that status codes as keys and "true" as an
 * example do too. */
#pragma once

#include "config/yaml.h"
#include "http/router.h"
#include "json/write.h"

struct openapi_writer {
    struct json json;
    struct arena arena;
    const struct yaml_node *root; /* of openapi.yaml */
};

/* As it stands there; but in a schema with x-fields-of the parameters of that route come behind the
 * properties, since its body takes them as fields or members too. */
void openapi_add_node(struct openapi_writer *w, const struct yaml_node *node);
/* The members of a mapping, into an object that has begun. */
void openapi_add_members(struct openapi_writer *w, const struct yaml_node *mapping);
/* {"$ref": "#/components/KIND/NAME"} */
void openapi_add_reference(struct json *j, const char *kind, struct str name);
/* Words that are separated by blanks, as an array. */
void openapi_add_list(struct json *j, const char *key, struct str words);

/* What is said of the route; NULL for nothing. */
const struct yaml_node *openapi_words_of(const struct openapi_writer *w,
                                         const struct route *route);
/* `member` of what is said of a parameter: of the operation, else of all of that name. */
const struct yaml_node *openapi_query_words(const struct openapi_writer *w,
                                            const struct route *route, const char *name,
                                            const char *member);
/* The member `description`: what is said of the parameter, else its help as a sentence. */
void openapi_add_help(struct openapi_writer *w, const struct route *route,
                      const struct route_param *p);
