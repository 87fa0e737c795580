/* What a join costs in a queue of 1,000 and in one of 100,000 tickets, and the ratio.
 *
 *     bench_matchmaker [repetitions]
 *
 * The tickets that wait are further apart than any window but the last, or they would not wait; so
 * their ratings cover much more than players' do. Who joins comes between two of them at random and
 * waits as well: the search is made whole, and is followed by the insertion. Both queues are
 * measured in turn, a batch of joins each; a line shows the medians over the repetitions, and of
 * the ratios the median and the quartiles. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/prng.h"
#include "core/matchmaker.h"

enum {
    SMALL = 1000,
    LARGE = 100000,
    BATCH = 32,
    REPETITIONS = 2001,
    REPETITIONS_MAX = 100000,
    WARM_UP = 50,
    LINE_BYTES = 64,
};

struct layout {
    const char *name;
    unsigned categories; /* The tickets that wait are of so many in turn, */
    unsigned steps;      /* and of so many steps. */
    uint8_t category;    /* Of those who join. */
};

struct queue {
    struct wheel wheel;
    struct matchmaker matchmaker;
    struct matchmaker_memory memory;
    uint32_t places; /* Tickets of each category, */
    uint32_t apart;  /* and how far apart, so that they fill the range that ratings have. */
};

static const mono_time now = {1000000};

void qr_assert_failed(const char *file, int line, const char *claim)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, claim);
    abort();
}

/* Zero, and aligned as a shard's memory is. */
static void *allocate(size_t count, size_t bytes)
{
    size_t all = (count * bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    void *items = aligned_alloc(LINE_BYTES, all);
    if (items == NULL) exit(EXIT_FAILURE);
    return memset(items, 0, all);
}

/* The rating of a place, from the lowest there is. */
static int32_t rating_of(const struct queue *queue, uint32_t place)
{
    return (int32_t)(INT32_MIN + (int64_t)place * queue->apart);
}

static struct handle join(struct queue *queue, struct ticket_request request)
{
    static uint64_t players;
    players++;
    for (unsigned i = 0; i < 8; i++) request.player.bytes[i] = (uint8_t)(players >> 8 * i);
    struct handle ticket;
    struct matchmaker_pair pair;
    if (matchmaker_join(&queue->matchmaker, &request, now, &ticket, &pair)) {
        fputs("a pair was found where none should be\n", stderr);
        exit(EXIT_FAILURE);
    }
    return ticket;
}

static struct queue *create_queue(uint32_t count, const struct layout *layout, struct prng *prng)
{
    struct queue *queue = allocate(1, sizeof *queue);
    uint32_t cells = matchmaker_cells_for(count + BATCH);
    queue->memory = (struct matchmaker_memory){
        .items = allocate(count + BATCH, sizeof(struct ticket)),
        .slots = allocate(count + BATCH, sizeof(struct pool_slot)),
        .cells = allocate(cells, sizeof(struct ticket_cell)),
        .tags = allocate(cells, 1),
        .capacity = count + BATCH,
    };
    queue->places = count / layout->categories;
    queue->apart = UINT32_MAX / queue->places;
    wheel_init(&queue->wheel, now);
    matchmaker_init(&queue->matchmaker, &queue->memory, &queue->wheel, 0);
    /* In random order, so that neighbours in a tree are not neighbours in memory. */
    uint32_t *order = allocate(count, sizeof *order);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = prng_below(prng, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = order[i] / layout->categories;
        uint8_t step = (uint8_t)(prng_below(prng, layout->steps));
        (void)join(queue, (struct ticket_request){
                              .rating_centi = rating_of(queue, place),
                              .category = (uint8_t)(order[i] % layout->categories),
                              .waited_ms = matchmaker_step_begins_ms(step),
                          });
    }
    free(order);
    return queue;
}

static void destroy_queue(struct queue *queue)
{
    free(queue->memory.items);
    free(queue->memory.slots);
    free(queue->memory.cells);
    free(queue->memory.tags);
    free(queue);
}

static uint64_t nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Nanoseconds a join. */
static double measure_batch(struct queue *queue, const struct layout *layout, struct prng *prng)
{
    struct ticket_request requests[BATCH];
    struct handle tickets[BATCH];
    uint32_t stretch = (queue->places - 1) / BATCH; /* One of the batch in each. */
    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t place = i * stretch + prng_below(prng, stretch);
        requests[i] = (struct ticket_request){
            .rating_centi = rating_of(queue, place) + (int32_t)(queue->apart / 2),
            .category = layout->category,
        };
    }
    uint64_t begin = nanoseconds();
    for (unsigned i = 0; i < BATCH; i++) tickets[i] = join(queue, requests[i]);
    uint64_t end = nanoseconds();
    for (unsigned i = 0; i < BATCH; i++) matchmaker_remove(&queue->matchmaker, tickets[i]);
    return (double)(end - begin) / BATCH;
}

