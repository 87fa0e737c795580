/* Guests' tokens: edge/token.h.
 *
 * The first byte says what the others are. `t`: a token. `m`: changes to a valid one. `s`: a header
 * and claims, with a NUL between them, that are signed with the right key. `n`: a name, to be
 * written and read. Whatever is taken was signed, and says what a token of ours can say.
 */
#include <stdbool.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "edge/token.h"
#include "fuzz.h"
#include "proto/name.h"

static const struct token_key key = {"0123456789abcdef0123456789abcde"};
static const struct token_key other_key = {"0123456789abcdef0123456789abcdf"};
static const wall_time now = {1790000000123};
static const struct token_claims ada = {.player = {{0x01, 0x92, [15] = 7}}, .name = "Ada"};

enum {
    UNTOUCHED = 0xa5,
    SIGNATURE_TEXT_BYTES = 43, /* 32 bytes in base64url, without padding. */
};

/* --- The signature, by other code than that of the server. --- */

/* base64url without padding, and a NUL. */
static size_t encode(const void *bytes, size_t size, char *to)
{
    size_t length = (size_t)EVP_EncodeBlock((unsigned char *)to, bytes, (int)size);
    while (length > 0 && to[length - 1] == '=') length--;
    for (size_t i = 0; i < length; i++) {
        if (to[i] == '+') to[i] = '-';
        if (to[i] == '/') to[i] = '_';
    }
    to[length] = '\0';
    return length;
}

static void sign(const char *text, size_t size, char ret_signature[SIGNATURE_TEXT_BYTES + 2])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_size = 0;
    QR_ASSERT(HMAC(EVP_sha256(), key.bytes, TOKEN_KEY_BYTES, (const unsigned char *)text, size, mac,
                   &mac_size) != NULL);
    QR_ASSERT(encode(mac, mac_size, ret_signature) == SIGNATURE_TEXT_BYTES);
}

static bool is_signed(const char *token, size_t size)
{
    if (size <= SIGNATURE_TEXT_BYTES) return false;
    size_t signed_bytes = size - SIGNATURE_TEXT_BYTES - 1;
    if (token[signed_bytes] != '.') return false;
    char signature[SIGNATURE_TEXT_BYTES + 2];
    sign(token, signed_bytes, signature);
    return memcmp(token + signed_bytes + 1, signature, SIGNATURE_TEXT_BYTES) == 0;
}

/* --- Reading. --- */

static void check_claims(const struct token_claims *claims)
{
    QR_ASSERT(!id_is_none(&claims->player));
    char name[NAME_BYTES_MAX + 1];
    QR_ASSERT(name_normalise(claims->name, strlen(claims->name), name));
    QR_ASSERT(strcmp(name, claims->name) == 0);
}

static bool check_token(const char *token, size_t size, struct token_claims *ret_claims)
{
    struct token_claims untouched;
    memset(&untouched, UNTOUCHED, sizeof untouched);
    struct token_claims claims = untouched;
    QR_ASSERT(!token_read(&other_key, token, size, &claims));
    bool is_read = token_read(&key, token, size, &claims);
    if (!is_read) {
        QR_ASSERT(memcmp(&claims, &untouched, sizeof claims) == 0);
        return false;
    }
    QR_ASSERT(size < TOKEN_BYTES_MAX && is_signed(token, size));
    check_claims(&claims);
    *ret_claims = claims;
    return true;
}

static void check_round_trip(const struct token_claims *claims)
{
    char token[TOKEN_BYTES_MAX];
    struct token_claims again;
    token_write(&key, claims, now, token);
    QR_ASSERT(check_token(token, strlen(token), &again));
    QR_ASSERT(id_equal(&again.player, &claims->player));
    QR_ASSERT(strcmp(again.name, claims->name) == 0);
}

/* --- What the bytes are. --- */

static void take_token(const uint8_t *bytes, size_t size)
{
    struct token_claims claims;
    if (check_token((const char *)bytes, size, &claims)) check_round_trip(&claims);
}

/* Pairs of a place and what is added to its byte; a place beyond the end cuts there. */
static void take_changes(const uint8_t *bytes, size_t size)
{
    char valid[TOKEN_BYTES_MAX], changed[TOKEN_BYTES_MAX];
    token_write(&key, &ada, now, valid);
    size_t length = strlen(valid);
    memcpy(changed, valid, length + 1);
    for (size_t i = 0; i + 1 < size; i += 2) {
        if (bytes[i] >= length) {
            length = bytes[i + 1] < length ? bytes[i + 1] : length;
        } else {
            changed[bytes[i]] = (char)(changed[bytes[i]] + bytes[i + 1]);
        }
    }
    struct token_claims claims;
    bool is_read = check_token(changed, length, &claims);
    bool is_as_written = length == strlen(valid) && memcmp(changed, valid, length) == 0;
    QR_ASSERT(is_read == is_as_written);
}

static void take_signed(const uint8_t *bytes, size_t size)
{
    const uint8_t *nul = memchr(bytes, '\0', size);
    if (nul == NULL || size > TOKEN_BYTES_MAX) return;
    size_t header_bytes = (size_t)(nul - bytes);
    char token[2 * TOKEN_BYTES_MAX + SIGNATURE_TEXT_BYTES];
    size_t length = encode(bytes, header_bytes, token);
    token[length++] = '.';
    length += encode(nul + 1, size - header_bytes - 1, token + length);
    char signature[SIGNATURE_TEXT_BYTES + 2];
    sign(token, length, signature);
    token[length++] = '.';
    memcpy(token + length, signature, SIGNATURE_TEXT_BYTES);
    take_token((const uint8_t *)token, length + SIGNATURE_TEXT_BYTES);
}

static void take_name(const uint8_t *bytes, size_t size)
{
    struct token_claims claims = ada;
    if (name_normalise((const char *)bytes, size, claims.name)) check_round_trip(&claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0) return 0;
    if (bytes[0] == 't') take_token(bytes + 1, size - 1);
    if (bytes[0] == 'm') take_changes(bytes + 1, size - 1);
    if (bytes[0] == 's') take_signed(bytes + 1, size - 1);
    if (bytes[0] == 'n') take_name(bytes + 1, size - 1);
    return 0;
}
