/* See sections_check.  What is let through here is pasted into nginx's configuration, so each
 * check names the bytes that may stand in the value. */
#include "config/sections.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool
consists_of(struct str s, const char *others)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_alnum =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c == '\0' || (!is_alnum && !strchr(others, c)))
            return false;
    }
    return s.n > 0;
}

static bool
is_address(struct str s)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (s.n >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%" STR_FMT, STR_ARG(s));
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* address [ "/" prefix length ] */
static bool
is_network(struct str s)
{
    struct str rest = s;
    struct str address = str_cut(&rest, '/');
    bool has_length = address.n != s.n;
    return is_address(address) && (!has_length || (consists_of(rest, "") && rest.n <= 3));
}

/* scheme "://" host [ ":" port ], or "*" */
static bool
is_origin(struct str s)
{
    if (str_eq(s, STR("*")))
        return true;
    size_t scheme = str_starts(s, STR("https://")) ? 8 : str_starts(s, STR("http://")) ? 7 : 0;
    return scheme && consists_of(str_skip(s, scheme), ".:[]-");
}

static unsigned
line_of(const struct yaml_node *root, const char *section, const char *name)
{
    const struct yaml_node *node = yaml_get(root, section);
    node = node ? yaml_get(node, name) : NULL;
    return node ? node->line : 1;
}

static bool
refuse(struct str file, const struct yaml_node *root, const char *section, const char *name,
       const char *rule, struct str seen, struct err *err)
{
    return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: %s.%s is %s, got '%" STR_FMT "'",
                   STR_ARG(file), line_of(root, section, name), section, name, rule,
                   STR_ARG(seen));
}

static bool
check_lists(struct str file, const struct yaml_node *root, const struct config *config,
            struct err *err)
{
    struct config_list origins = config->http_cors_origins;
    for (size_t i = 0; i < origins.count; i++)
        if (!is_origin(origins.items[i]))
            return refuse(file, root, "http", "cors_origins",
                          "a list of origins (scheme://host, with no path) or \"*\"",
                          origins.items[i], err);
    struct config_list proxies = config->http_trusted_proxies;
    for (size_t i = 0; i < proxies.count; i++)
        if (!is_network(proxies.items[i]))
            return refuse(file, root, "http", "trusted_proxies",
                          "a list of addresses or networks (10.0.0.0/8)", proxies.items[i],
                          err);
    return true;
}

static bool
check_tls(struct str file, const struct yaml_node *root, const struct config *config,
          struct err *err)
{
    struct str certificate = config->http_tls_certificate, key = config->http_tls_key;
    if ((certificate.n == 0) != (key.n == 0))
        return refuse(file, root, "http", certificate.n ? "tls_certificate" : "tls_key",
                      "set together with the other of tls_certificate and tls_key",
                      certificate.n ? certificate : key, err);
    if (certificate.n && (certificate.p[0] != '/' || !consists_of(certificate, "/._-+@")))
        return refuse(file, root, "http", "tls_certificate",
                      "an absolute path of letters, digits and / . _ - + @", certificate, err);
    if (key.n && (key.p[0] != '/' || !consists_of(key, "/._-+@")))
        return refuse(file, root, "http", "tls_key",
                      "an absolute path of letters, digits and / . _ - + @", key, err);
    return true;
}

bool
sections_check(struct str file, const struct yaml_node *root, const struct config *config,
               struct err *err)
{
    struct str user = config->server_user;
    if (str_eq(user, STR("root")) || str_eq(user, STR("nobody")) || !consists_of(user, "_.-"))
        return refuse(file, root, "server", "user", "a user of its own, not root, not nobody",
                      user, err);
    if (!is_address(config->http_listen))
        return refuse(file, root, "http", "listen", "an IPv4 or IPv6 address",
                      config->http_listen, err);
    return check_lists(file, root, config, err) && check_tls(file, root, config, err);
}
