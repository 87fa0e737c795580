/* Guests' tokens: a JWT (RFC 7519, HS256) that names a player, so that a guest comes back as the
 * same one another day.
 *
 * Signed with a key of 256 bits in data_dir, made at the first start, mode 0600. A token proves who
 * a player is, not what it has: rating and history are the store's. It carries the name for guests
 * who have finished no match yet and are not in the store. Any thread, once loaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/time.h"

enum { TOKEN_BYTES_MAX = 768, TOKEN_KEY_BYTES = 32 };

struct token_claims {
    struct id player;
    char name[NAME_BYTES_MAX + 1];
};

struct token_key {
    unsigned char bytes[TOKEN_KEY_BYTES];
};

/* Reads the key, or makes one where the file is missing. 0 or a negative errno after logging what
 * is wrong: a file of another length, one that others may read, an unwritable directory. Main
 * thread, at start. */
QR_MUST_USE int token_key_load(const char *path, struct token_key *ret_key);

/* Writes a token and a NUL. */
void token_write(const struct token_key *key, const struct token_claims *claims, wall_time now,
                 char ret_token[TOKEN_BYTES_MAX]);

/* False, and nothing written, where the token is not one of ours: bad form, another algorithm
 * ("none" and asymmetric ones included), a bad signature, missing, extra-long or ill-typed claims,
 * a name against the limits. */
QR_MUST_USE bool token_read(const struct token_key *key, const char *token, size_t bytes,
                            struct token_claims *ret_claims);
