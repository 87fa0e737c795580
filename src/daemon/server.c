#include "daemon/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/storage.h"
#include "edge/clock.h"
#include "edge/journal_store.h"
#include "edge/listener.h"
#include "edge/log.h"
#include "edge/recovery.h"
#include "edge/worker.h"

/* After the second signal: as long as an orderly end may take. */
enum { SHUTDOWN_MAX_MS = 3000 };

struct server {
    const struct conf *conf;
    struct worker_shared shared;
    struct mailbox *mailboxes; /* count * count: from, then to. */
    uint8_t *mailbox_memory;
    size_t mailbox_memory_bytes;
    int signal_fd;
    int listener_fds[WORKERS_MAX];
    int admin_fd;
    mono_time shutdown_by;
    struct journal *journal; /* The store's. */
    struct recovery *recovery;
};

/* --- Start. --- */

static int fail(const char *what, int error)
{
    char value[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, what, "error=%s", log_value(strerror(-error), value));
    return error;
}

/* The limit follows from max_connections: libwebsockets walks a table of this length at each close.
 */
static int set_file_limit(const struct conf *conf)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    rlim_t needed = conf_files_needed(conf);
    limit.rlim_cur = needed < limit.rlim_max ? needed : limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

static void wake_shard(void *context, unsigned shard)
{
    struct server *server = context;
    worker_wake(server->shared.workers[shard]);
}

/* The journal is of use only where a power cut leaves its directory. */
static int sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) < 0 ? -errno : 0;
    if (fd >= 0) (void)close(fd); /* It was only read. */
    if (error == 0) return 0;
    char value[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, "journal_open_failed", "path=%s error=%s", path,
              log_value(strerror(-error), value));
    return error;
}

/* `path` is DATA_DIR/journal. */
static int journal_path(const struct server *server, char path[CONF_TEXT_BYTES + 32])
{
    int size = snprintf(path, CONF_TEXT_BYTES + 32, "%s/journal", server->conf->data_dir);
    QR_ASSERT(size > 0 && size < CONF_TEXT_BYTES + 32);
    if (mkdir(path, S_IRWXU) == 0) return sync_directory(server->conf->data_dir);
    if (errno == EEXIST) return 0;
    char value[LOG_VALUE_BYTES_MAX];
    int error = -errno;
    log_event(LOG_LEVEL_ERROR, "journal_open_failed", "path=%s error=%s", path,
              log_value(strerror(-error), value));
    return error;
}

/* What the last run has left; the game's clock goes on from there. */
static int open_recovery(struct server *server)
{
    char path[CONF_TEXT_BYTES + 32];
    if (!storage_keeps(server->conf)) return 0;
    int error = journal_path(server, path);
    if (error == 0) error = recovery_open(path, &server->recovery);
    if (error == 0 && recovery_last(server->recovery).ms > 0) {
        clock_go_on_from(recovery_last(server->recovery));
    }
    return error;
}

/* Of one shard: SQLite's queue, which the shards share, has room for all of them, unless there are more shards than
 * places. */
static uint32_t results_under_way(const struct conf *conf)
{
    const uint32_t most =
        512; /* What comes in a second; of more a part waits for the next batch. */
    uint32_t share = conf->store_queue_slots / conf->workers;
    if (share == 0) return 1;
    return share < most ? share : most;
}

/* From here on the journal is before the database. */
static int open_journal(struct server *server)
{
    const struct conf *conf = server->conf;
    char path[CONF_TEXT_BYTES + 32];
    if (!storage_keeps(conf)) return 0;
    int error = journal_path(server, path);
    if (error != 0) return error;
    struct journal_options options = {.dir = path,
                                      .shards = conf->workers,
                                      .segment_bytes = conf->journal_segment_mb << 20,
                                      .max_bytes = (uint64_t)conf->journal_max_mb << 20,
                                      .wake = wake_shard,
                                      .wake_context = server};
    error = journal_create(&options, &server->journal);
    if (error != 0) return error;
    struct journal_store_options store = {.journal = server->journal,
                                          .store = server->shared.store,
                                          .shards = conf->workers,
                                          .matches_max = conf_sessions_max(conf),
                                          .loads_max = conf->store_queue_slots,
                                          .results_max = results_under_way(conf)};
    error = journal_store_create(&store, &server->shared.store);
    if (error != 0) journal_destroy(server->journal);
    return error;
}

