#include "load_run.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "load_player.h"
#include "load_return.h"
#include "load_rough.h"

enum {
    EVENTS_MAX = 512,
    /* Of a turn, so that what has come is read even where the generator is behind. */
    CONNECTS_MAX = 64,
    PINGS_MAX = 256,
    LOOK_EVERY_US = 10000,
    LOOKS_MAX = 200, /* So 60,000 players are looked at every 3 s. */
    LINE_EVERY_US = 1000000,
    FILES_BESIDE = 16,
    COMPLAINT_TEXT_MAX = 300,
};

static uint64_t clock_us(void)
{
    struct timespec now;
    int result = clock_gettime(CLOCK_MONOTONIC, &now);
    QR_ASSERT(result == 0);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void run_complain(struct run *run, uint32_t player, const char *what, const char *text,
                  size_t text_bytes)
{
    if (run->complaints++ >= RUN_COMPLAINTS_MAX) return;
    int shown = text_bytes < COMPLAINT_TEXT_MAX ? (int)text_bytes : COMPLAINT_TEXT_MAX;
    fprintf(stderr, "player %" PRIu32 ": %s%s%.*s\n", player, what, text != NULL ? ": " : "", shown,
            text != NULL ? text : "");
}

void run_tell(struct run *run, const char *before, const char *text, size_t text_bytes,
              const char *behind)
{
    if (run->told == NULL) return;
    fprintf(run->told, "%s%.*s%s\n", before, (int)text_bytes, text, behind);
}

/* --- Beginning. --- */

static uint32_t everybody(const struct options *options)
{
    return options->players + options->idle;
}

/* As many files as players need, as far as the machine allows. */
static int raise_file_limit(const struct options *options)
{
    /* A connection that is taken over stays open for a while. */
    uint32_t links = options->players * (options_drop(options) ? 2 : 1) + options->idle;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
    rlim_t needed = (rlim_t)links + FILES_BESIDE;
    if (limit.rlim_cur >= needed) return 0;
    if (limit.rlim_max < needed) {
        fprintf(stderr,
                "quizrush-load: %" PRIu32 " players need %llu open files; the limit is %llu\n",
                everybody(options), (unsigned long long)needed, (unsigned long long)limit.rlim_max);
        return -EMFILE;
    }
    limit.rlim_cur = needed;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : -errno;
}

static int resolve(const struct options *options, struct addrinfo **ret_addresses)
{
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", (unsigned)options->port); /* It fits. */
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int result = getaddrinfo(options->host, port, &hints, ret_addresses);
    if (result == 0) return 0;
    fprintf(stderr, "quizrush-load: %s: %s\n", options->host, gai_strerror(result));
    return -EHOSTUNREACH;
}

static enum player_kind kind_of(const struct options *options, uint32_t index)
{
    return rough_kind_of(index, options->slow_percent, options->garbage_percent);
}

static bool is_loopback(const struct sockaddr *address)
{
    enum { LOOPBACK_NETWORK = 127 };
    if (address->sa_family != AF_INET) return false;
    struct sockaddr_in ipv4;
    memcpy(&ipv4, address, sizeof(ipv4));
    return ntohl(ipv4.sin_addr.s_addr) >> 24 == LOOPBACK_NETWORK;
}

static void begin_sweep(struct run *run)
{
    run->sweep = (struct sweep){.is_all_done = true};
}

static int begin(struct run *run, const struct options *options, const struct addrinfo *address)
{
    if (options->sources > 0 && !is_loopback(address->ai_addr)) {
        fputs("quizrush-load: --sources needs a server on 127.0.0.0/8\n", stderr);
        return -EADDRNOTAVAIL;
    }
    run->options = options;
    run->shows_progress = options->is_verbose || isatty(STDERR_FILENO);
    run->target = (struct link_target){
        .address = address->ai_addr,
        .address_bytes = address->ai_addrlen,
        .host = options->host,
        .port = options->port,
        .subprotocol = options->is_lenient ? WS_SUBPROTOCOL_OPTIONAL : WS_SUBPROTOCOL_NEEDED,
        .sources = options->sources,
    };
    prng_init(&run->prng, &(struct siphash_key){{options->seed, 0}});
    if (options->told != NULL && (run->told = fopen(options->told, "we")) == NULL) return -errno;
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (run->epoll < 0) return -errno;
    run->players = calloc(everybody(options), sizeof(struct player));
    QR_ASSERT(run->players != NULL);
    twins_create(&run->twins, everybody(options), &run->prng);
    run->now_us = run->began_us = clock_us();
    for (uint32_t index = 0; index < options->players; index++)
        run->kinds[kind_of(options, index)]++;
    begin_sweep(run);
    run->connects = (struct pace){.from_us = run->now_us, .per_second = options->rate};
    run->pings = (struct pace){.from_us = run->now_us,
                               .per_second = (uint64_t)options->idle * options->ping_rate};
    /* Sleeps end when they are to, not up to 50 µs later; where that fails they end later. */
    (void)prctl(PR_SET_TIMERSLACK, 1);
    run->next_drop_all_us = run->began_us + UINT64_C(1000) * options->drop_all_every_ms;
    wheel_init(&run->wheel, (mono_time){run->now_us / 1000});
    return 0;
}

static void end(struct run *run)
{
    for (uint32_t index = 0; index < run->started; index++) {
        link_drop(&run->players[index].link);
        link_drop(&run->players[index].old);
    }
    twins_destroy(&run->twins);
    free(run->players);
    (void)close(run->epoll); /* Nothing is left in it. */
    if (run->told != NULL && fclose(run->told) != 0) perror("quizrush-load: --told");
}

/* --- The loop's parts. --- */

static bool may_start(const struct run *run)
{
    return run->started < everybody(run->options) && !run->is_over;
}

static void ramp_up(struct run *run)
{
    for (unsigned turn = 0; turn < CONNECTS_MAX && may_start(run); turn++) {
        uint64_t due_us = pace_due_us(&run->connects);
        if (due_us > run->now_us) return;
        player_start(&run->players[run->started], run, run->started, due_us);
        run->started++;
        run->pings.from_us = run->now_us; /* They begin when everybody is there. */
        run->connects.done++;
        run->now_us = clock_us();
    }
}

static bool may_ping(const struct run *run)
{
    return run->pings.per_second > 0 && run->started == everybody(run->options) && !run->is_over;
}

/* In turn, so that each is due at its own moment and no player needs a timer. */
static void ping(struct run *run)
{
    for (unsigned turn = 0; turn < PINGS_MAX && may_ping(run); turn++) {
        uint64_t due_us = pace_due_us(&run->pings);
        if (due_us > run->now_us) return;
        uint64_t index = run->options->players + run->pings.done % run->options->idle;
        player_ping(&run->players[index], run, due_us);
        run->pings.done++;
        run->now_us = clock_us();
    }
}

static void expire(struct run *run)
{
    struct wheel_timer *timer;
    while ((timer = wheel_expire(&run->wheel, (mono_time){run->now_us / 1000})) != NULL) {
        player_on_timer(&run->players[timer->owner.slot], run, (enum player_timer)timer->kind);
        run->now_us = clock_us();
    }
}

/* Where the run wants it: everybody's connection is lost in the same moment. */
static void drop_all(struct run *run)
{
    uint64_t every_us = UINT64_C(1000) * run->options->drop_all_every_ms;
    if (every_us == 0 || run->now_us < run->next_drop_all_us) return;
    run->next_drop_all_us = run->now_us + every_us;
    for (uint32_t index = 0; index < run->started; index++)
        return_lose_now(&run->players[index], run);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When there is something to do, whatever comes. */
static uint64_t next_due_us(const struct run *run)
{
    mono_time timer;
    uint64_t due_us = run->next_look_us;
    if (wheel_next(&run->wheel, &timer)) due_us = least(due_us, UINT64_C(1000) * timer.ms);
    if (may_start(run)) due_us = least(due_us, pace_due_us(&run->connects));
    if (may_ping(run)) due_us = least(due_us, pace_due_us(&run->pings));
    return due_us;
}

static int wait_for_events(struct run *run, struct epoll_event events[EVENTS_MAX])
{
    uint64_t due_us = next_due_us(run);
    uint64_t left_us = due_us > run->now_us ? due_us - run->now_us : 0;
    struct timespec left = {.tv_sec = (time_t)(left_us / 1000000),
                            .tv_nsec = (long)(left_us % 1000000) * 1000};
    return epoll_pwait2(run->epoll, events, EVENTS_MAX, &left, NULL);
}

static void receive(struct run *run)
{
    struct epoll_event events[EVENTS_MAX];
    int count = wait_for_events(run, events);
    run->turn_began_us = clock_us();
    for (int index = 0; index < count; index++) {
        run->now_us = clock_us(); /* Per player: what one is told is timed when it is read. */
        uint32_t token = events[index].data.u32;
        struct player *player = &run->players[token & ~PLAYER_OLD_LINK];
        if ((token & PLAYER_OLD_LINK) != 0)
            return_on_old_ready(player, run, events[index].events);
        else
            player_on_ready(player, run, events[index].events);
    }
    run->now_us = clock_us();
}

static void count_player(struct census *census, const struct player *player)
{
    if (player->is_idle || player->kind != PLAYER_HONEST) return;
    if (player->state == PLAYER_QUEUED) census->queued++;
    if (player->state == PLAYER_PLAYING) census->playing++;
    if (player->state == PLAYER_AWAY) census->away++;
    if (player->state == PLAYER_DONE) census->done++;
}

static void print_progress(const struct run *run, const struct census *census)
{
    fprintf(stderr,
            "%6.1f s  %6" PRIu32 " here  %6" PRIu32 " queued  %6" PRIu32 " playing  %5" PRIu32
            " away  %6" PRIu32 " done  %9" PRIu64 " received  %" PRIu64 " violations\n",
            (double)(run->now_us - run->began_us) / 1e6, run->started, census->queued,
            census->playing, census->away, census->done, run->stats.received,
            run->stats.violations);
}

/* Nobody is left whom the last one in the queue could play with. */
static bool waits_in_vain(const struct run *run, const struct census *census)
{
    return run->options->matches > 0 && run->started == everybody(run->options) &&
           census->queued <= 1 && census->queued + census->done == run->kinds[PLAYER_HONEST];
}

static void look_at(struct run *run, struct player *player)
{
    count_player(&run->sweep.census, player);
    player_look(player, run);
    if (run->is_over && run->now_us > run->over_us + UINT64_C(1000) * run->options->grace_ms)
        player_give_up(player, run);
    run->sweep.is_all_done = run->sweep.is_all_done && player_is_done(player);
}

static bool is_time_over(const struct run *run)
{
    uint64_t spent_us = run->now_us - run->began_us;
    return run->options->seconds > 0 && spent_us >= UINT64_C(1000000) * run->options->seconds;
}

static void stop_joining(struct run *run)
{
    if (run->is_over) return;
    run->is_over = true;
    run->over_us = run->now_us;
}

/* Everybody was looked at. True: all are done. */
static bool end_sweep(struct run *run)
{
    const struct census *census = &run->sweep.census;
    bool is_all_done = run->kinds[PLAYER_HONEST] > 0 && census->done == run->kinds[PLAYER_HONEST];
    if (is_all_done || waits_in_vain(run, census)) stop_joining(run);
    if (run->shows_progress && run->now_us >= run->next_line_us) {
        run->next_line_us = run->now_us + LINE_EVERY_US;
        print_progress(run, census);
    }
    bool is_done = run->is_over && run->sweep.is_all_done;
    begin_sweep(run);
    return is_done;
}

/* A tenth of the players, or as many as a turn may take; so each about ten times a second, or
 * LOOKS_MAX of them every LOOK_EVERY_US. True: all are done. */
static bool look(struct run *run)
{
    if (is_time_over(run)) stop_joining(run);
    uint32_t count = run->started / 10 + 1;
    if (count > LOOKS_MAX) count = LOOKS_MAX;
    for (; count > 0 && run->sweep.next < run->started; count--)
        look_at(run, &run->players[run->sweep.next++]);
    return run->sweep.next == run->started && end_sweep(run);
}

static void play(struct run *run)
{
    uint64_t warm_us = run->began_us + UINT64_C(1000000) * run->options->warmup;
    bool is_done = false;
    while (!is_done) {
        run->stats.is_warming_up = run->now_us < warm_us;
        receive(run);
        ramp_up(run);
        ping(run);
        drop_all(run);
        expire(run);
        if (run->now_us >= run->next_look_us) {
            run->next_look_us = run->now_us + LOOK_EVERY_US;
            is_done = look(run);
        }
        run->now_us = clock_us();
        stats_measure(&run->stats, LATENCY_TURN, run->turn_began_us, run->now_us);
    }
}

/* --- The report. --- */

static int compare_counts(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static void count_matches(const struct run *run, struct stats_closing *closing)
{
    uint32_t count = run->kinds[PLAYER_HONEST];
    if (count == 0) return;
    uint32_t *matches = calloc(count, sizeof(uint32_t));
    QR_ASSERT(matches != NULL);
    uint32_t next = 0;
    for (uint32_t index = 0; index < run->options->players; index++)
        if (kind_of(run->options, index) == PLAYER_HONEST)
            matches[next++] = run->players[index].matches;
    qsort(matches, count, sizeof(uint32_t), compare_counts);
    closing->matches_min = matches[0];
    closing->matches_median = matches[count / 2];
    closing->matches_max = matches[count - 1];
    free(matches);
}

static uint64_t cpu_us(void)
{
    struct rusage usage;
    int result = getrusage(RUSAGE_SELF, &usage);
    QR_ASSERT(result == 0);
    return UINT64_C(1000000) * (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void report(const struct run *run)
{
    struct stats_closing closing = {
        .players = run->options->players,
        .idle = run->options->idle,
        .slow = run->kinds[PLAYER_SLOW],
        .garbage = run->kinds[PLAYER_GARBAGE],
        .seconds_us = run->now_us - run->began_us,
        .cpu_us = cpu_us(),
        .twins_same = run->twins.same,
        .twins_different = run->twins.different,
        .twins_late = run->twins.late,
    };
    count_matches(run, &closing);
    if (run->complaints > RUN_COMPLAINTS_MAX)
        fprintf(stderr, "… and %" PRIu32 " complaints more\n",
                run->complaints - RUN_COMPLAINTS_MAX);
    if (stats_are_doubtful(&run->stats))
        fputs("quizrush-load: was late itself (see lag): the latencies are not the server's\n",
              stderr);
    if (run->options->wants_json)
        stats_print_json(&run->stats, &closing, stdout);
    else
        stats_print(&run->stats, &closing, stdout);
}

int run_all(struct run *run, const struct options *options)
{
    struct addrinfo *addresses;
    int result = raise_file_limit(options);
    if (result == 0) result = resolve(options, &addresses);
    if (result != 0) return result;
    result = begin(run, options, addresses);
    if (result == 0) {
        play(run);
        report(run);
        end(run);
    }
    freeaddrinfo(addresses);
    return result;
}

bool run_is_clean(const struct run *run)
{
    return run->stats.violations == 0 && stats_errors(&run->stats) == 0;
}
