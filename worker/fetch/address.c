/* Which addresses may be fetched from: those of the public internet, and nothing that could be
 * this machine, its network or its cloud's control plane.
 *
 * IPv4 is nearly all global, so its table lists what is not (IANA's IPv4 special-purpose
 * registry).  IPv6 is the other way round: only 2000::/3 is global unicast (RFC 4291, 2.4), so
 * ULA, link-local, multicast, ::1 and all that is unassigned are out without being listed, and
 * the table lists the exceptions inside.  Addresses that carry an IPv4 address are judged by
 * that one, because that is where a translator or relay sends the packets. */
#include "fetch/fetch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct prefix4 {
    uint8_t bytes[4];
    unsigned bits;
    const char *what;
};

struct prefix6 {
    uint8_t bytes[16];
    unsigned bits;
    const char *what;
};

static const char LOOPBACK[] = "this machine, RFC 1122";
static const char NOT_IP[] = "not an IP address";

static const struct prefix4 REFUSED4[] = {
    {{0}, 8, "this network, RFC 1122"},
    {{10}, 8, "a private network, RFC 1918"},
    {{100, 64}, 10, "a carrier's shared addresses, RFC 6598"},
    {{127}, 8, LOOPBACK},
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

static const struct prefix6 GLOBAL_UNICAST = {{0x20}, 3, "RFC 4291"};

static const struct prefix6 REFUSED6[] = {
    /* Teredo, ORCHID, benchmarking and their kind. */
    {{0x20, 0x01}, 23, "IETF protocol assignments with Teredo, RFC 2928 and RFC 4380"},
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation, RFC 3849"},
    {{0x3f, 0xff}, 20, "documentation, RFC 9637"},
};

/* Where in the IPv6 address the IPv4 address stands. */
struct wrapping {
    struct prefix6 prefix;
    size_t offset;
};

static const struct wrapping WRAPPINGS[] = {
    {{{[10] = 0xff, [11] = 0xff}, 96, "IPv4-mapped, RFC 4291"}, 12},
    {{{0x00, 0x64, 0xff, 0x9b}, 96, "NAT64, RFC 6052"}, 12},
    {{{0x20, 0x02}, 16, "6to4, RFC 3056"}, 2},
};

static bool
has_prefix(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
    if (memcmp(address, prefix, bits / 8) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    unsigned mask = 0xffu << (8 - bits % 8) & 0xff;
    return (address[bits / 8] & mask) == (prefix[bits / 8] & mask);
}

static const char *
refusal4(const uint8_t address[4], bool allows_loopback)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED4); i++) {
        const struct prefix4 *refused = &REFUSED4[i];
        if (!has_prefix(address, refused->bytes, refused->bits))
            continue;
        return allows_loopback && refused->what == LOOPBACK ? NULL : refused->what;
    }
    return NULL;
}

static const char *
refusal6(const uint8_t address[16], bool allows_loopback)
{
    if (memcmp(address, &in6addr_loopback, sizeof(in6addr_loopback)) == 0)
        return allows_loopback ? NULL : LOOPBACK;
    for (size_t i = 0; i < COUNT_OF(WRAPPINGS); i++) {
        const struct prefix6 *prefix = &WRAPPINGS[i].prefix;
        if (has_prefix(address, prefix->bytes, prefix->bits))
            return refusal4(address + WRAPPINGS[i].offset, allows_loopback);
    }
    if (!has_prefix(address, GLOBAL_UNICAST.bytes, GLOBAL_UNICAST.bits))
        return "not global unicast, RFC 4291";
    for (size_t i = 0; i < COUNT_OF(REFUSED6); i++) {
        if (has_prefix(address, REFUSED6[i].bytes, REFUSED6[i].bits))
            return REFUSED6[i].what;
    }
    return NULL;
}

const char *
fetch_address_refusal(const struct sockaddr *address, bool allows_loopback)
{
    /* Copied out: a sockaddr from elsewhere need not be aligned for its family. */
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return refusal4((const uint8_t *)&in.sin_addr, allows_loopback);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        return refusal6(in6.sin6_addr.s6_addr, allows_loopback);
    }
    return NOT_IP;
}