/* The workers are there and do not run yet. */
static int recover(struct server *server)
{
    struct shard *shards[WORKERS_MAX];
    if (!storage_keeps(server->conf)) return 0;
    for (unsigned i = 0; i < server->conf->workers; i++) {
        shards[i] = worker_shard(server->shared.workers[i]);
    }
    int error =
        recovery_replay(server->recovery, shards, server->conf->workers, server->shared.store);
    if (error == 0) error = journal_commit(server->journal);
    if (error == 0) recovery_succeeded(server->recovery);
    return error;
}

static int open_token_key(struct server *server)
{
    char path[CONF_TEXT_BYTES + 32];
    int size = snprintf(path, sizeof(path), "%s/token.key", server->conf->data_dir);
    QR_ASSERT(size > 0 && (size_t)size < sizeof(path));
    return token_key_load(path, &server->shared.token_key);
}

/* The table has checked the text. */
static struct proxies proxies_of(const struct conf *conf)
{
    struct proxies proxies;
    struct proxies_problem problem;
    bool is_right = proxies_parse(conf->trusted_proxies, &proxies, &problem);
    QR_ASSERT(is_right);
    return proxies;
}

static int open_listeners(struct server *server)
{
    const struct conf *conf = server->conf;
    char value[LOG_VALUE_BYTES_MAX];
    int error = listener_open(conf->address, conf->port, conf->workers, server->listener_fds);
    if (error != 0) {
        for (unsigned i = 0; i < WORKERS_MAX; i++) server->listener_fds[i] = -1;
        log_event(LOG_LEVEL_ERROR, "listen_failed", "address=%s port=%u error=%s", conf->address,
                  conf->port, log_value(strerror(-error), value));
        return error;
    }
    if (conf->admin_port == 0) return 0;
    error = listener_open(conf->admin_address, conf->admin_port, 1, &server->admin_fd);
    if (error != 0) {
        server->admin_fd = -1;
        log_event(LOG_LEVEL_ERROR, "listen_failed", "admin_address=%s admin_port=%u error=%s",
                  conf->admin_address, conf->admin_port, log_value(strerror(-error), value));
    }
    return error;
}

static int open_mailboxes(struct server *server)
{
    const struct conf *conf = server->conf;
    size_t count = (size_t)conf->workers * conf->workers;
    server->mailbox_memory_bytes = count * conf->mailbox_bytes;
    server->mailboxes = aligned_alloc(64, count * sizeof(struct mailbox));
    void *memory = mmap(NULL, server->mailbox_memory_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (server->mailboxes == NULL || memory == MAP_FAILED) return fail("no_memory", -ENOMEM);
    server->mailbox_memory = memory;
    for (size_t i = 0; i < count; i++) {
        mailbox_init(&server->mailboxes[i], server->mailbox_memory + i * conf->mailbox_bytes,
                     conf->mailbox_bytes);
    }
    return 0;
}

static struct shard_settings settings_of(const struct server *server, const struct bank *bank,
                                         unsigned index)
{
    const struct conf *conf = server->conf;
    struct shard_settings settings = {
        .index = index,
        .count = conf->workers,
        .sessions_max = conf_sessions_max(conf),
        .match_queue_slots = conf->match_queue_slots,
        .restored_rounds_max = recovery_rounds_max(server->recovery),
        .match = {.mode = MATCH_MODE_DUEL,
                  .rounds = (uint8_t)conf->match_rounds,
                  .start_ms = conf->match_start_ms,
                  .round_time_ms = conf->round_time_ms,
                  .reveal_time_ms = conf->reveal_time_ms,
                  .grace_ms = conf->reconnect_grace_ms,
                  .close_slack_ms = conf->close_slack_ms,
                  .tau_milli = conf->rating_tau_milli},
        .bank = bank,
        .hello_timeout_ms = conf->hello_timeout_ms,
        .send_timeout_ms = conf->send_timeout_ms,
        .ping_ms = conf->ping_ms,
        .match_ping_ms = conf->match_ping_ms,
        .rtt_credit_max_ms = conf->rtt_credit_max_ms,
        .ended_keep_ms = conf->ended_keep_ms,
        .rematch_ms = conf->rematch_ms,
        .message_rate = conf->message_rate,
        .message_burst = conf->message_burst,
    };
    settings.matches_max = settings.sessions_max;
    for (unsigned other = 0; other < conf->workers; other++) {
        settings.to[other] = &server->mailboxes[index * conf->workers + other];
        settings.from[other] = &server->mailboxes[other * conf->workers + index];
    }
    return settings;
}

static struct siphash_key draw_key(void)
{
    struct siphash_key key;
    ssize_t got = getrandom(&key, sizeof(key), 0);
    QR_ASSERT(got == (ssize_t)sizeof(key)); /* As in io_random() (edge/ws_io.c). */
    return key;
}

static int create_workers(struct server *server, const struct bank *bank)
{
    const struct conf *conf = server->conf;
    for (unsigned i = 0; i < conf->workers; i++) {
        struct worker_settings settings = {.shared = &server->shared,
                                           .listener_fd = server->listener_fds[i],
                                           .admin_fd = i == 0 ? server->admin_fd : -1,
                                           .admin_port = (uint16_t)conf->admin_port,
                                           .shard = settings_of(server, bank, i)};
        settings.shard.key = draw_key();
        server->listener_fds[i] = -1; /* The worker's now, also where it fails. */
        if (i == 0) server->admin_fd = -1;
        int error = worker_create(&settings, &server->shared.workers[i]);
        if (error != 0) return fail("worker_failed", error);
    }
    return 0;
}

/* Signals are the main thread's, as a file: blocked before any other thread begins. */
static int open_signals(struct server *server)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0) return -errno;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &ignore, NULL) < 0) return -errno;
    server->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    server->shared.main_eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return server->signal_fd < 0 || server->shared.main_eventfd < 0 ? -errno : 0;
}

