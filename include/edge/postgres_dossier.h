/* Dossiers from a PostgreSQL store, over a connection of their own. Each statement has the options'
 * timeout.
 */
#pragma once

#include "edge/dossier.h"
#include "edge/postgres_store.h"

/* 0 and the dossier, which the caller closes; or a negative errno after logging why. Of the options
 * it takes uri, password_file and timeout_ms. */
QR_MUST_USE int postgres_dossier_open(const struct postgres_store_options *options,
                                      struct dossier **ret_dossier);
