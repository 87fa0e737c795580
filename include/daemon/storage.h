/* The store that the configuration names. */
#pragma once

#include "daemon/conf.h"
#include "edge/store.h"

/* False for `none`: then there is no journal either. */
bool storage_keeps(const struct conf *conf);

/* `wake` may be NULL where nothing is asked of the store. 0, or a negative errno after logging what
 * is wrong. */
QR_MUST_USE int storage_open(const struct conf *conf, store_wake *wake, void *wake_context,
                             struct store **ret_store);

/* The memory that it takes at most, beside a library's own. */
size_t storage_bytes(const struct conf *conf);

/* Brings its schema up to date: 0, or a negative errno after logging what is wrong. */
QR_MUST_USE int storage_migrate(const struct conf *conf);
