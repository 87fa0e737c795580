/* Threads that push as fast as they can, and one that reads and checks every byte: for ThreadSanitizer, and for the
 * machine's own memory order. What orders there are at all is tests/models/mailbox.pml's and wake.pml's.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mailbox.h"
#include "base/prng.h"

enum {
    SIZE = 2 * MAILBOX_RECORD_BYTES_MAX,
    PLACES = SIZE / 8, /* Where bytes may begin. */
    /* The shortest of these records has three places of bytes, so that none begins at the last two. Nor at the third and
     * fourth, where the header would be at the second or third: what is at the ring's beginning ends behind them. */
    PLACES_USED = PLACES - 4,
    RECORDS = 300000,
    LONGEST_RECORDS = 1000,
    RECORDS_EACH = 30000,
    PRODUCERS = 3,
    BODY_BYTES_MAX = 96,
    LONG_BODY_BYTES = 12000,
    LONG_EVERY = 1024,
    BATCH_MAX = 8,
    TAKES_PER_TURN = 5, /* Less than a batch: something is left over now and then. */
    SLEEP_MAX_MS = 20000,
};

struct head {
    uint64_t sequence;
    uint64_t checksum;
    uint32_t body_bytes;
    uint32_t padding;
};

enum { LONGEST_BODY_BYTES = MAILBOX_RECORD_BYTES_MAX - sizeof(struct head) };

/* One mailbox with both its sides. */
struct world {
    struct mailbox mailbox;
    _Alignas(8) uint8_t storage[SIZE];
    uint8_t source[LONGEST_BODY_BYTES + 256]; /* A body begins at one of the first 256. */
    uint64_t records;
    uint32_t (*body_bytes_of)(uint64_t sequence);
    int bell; /* The eventfd that the producer writes after each batch; -1: none. */
    /* The producer's. */
    uint64_t refused;
    _Atomic bool has_paused; /* It has met a full ring, or has nothing more to push. */
    /* The consumer's. */
    uint64_t sequence; /* The next that is due. */
    uint64_t wrong;    /* Records out of order, too long, too short or altered. */
    bool was_at[PLACES];
};

static uint64_t sum_of(const uint8_t *bytes, size_t count)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++) sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static uint32_t short_and_long(uint64_t sequence)
{
    if (sequence % LONG_EVERY == 0) return LONG_BODY_BYTES;
    uint64_t mixed = sequence * UINT64_C(0x9e3779b97f4a7c15);
    if ((mixed >> 61) == 0) return 0;
    return (uint32_t)((mixed >> 32) % (BODY_BYTES_MAX + 1));
}

/* An empty ring takes one of these, and is full. */
static uint32_t longest(uint64_t sequence)
{
    (void)sequence;
    return LONGEST_BODY_BYTES;
}

/* --- The producer. --- */

static void ring_bell(const struct world *world)
{
    uint64_t one = 1;
    if (world->bell < 0) return;
    ssize_t written = write(world->bell, &one, sizeof one);
    (void)written; /* It fails only where the counter is full: then the bell rings. */
}

static bool push(struct world *world, uint64_t sequence)
{
    const uint8_t *body = world->source + sequence % 256;
    uint32_t body_bytes = world->body_bytes_of(sequence);
    struct head head = {sequence, sum_of(body, body_bytes), body_bytes, 0};
    bool is_pushed = mailbox_push(&world->mailbox, &head, sizeof head, body, body_bytes);
    world->refused += !is_pushed;
    return is_pushed;
}

/* Relaxed: it must order nothing that the mailbox has to order. */
static void note_pause(struct world *world)
{
    atomic_store_explicit(&world->has_paused, true, memory_order_relaxed);
}

static void *produce(void *argument)
{
    struct world *world = argument;
    uint64_t sequence = 0;
    while (sequence < world->records) {
        uint64_t pushed = 0;
        while (pushed < 1 + sequence % BATCH_MAX && sequence < world->records &&
               push(world, sequence)) {
            sequence++;
            pushed++;
        }
        if (pushed > 0) {
            ring_bell(world);
        } else {
            note_pause(world);
            sched_yield();
        }
    }
    note_pause(world);
    return NULL;
}

/* --- The consumer. --- */

/* False: there is none. */
static bool take(struct world *world)
{
    size_t bytes;
    const uint8_t *record = mailbox_peek(&world->mailbox, &bytes);
    if (record == NULL) return false;
    struct head head;
    memcpy(&head, record, sizeof head);
    uint64_t sequence = world->sequence++;
    bool is_right =
        head.sequence == sequence && head.body_bytes == world->body_bytes_of(sequence) &&
        bytes == sizeof head + head.body_bytes && mailbox_bytes_used(&world->mailbox) >= bytes &&
        head.checksum == sum_of(record + sizeof head, bytes - sizeof head);
    world->wrong += !is_right;
    world->was_at[(size_t)(record - world->storage) / 8] = true;
    mailbox_consume(&world->mailbox);
    return true;
}