static int compare_doubles(const void *a, const void *b)
{
    const double *first = a;
    const double *second = b;
    return (*first > *second) - (*first < *second);
}

static void measure(const struct layout *layout, unsigned repetitions)
{
    struct prng prng;
    prng_init(&prng, &(struct siphash_key){{1, 2}});
    struct queue *small = create_queue(SMALL, layout, &prng);
    struct queue *large = create_queue(LARGE, layout, &prng);
    double *smalls = allocate(repetitions, sizeof *smalls);
    double *larges = allocate(repetitions, sizeof *larges);
    double *ratios = allocate(repetitions, sizeof *ratios);
    for (unsigned i = 0; i < WARM_UP + repetitions; i++) {
        double of_small = measure_batch(small, layout, &prng);
        double of_large = measure_batch(large, layout, &prng);
        if (i < WARM_UP) continue;
        smalls[i - WARM_UP] = of_small;
        larges[i - WARM_UP] = of_large;
        ratios[i - WARM_UP] = of_large / of_small;
    }
    qsort(smalls, repetitions, sizeof *smalls, compare_doubles);
    qsort(larges, repetitions, sizeof *larges, compare_doubles);
    qsort(ratios, repetitions, sizeof *ratios, compare_doubles);
    printf("%-36s %6.0f ns  %6.0f ns   %.2f  (%.2f to %.2f)\n", layout->name,
           smalls[repetitions / 2], larges[repetitions / 2], ratios[repetitions / 2],
           ratios[repetitions / 4], ratios[3 * (size_t)repetitions / 4]);
    free(smalls);
    free(larges);
    free(ratios);
    destroy_queue(small);
    destroy_queue(large);
}

static const struct layout layouts[] = {
    /* All of them in one category at its first step: the deepest. */
    {"one category at its first step", 1, 1, 0},
    /* As many steps as 100,000 can wait in without a partner. */
    {"four steps of one category", 1, 4, 0},
    {"eight categories, joins one of them", 8, MATCHMAKER_STEPS - 1, 0},
    {"eight categories, joins open to any", 8, MATCHMAKER_STEPS - 1, QUESTION_CATEGORY_ANY},
};

int main(int argc, char **argv)
{
    unsigned repetitions = REPETITIONS;
    if (argc > 1) repetitions = (unsigned)strtoul(argv[1], NULL, 10);
    if (repetitions < 1 || repetitions > REPETITIONS_MAX) {
        fprintf(stderr, "usage: %s [repetitions, 1 to %d]\n", argv[0], REPETITIONS_MAX);
        return EXIT_FAILURE;
    }
    printf("a join among %23s %6d     %6d      ratio, median and quartiles\n", "", SMALL, LARGE);
    for (unsigned i = 0; i < sizeof layouts / sizeof *layouts; i++)
        measure(&layouts[i], repetitions);
    return EXIT_SUCCESS;
}