static int start(struct server *server, const struct bank *bank)
{
    int error = set_file_limit(server->conf);
    if (error == 0) error = open_signals(server);
    if (error != 0) return fail("start_failed", error);
    if ((error = open_listeners(server)) != 0) return error;
    if ((error = open_token_key(server)) != 0) return error;
    if ((error = open_recovery(server)) != 0) return error;
    error = storage_open(server->conf, wake_shard, server, &server->shared.store);
    if (error != 0) return recovery_put_off(server->recovery, error);
    if ((error = open_journal(server)) != 0) return error;
    if ((error = open_mailboxes(server)) != 0) return error;
    if ((error = create_workers(server, bank)) != 0) return error;
    if ((error = recover(server)) != 0) return error;
    for (unsigned i = 0; i < server->conf->workers; i++) {
        error = worker_start(server->shared.workers[i]);
        if (error != 0) return fail("worker_failed", error);
    }
    return 0;
}

static void log_start(const struct server *server, const struct bank *bank)
{
    const struct conf *conf = server->conf;
    struct shard_settings settings = settings_of(server, bank, 0);
    unsigned long long bytes = server->mailbox_memory_bytes + storage_bytes(conf);
    if (storage_keeps(conf)) bytes += journal_store_bytes(conf->workers, results_under_way(conf));
    for (unsigned i = 0; i < conf->workers; i++) {
        settings.index = i;
        bytes += worker_bytes(&server->shared, &settings);
    }
    log_event(LOG_LEVEL_INFO, "serving",
              "address=%s port=%u admin_port=%u workers=%u max_connections=%u questions=%u "
              "memory_bound_mb=%llu",
              conf->address, conf->port, conf->admin_port, conf->workers, conf->max_connections,
              bank->count, bytes >> 20);
}

/* --- Serving. --- */

static void wake_all(struct server *server)
{
    for (unsigned i = 0; i < server->conf->workers; i++) worker_wake(server->shared.workers[i]);
}

