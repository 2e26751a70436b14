/* cracklib's entry point, FascistCheck, assumes that the password is that of this process's
 * user, and reports a missing dictionary as a bad password; so its parts are called here.  It
 * keeps one dictionary open in static memory.  A worker has one thread, and opens and checks
 * the dictionary for each password (a millisecond), because a nightly job of the distribution
 * may rewrite it. */
#include "players/strength.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "players/dictionary.h"
#include "players/password.h"

#include <stddef.h> /* crack.h wants it */

#include <crack.h>
#include <packer.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PASSWORD_BYTES_MAX (PASSWORD_CHARACTERS_MAX * 4)
/* What cracklib examines of a password, NUL included. */
#define JUDGED_BYTES (TRUNCSTRINGSIZE)
/* From this length on, cracklib's five pairs of neighbours are at most a third of the text. */
#define SENTENCE_BYTES_MIN 16
/* Retry-After: an operator has to restore the dictionary, so sooner is useless. */
#define UNCHECKED_RETRY_S 60
/* A disk that loses a file by and by changes no time of it. */
#define LOOK_EVERY_US UINT64_C(60000000)

/* The path for cracklib; its built-in one when the setting is empty. */
static struct str
dictionary_path(const struct config *config)
{
    struct str own = config->players_password_dictionary;
    return own.n ? own : str_from(GetDefaultCracklibDict());
}

static bool
finds(PWDICT *dictionary, char *word, const struct dictionary_sample *sample)
{
    return FindPW(dictionary, word) < sample->word_count;
}

/* The files are checked before cracklib opens them, and then cracklib must find sample words.
 */
static PWDICT *
open_dictionary(const struct config *config, struct err *err)
{
    struct str path = dictionary_path(config);
    char prefix[STRINGSIZE], mode[] = "r";
    struct dictionary_sample sample;
    snprintf(prefix, sizeof(prefix), "%" STR_FMT, STR_ARG(path));
    if (!dictionary_check(prefix, &sample, err))
        return NULL;
    PWDICT *dictionary = PWOpen(prefix, mode);
    if (dictionary && finds(dictionary, sample.first, &sample) &&
        finds(dictionary, sample.middle, &sample) && finds(dictionary, sample.last, &sample))
        return dictionary;
    if (dictionary)
        PWClose(dictionary);
    err_set(err, ERR_INVALID, "cracklib finds no words in %s", prefix);
    return NULL;
}

bool
strength_check_dictionary(const struct config *config, struct err *err)
{
    struct err why = {0};
    if (!config->players_password_check)
        return true;
    PWDICT *dictionary = open_dictionary(config, &why);
    if (dictionary)
        return PWClose(dictionary) == 0;
    return err_set(err, ERR_INVALID,
                   "the dictionary that new passwords are checked with cannot be read (%s): "
                   "install the package cracklib-runtime, name another with "
                   "players.password_dictionary, or set players.password_check: false",
                   why.detail);
}

/* Of the sizes and times of its files, as far as they are there. */
static uint64_t
hash_files(const struct config *config)
{
    static const char *const ENDINGS[] = {"pwd", "pwi", "hwm"};
    struct {
        int64_t bytes, changed_s, changed_ns, inode;
    } files[COUNT_OF(ENDINGS)] = {0};
    scoped_arena a = {0};
    struct stat st;
    for (size_t i = 0; i < COUNT_OF(ENDINGS); i++)
        if (stat(arena_printf(&a, "%" STR_FMT ".%s", STR_ARG(dictionary_path(config)),
                              ENDINGS[i])
                     .p,
                 &st) == 0) {
            files[i].bytes = st.st_size;
            files[i].changed_s = st.st_ctim.tv_sec;
            files[i].changed_ns = st.st_ctim.tv_nsec;
            files[i].inode = (int64_t)st.st_ino;
        }
    return hash_bytes((struct str){(const char *)files, sizeof(files)}, 0);
}

bool
strength_is_dictionary_good(const struct config *config, struct strength_watch *watch)
{
    uint64_t now_us = clock_steady_us(), files = hash_files(config);
    struct err ignored;
    if (watch->looked_us && files == watch->files && now_us - watch->looked_us < LOOK_EVERY_US)
        return watch->is_good;
    bool is_good = strength_check_dictionary(config, &ignored);
    *watch = (struct strength_watch){now_us, files, is_good};
    return is_good;
}

