/* Guests' tokens: what was written is read back, and nothing else is read. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cmocka.h>

#include "edge/token.h"

static const struct token_key key = {"0123456789abcdef0123456789abcde"};
static const struct token_key other_key = {"0123456789abcdef0123456789abcdf"};
static const wall_time now = {1790000000123};
static const char player_text[] = "01923456-789a-7bcd-8ef0-123456789abc";

static const char hs256[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
static const char good_claims[] = "{\"iss\":\"quizrush\",\"sub\":\"01923456-789a-7bcd-8ef0-"
                                  "123456789abc\",\"name\":\"Ada\",\"iat\":1790000000}";

static struct token_claims ada(void)
{
    struct token_claims claims = {.name = "Ada"};
    assert_true(id_parse(player_text, ID_TEXT_BYTES, &claims.player));
    return claims;
}

static void write_ada(char ret_token[TOKEN_BYTES_MAX])
{
    struct token_claims claims = ada();
    token_write(&key, &claims, now, ret_token);
}

static bool reads(const char *token, size_t bytes)
{
    struct token_claims claims = {.name = "before"};
    struct token_claims before = claims;
    bool is_read = token_read(&key, token, bytes, &claims);
    if (!is_read) assert_memory_equal(&claims, &before, sizeof claims);
    return is_read;
}

/* --- Tokens that others could make. --- */

static size_t encode(const void *bytes, size_t size, char *to)
{
    int length = EVP_EncodeBlock((unsigned char *)to, bytes, (int)size);
    while (length > 0 && to[length - 1] == '=') length--;
    for (int i = 0; i < length; i++) {
        if (to[i] == '+') to[i] = '-';
        if (to[i] == '/') to[i] = '_';
    }
    to[length] = '\0';
    return (size_t)length;
}

static void sign_with(const char *header, const char *claims, const EVP_MD *digest, char *to)
{
    size_t size = encode(header, strlen(header), to);
    to[size++] = '.';
    size += encode(claims, strlen(claims), to + size);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_size = 0;
    assert_non_null(
        HMAC(digest, key.bytes, TOKEN_KEY_BYTES, (unsigned char *)to, size, mac, &mac_size));
    to[size++] = '.';
    (void)encode(mac, mac_size, to + size);
}

/* Signed with the right key: only what it says can be wrong. */
static bool reads_signed(const char *header, const char *claims)
{
    char token[2 * TOKEN_BYTES_MAX];
    sign_with(header, claims, EVP_sha256(), token);
    return reads(token, strlen(token));
}

static void expect_claims_refused(const char *claims)
{
    if (reads_signed(hs256, claims)) fail_msg("was read: %s", claims);
}

/* --- What is read back. --- */

static void what_was_written_is_read(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    write_ada(token);
    struct token_claims claims;
    assert_true(token_read(&key, token, strlen(token), &claims));
    struct token_claims expected = ada();
    assert_true(id_equal(&claims.player, &expected.player));
    assert_string_equal(claims.name, "Ada");
}

/* Nothing of it is a matter of taste: another program that has the key writes the same. */
static void a_token_is_this_jwt(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    char expected[TOKEN_BYTES_MAX];
    write_ada(token);
    sign_with(hs256,
              "{\"iat\":1790000000,\"iss\":\"quizrush\",\"name\":\"Ada\","
              "\"sub\":\"01923456-789a-7bcd-8ef0-123456789abc\"}",
              EVP_sha256(), expected);
    assert_string_equal(token, expected);
}

static void the_longest_name_is_read_back(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    struct token_claims claims = ada();
    claims.name[0] = '\0';
    for (unsigned i = 0; i < NAME_CHARACTERS_MAX; i++)
        (void)strcat(claims.name, "\xf0\x9f\x98\x80");
    assert_int_equal(strlen(claims.name), NAME_BYTES_MAX);
    token_write(&key, &claims, now, token);
    struct token_claims read;
    assert_true(token_read(&key, token, strlen(token), &read));
    assert_string_equal(read.name, claims.name);
}

