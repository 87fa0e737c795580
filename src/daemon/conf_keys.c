#include "conf_keys_priv.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "edge/postgres_uri.h"
#include "edge/proxies.h"

static bool is_address(const char *text)
{
    struct in6_addr address;
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_path(const char *text)
{
    return text[0] != '\0';
}

static bool is_store(const char *text)
{
    char problem[CONF_TEXT_BYTES];
    return strcmp(text, "sqlite") == 0 || strcmp(text, "none") == 0 ||
           postgres_uri_check(text, problem, sizeof(problem));
}

/* Without the text: there may be a password in it. */
static void explain_store(const char *text, char *ret_problem, size_t size)
{
    bool is_uri = strncmp(text, "postgres", 8) == 0 && strstr(text, "://") != NULL;
    if (is_uri && postgres_uri_check(text, ret_problem, size)) return;
    if (!is_uri)
        (void)snprintf(ret_problem, size, "neither sqlite nor none nor a URI postgresql://...");
}

static bool is_any(const char *text)
{
    (void)text;
    return true;
}

static bool is_log_level(const char *text)
{
    return strcmp(text, "error") == 0 || strcmp(text, "warning") == 0 ||
           strcmp(text, "info") == 0 || strcmp(text, "debug") == 0;
}

static bool is_proxies(const char *text)
{
    struct proxies proxies;
    struct proxies_problem problem;
    return proxies_parse(text, &proxies, &problem);
}

static void explain_proxies(const char *text, char *ret_problem, size_t size)
{
    struct proxies proxies;
    struct proxies_problem problem = {""};
    if (proxies_parse(text, &proxies, &problem)) return;
    (void)snprintf(ret_problem, size, "%s", problem.text); /* Cut is fine. */
}

static bool is_power_of_two(uint32_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

/* The description of match_queue_slots has these figures. */
_Static_assert(MATCH_RESERVED_SLOTS == 12 && CLIENT_EVENTS_PER_PLAYER == 2 &&
                   MATCH_PLAYERS_MAX == 2 && MATCH_QUEUE_SLOTS_MIN == 16,
               "the row of match_queue_slots says other figures");

/* A row whose kind is not its field's does not compile. */
#define NUMBER_AT(key) _Generic(((struct conf *)0)->key, uint32_t : offsetof(struct conf, key))
#define TEXT_AT(key)   _Generic(((struct conf *)0)->key, char * : offsetof(struct conf, key))

#define NUMBER(key, min, max, default_, reload, what_)                                             \
    {                                                                                              \
        .name = #key, .kind = CONF_NUMBER, .is_reloadable = (reload), .offset = NUMBER_AT(key),    \
        .number_min = (min), .number_max = (max), .number_default = (default_), .what = (what_)    \
    }
#define NUMBER_OF(key, min, max, default_, reload, is_right, wanted_, what_)                       \
    {                                                                                              \
        .name = #key, .kind = CONF_NUMBER, .is_reloadable = (reload), .offset = NUMBER_AT(key),    \
        .number_min = (min), .number_max = (max), .number_default = (default_),                    \
        .is_number_right = (is_right), .wanted = (wanted_), .what = (what_)                        \
    }
#define TEXT(key, default_, reload, is_right, wanted_, what_)                                      \
    {                                                                                              \
        .name = #key, .kind = CONF_TEXT, .is_reloadable = (reload), .offset = TEXT_AT(key),        \
        .text_default = (default_), .is_text_right = (is_right), .wanted = (wanted_),              \
        .what = (what_)                                                                            \
    }

#define TEXT_LIST(key, default_, reload, is_right, explain, wanted_, what_)                        \
    {                                                                                              \
        .name = #key, .kind = CONF_TEXT, .is_reloadable = (reload), .offset = TEXT_AT(key),        \
        .text_default = (default_), .is_text_right = (is_right), .explain_text = (explain),        \
        .wanted = (wanted_), .what = (what_)                                                       \
    }

/* clang-format off */
const struct conf_key conf_keys[CONF_KEY_COUNT] = {
    /* Who may connect, and where. */
    TEXT(address, "0.0.0.0", false, is_address, "an IPv4 or IPv6 address",
         "Where players connect; `::` is IPv6 and, on most systems, IPv4 too."),
    NUMBER(port, 1, 65535, 8080, false,
           "The players' port: the page, `/ws`, `/healthz` and `/readyz`."),
    TEXT(admin_address, "127.0.0.1", false, is_address, "an IPv4 or IPv6 address",
         "Where operators connect; there is no authentication, so keep it private."),
    NUMBER(admin_port, 0, 65535, 8081, false,
           "The operators' port: `/metrics`; 0: none."),
    NUMBER(workers, 0, WORKERS_MAX, 0, false,
           "Event loops, one thread each; 0: one per core."),
    NUMBER(max_connections, 0, CONF_CONNECTIONS_MAX, 0, false,
           "Players at one time, then 503; 0: what the limit on open files leaves room for."),
    NUMBER(max_half_open, 1, 100000, 1024, false,
           "Connections at one time that have not finished the WebSocket handshake."),
    NUMBER(admit_lag_ms, 0, 60000, 200, false,
           "How long what is ready may wait for a worker's loop; beyond it new players get 503; 0: however long."),
    TEXT_LIST(trusted_proxies, "", false, is_proxies, explain_proxies,
              "IPv4 and IPv6 addresses and ranges such as 10.0.0.0/8, separated by commas",
              "Proxies that players come through: to connections from there no network delay is credited."),

    /* What is read and written. */
    TEXT(data_dir, "/var/lib/quizrushd", false, is_path, "a path",
         "Where the database `quizrush.db`, the key `token.key` and `journal/` lie; the directory must exist."),
    TEXT_LIST(store, "sqlite", false, is_store, explain_store,
              "`sqlite`, a URI such as `postgresql://quizrush@db.example.org/quizrush?sslmode=verify-full`, or, for benchmarks, `none`",
              "Which database keeps players, ratings and results."),
    TEXT(store_password_file, "", false, is_any, "a path, or nothing",
         "Where the first line is the PostgreSQL server's password; nothing: the credential `store_password`, if there is one."),
    NUMBER(store_connections, 2, 16, 2, false,
           "Connections of each worker to a PostgreSQL server: half for look-ups, half for results."),
    NUMBER(store_timeout_ms, 100, 60000, 2000, false,
           "How long a PostgreSQL server has for a look-up or a result; then unavailable, or tried again."),
    NUMBER(keep_matches_days, 0, 36500, 0, false,
           "For how many days past matches are kept; players and what they have done stay; 0: for ever."),
    NUMBER(keep_answers_days, 0, 36500, 0, false,
           "For how many days a past match's questions and answers are kept; 0: as long as the match."),
    TEXT(questions, "/usr/share/quizrushd/questions.json", true, is_path, "a path",
         "Which question bank is asked from."),

    /* The game. */
    NUMBER(match_rounds, 1, MATCH_ROUNDS_MAX, 7, true,
           "Rounds of a match; the last one counts double."),
    NUMBER(match_start_ms, 0, 60000, 3000, true,
           "How long a match waits before its first round."),
    NUMBER(round_time_ms, 600, 120000, 10000, true,
           "How long players may think."),
    NUMBER(reveal_time_ms, 0, 60000, 2000, true,
           "How long a round's answer is shown before the next round."),
    NUMBER(reconnect_grace_ms, 0, 600000, 10000, true,
           "How long a player who is cut off may come back to a match; 0: not at all."),
    NUMBER(close_slack_ms, 0, 1000, 20, true,
           "How long after its deadline a round stays open for what has arrived but was not yet"
           " read."),
    NUMBER(rtt_credit_max_ms, 0, 1000, 250, true,
           "The most network delay that is taken off an answer's time; 0: none."),
    NUMBER(rating_tau_milli, 300, 1200, 500, true,
           "How fast ratings' volatility may change: Glicko-2's system constant, in thousandths."),
    NUMBER(ended_keep_ms, 1000, 600000, 60000, true,
           "How long an ended match is kept for a player who has not been heard since its end."),
    NUMBER(rematch_ms, 1000, 120000, 20000, true,
           "How long after a match both players may agree to another one."),

    /* Queues, each with its bound. */
    NUMBER(match_queue_slots, MATCH_QUEUE_SLOTS_MIN, 1024, 16, false,
           "Events that wait in one match: 12 slots are the server's own, and each of the 2 players"
           " needs 2."),
    NUMBER_OF(mailbox_bytes, 65536, 16777216, 262144, false, is_power_of_two, "a power of two",
              "Bytes that wait from one worker to another, for each pair and direction."),
    NUMBER(store_queue_slots, 16, 65536, 1024, false,
           "Results that wait for the database, and as many look-ups; then unavailable."),
    NUMBER(journal_segment_mb, 1, 1024, 16, false,
           "Megabytes of each file of the journal: two for each worker are allocated at start."),
    NUMBER(journal_max_mb, 3, 1048576, 4096, false,
           "Megabytes of all files of the journal; beyond it no match begins until the database has"
           " taken results."),

    /* Connections. */
    NUMBER(hello_timeout_ms, 100, 60000, 5000, false,
           "How long a new connection has for its handshake, and then for `hello`; then 4009."),
    NUMBER(ping_ms, 1000, 300000, 25000, false,
           "How long a connection may be silent before it is pinged; it is lost after two and a half of these."),
    NUMBER(match_ping_ms, 500, 60000, 4000, false,
           "The same in a match."),
    NUMBER(send_timeout_ms, 100, 60000, 5000, false,
           "How long a client may be too slow to take what it is sent; then 4003."),
    NUMBER(message_rate, 1, 1000, 20, false,
           "Messages a second that one connection may send."),
    NUMBER(message_burst, 1, 10000, 40, false,
           "Messages that one connection may send at once; at least `message_rate`."),

    TEXT(log_level, "info", true, is_log_level, "`error`, `warning`, `info` or `debug`",
         "Which log lines are written: these and graver ones."),
};
/* clang-format on */

const struct conf_key *conf_key_find(const char *name)
{
    for (unsigned i = 0; i < CONF_KEY_COUNT; i++)
        if (strcmp(conf_keys[i].name, name) == 0) return &conf_keys[i];
    return NULL;
}

enum { NAME_BYTES = 32, DISTANCE_NEAR = 2 };

/* Levenshtein's: how many letters to add, drop or change. Requires: both have at most NAME_BYTES.
 */
static unsigned distance(const char *from, const char *to)
{
    unsigned row[NAME_BYTES + 1];
    unsigned to_length = (unsigned)strlen(to);
    for (unsigned j = 0; j <= to_length; j++) row[j] = j;
    for (unsigned i = 0; from[i] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (unsigned j = 0; j < to_length; j++) {
            unsigned best = diagonal + (from[i] != to[j]);
            if (row[j] + 1 < best) best = row[j] + 1;
            diagonal = row[j + 1];
            if (diagonal + 1 < best) best = diagonal + 1;
            row[j + 1] = best;
        }
    }
    return row[to_length];
}

const struct conf_key *conf_key_nearest(const char *name)
{
    if (strlen(name) > NAME_BYTES) return NULL;
    const struct conf_key *nearest = NULL;
    unsigned nearest_distance = DISTANCE_NEAR + 1;
    for (unsigned i = 0; i < CONF_KEY_COUNT; i++) {
        QR_ASSERT(strlen(conf_keys[i].name) <= NAME_BYTES);
        unsigned d = distance(name, conf_keys[i].name);
        if (d >= nearest_distance) continue;
        nearest = &conf_keys[i];
        nearest_distance = d;
    }
    return nearest;
}

uint32_t *conf_key_number(const struct conf_key *key, struct conf *conf)
{
    QR_ASSERT(key->kind == CONF_NUMBER);
    return (uint32_t *)(void *)((char *)conf + key->offset);
}

char *conf_key_text(const struct conf_key *key, struct conf *conf)
{
    QR_ASSERT(key->kind == CONF_TEXT);
    return (char *)conf + key->offset;
}