/* Cracklib's messages, recognised by a word in each, and our words for them. */
#define SYSTEMATIC "systematic"
static const struct {
    const char *word, *reason;
} REASONS[] = {
    {"DIFFERENT", "has too few different characters"},
    {"whitespace", "is nothing but blanks"},
    {SYSTEMATIC, "is a row of neighbouring characters, such as 12345678"},
    {"username", "is the username, or nearly"},
    {"reversed", "is a common word or password backwards, or nearly"},
    {"dictionary", "is a common word or password, or nearly"},
};

/* Without a dictionary, weak and good passwords look alike.  `why` names a file: for the log.
 */
static bool
refuse_unchecked(const struct err *why, struct err *err)
{
    err_set_code(err, ERR_BUSY, "password_check_unavailable",
                 "the dictionary of weak passwords cannot be read, so no new one is set: %s",
                 why->detail);
    err->is_private = true;
    err->retry_after_s = UNCHECKED_RETRY_S;
    return false;
}

/* Pairs of neighbours ("st", "on") occur in every longer text, and cracklib allows four
 * whatever the length.  In a sentence they are 10 to 20 %, in a sequence of characters nearly
 * all. */
static bool
is_sentence(const char *password)
{
    size_t n = strlen(password), neighbours = 0;
    for (size_t i = 1; i < n; i++) {
        int step = password[i] - password[i - 1];
        neighbours += step >= -1 && step <= 1;
    }
    return n >= SENTENCE_BYTES_MIN && neighbours < n / 2;
}

/* The reason to refuse the password; NULL: none. */
static const char *
find_reason(PWDICT *dictionary, const char *username, const char *password)
{
    char judged[JUDGED_BYTES];
    snprintf(judged, sizeof(judged), "%s", password);
    const char *verdict = FascistLookUser(dictionary, judged, username, NULL);
    if (!verdict || (strstr(verdict, SYSTEMATIC) && is_sentence(password)))
        return NULL;
    for (size_t i = 0; i < COUNT_OF(REASONS); i++)
        if (strstr(verdict, REASONS[i].word))
            return REASONS[i].reason;
    return "is easy to guess";
}

/* Characters that are left without the username, which may occur in any case and anywhere. */
static size_t
cut_username(struct str username, struct str password, char out[PASSWORD_BYTES_MAX + 1])
{
    size_t n = 0, characters = 0;
    for (size_t i = 0; i < password.n;) {
        if (str_eq_ascii_nocase(str_slice(password, i, i + username.n), username)) {
            i += username.n;
            continue;
        }
        characters += ((unsigned char)password.p[i] & 0xc0) != 0x80;
        out[n++] = password.p[i++];
    }
    out[n] = '\0';
    return characters;
}

static const char *
judge(PWDICT *dictionary, struct str username, struct str password)
{
    char whole[PASSWORD_BYTES_MAX + 1], rest[PASSWORD_BYTES_MAX + 1], name[STRINGSIZE];
    snprintf(whole, sizeof(whole), "%" STR_FMT, STR_ARG(password));
    snprintf(name, sizeof(name), "%" STR_FMT, STR_ARG(username));
    size_t characters = cut_username(username, password, rest);
    if (characters < PASSWORD_CHARACTERS_MIN)
        return "is the username with little beside it";
    const char *reason = find_reason(dictionary, name, whole);
    return reason || strlen(rest) == strlen(whole) ? reason
                                                   : find_reason(dictionary, name, rest);
}

bool
strength_check(const struct config *config, struct str member, struct str username,
               struct str password, struct err *err)
{
    struct err why = {0};
    if (!config->players_password_check)
        return true;
    PWDICT *dictionary = open_dictionary(config, &why);
    if (!dictionary)
        return refuse_unchecked(&why, err);
    const char *reason = judge(dictionary, username, password);
    PWClose(dictionary);
    return !reason ||
           err_set_name(err, ERR_INVALID, "weak_password", member,
                        "this password %s, which is guessed first; a few words in a row are "
                        "good ones",
                        reason);
}
