/* Clients that mean harm, for the benches: half-open connections, slow readers, senders of garbage, and a storm of
 * players who are all cut off and all come back. Who is thrown out comes back at once.
 *
 * One thread and one epoll, at SCHED_IDLE, so that it takes only the time that nobody else on its core wants. Aimed at a
 * sink, a child of its own that accepts, reads and forgets, it is the same load on the machine and none on the server.
 * It runs until its standard input ends; then it prints its figures as one JSON object. With `storm` it says "ready"
 * when all players are there, and each byte of the standard input is an order: `c` cuts them all off, `o` too and keeps
 * them out, `b` lets them come back. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    COUNT_MAX = 60000,
    EVENTS = 512,
    SEEN_BYTES = 2048,   /* Of what the server says: the handshake's answer and `welcome`. */
    SESSION_BYTES = 128, /* More than a `session` and a guest's `token` have. */
    TOKEN_BYTES = 512,
    MESSAGE_BYTES = 4096,  /* The longest that the server reads. */
    TICK_MS = 10,          /* How often the slow ones get their turn. */
    TICKS_A_SECOND = 100,  /* 1000 / TICK_MS. */
    OPENED_PER_TICK = 100, /* Connections begun: 10,000 a second. */
    CONNECTING_MAX = 1000, /* Fewer than a listening socket's queue. */
    PINGS_A_SECOND = 10,   /* Of a slow one: less than the server allows. */
};

enum kind { HALF_OPEN, SLOW, GARBAGE, STORM, KIND_COUNT };
static const char *const kind_names[KIND_COUNT] = {"half-open", "slow", "garbage", "storm"};

enum state { CLOSED, CONNECTING, SHAKING, OPEN };

struct conn {
    int fd;
    uint32_t index;
    uint8_t state;
    bool is_greeted; /* `welcome` has come. */
    uint16_t seen;
    uint16_t sent;                                   /* Of the frame that is under way. */
    char session[SESSION_BYTES], token[TOKEN_BYTES]; /* "": none. */
    char text[SEEN_BYTES];
};

static struct attack {
    enum kind kind;
    uint32_t count;
    uint32_t addresses;
    uint16_t port;
    bool is_sink;
    bool is_echo; /* The server is a raw one, which greets nobody. */
    bool is_away; /* Nobody comes. */
    int epoll_fd;
    uint32_t open, present, connecting, next; /* `next` is looked at next for being opened again. */
    uint32_t tick;
    uint32_t pings; /* That a slow one sends a second. */
    bool is_ready_told;
    unsigned long long opened, shaken, thrown_out, failed, greeted, refused, sent_bytes, rounds;
} attack;

static struct conn *conns;
static uint8_t garbage[2][8 + MESSAGE_BYTES];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* --- The sink. --- */

static void sink(int listener)
{
    static char bytes[65536];
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN, .data.fd = listener};
    int epoll_fd = epoll_create1(0);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll_ctl");
    for (;;) {
        int ready = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd != listener) {
                if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) == 0) (void)close(fd);
                continue;
            }
            event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
            if (event.data.fd >= 0) (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event);
        }
    }
}

/* The port of a child that swallows everything, and ends with this process. */
static uint16_t start_sink(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(listener, (struct sockaddr *)&at, size) < 0 || listen(listener, 4096) < 0) die("sink");
    if (getsockname(listener, (struct sockaddr *)&at, &size) < 0) die("getsockname");
    pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        sink(listener);
    }
    (void)close(listener);
    return ntohs(at.sin_port);
}

/* --- What is said. --- */

/* A client's text frame, masked with zeros; returns its size. */
static size_t frame(uint8_t *to, const void *text, size_t size)
{
    size_t at = 0;
    to[at++] = 0x81;
    if (size < 126) {
        to[at++] = (uint8_t)(0x80 | size);
    } else {
        to[at++] = 0x80 | 126;
        to[at++] = (uint8_t)(size >> 8);
        to[at++] = (uint8_t)size;
    }
    memset(to + at, 0, 4);
    memcpy(to + at + 4, text, size);
    return at + 4 + size;
}

