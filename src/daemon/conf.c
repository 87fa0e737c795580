#include "conf_priv.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/limits.h"
#include "edge/worker.h"

void conf_init(struct conf *conf)
{
    memset(conf, 0, sizeof(*conf));
    for (unsigned i = 0; i < CONF_KEY_COUNT; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (key->kind == CONF_NUMBER) {
            *conf_key_number(key, conf) = key->number_default;
            continue;
        }
        QR_ASSERT(strlen(key->text_default) < CONF_TEXT_BYTES);
        memcpy(conf_key_text(key, conf), key->text_default, strlen(key->text_default) + 1);
    }
}

void conf_complain(struct conf_problem *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof(problem->text), format, arguments); /* Cut is fine. */
    va_end(arguments);
    for (char *at = problem->text; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at)) *at = '?';
}

void conf_complain_unknown(struct conf_problem *problem, const char *place, const char *name)
{
    const struct conf_key *nearest = conf_key_nearest(name);
    if (nearest == NULL)
        conf_complain(problem, "%s: \"%.*s\" is not a key (--print-config lists them)", place,
                      CONF_SHOWN_BYTES, name);
    else
        conf_complain(problem, "%s: \"%.*s\" is not a key (did you mean \"%s\"?)", place,
                      CONF_SHOWN_BYTES, name, nearest->name);
}

/* Digits only: no sign, no unit, no fraction. What is too big for 32 bits is given as UINT64_MAX.
 */
static bool parse_number(const char *value, uint64_t *ret_number)
{
    if (*value == '\0') return false;
    uint64_t number = 0;
    for (; *value != '\0'; value++) {
        if (*value < '0' || *value > '9') return false;
        if (number <= UINT32_MAX) number = number * 10 + (uint64_t)(*value - '0');
    }
    *ret_number = number <= UINT32_MAX ? number : UINT64_MAX;
    return true;
}

/* The description as the second half of a sentence: "how long players may think". */
static void describe(const struct conf_key *key, char *buffer, size_t size)
{
    (void)snprintf(buffer, size, "%s", key->what); /* Cut is fine. */
    buffer[0] = (char)tolower((unsigned char)buffer[0]);
    size_t length = strlen(buffer);
    if (buffer[length - 1] == '.') buffer[length - 1] = '\0';
}

static bool assign_number(struct conf *conf, const struct conf_key *key, const char *value,
                          const char *place, struct conf_problem *reterr_problem)
{
    char what[CONF_TEXT_BYTES], wrong[CONF_TEXT_BYTES];
    uint64_t number;
    if (!parse_number(value, &number))
        (void)snprintf(wrong, sizeof(wrong), "\"%.*s\" is not a whole number", CONF_SHOWN_BYTES,
                       value);
    else if (number < key->number_min)
        (void)snprintf(wrong, sizeof(wrong), "%.*s is below the least, %" PRIu32, CONF_SHOWN_BYTES,
                       value, key->number_min);
    else if (number > key->number_max)
        (void)snprintf(wrong, sizeof(wrong), "%.*s is above the most, %" PRIu32, CONF_SHOWN_BYTES,
                       value, key->number_max);
    else if (key->is_number_right != NULL && !key->is_number_right((uint32_t)number))
        (void)snprintf(wrong, sizeof(wrong), "%" PRIu64 " is not %s", number, key->wanted);
    else {
        *conf_key_number(key, conf) = (uint32_t)number;
        return true;
    }
    describe(key, what, sizeof(what));
    conf_complain(reterr_problem, "%s: %s: %s (%" PRIu32 " to %" PRIu32 "; %s)", place, key->name,
                  wrong, key->number_min, key->number_max, what);
    return false;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if (iscntrl((unsigned char)*text)) return true;
    return false;
}

