/* Content negotiation (RFC 9110, sections 12.5.1 and 13.1.2): the functions of request.h on
 * Accept, Content-Type, Content-Encoding and If-None-Match. */
#include "base/num.h"
#include "http/request.h"

struct str
request_media_type(const struct request *request)
{
    struct str rest = request->header.content_type;
    struct str type = arena_str(request->arena, str_trim(str_cut(&rest, ';')));
    char *p = (char *)type.p; /* our own copy */
    for (size_t i = 0; i < type.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] | 0x20);
    return type;
}

enum http_coding
request_coding(const struct request *request)
{
    struct str coding = str_trim(request->header.content_encoding);
    if (coding.n == 0 || str_eq_ascii_nocase(coding, STR("identity")))
        return CODING_NONE;
    bool is_gzip =
        str_eq_ascii_nocase(coding, STR("gzip")) || str_eq_ascii_nocase(coding, STR("x-gzip"));
    return is_gzip ? CODING_GZIP : CODING_OTHER;
}

bool
request_matches_etag(const struct request *request, struct str etag)
{
    struct str rest = request->header.if_none_match;
    while (rest.p) {
        struct str tag = str_trim(str_cut(&rest, ','));
        if (str_eq(tag, STR("*")))
            return true;
        if (str_starts(tag, STR("W/")))
            tag = str_skip(tag, 2);
        if (tag.n && str_eq(tag, etag))
            return true;
    }
    return false;
}

struct range {
    struct str type, subtype; /* "*" for any */
    double quality;
};

static struct range
parse_range(struct str text)
{
    struct range range = {.quality = 1};
    struct str type = str_trim(str_cut(&text, ';'));
    range.type = str_cut(&type, '/');
    range.subtype = type;
    while (text.p) {
        struct str value = str_trim(str_cut(&text, ';'));
        struct str name = str_trim(str_cut(&value, '='));
        double q;
        if (str_eq_ascii_nocase(name, STR("q")) && num_parse_f64(str_trim(value), &q))
            range.quality = q;
    }
    return range;
}

/* How specifically the range fits: 0 not at all, 1 any type, 2 any subtype, 3 exactly. */
static int
range_fits(const struct range *range, struct str type, struct str subtype)
{
    if (str_eq(range->type, STR("*")))
        return 1;
    if (!str_eq_ascii_nocase(range->type, type))
        return 0;
    if (str_eq(range->subtype, STR("*")))
        return 2;
    return str_eq_ascii_nocase(range->subtype, subtype) ? 3 : 0;
}

/* The quality of one offer is that of the most specific range that fits it. */
static double
quality_of(struct str accept, const char *offer)
{
    struct str subtype = str_from(offer);
    struct str type = str_cut(&subtype, '/');
    int best_fit = 0;
    double quality = 0;
    while (accept.p) {
        struct range range = parse_range(str_cut(&accept, ','));
        int fit = range_fits(&range, type, subtype);
        if (fit > best_fit) {
            best_fit = fit;
            quality = range.quality;
        }
    }
    return quality;
}

size_t
request_accepts(const struct request *request, const char *const *offers, size_t count)
{
    struct str accept = request->header.accept;
    if (str_trim(accept).n == 0)
        return count ? 0 : SIZE_MAX;
    size_t best = SIZE_MAX;
    double best_quality = 0;
    for (size_t i = 0; i < count; i++) {
        double quality = quality_of(accept, offers[i]);
        if (quality > best_quality) {
            best_quality = quality;
            best = i;
        }
    }
    return best;
}
