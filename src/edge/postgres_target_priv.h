/* Which server, as whom, and how its name becomes addresses.
 *
 * The target is constant once it is made and shared by all shards. A look-up of its host's name is
 * one shard's: glibc does it on a thread of its own (getaddrinfo_a(3)) and it is asked for, never
 * waited for. A path or a numeric address needs none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/assert.h"
#include "edge/postgres_store.h"

enum {
    TARGET_PARAMETERS_MAX = 64,
    TARGET_PASSWORD_BYTES = 1024,
    TARGET_ADDRESSES_MAX = 4,
    TARGET_HOST_BYTES = 256,
    TARGET_ADDRESS_BYTES = 64,
    TARGET_ADDRESSES_BYTES = TARGET_ADDRESSES_MAX * TARGET_ADDRESS_BYTES,
    TARGET_HOSTS_BYTES = TARGET_ADDRESSES_MAX * TARGET_HOST_BYTES,
};

struct target {
    PQconninfoOption *parameters; /* Of the URI. */
    char password[TARGET_PASSWORD_BYTES];
    char host[TARGET_HOST_BYTES]; /* A name that is looked up; "": there is none. */
};

struct addresses {
    char hosts[TARGET_HOSTS_BYTES];         /* The name, once for each; "": as in the URI. */
    char addresses[TARGET_ADDRESSES_BYTES]; /* With commas between them. */
};

struct lookup;

/* 0, or a negative errno after logging why: a password's file that cannot be read. */
QR_MUST_USE int target_init(struct target *target, const struct postgres_store_options *options);
void target_fini(struct target *target);

/* PQconnectStartParams: NULL where memory is short; the caller looks at PQstatus(). */
PGconn *target_connect(const struct target *target, const struct addresses *addresses);

/* Looks the target's host up. NULL where there is nothing to look up, or no memory. */
struct lookup *lookup_begin(const struct target *target);
/* 0, -EINPROGRESS, or what getaddrinfo(3) returns. */
int lookup_result(struct lookup *lookup, struct addresses *ret_addresses);
/* Waits until it is done, at most so long. */
void lookup_wait(struct lookup *lookup, uint32_t at_most_ms);
void lookup_end(struct lookup *lookup); /* NULL is fine. */
