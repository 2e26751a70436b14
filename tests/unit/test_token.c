/* Tokens against what libraries have taken that they should not have, and where the secrets
 * that sign them come from. */
#include "players/token.h"
#include "temp_dir.h"
#include "token_forge.h"

#define NOW_S INT64_C(1770000000)
#define SESSION "0123456789abcdef0123456789abcdef"
#define KEY_A STR("an old secret of thirty-two bytes")
#define KEY_B STR("a new secret of thirty-two bytes.")
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define PAYLOAD_OF(sub, jti, times)                                                            \
    "{\"iss\":\"playmeter\",\"sub\":" sub ",\"jti\":" jti "," times "}"
#define PAYLOAD(times) PAYLOAD_OF("\"7\"", "\"" SESSION "\"", times)
#define TIMES "\"iat\":1770000000,\"exp\":1770003600"

static struct arena arena;
static const struct token_secrets SECRETS = {STR_INIT("an old secret of thirty-two bytes"),
                                             {"", 0}};

static bool
check_at(struct str token, int64_t now_s, struct token_claims *claims, struct err *err)
{
    *err = (struct err){0};
    return token_check(&arena, &SECRETS, STR("playmeter"), token, now_s, claims, err);
}

static void
assert_taken(struct str token, int64_t now_s)
{
    struct err err;
    struct token_claims claims;
    if (!check_at(token, now_s, &claims, &err))
        fail_msg("%" STR_FMT " is refused: %s", STR_ARG(token), err.detail);
    assert_int_equal(claims.player_id, 7);
    assert_string_equal(claims.session_id, SESSION);
}

static void
assert_refused(struct str token, int64_t now_s, const char *code, const char *part_of_detail)
{
    struct err err;
    struct token_claims claims;
    if (check_at(token, now_s, &claims, &err))
        fail_msg("%" STR_FMT " is taken", STR_ARG(token));
    assert_int_equal(err.kind, ERR_UNAUTHORIZED);
    assert_string_equal(err_code(&err), code);
    if (!strstr(err.detail, part_of_detail))
        fail_msg("'%s' does not say '%s'", err.detail, part_of_detail);
}

static void
assert_payload_refused(const char *payload, const char *part_of_detail)
{
    assert_refused(forge(&arena, KEY_A, HEADER, payload), NOW_S, "token_invalid",
                   part_of_detail);
}

static void
a_token_that_was_made_is_taken(void **state UNUSED)
{
    struct token_claims claims = {.player_id = 7,
                                  .session_id = SESSION,
                                  .issued_at_s = NOW_S,
                                  .expires_at_s = NOW_S + 3600};
    struct str token = token_make(&arena, &SECRETS, STR("playmeter"), &claims);
    assert_taken(token, NOW_S);
    assert_taken(forge(&arena, KEY_A, HEADER, PAYLOAD(TIMES)), NOW_S);
    assert_taken(
        forge(&arena, KEY_A, "{\"kid\":\"7\", \"alg\":\"HS256\"}", PAYLOAD(TIMES ",\"x\":[]")),
        NOW_S);
    /* The longest issuer, every byte of it escaped. */
    char issuer[64];
    memset(issuer, '\x01', sizeof(issuer));
    struct str longest =
        token_make(&arena, &SECRETS, (struct str){issuer, sizeof(issuer)}, &claims);
    assert_in_range(longest.n, 1, TOKEN_BYTES_MAX);
}

static void
only_hs256_is_taken(void **state UNUSED)
{
    static const char *const HEADERS[] = {
        "{\"alg\":\"none\"}",  "{\"alg\":\"NONE\"}",   "{\"alg\":\"hs256\"}",
        "{\"alg\":\"HS384\"}", "{\"alg\":\"HS512\"}",  "{\"alg\":\"RS256\"}",
        "{\"alg\":\"ES256\"}", "{\"alg\":\"HS256 \"}", "{\"alg\":[\"HS256\"]}",
        "{\"alg\":256}",       "{\"Alg\":\"HS256\"}",  "{}",
    };
    for (size_t i = 0; i < COUNT_OF(HEADERS); i++) {
        struct str token = forge(&arena, KEY_A, HEADERS[i], PAYLOAD(TIMES));
        assert_refused(token, NOW_S, "token_invalid", "alg is not HS256");
        /* Without a signature, as alg none has it. */
        ptrdiff_t end = (char *)memrchr(token.p, '.', token.n) - token.p;
        assert_refused(str_slice(token, 0, (size_t)end + 1), NOW_S, "token_invalid", "token");
    }
}