static void a_name_of_quotes_is_read_back(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    struct token_claims claims = ada();
    (void)strcpy(claims.name, "\"\\\"{}':,\\u0041\\\"\"\"");
    token_write(&key, &claims, now, token);
    struct token_claims read;
    assert_true(token_read(&key, token, strlen(token), &read));
    assert_string_equal(read.name, claims.name);
}

static void unknown_claims_and_another_order_are_fine(void **state)
{
    (void)state;
    assert_true(reads_signed(hs256, good_claims));
    assert_true(reads_signed("{\"typ\":\"JWT\",\"alg\":\"HS256\",\"kid\":\"1\"}", good_claims));
    assert_true(reads_signed("{\"alg\":\"HS256\"}", good_claims));
    assert_true(reads_signed(hs256, "{\"admin\":true,\"name\":\"Ada\",\"iat\":1,\"x\":[{}],"
                                    "\"sub\":\"01923456-789a-7bcd-8ef0-123456789abc\","
                                    "\"iss\":\"quizrush\"}"));
}

/* --- What is refused: the form. --- */

static void another_keys_token_is_refused(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    struct token_claims claims = ada();
    token_write(&other_key, &claims, now, token);
    assert_false(reads(token, strlen(token)));
}

static void a_token_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    write_ada(token);
    for (size_t size = 0; size < strlen(token); size++) assert_false(reads(token, size));
}

static void a_token_with_any_bit_flipped_is_refused(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    write_ada(token);
    size_t size = strlen(token);
    for (size_t bit = 0; bit < size * 8; bit++) {
        token[bit / 8] = (char)(token[bit / 8] ^ 1 << bit % 8);
        if (reads(token, size)) fail_msg("was read with bit %zu flipped", bit);
        token[bit / 8] = (char)(token[bit / 8] ^ 1 << bit % 8);
    }
    assert_true(reads(token, size));
}

static void anything_behind_a_token_is_refused(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    write_ada(token);
    size_t size = strlen(token);
    assert_false(reads(token, size + 1)); /* The NUL. */
    (void)strcpy(token + size, "=");
    assert_false(reads(token, size + 1));
    (void)strcpy(token + size, "\n");
    assert_false(reads(token, size + 1));
    (void)strcpy(token + size, ".");
    assert_false(reads(token, size + 1));
    (void)strcpy(token + size, ".AAAA");
    assert_false(reads(token, size + 5));
}

static void a_signature_of_another_token_is_refused(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    char other[TOKEN_BYTES_MAX];
    write_ada(token);
    struct token_claims claims = ada();
    (void)strcpy(claims.name, "Bob");
    token_write(&key, &claims, now, other);
    (void)strcpy(strrchr(token, '.'), strrchr(other, '.'));
    assert_false(reads(token, strlen(token)));
}

static void a_token_without_a_signature_is_refused(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    write_ada(token);
    char *signature = strrchr(token, '.');
    signature[1] = '\0';
    assert_false(reads(token, strlen(token)));
    signature[0] = '\0';
    assert_false(reads(token, strlen(token)));
}

static void what_is_no_token_is_refused(void **state)
{
    (void)state;
    assert_false(reads("", 0));
    assert_false(reads(".", 1));
    assert_false(reads("..", 2));
    assert_false(reads("...", 3));
    assert_false(reads("a.b.c", 5));
    assert_false(reads("\xff\xfe.\x80.\x01", 6));
    assert_false(reads("e30.e30.e30", 11)); /* {} thrice. */
}

static void a_token_that_is_too_long_is_refused_however_well_signed(void **state)
{
    (void)state;
    char claims[2 * TOKEN_BYTES_MAX];
    (void)snprintf(
        claims, sizeof claims,
        "{\"iss\":\"quizrush\",\"sub\":\"%s\",\"name\":\"Ada\",\"iat\":1,\"x\":\"%0*d\"}",
        player_text, 400, 0);
    assert_true(reads_signed(hs256, claims));
    (void)snprintf(
        claims, sizeof claims,
        "{\"iss\":\"quizrush\",\"sub\":\"%s\",\"name\":\"Ada\",\"iat\":1,\"x\":\"%0*d\"}",
        player_text, 600, 0);
    assert_false(reads_signed(hs256, claims));
}