static void on_signal(struct server *server, const struct bank *bank)
{
    struct signalfd_siginfo info;
    if (read(server->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) return;
    if (!atomic_load(&server->shared.is_draining)) {
        struct shard_settings settings = settings_of(server, bank, 0);
        log_event(LOG_LEVEL_INFO, "draining", "signal=%u at_most_ms=%u", info.ssi_signo,
                  shard_longest_match_ms(&settings));
        (void)sd_notify(
            0, "STOPPING=1\nSTATUS=Draining: running matches finish."); /* If there is one. */
        atomic_store(&server->shared.is_draining, true);
    } else if (!atomic_load(&server->shared.is_shutting_down)) {
        log_event(LOG_LEVEL_INFO, "shutting_down", "signal=%u", info.ssi_signo);
        atomic_store(&server->shared.is_shutting_down, true);
        server->shutdown_by = mono_after(clock_mono(), SHUTDOWN_MAX_MS);
    }
    wake_all(server);
}

static bool is_done(const struct server *server)
{
    if (!atomic_load(&server->shared.is_draining)) return false;
    if (atomic_load(&server->shared.is_shutting_down) &&
        !mono_is_before(clock_mono(), server->shutdown_by)) {
        return true;
    }
    for (unsigned i = 0; i < server->conf->workers; i++) {
        if (!worker_is_empty(server->shared.workers[i])) return false;
    }
    return true;
}

static void serve(struct server *server, const struct bank *bank)
{
    struct pollfd files[] = {{.fd = server->signal_fd, .events = POLLIN},
                             {.fd = server->shared.main_eventfd, .events = POLLIN}};
    while (!is_done(server)) {
        /* A worker that is empty says so; the look once a tenth of a second is for the deadline. */
        int timeout_ms = atomic_load(&server->shared.is_draining) ? 100 : -1;
        if (poll(files, 2, timeout_ms) < 0 && errno != EINTR) {
            log_event(LOG_LEVEL_ERROR, "poll_failed", "errno=%d", errno);
            return;
        }
        if (files[0].revents != 0) on_signal(server, bank);
        if (files[1].revents != 0) {
            uint64_t count;
            ssize_t size = read(server->shared.main_eventfd, &count, sizeof(count));
            (void)size; /* How often says nothing. */
        }
    }
}

/* --- Stop. --- */

static void close_fd(int fd)
{
    if (fd >= 0) (void)close(fd); /* The process ends. */
}

static void stop(struct server *server)
{
    atomic_store(&server->shared.is_stopping, true);
    for (unsigned i = 0; i < server->conf->workers; i++) {
        struct worker *worker = server->shared.workers[i];
        if (worker == NULL) continue;
        worker_wake(worker);
        worker_join(worker);
    }
    /* What is queued there is committed; workers are woken with the answers and must still be
     * there. */
    if (server->shared.store != NULL) server->shared.store->class->destroy(server->shared.store);
    for (unsigned i = 0; i < server->conf->workers; i++) {
        worker_destroy(server->shared.workers[i]);
        close_fd(server->listener_fds[i]);
    }
    recovery_close(server->recovery); /* Restored matches have read it. */
    close_fd(server->admin_fd);
    close_fd(server->signal_fd);
    close_fd(server->shared.main_eventfd);
    free(server->mailboxes);
    if (server->mailbox_memory != NULL) {
        (void)munmap(server->mailbox_memory, server->mailbox_memory_bytes); /* Mapped like this. */
    }
}

int server_run(const struct conf *conf, const struct bank *bank)
{
    struct server server = {.conf = conf,
                            .signal_fd = -1,
                            .admin_fd = -1,
                            .shared = {.count = conf->workers,
                                       .connections_max = conf->max_connections,
                                       .returning_max = worker_returning_max(conf->max_connections),
                                       .admit_lag_ms = conf->admit_lag_ms,
                                       .half_open_max = conf->max_half_open / conf->workers + 1,
                                       .head_timeout_ms = conf->hello_timeout_ms,
                                       .head_rules = {.path = "/ws"},
                                       .silence_ms = conf->ping_ms * 5 / 2,
                                       .proxies = proxies_of(conf),
                                       .main_eventfd = -1}};
    for (unsigned i = 0; i < WORKERS_MAX; i++) server.listener_fds[i] = -1;
    bool is_started = start(&server, bank) == 0;
    if (is_started) {
        log_start(&server, bank);
        (void)sd_notify(0, "READY=1"); /* Where there is a systemd to tell. */
        serve(&server, bank);
    }
    stop(&server);
    if (is_started) log_event(LOG_LEVEL_INFO, "stopped", "exit=0");
    return is_started ? EXIT_SUCCESS : EXIT_FAILURE;
}