static bool assign_text(struct conf *conf, const struct conf_key *key, const char *value,
                        const char *place, struct conf_problem *reterr_problem)
{
    if (strlen(value) >= CONF_TEXT_BYTES) {
        conf_complain(reterr_problem, "%s: %s: %zu bytes are more than %d", place, key->name,
                      strlen(value), CONF_TEXT_BYTES - 1);
        return false;
    }
    if (has_control(value)) {
        conf_complain(reterr_problem, "%s: %s: \"%.*s\" has a control character", place, key->name,
                      CONF_SHOWN_BYTES, value);
        return false;
    }
    if (!key->is_text_right(value)) {
        char what[CONF_TEXT_BYTES], wrong[CONF_TEXT_BYTES];
        describe(key, what, sizeof(what));
        (void)snprintf(wrong, sizeof(wrong), "\"%.*s\" is not %s", CONF_SHOWN_BYTES, value,
                       key->wanted);
        if (key->explain_text != NULL) key->explain_text(value, wrong, sizeof(wrong));
        conf_complain(reterr_problem, "%s: %s: %s (%s)", place, key->name, wrong, what);
        return false;
    }
    memcpy(conf_key_text(key, conf), value, strlen(value) + 1);
    return true;
}

bool conf_assign(struct conf *conf, const struct conf_key *key, const char *value,
                 const char *place, struct conf_problem *reterr_problem)
{
    return key->kind == CONF_NUMBER ? assign_number(conf, key, value, place, reterr_problem)
                                    : assign_text(conf, key, value, place, reterr_problem);
}

bool conf_set(struct conf *conf, const char *assignment, struct conf_problem *reterr_problem)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL) {
        conf_complain(reterr_problem, "--set: \"%.*s\" is not key=value", CONF_SHOWN_BYTES,
                      assignment);
        return false;
    }
    char name[CONF_TEXT_BYTES];
    (void)snprintf(name, sizeof(name), "%.*s", (int)(equals - assignment), assignment);
    const struct conf_key *key = conf_key_find(name);
    if (key == NULL) {
        conf_complain_unknown(reterr_problem, "--set", name);
        return false;
    }
    return conf_assign(conf, key, equals + 1, "--set", reterr_problem);
}

enum {
    /* Standard streams, the journal, systemd's socket, signals, the main loop; the database with
     * its log, index and temporary files; the question bank while it is read; what libraries open
     * for a moment. */
    FILES_PROCESS = 64,
    /* Operators' connections at one time. */
    FILES_ADMIN = 32,
    /* Listener, epoll, its connections' epoll, wake-up, libuv's epoll, wake-up and signal pipe, libwebsockets' pipe; the
     * connection over the limit that is accepted to be told 1013; the journal's file that is
     * written, the one before it until that is synced, and the one after it. */
    FILES_PER_WORKER = 20,
    /* Beside the connections to the database's server. */
    FILES_STORE_EPOLL = 1,
};

/* But players. */
static uint32_t files_beside(const struct conf *conf)
{
    QR_ASSERT(conf->workers > 0);
    bool asks_server = strcmp(conf->store, "sqlite") != 0 && strcmp(conf->store, "none") != 0;
    uint32_t of_store = asks_server ? conf->store_connections + FILES_STORE_EPOLL : 0;
    return FILES_PROCESS + FILES_ADMIN + conf->max_half_open +
           (FILES_PER_WORKER + of_store) * conf->workers;
}

/* Mailboxes are allocated at start, one for each pair of workers and direction, and for each with
 * itself. At the most workers, 64 * 64 of the default 256 KB are 1024 MB. */
static const uint64_t mailboxes_bytes_max = UINT64_C(1) << 30;

static bool resolve_mailboxes(const struct conf *conf, struct conf_problem *reterr_problem)
{
    uint64_t pairs = (uint64_t)conf->workers * conf->workers; /* Each also with itself. */
    uint64_t bytes = pairs * conf->mailbox_bytes;
    if (bytes <= mailboxes_bytes_max) return true;
    conf_complain(
        reterr_problem,
        "mailbox_bytes = %" PRIu32 " for %" PRIu64 " pairs of %" PRIu32 " workers is %" PRIu64
        " MB, more than %" PRIu64 " MB: lower mailbox_bytes or workers",
        conf->mailbox_bytes, pairs, conf->workers, bytes >> 20, mailboxes_bytes_max >> 20);
    return false;
}

/* The one that is written, the one after it, and room for what is still needed. */
enum { SEGMENTS_PER_WORKER_MIN = 3 };