/* --- What is refused: the algorithm. --- */

static void no_algorithm_is_refused(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    sign_with("{\"alg\":\"none\"}", good_claims, EVP_sha256(), token);
    assert_false(reads(token, strlen(token)));
    char *signature = strrchr(token, '.');
    signature[1] = '\0';
    assert_false(reads(token, strlen(token)));
    signature[0] = '\0';
    assert_false(reads(token, strlen(token)));
    assert_false(reads_signed("{\"alg\":\"None\"}", good_claims));
    assert_false(reads_signed("{\"alg\":null}", good_claims));
    assert_false(reads_signed("{\"alg\":1}", good_claims));
    assert_false(reads_signed("{\"typ\":\"JWT\"}", good_claims));
    assert_false(reads_signed("{}", good_claims));
    assert_false(reads_signed("", good_claims));
}

static void another_algorithm_is_refused_though_the_key_fits(void **state)
{
    (void)state;
    char token[TOKEN_BYTES_MAX];
    sign_with("{\"alg\":\"HS512\",\"typ\":\"JWT\"}", good_claims, EVP_sha512(), token);
    assert_false(reads(token, strlen(token)));
    sign_with("{\"alg\":\"HS384\",\"typ\":\"JWT\"}", good_claims, EVP_sha384(), token);
    assert_false(reads(token, strlen(token)));
}

static void an_asymmetric_algorithm_is_refused(void **state)
{
    (void)state;
    assert_false(reads_signed("{\"alg\":\"RS256\",\"typ\":\"JWT\"}", good_claims));
    assert_false(reads_signed("{\"alg\":\"ES256\",\"typ\":\"JWT\"}", good_claims));
    assert_false(reads_signed("{\"alg\":\"PS256\",\"typ\":\"JWT\"}", good_claims));
    assert_false(reads_signed("{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", good_claims));
}

static void the_algorithms_name_is_exact(void **state)
{
    (void)state;
    assert_false(reads_signed("{\"alg\":\"hs256\",\"typ\":\"JWT\"}", good_claims));
    assert_false(reads_signed("{\"alg\":\"HS256 \",\"typ\":\"JWT\"}", good_claims));
    assert_false(reads_signed("{\"ALG\":\"HS256\",\"typ\":\"JWT\"}", good_claims));
    assert_false(reads_signed("{\"alg\":\"HS256\",\"typ\":\"JWE\"}", good_claims));
}

/* --- What is refused: the claims. --- */

#define SUB  "\"sub\":\"01923456-789a-7bcd-8ef0-123456789abc\""
#define ISS  "\"iss\":\"quizrush\""
#define NAME "\"name\":\"Ada\""
#define IAT  "\"iat\":1790000000"

static void a_missing_claim_is_refused(void **state)
{
    (void)state;
    assert_true(reads_signed(hs256, "{" ISS "," SUB "," NAME "," IAT "}"));
    expect_claims_refused("{" SUB "," NAME "," IAT "}");
    expect_claims_refused("{" ISS "," NAME "," IAT "}");
    expect_claims_refused("{" ISS "," SUB "," IAT "}");
    expect_claims_refused("{" ISS "," SUB "," NAME "}");
    expect_claims_refused("{}");
}

static void a_claim_of_another_type_is_refused(void **state)
{
    (void)state;
    expect_claims_refused("{\"iss\":1," SUB "," NAME "," IAT "}");
    expect_claims_refused("{\"iss\":[\"quizrush\"]," SUB "," NAME "," IAT "}");
    expect_claims_refused("{" ISS ",\"sub\":1," NAME "," IAT "}");
    expect_claims_refused("{" ISS ",\"sub\":null," NAME "," IAT "}");
    expect_claims_refused("{" ISS "," SUB ",\"name\":true," IAT "}");
    expect_claims_refused("{" ISS "," SUB ",\"name\":{\"name\":\"Ada\"}," IAT "}");
    expect_claims_refused("{" ISS "," SUB "," NAME ",\"iat\":\"1790000000\"}");
    expect_claims_refused("{" ISS "," SUB "," NAME ",\"iat\":1790000000.5}");
    expect_claims_refused("{" ISS "," SUB "," NAME ",\"iat\":-1}");
    expect_claims_refused("{" ISS "," SUB "," NAME ",\"iat\":0}");
    expect_claims_refused("{" ISS "," SUB "," NAME ",\"iat\":99999999999999999999}");
    expect_claims_refused("{" ISS "," SUB "," NAME ",\"iat\":null}");
}