/* One whose last byte is wrong, so that all of it is read; and one that is right and of a type that nobody knows. */
static void make_garbage(void)
{
    char text[MESSAGE_BYTES];
    static const char broken[] = "{\"type\":\"answer\",\"id\":1,\"x\":\"";
    static const char unknown[] = "{\"type\":\"garbage\",\"id\":1,\"x\":\"";
    memset(text, 'x', sizeof(text));
    memcpy(text, broken, sizeof(broken) - 1);
    (void)frame(garbage[0], text, sizeof(text));
    memcpy(text, unknown, sizeof(unknown) - 1);
    memcpy(text + sizeof(text) - 2, "\"}", 2);
    (void)frame(garbage[1], text, sizeof(text));
}

static void say(struct conn *conn, const char *text)
{
    uint8_t bytes[8 + SESSION_BYTES + TOKEN_BYTES + 64];
    ssize_t sent = send(conn->fd, bytes, frame(bytes, text, strlen(text)), MSG_NOSIGNAL);
    if (sent > 0) attack.sent_bytes += (unsigned long long)sent;
}

static void say_head(struct conn *conn)
{
    static const char head[] =
        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: quizrush.v1\r\n\r\n";
    size_t size = sizeof(head) - 1;
    if (attack.kind == HALF_OPEN) size = conn->index % 2 == 0 ? 0 : size / 2;
    if (size > 0) (void)send(conn->fd, head, size, MSG_NOSIGNAL);
}

static void say_hello(struct conn *conn)
{
    char text[SESSION_BYTES + TOKEN_BYTES + 64];
    if (conn->session[0] != '\0') {
        (void)snprintf(text, sizeof(text),
                       "{\"type\":\"hello\",\"id\":1,\"resume\":\"%s\",\"token\":\"%s\"}",
                       conn->session, conn->token);
    } else {
        (void)snprintf(text, sizeof(text), "{\"type\":\"hello\",\"id\":1,\"name\":\"Mallory %u\"}",
                       conn->index);
    }
    say(conn, text);
}

/* --- Connections. --- */

static void watch(struct conn *conn, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = conn->index};
    if (epoll_ctl(attack.epoll_fd, operation, conn->fd, &event) < 0) die("epoll_ctl");
}

