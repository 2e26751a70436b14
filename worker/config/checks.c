/* Much of what is accepted here is written into nginx's configuration, so each check lists the
 * bytes that are allowed in the value. */
#include "config/sections.h"

#include "base/date.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <regex.h>
#include <stdio.h>

/* regcomp expands counts, and its memory grows with their square: a{1,32767} took 8 GB. */
#define PATTERN_ATOMS_MAX UINT64_C(1000)

static bool
consists_of(struct str s, const char *others)
{
    return s.n > 0 && str_is_alnum(s, others);
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

static bool
is_port(struct str s)
{
    uint64_t port;
    return num_parse_u64(s, &port) && port >= 1 && port <= 65535;
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
refuse_setting(struct str file, const struct yaml_node *root, const char *section,
               const char *name, const char *rule, struct str seen, struct err *err)
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
            return refuse_setting(file, root, "http", "cors_origins",
                                  "a list of origins (scheme://host, with no path) or \"*\"",
                                  origins.items[i], err);
    struct config_list proxies = config->http_trusted_proxies;
    for (size_t i = 0; i < proxies.count; i++)
        if (!is_network(proxies.items[i]))
            return refuse_setting(file, root, "http", "trusted_proxies",
                                  "a list of addresses or networks (10.0.0.0/8)",
                                  proxies.items[i], err);
    struct config_list ports = config->fetch_ports;
    for (size_t i = 0; i < ports.count; i++)
        if (!is_port(ports.items[i]))
            return refuse_setting(file, root, "fetch", "ports",
                                  "a list of ports from 1 to 65535", ports.items[i], err);
    return true;
}

static bool
check_tls(struct str file, const struct yaml_node *root, const struct config *config,
          struct err *err)
{
    struct str certificate = config->http_tls_certificate, key = config->http_tls_key;
    if ((certificate.n == 0) != (key.n == 0))
        return refuse_setting(file, root, "http", certificate.n ? "tls_certificate" : "tls_key",
                              "set together with the other of tls_certificate and tls_key",
                              certificate.n ? certificate : key, err);
    if (certificate.n && (certificate.p[0] != '/' || !consists_of(certificate, "/._-+@")))
        return refuse_setting(file, root, "http", "tls_certificate",
                              "an absolute path of letters, digits and / . _ - + @",
                              certificate, err);
    if (key.n && (key.p[0] != '/' || !consists_of(key, "/._-+@")))
        return refuse_setting(file, root, "http", "tls_key",
                              "an absolute path of letters, digits and / . _ - + @", key, err);
    return true;
}

/* host [ ":" port ], the host as in a URL: a name, an IPv4 address, or an IPv6 address in
 * brackets. */
static bool
is_host(struct str s)
{
    ptrdiff_t end = s.n && s.p[0] == '[' ? str_find_char(s, ']') : -1;
    struct str rest = s, host = {0};
    if (end > 0) {
        host = str_slice(s, 1, (size_t)end);
        rest = str_skip(s, (size_t)end + 1);
        if (rest.n && rest.p[0] != ':')
            return false;
        str_cut(&rest, ':');
    } else {
        host = str_cut(&rest, ':');
    }
    if (rest.p && !is_port(rest))
        return false;
    return end > 0 ? is_address(host) : consists_of(host, ".-") && host.p[0] != '.';
}

static bool
check_players(struct arena *a, struct str file, const struct yaml_node *root,
              struct config *config, struct err *err)
{
    if (str_has_control(config->players_issuer))
        return refuse_setting(file, root, "players", "issuer",
                              "text without control characters", config->players_issuer, err);
    struct config_list hosts = config->players_track_redirect_hosts;
    for (size_t i = 0; i < hosts.count; i++) {
        if (!is_host(hosts.items[i]))
            return refuse_setting(
                file, root, "players", "track_redirect_hosts",
                "a list of hosts (games.example or games.example:8443, with no "
                "scheme and no path)",
                hosts.items[i], err);
        struct str host = hosts.items[i];
        char *lower = arena_alloc(a, host.n + 1);
        for (size_t k = 0; k < host.n; k++)
            lower[k] =
                host.p[k] >= 'A' && host.p[k] <= 'Z' ? (char)(host.p[k] | 0x20) : host.p[k];
        hosts.items[i].p = lower;
    }
    return true;
}

/* Skips the rest of "[" ["^"] ["]"] ... "]" after its first "["; it may contain a class like
 * [:alpha:]. */
static void
skip_bracket(struct str *rest)
{
    *rest = str_skip(*rest, str_starts(*rest, STR("^")) ? 1 : 0);
    *rest = str_skip(*rest, str_starts(*rest, STR("]")) ? 1 : 0);
    while (rest->n && rest->p[0] != ']') {
        bool is_class = str_starts(*rest, STR("[:"));
        ptrdiff_t end = is_class ? str_find(*rest, STR(":]")) : -1;
        *rest = str_skip(*rest, end < 0 ? 1 : (size_t)end + 2);
    }
    *rest = str_skip(*rest, rest->n ? 1 : 0);
}

/* The larger count of {n}, {n,} or {n,m}; its "{" was read. */
static uint64_t
read_count(struct str *rest)
{
    uint64_t low = 1, high = 1;
    struct str counts = str_cut(rest, '}');
    struct str first = str_cut(&counts, ',');
    if (!num_parse_u64(first, &low))
        low = 1;
    if (!num_parse_u64(counts, &high))
        high = 1;
    return MAX(low, high);
}

/* How many atoms an expression has, up to its ")", when counts are expanded; stops counting at
 * PATTERN_ATOMS_MAX + 1. */
static uint64_t
count_atoms(struct str *rest)
{
    uint64_t total = 0, last = 0;
    while (rest->n && total <= PATTERN_ATOMS_MAX) {
        char c = rest->p[0];
        *rest = str_skip(*rest, 1);
        if (c == ')')
            break;
        if (c == '{') {
            uint64_t count = read_count(rest);
            bool fits = count == 0 || last <= PATTERN_ATOMS_MAX / count;
            last = fits ? last * count : PATTERN_ATOMS_MAX + 1;
            continue;
        }
        total += last;
        last = c == '(' ? count_atoms(rest) : 1;
        if (c == '[')
            skip_bracket(rest);
        else if (c == '\\')
            *rest = str_skip(*rest, rest->n ? 1 : 0);
    }
    return MIN(total + last, PATTERN_ATOMS_MAX + 1);
}

/* glibc's regcomp takes a NUL as the end of the pattern. */
static bool
is_pattern(struct arena *a, struct str s)
{
    regex_t compiled;
    struct str rest = s;
    uint64_t atoms = 0;
    while (rest.n && atoms <= PATTERN_ATOMS_MAX)
        atoms += count_atoms(&rest);
    if (atoms > PATTERN_ATOMS_MAX || str_find_char(s, '\0') >= 0 ||
        regcomp(&compiled, arena_cstr(a, s), REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    regfree(&compiled);
    return true;
}

static bool
check_reports(struct arena *a, struct str file, const struct yaml_node *root,
              struct config *config, struct err *err)
{
    struct str at = config->reports_at, pattern = config->reports_receipt_pattern;
    int64_t ms;
    if (at.n && !date_parse_time_of_day(at, &ms))
        return refuse_setting(file, root, "reports", "at", "a time of day from 00:00 to 23:59",
                              at, err);
    if (!is_pattern(a, pattern))
        return refuse_setting(
            file, root, "reports", "receipt_pattern",
            "an extended regular expression (POSIX) of at most 1000 parts once its "
            "counts are written out",
            pattern, err);
    config->output_dir_line = line_of(root, "reports", "output_dir");
    return config_check_output(config, err);
}

bool
sections_check(struct arena *a, struct str file, const struct yaml_node *root,
               struct config *config, struct err *err)
{
    struct str user = config->server_user;
    if (str_eq(user, STR("root")) || str_eq(user, STR("nobody")) || !consists_of(user, "_.-"))
        return refuse_setting(file, root, "server", "user",
                              "a user of its own, not root, not nobody", user, err);
    if (!is_address(config->http_listen))
        return refuse_setting(file, root, "http", "listen", "an IPv4 or IPv6 address",
                              config->http_listen, err);
    return check_lists(file, root, config, err) && check_tls(file, root, config, err) &&
           check_players(a, file, root, config, err) &&
           check_reports(a, file, root, config, err);
}
