/* quizrushctl's commands, a file each, and what they share: which store it is, and what is said.
 *
 * Each waits until it is done. What comes out of a store goes to a terminal only after its control
 * characters were replaced. Main thread.
 */
#pragma once

#include "ctl_options.h"
#include "daemon/conf.h"
#include "edge/board.h"
#include "edge/dossier.h"
#include "edge/postgres_store.h"

/* A person waits for it, not a game. */
enum { CTL_POSTGRES_TIMEOUT_MS = 30000 };
enum { CTL_EXIT_USAGE = 2, CTL_PATH_BYTES = CONF_TEXT_BYTES + 32, CTL_NAME_BYTES = 128 };

int ctl_top(const struct ctl_options *options);
int ctl_around(const struct ctl_options *options);
int ctl_history(const struct ctl_options *options);
int ctl_backup(const struct ctl_options *options);
int ctl_export_player(const struct ctl_options *options);
int ctl_replay(const struct ctl_options *options);
int ctl_delete_player(const struct ctl_options *options);
int ctl_move_to_postgresql(const struct ctl_options *options);

/* --- The store. --- */

/* What the options say on top of the configuration. 0, or the exit status after saying why not. */
QR_MUST_USE int ctl_configure(const struct ctl_options *options, struct conf *ret_conf);

/* Whether it is the embedded one; then its file. */
bool ctl_is_embedded(const struct conf *conf, char ret_path[CTL_PATH_BYTES]);

/* Requires: it is not the embedded one. Borrows the configuration's texts. */
struct postgres_store_options ctl_postgres_options(const struct conf *conf);

/* 0, or the exit status after saying why not. The caller closes what it was given. */
QR_MUST_USE int ctl_open_board(const struct ctl_options *options, struct board **ret_board);
QR_MUST_USE int ctl_open_dossier(const struct ctl_options *options, struct dossier **ret_dossier);

/* --- What is said. --- */

/* Says on standard error what is wrong; returns the status. */
int ctl_fail(int status, const char *what);

/* Without control characters; cut to what fits. */
const char *ctl_printable(const char *text, char ret_text[CTL_NAME_BYTES]);

/* Whether all that was printed has arrived: 0, or the exit status after saying that it has not. */
QR_MUST_USE int ctl_flush(void);