static void begin(struct conn *conn)
{
    int one = 1, small = 4096, segment = 536;
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr =
                                   htonl(0x7f010001 + conn->index % attack.addresses)};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(attack.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0) die("socket");
    (void)setsockopt(conn->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (attack.kind == SLOW) { /* Buffers that are soon full. */
        (void)setsockopt(conn->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
    }
    if (bind(conn->fd, (struct sockaddr *)&from, sizeof(from)) < 0) die("bind");
    if (connect(conn->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
        attack.failed++;
        (void)close(conn->fd);
        return;
    }
    conn->state = CONNECTING;
    conn->seen = conn->sent = 0;
    conn->is_greeted = false;
    memset(conn->text, 0, sizeof(conn->text));
    attack.connecting++;
    attack.opened++;
    watch(conn, EPOLL_CTL_ADD, EPOLLOUT);
}

static void end(struct conn *conn)
{
    if (conn->state == CLOSED) return;
    if (conn->state == OPEN) attack.open--;
    if (conn->is_greeted) attack.present--;
    conn->is_greeted = false;
    if (conn->state == CONNECTING) attack.connecting--;
    (void)close(conn->fd);
    conn->state = CLOSED;
}

static void be_open(struct conn *conn)
{
    conn->state = OPEN;
    attack.open++;
    attack.shaken++;
    switch (attack.kind) {
    case SLOW: /* It is read by the clock alone. */
        watch(conn, EPOLL_CTL_MOD, EPOLLRDHUP);
        say_hello(conn);
        say(conn, "{\"type\":\"join\",\"id\":2,\"mode\":\"duel\"}");
        break;
    case GARBAGE: watch(conn, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT | EPOLLRDHUP); break;
    case STORM: say_hello(conn); break;
    case HALF_OPEN:
    case KIND_COUNT: break;
    }
}

static void on_connected(struct conn *conn)
{
    int error = 0;
    socklen_t size = sizeof(error);
    (void)getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        attack.failed++;
        end(conn);
        return;
    }
    attack.connecting--;
    conn->state = SHAKING;
    watch(conn, EPOLL_CTL_MOD, EPOLLIN | EPOLLRDHUP);
    say_head(conn);
    if (attack.is_sink && attack.kind != HALF_OPEN) be_open(conn);
}

/* The value of a key, where all of it is there. */
static bool find_text(const char *text, const char *key, char *ret_value, size_t size)
{
    const char *at = strstr(text, key);
    if (at == NULL) return false;
    at += strlen(key);
    const char *end = strchr(at, '"');
    if (end == NULL || (size_t)(end - at) >= size) return false;
    memcpy(ret_value, at, (size_t)(end - at));
    ret_value[end - at] = '\0';
    return true;
}

/* Of a player in the storm: the proofs with which it comes back. */
static void keep_proofs(struct conn *conn)
{
    char session[SESSION_BYTES], token[TOKEN_BYTES];
    if (conn->is_greeted) return;
    if (!find_text(conn->text, "\"session\":\"", session, sizeof(session))) return;
    if (!find_text(conn->text, "\"token\":\"", token, sizeof(token))) return;
    conn->is_greeted = true;
    attack.greeted++;
    attack.present++;
    memcpy(conn->session, session, sizeof(session));
    memcpy(conn->token, token, sizeof(token));
}

static void on_readable(struct conn *conn)
{
    char bytes[SEEN_BYTES];
    ssize_t size =
        recv(conn->fd, bytes, attack.kind == SLOW && conn->state == OPEN ? 1 : SEEN_BYTES, 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        attack.thrown_out++;
        end(conn);
        return;
    }
    size_t room = SEEN_BYTES - 1 - conn->seen;
    size_t taken = (size_t)size < room ? (size_t)size : room;
    for (size_t i = 0; i < taken; i++) /* A frame's header may have a zero. */
        conn->text[conn->seen++] = bytes[i] != '\0' ? bytes[i] : ' ';
    conn->text[conn->seen] = '\0';
    if (conn->state == SHAKING && strstr(conn->text, "\r\n\r\n") != NULL) {
        if (strncmp(conn->text, "HTTP/1.1 101", 12) == 0) {
            be_open(conn);
        } else {
            attack.refused++;
            end(conn);
        }
    } else if (attack.kind == STORM && conn->state == OPEN && taken > 0) {
        keep_proofs(conn);
    }
}

static void on_writable(struct conn *conn)
{
    const uint8_t *message = garbage[conn->index % 2];
    size_t size = sizeof(garbage[0]);
    ssize_t sent = send(conn->fd, message + conn->sent, size - conn->sent, MSG_NOSIGNAL);
    if (sent < 0) return; /* What ended it is told by the next event. */
    attack.sent_bytes += (unsigned long long)sent;
    conn->sent = (uint16_t)((conn->sent + (size_t)sent) % size);
}

static void on_event(const struct epoll_event *event)
{
    struct conn *conn = &conns[event->data.u32];
    if (conn->state == CLOSED) return;
    if (conn->state == CONNECTING) {
        on_connected(conn);
        return;
    }
    if (conn->state == OPEN && attack.kind == SLOW) {
        if ((event->events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) == 0) return;
        attack.thrown_out++;
        end(conn);
        return;
    }
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) on_readable(conn);
    if (conn->state == OPEN && (event->events & EPOLLOUT)) on_writable(conn);
}

/* --- By the clock. --- */

static void open_some(void)
{
    uint32_t begun = 0;
    if (attack.is_away) return;
    for (uint32_t i = 0; i < attack.count && begun < OPENED_PER_TICK; i++) {
        if (attack.connecting >= CONNECTING_MAX) return;
        struct conn *conn = &conns[attack.next];
        attack.next = (attack.next + 1) % attack.count;
        if (conn->state != CLOSED) continue;
        begin(conn);
        begun++;
    }
}

/* A hundredth of the slow ones at a time: each reads a byte a second, and asks for more than that. */
static void be_slow(void)
{
    for (uint32_t i = attack.tick % TICKS_A_SECOND; i < attack.count; i += TICKS_A_SECOND) {
        if (conns[i].state != OPEN) continue;
        for (uint32_t ping = 0; ping < attack.pings; ping++) {
            say(&conns[i],
                "{\"type\":\"ping\",\"id\":3,\"at\":\"0123456789012345678901234567890123456789\"}");
        }
        on_readable(&conns[i]);
    }
}

