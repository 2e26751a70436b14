/* libsodium chooses the salt, writes its parameters into the string and compares in constant
 * time.  What is added here: a limit on how many run at once, and that an account that does not
 * exist costs as much as one that does. */
#include "players/password.h"

#include "base/fs.h"
#include "base/utf8.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARGON_BYTES (19 * MIB)
#define ARGON_PASSES 2
#define SLOTS_FILE "run/hash.slots"

static_assert(PASSWORD_HASH_BYTES_MAX == crypto_pwhash_STRBYTES, "libsodium's own size");

/* Half of the pool is left to earn and spend, even when there are more cores than workers. */
static unsigned
count_slots(const struct config *config)
{
    long cpus = MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
    uint64_t wanted = config->players_hashes_per_core * (uint64_t)cpus;
    return (unsigned)MAX(MIN(wanted, config->workers_play / 2), 1);
}

bool
password_open(const struct config *config, struct password_hasher *out, struct err *err)
{
    if (sodium_init() < 0)
        return err_set(err, ERR_INTERNAL, "libsodium could not be started");
    scoped_arena a = {0};
    const char *path =
        arena_printf(&a, "%" STR_FMT "/" SLOTS_FILE, STR_ARG(config->data_dir)).p;
    *out = (struct password_hasher){.slots.fd = -1};
    return slots_open(path, count_slots(config), &out->slots, err);
}

void
password_close(struct password_hasher *hasher)
{
    slots_close(&hasher->slots);
}

static bool
refuse_form(struct str member, const char *rule, struct err *err)
{
    return err_set_name(err, ERR_INVALID, "bad_password", member, "a password %s", rule);
}

bool
password_check_form(struct str member, struct str password, struct err *err)
{
    size_t characters = 0;
    for (struct str rest = password; rest.n; characters++) {
        size_t n = utf8_sequence(rest);
        if (n == 0)
            return refuse_form(member, "is UTF-8 text", err);
        /* Argon2 accepts a NUL, but nobody can type it. */
        if (rest.p[0] == '\0')
            return refuse_form(member, "has no NUL in it", err);
        rest = str_skip(rest, n);
    }
    return (characters >= PASSWORD_CHARACTERS_MIN && characters <= PASSWORD_CHARACTERS_MAX) ||
           err_set_name(err, ERR_INVALID, "bad_password", member,
                        "a password has %d to %d characters, got %zu", PASSWORD_CHARACTERS_MIN,
                        PASSWORD_CHARACTERS_MAX, characters);
}

bool
password_hold(struct password_hasher *hasher, struct err *err)
{
    assert(!hasher->is_held);
    hasher->slot = slots_take(&hasher->slots);
    hasher->is_held = hasher->slot >= 0;
    return hasher->is_held ||
           err_set_code(err, ERR_BUSY, "hashing_busy",
                        "%u passwords are being hashed already; try again in a second",
                        hasher->slots.count);
}

void
password_release(struct password_hasher *hasher)
{
    assert(hasher->is_held);
    slots_give(&hasher->slots, hasher->slot);
    hasher->is_held = false;
}

/* libsodium reports a lack of memory like a wrong password, which would refuse the right one.
 */
static bool
has_memory(void)
{
    size_t bytes = ARGON_BYTES + MIB;
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return room != MAP_FAILED && munmap(room, bytes) == 0;
}

static bool
refuse_memory(struct err *err)
{
    return err_set(err, ERR_BUSY, "there is no memory to hash a password");
}

bool
password_hash(struct password_hasher *hasher, struct str password,
              char out[PASSWORD_HASH_BYTES_MAX], struct err *err)
{
    if (!password_hold(hasher, err))
        return false;
    hasher->hash_count++;
    int failed = crypto_pwhash_str_alg(out, password.p, password.n, ARGON_PASSES, ARGON_BYTES,
                                       crypto_pwhash_ALG_ARGON2ID13);
    password_release(hasher);
    return !failed || refuse_memory(err);
}

bool
password_verify(struct password_hasher *hasher, struct str hash, struct str password,
                bool *is_right, struct err *err)
{
    char stored[PASSWORD_HASH_BYTES_MAX];
    struct str text = hash.n ? hash : STR(PASSWORD_OF_NOBODY);
    if (text.n >= sizeof(stored))
        return err_set(err, ERR_INTERNAL, "a stored password hash has %zu bytes", text.n);
    snprintf(stored, sizeof(stored), "%" STR_FMT, STR_ARG(text));
    assert(hasher->is_held);
    if (!has_memory())
        return refuse_memory(err);
    hasher->hash_count++;
    bool fits = crypto_pwhash_str_verify(stored, password.p, password.n) == 0;
    *is_right = fits && hash.n;
    return true;
}
