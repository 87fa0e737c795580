/* quizrush-wsecho PORT: sends every text message back, over the daemon's own edge. For WebSocket conformance suites,
 * which ask for an echo on the path /. One worker, on the loopback address; ends at SIGTERM or SIGINT. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "edge/listener.h"
#include "edge/log.h"
#include "edge/worker.h"

enum {
    CONNECTIONS_MAX = 256,
    HALF_OPEN_MAX = 64,
    HEAD_TIMEOUT_MS = 5000,
    SILENCE_MS = 62500,
    FILES_MAX = 512, /* libwebsockets walks a table of this length at each close. */
    PORT_MAX = 65535,
};

void qr_assert_failed(const char *file, int line, const char *claim)
{
    log_event(LOG_LEVEL_ERROR, "assertion_failed", "file=%s line=%d claim=\"%s\"", file, line,
              claim);
    abort();
}

/* --- No store. --- */

static int no_save(struct store *store, unsigned shard, struct handle match,
                   const struct match_result *result)
{
    (void)store;
    (void)shard;
    (void)match;
    (void)result;
    return -EAGAIN;
}

static int no_load(struct store *store, unsigned shard, struct handle session,
                   const struct id *player)
{
    (void)store;
    (void)shard;
    (void)session;
    (void)player;
    return -EAGAIN;
}

static unsigned no_answers(struct store *store, unsigned shard, struct store_answer answers[],
                           unsigned max)
{
    (void)store;
    (void)shard;
    (void)answers;
    (void)max;
    return 0;
}

static void no_stats(struct store *store, struct store_stats *ret_stats)
{
    (void)store;
    *ret_stats = (struct store_stats){0};
}

static bool always_healthy(struct store *store)
{
    (void)store;
    return true;
}

static void no_destroy(struct store *store)
{
    (void)store;
}

static const struct store_class no_store_class = {.save = no_save,
                                                  .load = no_load,
                                                  .take_answers = no_answers,
                                                  .stats = no_stats,
                                                  .is_healthy = always_healthy,
                                                  .destroy = no_destroy};

/* --- Serving. --- */

static int fail(const char *what, int error)
{
    char value[LOG_VALUE_BYTES_MAX];
    log_event(LOG_LEVEL_ERROR, what, "error=%s", log_value(strerror(-error), value));
    return EXIT_FAILURE;
}

/* Until one of the signals comes, which are blocked in all threads. */
static int serve(struct worker *worker, const sigset_t *signals, unsigned port)
{
    int signal = 0;
    int error = worker_start(worker);
    if (error != 0) return fail("worker_failed", error);
    log_event(LOG_LEVEL_INFO, "serving", "address=127.0.0.1 port=%u", port);
    (void)sigwait(signals, &signal); /* It fails only for a set that holds no signal. */
    return EXIT_SUCCESS;
}

static int run(unsigned port)
{
    struct store no_store = {&no_store_class};
    struct worker_shared shared = {.count = 1,
                                   .store = &no_store,
                                   .connections_max = CONNECTIONS_MAX,
                                   .half_open_max = HALF_OPEN_MAX,
                                   .head_timeout_ms = HEAD_TIMEOUT_MS,
                                   .head_rules = {.path = "/", .takes_other_subprotocols = true},
                                   .silence_ms = SILENCE_MS,
                                   .main_eventfd = -1};
    struct worker_settings settings = {
        .shared = &shared, .admin_fd = -1, .shard = {.count = 1, .sessions_max = CONNECTIONS_MAX}};
    struct rlimit files = {FILES_MAX, FILES_MAX};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (setrlimit(RLIMIT_NOFILE, &files) < 0 || sigprocmask(SIG_BLOCK, &signals, NULL) < 0 ||
        sigaction(SIGPIPE, &ignore, NULL) < 0) {
        return fail("start_failed", -errno);
    }
    int error = listener_open("127.0.0.1", port, 1, &settings.listener_fd);
    if (error != 0) return fail("listen_failed", error);
    error = worker_create(&settings, &shared.workers[0]);
    if (error != 0) return fail("worker_failed", error);
    int status = serve(shared.workers[0], &signals, port);
    atomic_store(&shared.is_stopping, true);
    worker_wake(shared.workers[0]);
    worker_join(shared.workers[0]);
    worker_destroy(shared.workers[0]);
    return status;
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long port = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
    if (port == 0 || port > PORT_MAX || *end != '\0') {
        (void)fputs("Usage: quizrush-wsecho PORT\n", stderr);
        return 2;
    }
    return run((unsigned)port);
}