static void on_tick(void)
{
    attack.tick++;
    open_some();
    if (attack.kind == SLOW) be_slow();
    bool greets = !attack.is_sink && !attack.is_echo;
    bool is_ready = (greets ? attack.present : attack.open) == attack.count;
    if (attack.kind == STORM && is_ready && !attack.is_ready_told) {
        attack.is_ready_told = true;
        printf("ready\n");
        fflush(stdout);
    }
}

/* Every other one by RST, the rest by FIN. */
static void cut_all_off(void)
{
    for (uint32_t i = 0; i < attack.count; i++) {
        struct linger reset = {.l_onoff = 1};
        if (i % 2 == 0 && conns[i].state != CLOSED) {
            (void)setsockopt(conns[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        }
        end(&conns[i]);
    }
    attack.rounds++;
    attack.is_ready_told = false;
}

/* --- Life. --- */

static void parse(int argc, char *argv[])
{
    int option;
    attack.kind = KIND_COUNT;
    attack.addresses = 16;
    attack.pings = PINGS_A_SECOND;
    while ((option = getopt(argc, argv, "k:n:p:a:r:se")) != -1) {
        switch (option) {
        case 'k':
            for (attack.kind = 0; attack.kind < KIND_COUNT; attack.kind++)
                if (strcmp(optarg, kind_names[attack.kind]) == 0) break;
            break;
        case 'n': attack.count = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'p': attack.port = (uint16_t)strtoul(optarg, NULL, 10); break;
        case 'a': attack.addresses = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'r': attack.pings = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 's': attack.is_sink = true; break;
        case 'e': attack.is_echo = true; break;
        default: attack.count = 0;
        }
    }
    bool is_right = attack.kind < KIND_COUNT && attack.count > 0 && attack.count <= COUNT_MAX &&
                    attack.addresses > 0 && (attack.port != 0 || attack.is_sink);
    if (is_right) return;
    (void)fprintf(stderr, "attack -k half-open|slow|garbage|storm -n COUNT (-p PORT [-e] | -s) [-a "
                          "ADDRESSES] [-r PINGS]\n");
    exit(2);
}

static void print_figures(void)
{
    printf("{\"kind\":\"%s\",\"open\":%u,\"opened\":%llu,\"shaken\":%llu,\"thrown_out\":%llu,"
           "\"refused\":%llu,"
           "\"failed\":%llu,\"greeted\":%llu,\"rounds\":%llu,\"sent_bytes\":%llu}\n",
           kind_names[attack.kind], attack.open, attack.opened, attack.shaken, attack.thrown_out,
           attack.refused, attack.failed, attack.greeted, attack.rounds, attack.sent_bytes);
}

/* False: the standard input has ended. */
static bool on_order(void)
{
    char byte;
    if (read(STDIN_FILENO, &byte, 1) <= 0) return false;
    if (attack.kind != STORM) return true;
    if (byte == 'c' || byte == 'o') cut_all_off();
    attack.is_away = byte == 'o';
    return true;
}

int main(int argc, char *argv[])
{
    enum { TICK = COUNT_MAX, ORDER };
    struct sched_param param = {0};
    struct itimerspec tick = {{0, TICK_MS * 1000000L}, {0, TICK_MS * 1000000L}};
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    parse(argc, argv);
    if (sched_setscheduler(0, SCHED_IDLE, &param) < 0) die("sched_setscheduler");
    if (attack.is_sink) attack.port = start_sink();
    make_garbage();
    conns = calloc(attack.count, sizeof(*conns));
    if (conns == NULL) die("calloc");
    for (uint32_t i = 0; i < attack.count; i++) conns[i].index = i;
    attack.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timerfd_settime(timer, 0, &tick, NULL) < 0) die("timerfd_settime");
    event.data.u32 = TICK;
    if (epoll_ctl(attack.epoll_fd, EPOLL_CTL_ADD, timer, &event) < 0) die("epoll_ctl");
    event.data.u32 = ORDER;
    if (epoll_ctl(attack.epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0) die("epoll_ctl");
    for (;;) {
        int ready = epoll_wait(attack.epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            uint64_t expired;
            if (events[i].data.u32 == ORDER) {
                if (on_order()) continue;
                print_figures();
                return 0;
            }
            if (events[i].data.u32 != TICK) {
                on_event(&events[i]);
            } else if (read(timer, &expired, sizeof(expired)) > 0) {
                on_tick();
            }
        }
    }
}
