/* Two threads, one mailbox: the producer pushes as fast as it can, the consumer checks every byte.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <cmocka.h>

#include "base/mailbox.h"
#include "base/prng.h"

enum {
    SIZE = 2 * MAILBOX_RECORD_BYTES_MAX,
    RECORDS = 300000,
    BODY_BYTES_MAX = 96,
    LONG_BODY_BYTES = 12000,
    LONG_EVERY = 1024,
};

struct head {
    uint64_t sequence;
    uint64_t checksum;
    uint32_t body_bytes;
    uint32_t padding;
};

struct world {
    struct mailbox mailbox;
    _Alignas(8) uint8_t storage[SIZE];
    uint8_t source[LONG_BODY_BYTES + 256]; /* A body begins at one of the first 256. */
    uint64_t retries;
};

static uint64_t sum_of(const uint8_t *bytes, size_t count)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++) sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static uint32_t body_bytes_of(uint64_t sequence)
{
    if (sequence % LONG_EVERY == 0) return LONG_BODY_BYTES;
    return (uint32_t)(sequence * 31 % (BODY_BYTES_MAX + 1));
}

static void *produce(void *argument)
{
    struct world *world = argument;
    for (uint64_t sequence = 0; sequence < RECORDS; sequence++) {
        const uint8_t *body = world->source + sequence % 256;
        uint32_t body_bytes = body_bytes_of(sequence);
        struct head head = {sequence, sum_of(body, body_bytes), body_bytes, 0};
        while (!mailbox_push(&world->mailbox, &head, sizeof head, body, body_bytes)) {
            world->retries++;
            sched_yield();
        }
    }
    return NULL;
}

/* Counts the records that came out of order, too long, too short or altered. */
static uint64_t consume(struct world *world)
{
    uint64_t wrong = 0;
    for (uint64_t sequence = 0; sequence < RECORDS;) {
        size_t bytes;
        const uint8_t *record = mailbox_peek(&world->mailbox, &bytes);
        if (record == NULL) {
            sched_yield();
            continue;
        }
        struct head head;
        memcpy(&head, record, sizeof head);
        bool is_right = head.sequence == sequence && head.body_bytes == body_bytes_of(sequence) &&
                        bytes == sizeof head + head.body_bytes &&
                        mailbox_bytes_used(&world->mailbox) >= bytes &&
                        head.checksum == sum_of(record + sizeof head, bytes - sizeof head);
        wrong += !is_right;
        sequence++;
        mailbox_consume(&world->mailbox);
    }
    return wrong;
}

static void begin(struct world *world)
{
    struct prng prng;
    prng_init(&prng, &(struct siphash_key){{1, 2}});
    for (size_t i = 0; i < sizeof world->source; i++) world->source[i] = (uint8_t)prng_next(&prng);
    world->retries = 0;
    mailbox_init(&world->mailbox, world->storage, SIZE);
}

static void every_record_crosses_between_two_threads_whole_and_in_order(void **state)
{
    static struct world world;
    pthread_t producer;
    (void)state;
    begin(&world);
    assert_int_equal(pthread_create(&producer, NULL, produce, &world), 0);
    uint64_t wrong = consume(&world);
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(mailbox_bytes_used(&world.mailbox), 0);
    assert_int_equal(world.mailbox.refused, world.retries);
    assert_in_range(world.mailbox.bytes_used_max, 1, SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_crosses_between_two_threads_whole_and_in_order),
    };
    return cmocka_run_group_tests_name("base/mailbox_threads", tests, NULL, NULL);
}