static void
a_right_mac_of_another_hash_is_not_taken(void **state UNUSED)
{
    struct str head = arena_printf(
        &arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(forge_encode(&arena, HEADER, strlen(HEADER))),
        STR_ARG(forge_encode(&arena, PAYLOAD(TIMES), strlen(PAYLOAD(TIMES)))));
    unsigned char mac[crypto_auth_hmacsha512_BYTES];
    crypto_auth_hmacsha512_state hmac;
    crypto_auth_hmacsha512_init(&hmac, (const unsigned char *)KEY_A.p, KEY_A.n);
    crypto_auth_hmacsha512_update(&hmac, (const unsigned char *)head.p, head.n);
    crypto_auth_hmacsha512_final(&hmac, mac);
    const size_t sizes[] = {32, 64};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        assert_refused(arena_printf(&arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(head),
                                    STR_ARG(forge_encode(&arena, mac, sizes[i]))),
                       NOW_S, "token_invalid", "token");
}

static void
headers_that_ask_for_more_are_refused(void **state UNUSED)
{
    static const char *const HEADERS[] = {
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"HS256\",\"crit\":[]}",
        "{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}",
        "{\"alg\":\"HS256\",\"b64\":true}",
    };
    for (size_t i = 0; i < COUNT_OF(HEADERS); i++)
        assert_refused(forge(&arena, KEY_A, HEADERS[i], PAYLOAD(TIMES)), NOW_S, "token_invalid",
                       "crit or b64");
    assert_refused(
        forge(&arena, KEY_A, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", PAYLOAD(TIMES)), NOW_S,
        "token_invalid", "typ");
}

static void
json_is_strict_in_both_parts(void **state UNUSED)
{
    static const char *const HEADERS[] = {
        "{\"alg\":\"none\",\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\"} ,",
        "{\"alg\":\"HS256\",}",
        "{'alg':'HS256'}",
        "[\"HS256\"]",
        "\"HS256\"",
        "{\"alg\":\"HS256\\u0000\"}",
    };
    for (size_t i = 0; i < COUNT_OF(HEADERS); i++)
        assert_refused(forge(&arena, KEY_A, HEADERS[i], PAYLOAD(TIMES)), NOW_S, "token_invalid",
                       "header is no JSON object");
    assert_payload_refused(PAYLOAD(TIMES ",\"sub\":\"8\""), "payload is no JSON object");
    assert_payload_refused(PAYLOAD(TIMES) "{}", "payload is no JSON object");
    assert_payload_refused("[]", "payload is no JSON object");
    assert_payload_refused(PAYLOAD(TIMES ",\"x\":NaN"), "payload is no JSON object");
    assert_payload_refused(PAYLOAD(TIMES ",\"x\":\"\xff\""), "payload is no JSON object");
}

/* The last character of a signature carries four bits of it and two that are zero. */
static void
every_other_spelling_of_a_token_is_refused(void **state UNUSED)
{
    static const char DIGITS[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct str token = forge(&arena, KEY_A, HEADER, PAYLOAD(TIMES));
    assert_taken(token, NOW_S);
    for (size_t i = 0; i < sizeof(DIGITS) - 1; i++) {
        struct str other = arena_str(&arena, token);
        ((char *)other.p)[other.n - 1] = DIGITS[i];
        if (!str_eq(other, token))
            assert_refused(other, NOW_S, "token_invalid", "token");
    }
    const struct str added[] = {STR("="), STR(" "), STR("\n"), STR("."), STR("A"), STR("!")};
    for (size_t i = 0; i < COUNT_OF(added); i++) {
        assert_refused(
            arena_printf(&arena, "%" STR_FMT "%" STR_FMT, STR_ARG(token), STR_ARG(added[i])),
            NOW_S, "token_invalid", "three parts");
        assert_refused(
            arena_printf(&arena, "%" STR_FMT "%" STR_FMT, STR_ARG(added[i]), STR_ARG(token)),
            NOW_S, "token_invalid", "token");
    }
    /* The signature is over the text with its padding, and right. */
    struct str padded =
        arena_printf(&arena, "%" STR_FMT "=.%" STR_FMT,
                     STR_ARG(forge_encode(&arena, "{\"alg\":\"HS256\"} ", 16)),
                     STR_ARG(forge_encode(&arena, PAYLOAD(TIMES), strlen(PAYLOAD(TIMES)))));
    assert_refused(forge_text(&arena, KEY_A, padded), NOW_S, "token_invalid", "three parts");
}

static void
each_bit_of_a_token_counts(void **state UNUSED)
{
    struct str token = forge(&arena, KEY_A, HEADER, PAYLOAD(TIMES));
    for (size_t i = 0; i < token.n * 8; i++) {
        struct str other = arena_str(&arena, token);
        ((char *)other.p)[i / 8] ^= (char)(1 << i % 8);
        assert_refused(other, NOW_S, "token_invalid", "token");
    }
    for (size_t n = 0; n < token.n; n++)
        assert_refused(str_slice(token, 0, n), NOW_S, "token_invalid", "token");
    char *long_token = arena_alloc(&arena, TOKEN_BYTES_MAX + 1);
    memset(long_token, 'A', TOKEN_BYTES_MAX + 1);
    assert_refused((struct str){long_token, TOKEN_BYTES_MAX + 1}, NOW_S, "token_invalid",
                   "at most 1024 bytes, got 1025");
}

static void
times_are_whole_seconds(void **state UNUSED)
{
    static const char *const BAD[] = {
        "\"iat\":1770000000",
        "\"exp\":1770003600",
        "\"iat\":\"1770000000\",\"exp\":1770003600",
        "\"iat\":1770000000,\"exp\":\"1770003600\"",
        "\"iat\":1770000000.5,\"exp\":1770003600",
        "\"iat\":1770000000,\"exp\":1.80000000005e9",
        "\"iat\":1770000000,\"exp\":null",
        "\"iat\":1770000000,\"exp\":true",
        "\"iat\":-1,\"exp\":1770003600",
        "\"iat\":1770000000,\"exp\":-1770003600",
        "\"iat\":1770000000,\"exp\":9007199254740993",
        "\"iat\":1770000000,\"exp\":9223372036854775807",
        "\"iat\":1770000000,\"exp\":9223372036854775808",
        "\"iat\":1770000000,\"exp\":99999999999999999999999999",
        "\"iat\":1770000000,\"exp\":1770003600,\"nbf\":\"1770000000\"",
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        assert_payload_refused(arena_printf(&arena, PAYLOAD("%s"), BAD[i]).p,
                               "iat, exp or nbf");
    assert_taken(
        forge(&arena, KEY_A, HEADER, PAYLOAD("\"iat\":1770000000,\"exp\":9007199254740992")),
        NOW_S);
    assert_taken(forge(&arena, KEY_A, HEADER, PAYLOAD("\"iat\":1.77e9,\"exp\":1770003600.0")),
                 NOW_S);
}

/*     iat - 30      iat            exp        exp + 30
 *         |  taken   |    taken     |   taken   |  expired       */
static void
times_have_thirty_seconds_of_play(void **state UNUSED)
{
    struct str token = forge(&arena, KEY_A, HEADER, PAYLOAD(TIMES));
    struct str later = forge(&arena, KEY_A, HEADER,
                             PAYLOAD("\"iat\":0,\"nbf\":1770000000,\"exp\":1770003600"));
    assert_refused(token, NOW_S - 31, "token_invalid", "from the future");
    assert_refused(later, NOW_S - 31, "token_invalid", "from the future");
    assert_taken(token, NOW_S - 30);
    assert_taken(later, NOW_S - 30);
    assert_taken(token, NOW_S + 3600);
    assert_taken(token, NOW_S + 3629);
    assert_refused(token, NOW_S + 3630, "token_expired", "has expired");
}

static void
claims_have_one_form(void **state UNUSED)
{
    static const char *const SUBS[] = {"7",
                                       "\"\"",
                                       "\"0\"",
                                       "\"-7\"",
                                       "\"+7\"",
                                       "\"07\"",
                                       "\"7 \"",
                                       "\"7a\"",
                                       "\"0x7\"",
                                       "\"7.0\"",
                                       "[\"7\"]",
                                       "null",
                                       "\"9223372036854775808\""};
    static const char *const JTIS[] = {"\"\"",
                                       "\"0123456789abcdef0123456789abcde\"",
                                       "\"0123456789abcdef0123456789abcdef0\"",
                                       "\"0123456789ABCDEF0123456789ABCDEF\"",
                                       "\"0123456789abcdef0123456789abcdeg\"",
                                       "null",
                                       "32"};
    for (size_t i = 0; i < COUNT_OF(SUBS); i++)
        assert_payload_refused(
            arena_printf(&arena, PAYLOAD_OF("%s", "\"" SESSION "\"", TIMES), SUBS[i]).p,
            "sub or jti");
    for (size_t i = 0; i < COUNT_OF(JTIS); i++)
        assert_payload_refused(
            arena_printf(&arena, PAYLOAD_OF("\"7\"", "%s", TIMES), JTIS[i]).p, "sub or jti");
    assert_payload_refused("{\"sub\":\"7\",\"jti\":\"" SESSION "\"," TIMES "}", "issuer");
    assert_payload_refused(
        "{\"iss\":\"Playmeter\",\"sub\":\"7\",\"jti\":\"" SESSION "\"," TIMES "}", "issuer");
    assert_payload_refused(
        "{\"iss\":[\"playmeter\"],\"sub\":\"7\",\"jti\":\"" SESSION "\"," TIMES "}", "issuer");
    assert_payload_refused(PAYLOAD(TIMES ",\"aud\":\"playmeter\""), "audience");
}

static void
two_secrets_are_good_while_one_replaces_the_other(void **state UNUSED)
{
    const struct token_secrets old = {KEY_A, {"", 0}}, both = {KEY_B, KEY_A},
                               new = {KEY_B, {"", 0}}, none = {0};
    struct str by_old = forge(&arena, KEY_A, HEADER, PAYLOAD(TIMES));
    struct str by_new = forge(&arena, KEY_B, HEADER, PAYLOAD(TIMES));
    struct str by_none = forge(&arena, STR(""), HEADER, PAYLOAD(TIMES));
    const struct {
        const struct token_secrets *secrets;
        struct str token;
        bool is_good;
    } cases[] = {
        {&old, by_old, true},    {&old, by_new, false},  {&both, by_old, true},
        {&both, by_new, true},   {&new, by_old, false},  {&new, by_new, true},
        {&none, by_none, false}, {&old, by_none, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = {0};
        struct token_claims claims;
        bool is_good = token_check(&arena, cases[i].secrets, STR("playmeter"), cases[i].token,
                                   NOW_S, &claims, &err);
        assert_int_equal(is_good, cases[i].is_good);
        if (!is_good)
            assert_string_equal(err.detail, "the token's signature is not ours");
    }
    struct token_claims claims = {.player_id = 7, .session_id = SESSION};
    assert_true(str_starts(token_make(&arena, &both, STR("playmeter"), &claims),
                           STR("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.")));
}

/* Under either secret every bit of the signature counts. */
static void
every_bit_of_a_signature_is_compared_under_both_secrets(void **state UNUSED)
{
    const struct token_secrets both = {KEY_B, KEY_A};
    const struct str keys[] = {both.current, both.previous};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct str token = forge(&arena, keys[i], HEADER, PAYLOAD(TIMES)), rest = token;
        unsigned char mac[crypto_auth_hmacsha256_BYTES];
        struct err err = {0};
        struct token_claims claims;
        str_cut(&rest, '.');
        str_cut(&rest, '.');
        assert_int_equal(sodium_base642bin(mac, sizeof(mac), rest.p, rest.n, NULL, NULL, NULL,
                                           sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                         0);
        assert_true(token_check(&arena, &both, STR("playmeter"), token, NOW_S, &claims, &err));
        for (size_t bit = 0; bit < 8 * sizeof(mac); bit++) {
            mac[bit / 8] ^= (unsigned char)(1u << bit % 8);
            struct str turned = arena_printf(&arena, "%" STR_FMT "%" STR_FMT,
                                             STR_ARG(str_slice(token, 0, token.n - rest.n)),
                                             STR_ARG(forge_encode(&arena, mac, sizeof(mac))));
            mac[bit / 8] ^= (unsigned char)(1u << bit % 8);
            if (token_check(&arena, &both, STR("playmeter"), turned, NOW_S, &claims, &err))
                fail_msg("secret %zu, bit %zu of the signature turned: taken", i, bit);
            assert_string_equal(err.detail, "the token's signature is not ours");
        }
    }
}

static void
write_file(struct temp_dir *dir, const char *name, struct str text)
{
    struct err err = {0};
    assert_true(fs_replace_file(AT_FDCWD, temp_path(dir, name), text, 0600, &err));
}

static void
assert_secret_refused(const struct config *config, const char *part_of_detail)
{
    struct err err = {0};
    struct token_secrets secrets;
    assert_false(token_read_secrets(&arena, config, &secrets, &err));
    if (!strstr(err.detail, part_of_detail) || strstr(err.detail, "short secret"))
        fail_msg("'%s' does not say '%s', or shows the secret", err.detail, part_of_detail);
}

static void
secrets_come_from_files_the_environment_or_are_made(void **state)
{
    struct temp_dir *dir = *state;
    struct err err = {0};
    struct token_secrets secrets, again;
    struct config config = {.path = str_from(temp_path(dir, "playmeter.yaml")),
                            .data_dir = str_from(dir->path)};
    unsetenv("PLAYMETER_JWT_SECRET");
    unsetenv("PLAYMETER_JWT_SECRET_PREVIOUS");
    assert_secret_refused(&config, "jwt.secret");
    assert_true(token_make_secret(&config, &err));
    assert_true(token_read_secrets(&arena, &config, &secrets, &err));
    assert_int_equal(secrets.current.n, 64);
    assert_int_equal(secrets.previous.n, 0);
    assert_true(token_make_secret(&config, &err)); /* keeps the one that is there */
    assert_true(token_read_secrets(&arena, &config, &again, &err));
    assert_true(str_eq(again.current, secrets.current));

    struct config bare = {.path = config.path}; /* check-config knows no data directory */
    assert_true(token_read_secrets(&arena, &bare, &secrets, &err));
    assert_int_equal(secrets.current.n, 0);

    setenv("PLAYMETER_JWT_SECRET", KEY_B.p, 1);
    setenv("PLAYMETER_JWT_SECRET_PREVIOUS", KEY_A.p, 1);
    assert_true(token_read_secrets(&arena, &config, &secrets, &err));
    assert_true(str_eq(secrets.current, KEY_B) && str_eq(secrets.previous, KEY_A));

    write_file(dir, "new", STR("a secret of thirty-two bytes....\r\n"));
    config.players_secret_file = STR("new"); /* beside the YAML file */
    assert_true(token_read_secrets(&arena, &config, &secrets, &err));
    assert_true(str_eq(secrets.current, STR("a secret of thirty-two bytes....")));
    write_file(dir, "new", STR("a short secret of thirty bytes.\n"));
    assert_secret_refused(&config, "/new: a secret that signs tokens has 32 to 1024 bytes");
    assert_false(token_make_secret(&config, &err));
    config.players_secret_file = STR("absent");
    assert_secret_refused(&config, "/absent");
    config.players_secret_file = STR("");
    setenv("PLAYMETER_JWT_SECRET_PREVIOUS", "short secret", 1);
    assert_secret_refused(&config, "PLAYMETER_JWT_SECRET_PREVIOUS: a secret");
    unsetenv("PLAYMETER_JWT_SECRET");
    unsetenv("PLAYMETER_JWT_SECRET_PREVIOUS");
}

static int
forget(void **state UNUSED)
{
    arena_free(&arena);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_that_was_made_is_taken),
        cmocka_unit_test(only_hs256_is_taken),
        cmocka_unit_test(a_right_mac_of_another_hash_is_not_taken),
        cmocka_unit_test(headers_that_ask_for_more_are_refused),
        cmocka_unit_test(json_is_strict_in_both_parts),
        cmocka_unit_test(every_other_spelling_of_a_token_is_refused),
        cmocka_unit_test(each_bit_of_a_token_counts),
        cmocka_unit_test(times_are_whole_seconds),
        cmocka_unit_test(times_have_thirty_seconds_of_play),
        cmocka_unit_test(claims_have_one_form),
        cmocka_unit_test(two_secrets_are_good_while_one_replaces_the_other),
        cmocka_unit_test(every_bit_of_a_signature_is_compared_under_both_secrets),
        cmocka_unit_test_setup_teardown(secrets_come_from_files_the_environment_or_are_made,
                                        temp_set_up, temp_tear_down),
    };
    return cmocka_run_group_tests_name("token", tests, NULL, forget);
}
