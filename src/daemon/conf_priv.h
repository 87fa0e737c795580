/* What the file and --set have in common: one way to take a value, one form of a problem.
 *
 * Private to conf.c and conf_file.c.
 */
#pragma once

#include "conf_keys_priv.h"
#include "daemon/conf.h"

enum { CONF_SHOWN_BYTES = 64 }; /* Of a wrong value or key, in a problem. */

/* Parses `value` for `key`, checks it and stores it. `place` says where it stands: "FILE:LINE", or
 * "--set". False: nothing was changed. */
QR_MUST_USE bool conf_assign(struct conf *conf, const struct conf_key *key, const char *value,
                             const char *place, struct conf_problem *reterr_problem);

/* Writes a problem; control characters become '?'. */
__attribute__((format(printf, 2, 3))) void conf_complain(struct conf_problem *problem,
                                                         const char *format, ...);

/* The problem of a name that is no key, with the key that may have been meant. */
void conf_complain_unknown(struct conf_problem *problem, const char *place, const char *name);
