/* Which addresses may be fetched from: those of the public internet, and nothing that is this
 * machine, its network or its cloud's control plane.
 *
 * An IPv4 address is judged in its IPv4-mapped form (::ffff:a.b.c.d), so that there is one
 * form.  Nearly all of IPv4 is global, so its table lists what is not (IANA's IPv4
 * special-purpose registry).  In IPv6 only 2000::/3 is global unicast (RFC 4291, 2.4), so ULA,
 * link-local, multicast, ::1 and all unassigned addresses are refused without being listed,
 * and the table lists the exceptions inside it.  An address that carries an IPv4 address is
 * judged by that one, because that is where a translator or relay sends the packets. */
#include "fetch/fetch.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#define ADDRESS_BYTES 16

struct prefix {
    uint8_t bytes[ADDRESS_BYTES];
    unsigned bits;
    const char *what;
};

/* Of IPv4-mapped addresses: bytes after the ::ffff: that all share. */
static const struct prefix REFUSED4[] = {
    {{0}, 8, "this network, RFC 1122"},
    {{10}, 8, "a private network, RFC 1918"},
    {{100, 64}, 10, "a carrier's shared addresses, RFC 6598"},
    {{127}, 8, "this machine, RFC 1122"},
    {{168, 63, 129, 16}, 32, "a cloud's control plane, Azure"},
    {{169, 254}, 16, "link-local, RFC 3927"},
    {{172, 16}, 12, "a private network, RFC 1918"},
    {{192, 0, 0}, 24, "IETF protocol assignments, RFC 6890"},
    {{192, 0, 2}, 24, "documentation, RFC 5737"},
    {{192, 31, 196}, 24, "AS112 service, RFC 7535"},
    {{192, 52, 193}, 24, "multicast relays, RFC 7450"},
    {{192, 88, 99}, 24, "6to4 relays, RFC 7526"},
    {{192, 168}, 16, "a private network, RFC 1918"},
    {{192, 175, 48}, 24, "AS112 service, RFC 7534"},
    {{198, 18}, 15, "benchmarking, RFC 2544"},
    {{198, 51, 100}, 24, "documentation, RFC 5737"},
    {{203, 0, 113}, 24, "documentation, RFC 5737"},
    {{224}, 4, "multicast, RFC 5771"},
    {{240}, 4, "reserved, RFC 1112"}, /* the broadcast address too */
};

static const struct prefix GLOBAL_UNICAST = {{0x20}, 3, "RFC 4291"};

static const struct prefix REFUSED6[] = {
    /* Teredo, ORCHID, benchmarking and others. */
    {{0x20, 0x01}, 23, "IETF protocol assignments with Teredo, RFC 2928 and RFC 4380"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation, RFC 3849"},
    {{0x3f, 0xff}, 20, "documentation, RFC 9637"},
};

/* Where an IPv6 address carries an IPv4 address. */
struct wrapping {
    struct prefix prefix;
    size_t offset;
};

static const struct prefix MAPPED = {{[10] = 0xff, [11] = 0xff}, 96, "IPv4-mapped, RFC 4291"};
#define MAPPED_OFFSET 12
static const struct wrapping WRAPPINGS[] = {
    {{{0x00, 0x64, 0xff, 0x9b}, 96, "NAT64, RFC 6052"}, 12},
    {{{0x20, 0x02}, 16, "6to4, RFC 3056"}, 2},
};

static bool
has_prefix(const uint8_t *address, const struct prefix *prefix)
{
    unsigned bits = prefix->bits;
    if (memcmp(address, prefix->bytes, bits / 8) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    unsigned mask = 0xffu << (8 - bits % 8) & 0xff;
    return (address[bits / 8] & mask) == (prefix->bytes[bits / 8] & mask);
}

static const char *
find_listed(const uint8_t *address, const struct prefix *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (has_prefix(address, &list[i]))
            return list[i].what;
    return NULL;
}

static void
map_ipv4(const uint8_t ipv4[4], uint8_t out[ADDRESS_BYTES])
{
    memmove(out + MAPPED_OFFSET, ipv4, 4); /* first: `ipv4` may point into `out` */
    memcpy(out, MAPPED.bytes, MAPPED_OFFSET);
}

/* The IPv6 form; false when it is not an IP address. */
static bool
read_address(const struct sockaddr *address, uint8_t out[ADDRESS_BYTES], in_port_t *port)
{
    /* Copied: a sockaddr from elsewhere need not be aligned for its family. */
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        map_ipv4((const uint8_t *)&in.sin_addr, out);
        *port = ntohs(in.sin_port);
        return true;
    }
    if (address->sa_family != AF_INET6)
        return false;
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof(in6));
    memcpy(out, in6.sin6_addr.s6_addr, ADDRESS_BYTES);
    *port = ntohs(in6.sin6_port);
    for (size_t i = 0; i < COUNT_OF(WRAPPINGS); i++)
        if (has_prefix(out, &WRAPPINGS[i].prefix)) {
            map_ipv4(out + WRAPPINGS[i].offset, out);
            break;
        }
    return true;
}

static bool
is_loopback(const uint8_t address[ADDRESS_BYTES])
{
    if (has_prefix(address, &MAPPED))
        return address[MAPPED_OFFSET] == 127;
    return memcmp(address, &in6addr_loopback, ADDRESS_BYTES) == 0;
}

static const char *
range_refusal(const uint8_t address[ADDRESS_BYTES])
{
    if (has_prefix(address, &MAPPED))
        return find_listed(address + MAPPED_OFFSET, REFUSED4, COUNT_OF(REFUSED4));
    if (memcmp(address, &in6addr_loopback, ADDRESS_BYTES) == 0)
        return "this machine, RFC 4291";
    if (!has_prefix(address, &GLOBAL_UNICAST))
        return "not global unicast, RFC 4291";
    return find_listed(address, REFUSED6, COUNT_OF(REFUSED6));
}

/* Does an interface of this machine have the address now?  True when that cannot be found out.
 */
static bool
is_own(const uint8_t address[ADDRESS_BYTES])
{
    struct ifaddrs *all;
    if (getifaddrs(&all))
        return true;
    bool is_found = false;
    for (const struct ifaddrs *i = all; i && !is_found; i = i->ifa_next) {
        uint8_t own[ADDRESS_BYTES];
        in_port_t unused;
        is_found = i->ifa_addr && read_address(i->ifa_addr, own, &unused) &&
                   memcmp(own, address, ADDRESS_BYTES) == 0;
    }
    freeifaddrs(all);
    return is_found;
}

bool
fetch_port_is_allowed(const struct fetch_policy *policy, unsigned port)
{
    for (size_t i = 0; i < policy->port_count; i++)
        if (policy->ports[i] == port)
            return true;
    return false;
}

const char *
fetch_address_refusal(const struct fetch_policy *policy, const struct sockaddr *address)
{
    uint8_t bytes[ADDRESS_BYTES];
    in_port_t port;
    if (!read_address(address, bytes, &port))
        return "not an IP address";
    if (policy->allows_loopback && is_loopback(bytes))
        return NULL;
    const char *refusal = range_refusal(bytes);
    if (!refusal && is_own(bytes))
        refusal = "this machine's own";
    if (!refusal && !fetch_port_is_allowed(policy, port))
        refusal = "not fetched from on this port";
    return refusal;
}
