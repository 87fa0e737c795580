/* The configuration: one table of keys gives parsing, bounds, defaults, the reload flag and the
 * description.
 *
 * A file of lines `key = value` (libconfuse's form: # for comments, quotes around text with
 * spaces), then --set key=value on top, in order. A wrong key or value names file, line, key and
 * what would be right, and nothing is taken. Modules get the values they need as structs of their
 * own; none of them knows this file.
 *
 * Main thread, before the workers start. A file of at most CONF_FILE_BYTES_MAX; memory is the
 * caller's, but for the file's text while it is read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/assert.h"

enum {
    CONF_TEXT_BYTES = 256, /* With the NUL. */
    CONF_PROBLEM_BYTES = 512,
    CONF_FILE_BYTES_MAX = 65536,
    CONF_CONNECTIONS_MAX = 100000, /* docs/operations.md, Open files. */
};

struct conf {
    char address[CONF_TEXT_BYTES];
    char admin_address[CONF_TEXT_BYTES];
    char data_dir[CONF_TEXT_BYTES];
    char store[CONF_TEXT_BYTES];
    char store_password_file[CONF_TEXT_BYTES];
    char questions[CONF_TEXT_BYTES];
    char trusted_proxies[CONF_TEXT_BYTES];
    char log_level[CONF_TEXT_BYTES];
    uint32_t port;
    uint32_t admin_port;
    uint32_t workers;
    uint32_t max_connections;
    uint32_t max_half_open;
    uint32_t admit_lag_ms;
    uint32_t hello_timeout_ms;
    uint32_t match_rounds;
    uint32_t match_start_ms;
    uint32_t round_time_ms;
    uint32_t reveal_time_ms;
    uint32_t reconnect_grace_ms;
    uint32_t close_slack_ms;
    uint32_t match_queue_slots;
    uint32_t mailbox_bytes;
    uint32_t store_queue_slots;
    uint32_t journal_segment_mb;
    uint32_t journal_max_mb;
    uint32_t keep_matches_days;
    uint32_t keep_answers_days;
    uint32_t store_connections;
    uint32_t store_timeout_ms;
    uint32_t rating_tau_milli;
    uint32_t rtt_credit_max_ms;
    uint32_t ended_keep_ms;
    uint32_t rematch_ms;
    uint32_t ping_ms;
    uint32_t match_ping_ms;
    uint32_t send_timeout_ms;
    uint32_t message_rate;
    uint32_t message_burst;
};

/* One line without control characters and without the program's name: "FILE:LINE: KEY: what is
 * wrong and what would be right". */
struct conf_problem {
    char text[CONF_PROBLEM_BYTES];
};

/* The defaults. */
void conf_init(struct conf *conf);

/* Reads a file on top of what is there; a key may stand in it once. False: nothing was changed. */
QR_MUST_USE bool conf_read_file(struct conf *conf, const char *path,
                                struct conf_problem *reterr_problem);

/* `assignment` is "key=value", from --set. False: nothing was changed. */
QR_MUST_USE bool conf_set(struct conf *conf, const char *assignment,
                          struct conf_problem *reterr_problem);

/* What one key cannot see: values that contradict each other, and what the machine allows.
 * Resolves the values that mean "by itself": workers 0, max_connections 0. `files_max` is the limit
 * on open files (RLIMIT_NOFILE). False: nothing was changed. Requires: cores > 0. */
QR_MUST_USE bool conf_resolve(struct conf *conf, uint64_t files_max, unsigned cores,
                              struct conf_problem *reterr_problem);

/* The files that the process may hold: players' connections, those kept for who comes back, those whose head has not
 * come, and its own. Requires: resolved. */
uint64_t conf_files_needed(const struct conf *conf);

/* The connections that each worker has room for. Requires: resolved. */
uint32_t conf_sessions_max(const struct conf *conf);

/* Prints every key with its value and description, in the file's own form. Before conf_resolve it
 * reads back as what was written; after it, "by itself" is gone. */
void conf_print(const struct conf *conf, FILE *out);

/* The same with the defaults, each behind a '#': config/quizrushd.conf. */
void conf_print_sample(FILE *out);

/* Prints every key as a row of a Markdown table: name, default, values, whether reload takes it,
 * description. */
void conf_print_table(FILE *out);
