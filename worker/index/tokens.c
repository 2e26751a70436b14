#include "index/tokens.h"

#include "base/utf8.h"

#define DOTTED_CAPITAL_I 0x130
#define DOTTED_CAPITAL_I_BYTES 2

/* The words that TfidfVectorizer(stop_words="english") leaves out, in order. */
static const char STOP_WORDS[] =
    "a about above across after afterwards again against all almost alone along already "
    "also although always am among amongst amoungst amount an and another any anyhow anyone "
    "anything anyway anywhere are around as at back be became because become becomes "
    "becoming been before beforehand behind being below beside besides between beyond bill "
    "both bottom but by call can cannot cant co con could couldnt cry de describe detail do "
    "done down due during each eg eight either eleven else elsewhere empty enough etc even "
    "ever every everyone everything everywhere except few fifteen fifty fill find fire "
    "first five for former formerly forty found four from front full further get give go "
    "had has hasnt have he hence her here hereafter hereby herein hereupon hers herself him "
    "himself his how however hundred i ie if in inc indeed interest into is it its itself "
    "keep last latter latterly least less ltd made many may me meanwhile might mill mine "
    "more moreover most mostly move much must my myself name namely neither never "
    "nevertheless next nine no nobody none noone nor not nothing now nowhere of off often "
    "on once one only onto or other others otherwise our ours ourselves out over own part "
    "per perhaps please put rather re same see seem seemed seeming seems serious several "
    "she should show side since sincere six sixty so some somehow someone something "
    "sometime sometimes somewhere still such system take ten than that the their them "
    "themselves then thence there thereafter thereby therefore therein thereupon these they "
    "thick thin third this those though three through throughout thru thus to together too "
    "top toward towards twelve twenty two un under until up upon us very via was we well "
    "were what whatever when whence whenever where whereafter whereas whereby wherein "
    "whereupon wherever whether which while whither who whoever whole whom whose why will "
    "with within without would yet you your yours yourself yourselves ";

struct str
tokens_stop_words(void)
{
    return (struct str){STOP_WORDS, sizeof(STOP_WORDS) - 1};
}

struct tokens
tokens_of(struct str folded)
{
    struct tokens t = {.rest = folded};
    buf_init(&t.lowered, SIZE_MAX / 2);
    return t;
}

void
tokens_free(struct tokens *t)
{
    buf_free(&t->lowered);
}

enum kind { OTHER, PLAIN, WIDE };

static enum kind
kind_of(char c)
{
    static const unsigned char KINDS[256] = {
        ['0' ... '9'] = PLAIN, ['_'] = PLAIN, ['a' ... 'z'] = PLAIN, [0x80 ... 0xff] = WIDE};
    return KINDS[(unsigned char)c];
}

static size_t
ascii_word_bytes(struct str s)
{
    size_t n = 0;
    while (n < s.n && kind_of(s.p[n]) == PLAIN)
        n++;
    return n;
}

/* Length of the non-ASCII word character that `s` begins with; 0 when there is none. */
static size_t
wide_character(struct str s, bool *is_dotted_i)
{
    if (s.n == 0 || (unsigned char)s.p[0] < 0x80)
        return 0;
    size_t n = utf8_sequence(s);
    uint32_t c = n ? utf8_decode(s.p, n) : 0;
    *is_dotted_i = c == DOTTED_CAPITAL_I;
    return n && utf8_is_word(c) ? n : 0;
}

/* Cuts off the word that `t->rest` begins with; `characters` is its length. */
static struct str
take_word(struct tokens *t, size_t *characters)
{
    struct str at = t->rest;
    size_t bytes = ascii_word_bytes(at), n;
    bool is_dotted_i = false;
    *characters = bytes;
    while (!is_dotted_i && (n = wide_character(str_skip(at, bytes), &is_dotted_i))) {
        size_t plain = is_dotted_i ? 0 : ascii_word_bytes(str_skip(at, bytes + n));
        bytes += n + plain;
        *characters += 1 + plain;
    }
    t->rest = str_skip(at, bytes);
    if (!is_dotted_i)
        return str_slice(at, 0, bytes);
    buf_clear(&t->lowered);
    buf_add(&t->lowered, str_slice(at, 0, bytes - DOTTED_CAPITAL_I_BYTES));
    buf_add_char(&t->lowered, 'i');
    return buf_str(&t->lowered);
}

/* Most words are pure ASCII; only others are read character by character. */
bool
tokens_next(struct tokens *t, struct str *word)
{
    while (t->rest.n) {
        const char *p = t->rest.p, *end = p + t->rest.n;
        while (p < end && kind_of(*p) == OTHER)
            p++;
        const char *begin = p;
        while (p < end && kind_of(*p) == PLAIN)
            p++;
        size_t characters = (size_t)(p - begin);
        *word = (struct str){begin, characters};
        t->rest = (struct str){p, (size_t)(end - p)};
        if (p < end && kind_of(*p) == WIDE) {
            t->rest = (struct str){begin, (size_t)(end - begin)};
            *word = take_word(t, &characters);
            if (characters == 0)
                t->rest = str_skip(t->rest, MAX(utf8_sequence(t->rest), 1));
        }
        if (characters > 1)
            return true;
    }
    return false;
}