static void another_issuer_is_refused(void **state)
{
    (void)state;
    expect_claims_refused("{\"iss\":\"quizrush2\"," SUB "," NAME "," IAT "}");
    expect_claims_refused("{\"iss\":\"Quizrush\"," SUB "," NAME "," IAT "}");
    expect_claims_refused("{\"iss\":\"\"," SUB "," NAME "," IAT "}");
}

static void a_subject_that_is_no_id_is_refused(void **state)
{
    (void)state;
    expect_claims_refused("{" ISS ",\"sub\":\"\"," NAME "," IAT "}");
    expect_claims_refused("{" ISS ",\"sub\":\"ada\"," NAME "," IAT "}");
    expect_claims_refused("{" ISS ",\"sub\":\"01923456-789a-7bcd-8ef0-123456789abcd\"," NAME "," IAT
                          "}");
    expect_claims_refused("{" ISS ",\"sub\":\"00000000-0000-0000-0000-000000000000\"," NAME "," IAT
                          "}");
}

static void a_name_against_the_limits_is_refused(void **state)
{
    (void)state;
    expect_claims_refused("{" ISS "," SUB ",\"name\":\"\"," IAT "}");
    expect_claims_refused("{" ISS "," SUB ",\"name\":\" Ada\"," IAT "}");
    expect_claims_refused("{" ISS "," SUB ",\"name\":\"A\\nda\"," IAT "}");
    expect_claims_refused("{" ISS "," SUB ",\"name\":\"A\\u0000da\"," IAT "}");
    expect_claims_refused("{" ISS "," SUB ",\"name\":\"A\\u202eda\"," IAT "}");
    expect_claims_refused("{" ISS "," SUB ",\"name\":\"A\xff\"," IAT "}");
    expect_claims_refused("{" ISS "," SUB ",\"name\":\"1234567890123456789012345\"," IAT "}");
}

static void claims_that_are_no_object_are_refused(void **state)
{
    (void)state;
    expect_claims_refused("");
    expect_claims_refused("[]");
    expect_claims_refused("7");
    expect_claims_refused("{" ISS "," SUB "," NAME "," IAT);
    expect_claims_refused("{" ISS "," SUB "," NAME "," IAT "}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_token_is_this_jwt),
        cmocka_unit_test(the_longest_name_is_read_back),
        cmocka_unit_test(a_name_of_quotes_is_read_back),
        cmocka_unit_test(unknown_claims_and_another_order_are_fine),
        cmocka_unit_test(another_keys_token_is_refused),
        cmocka_unit_test(a_token_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_token_with_any_bit_flipped_is_refused),
        cmocka_unit_test(anything_behind_a_token_is_refused),
        cmocka_unit_test(a_signature_of_another_token_is_refused),
        cmocka_unit_test(a_token_without_a_signature_is_refused),
        cmocka_unit_test(what_is_no_token_is_refused),
        cmocka_unit_test(a_token_that_is_too_long_is_refused_however_well_signed),
        cmocka_unit_test(no_algorithm_is_refused),
        cmocka_unit_test(another_algorithm_is_refused_though_the_key_fits),
        cmocka_unit_test(an_asymmetric_algorithm_is_refused),
        cmocka_unit_test(the_algorithms_name_is_exact),
        cmocka_unit_test(a_missing_claim_is_refused),
        cmocka_unit_test(a_claim_of_another_type_is_refused),
        cmocka_unit_test(another_issuer_is_refused),
        cmocka_unit_test(a_subject_that_is_no_id_is_refused),
        cmocka_unit_test(a_name_against_the_limits_is_refused),
        cmocka_unit_test(claims_that_are_no_object_are_refused),
    };
    return cmocka_run_group_tests_name("edge/token", tests, NULL, NULL);
}