static bool resolve_journal(const struct conf *conf, struct conf_problem *reterr_problem)
{
    uint64_t needed = (uint64_t)SEGMENTS_PER_WORKER_MIN * conf->workers * conf->journal_segment_mb;
    if (conf->journal_max_mb >= needed) return true;
    conf_complain(reterr_problem,
                  "journal_max_mb = %" PRIu32
                  " is less than %d files of journal_segment_mb = %" PRIu32
                  " MB for each of %" PRIu32 " workers: it must be at least %" PRIu64,
                  conf->journal_max_mb, SEGMENTS_PER_WORKER_MIN, conf->journal_segment_mb,
                  conf->workers, needed);
    return false;
}

static uint64_t files_of(uint32_t players)
{
    return (uint64_t)players + worker_returning_max(players);
}

uint32_t conf_sessions_max(const struct conf *conf)
{
    return shard_share((uint32_t)files_of(conf->max_connections), conf->workers);
}

uint64_t conf_files_needed(const struct conf *conf)
{
    return files_of(conf->max_connections) + files_beside(conf);
}

/* How many players so many files are enough for, and for those who come back where there is no room for others. */
static uint32_t players_max(uint64_t files)
{
    uint32_t most = files < CONF_CONNECTIONS_MAX ? (uint32_t)files : CONF_CONNECTIONS_MAX;
    uint32_t returning = worker_returning_max(most);
    uint32_t players = most > returning ? most - returning : 0;
    while (players < most && files_of(players + 1) <= files) players++;
    return players;
}

static bool resolve_connections(struct conf *conf, uint64_t files_max,
                                struct conf_problem *reterr_problem)
{
    uint64_t beside = files_beside(conf);
    uint64_t least = files_of(1) + beside;
    if (files_max < least) {
        conf_complain(reterr_problem,
                      "the limit on open files, %" PRIu64 ", leaves no room for players: %" PRIu64
                      " are needed beside them; set LimitNOFILE in the unit (or ulimit -n)",
                      files_max, least - 1);
        return false;
    }
    uint32_t room = players_max(files_max - beside);
    if (conf->max_connections == 0) {
        conf->max_connections = room;
        return true;
    }
    uint64_t needed = conf_files_needed(conf);
    if (needed <= files_max) return true;
    conf_complain(reterr_problem,
                  "max_connections = %" PRIu32 " needs %" PRIu64
                  " open files, but the limit is %" PRIu64 ": set LimitNOFILE=%" PRIu64
                  " in the unit (or ulimit -n), or max_connections to at most %" PRIu32,
                  conf->max_connections, needed, files_max, needed, room);
    return false;
}

static bool is_any_address(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static bool resolve_ports(const struct conf *conf, struct conf_problem *reterr_problem)
{
    bool is_shared = strcmp(conf->address, conf->admin_address) == 0 ||
                     is_any_address(conf->address) || is_any_address(conf->admin_address);
    if (conf->admin_port != conf->port || !is_shared) return true;
    conf_complain(reterr_problem,
                  "admin_port = %" PRIu32 " is the players' port too: change port or admin_port"
                  " (0: none)",
                  conf->admin_port);
    return false;
}

bool conf_resolve(struct conf *conf, uint64_t files_max, unsigned cores,
                  struct conf_problem *reterr_problem)
{
    QR_ASSERT(cores > 0);
    struct conf resolved = *conf;
    if (resolved.workers == 0) resolved.workers = cores < WORKERS_MAX ? cores : WORKERS_MAX;
    if (resolved.message_burst < resolved.message_rate) {
        conf_complain(reterr_problem,
                      "message_burst = %" PRIu32 " is below message_rate = %" PRIu32
                      ": a burst holds at least one second's messages",
                      resolved.message_burst, resolved.message_rate);
        return false;
    }
    if (!resolve_ports(&resolved, reterr_problem)) return false;
    if (!resolve_mailboxes(&resolved, reterr_problem)) return false;
    if (!resolve_journal(&resolved, reterr_problem)) return false;
    if (!resolve_connections(&resolved, files_max, reterr_problem)) return false;
    *conf = resolved;
    return true;
}