static void wait_for_pause(const struct world *world)
{
    while (!atomic_load_explicit(&world->has_paused, memory_order_relaxed)) sched_yield();
}

static void take_all(struct world *world)
{
    while (world->sequence < world->records) {
        if (!take(world)) sched_yield();
    }
}

static unsigned places_of(const struct world *world)
{
    unsigned places = 0;
    for (unsigned i = 0; i < PLACES; i++) places += world->was_at[i];
    return places;
}

static bool is_any_waiting(const struct world worlds[PRODUCERS])
{
    bool is_any = false;
    for (unsigned i = 0; i < PRODUCERS; i++)
        is_any = is_any || mailbox_bytes_used(&worlds[i].mailbox) > 0;
    return is_any;
}

static bool is_any_left(const struct world worlds[PRODUCERS])
{
    bool is_any = false;
    for (unsigned i = 0; i < PRODUCERS; i++)
        is_any = is_any || worlds[i].sequence < worlds[i].records;
    return is_any;
}

/* As a worker does it: looks, sleeps where nothing is there, sets the bell back, and then takes a few of each. False: it
 * slept on a record, or for too long. */
static bool take_and_sleep(struct world worlds[PRODUCERS], int bell)
{
    while (is_any_left(worlds)) {
        struct pollfd file = {.fd = bell, .events = POLLIN};
        int rung = poll(&file, 1, is_any_waiting(worlds) ? 0 : SLEEP_MAX_MS);
        uint64_t count;
        if (rung == 1 && read(bell, &count, sizeof count) != (ssize_t)sizeof count) return false;
        if (rung == 0 && !is_any_waiting(worlds)) return false;
        for (unsigned i = 0; i < PRODUCERS; i++) {
            unsigned taken = 0;
            while (taken < TAKES_PER_TURN && take(&worlds[i])) taken++;
        }
    }
    return true;
}

/* --- The tests. --- */

static void begin(struct world *world, uint64_t records, uint32_t (*body_bytes_of)(uint64_t),
                  int bell)
{
    struct prng prng;
    memset(world, 0, sizeof *world);
    prng_init(&prng, &(struct siphash_key){{1, 2}});
    for (size_t i = 0; i < sizeof world->source; i++) world->source[i] = (uint8_t)prng_next(&prng);
    world->records = records;
    world->body_bytes_of = body_bytes_of;
    world->bell = bell;
    mailbox_init(&world->mailbox, world->storage, SIZE);
}

static void assert_all_came(const struct world *world)
{
    assert_int_equal(world->wrong, 0);
    assert_int_equal(mailbox_bytes_used(&world->mailbox), 0);
    assert_int_equal(world->mailbox.refused, world->refused);
    assert_in_range(world->mailbox.bytes_used_max, 1, SIZE);
}

static void every_record_crosses_whole_and_in_order_from_every_place_of_the_ring(void **state)
{
    static struct world world;
    pthread_t producer;
    (void)state;
    begin(&world, RECORDS, short_and_long, -1);
    assert_int_equal(pthread_create(&producer, NULL, produce, &world), 0);
    take_all(&world);
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_all_came(&world);
    assert_int_equal(places_of(&world), PLACES_USED);
}

static void a_ring_that_is_full_or_empty_and_nothing_between_loses_nothing(void **state)
{
    static struct world world;
    pthread_t producer;
    (void)state;
    begin(&world, LONGEST_RECORDS, longest, -1);
    assert_int_equal(pthread_create(&producer, NULL, produce, &world), 0);
    wait_for_pause(&world);
    take_all(&world);
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_all_came(&world);
    assert_true(world.refused > 0);
}

static void who_sleeps_until_the_bell_rings_gets_every_record_of_every_producer(void **state)
{
    static struct world worlds[PRODUCERS];
    pthread_t producers[PRODUCERS];
    int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    (void)state;
    assert_true(bell >= 0);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        begin(&worlds[i], RECORDS_EACH, short_and_long, bell);
        assert_int_equal(pthread_create(&producers[i], NULL, produce, &worlds[i]), 0);
    }
    assert_true(take_and_sleep(worlds, bell));
    for (unsigned i = 0; i < PRODUCERS; i++) {
        assert_int_equal(pthread_join(producers[i], NULL), 0);
        assert_all_came(&worlds[i]);
    }
    (void)close(bell); /* It was only rung. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_crosses_whole_and_in_order_from_every_place_of_the_ring),
        cmocka_unit_test(a_ring_that_is_full_or_empty_and_nothing_between_loses_nothing),
        cmocka_unit_test(who_sleeps_until_the_bell_rings_gets_every_record_of_every_producer),
    };
    return cmocka_run_group_tests_name("base/mailbox_threads", tests, NULL, NULL);
}
