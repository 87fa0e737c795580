/* What a try costs however many wait, counted in rows of the table and not in time: the same on
 * every machine. tests/bench/bench_matchmaker measures the time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/matchmaker.h"

enum {
    FEW = 1000,
    MANY = 100000,
    SEEKERS = 1000,
    /* Just beyond the first window: nobody finds anybody, and every stretch holds a ticket. */
    DENSE_CENTI = 100 * 100 + 1,
    /* So far that between any two there is room to wait. */
    SPARSE_CENTI = 4 * DENSE_CENTI,
};

struct queue {
    struct wheel wheel;
    struct matchmaker matchmaker;
    struct matchmaker_memory memory;
    int32_t apart_centi;
};

static const mono_time now = {1000000};

static bool join(struct queue *queue, uint32_t player, int32_t rating_centi, struct handle *ret)
{
    struct ticket_request request = {
        .player = {{(uint8_t)player, (uint8_t)(player >> 8), (uint8_t)(player >> 16), 1}},
        .rating_centi = rating_centi,
        .category = QUESTION_CATEGORY_ANY,
    };
    struct matchmaker_pair pair;
    return matchmaker_join(&queue->matchmaker, &request, now, ret, &pair);
}

static int32_t rating_of(const struct queue *queue, uint32_t place)
{
    return (int32_t)(INT32_MIN + (int64_t)place * queue->apart_centi);
}

static struct queue *create_queue(uint32_t count, int32_t apart_centi)
{
    struct queue *queue = calloc(1, sizeof *queue);
    uint32_t cells = matchmaker_cells_for(count + 1);
    queue->memory = (struct matchmaker_memory){
        .items = calloc(count + 1, sizeof(struct ticket)),
        .slots = calloc(count + 1, sizeof(struct pool_slot)),
        .cells = calloc(cells, sizeof(struct ticket_cell)),
        .tags = calloc(cells, 1),
        .capacity = count + 1,
    };
    queue->apart_centi = apart_centi;
    wheel_init(&queue->wheel, now);
    matchmaker_init(&queue->matchmaker, &queue->memory, &queue->wheel, 0);
    for (uint32_t place = 0; place < count; place++) {
        struct handle ticket;
        assert_false(join(queue, place, rating_of(queue, place), &ticket));
    }
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

/* Rows that a try looks at, of seekers halfway between those who wait. */
static double rows_of_a_try(uint32_t count, int32_t apart_centi)
{
    struct queue *queue = create_queue(count, apart_centi);
    uint64_t before = queue->matchmaker.rows_seen;
    for (uint32_t i = 0; i < SEEKERS; i++) {
        struct handle ticket;
        int32_t below = rating_of(queue, i * (count / SEEKERS));
        (void)join(queue, MANY + i, below + apart_centi / 2, &ticket);
        matchmaker_remove(&queue->matchmaker, ticket);
    }
    double rows = (double)(queue->matchmaker.rows_seen - before) / SEEKERS;
    destroy_queue(queue);
    return rows;
}

static void a_try_among_many_looks_at_as_few_as_among_a_hundredth_of_them(void **state)
{
    (void)state;
    double few = rows_of_a_try(FEW, SPARSE_CENTI);
    double many = rows_of_a_try(MANY, SPARSE_CENTI);
    print_message("rows: %.1f among %d, %.1f among %d\n", few, FEW, many, MANY);
    assert_true(many < 2 * few);
    assert_true(many < 4); /* A row for each of up to three stretches. */
}

static void a_try_where_every_stretch_is_taken_looks_at_few(void **state)
{
    (void)state;
    double few = rows_of_a_try(FEW, DENSE_CENTI);
    double many = rows_of_a_try(MANY, DENSE_CENTI);
    print_message("rows: %.1f among %d, %.1f among %d\n", few, FEW, many, MANY);
    assert_true(many < 2 * few);
    assert_true(many < 4);
}

static void at_most_half_of_the_cells_are_ever_used(void **state)
{
    (void)state;
    assert_int_equal(matchmaker_cells_for(0), 8);
    assert_int_equal(matchmaker_cells_for(4), 8);
    assert_int_equal(matchmaker_cells_for(5), 16);
    assert_int_equal(matchmaker_cells_for(MANY), 262144);
    assert_int_equal(matchmaker_cells_for(MATCHMAKER_CAPACITY_MAX), 1 << 24);
    expect_assert_failure((void)matchmaker_cells_for(MATCHMAKER_CAPACITY_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_try_among_many_looks_at_as_few_as_among_a_hundredth_of_them),
        cmocka_unit_test(a_try_where_every_stretch_is_taken_looks_at_few),
        cmocka_unit_test(at_most_half_of_the_cells_are_ever_used),
    };
    return cmocka_run_group_tests_name("matchmaker_scale", tests, NULL, NULL);
}
